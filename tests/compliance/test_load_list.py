"""A registry file is loaded completely, once, and never over a newer copy."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from rooftree.compliance.do_not_call.list_file import BadListFile
from rooftree.compliance.do_not_call.load_list import ListUpload, LoadResult, load_file
from rooftree.compliance.models import DncArea, DncBlock, DncFile
from rooftree.ledger.models import Event
from tests import make

pytestmark = pytest.mark.django_db
TODAY = make.NOON.date()
LISTED = """
select coalesce(get_bit(bits, right(%(n)s, 4)::int), 0) from dnc_block
 where id = %(list)s || ':' || left(%(n)s, 6)
"""


def loaded(lines: str, registry: str = "US", *, days: int = 0, **changes: Any) -> LoadResult:
    trial = changes.pop("is_trial", False)
    upload = ListUpload(
        registry=registry,
        name="list.txt",
        dated=TODAY - timedelta(days=days),
        file=io.BytesIO(lines.encode()),
        **changes,
    )
    return load_file(upload, by=None, at=make.NOON, is_trial=trial)


def is_listed(number: str, registry: str = "US") -> bool:
    with connection.cursor() as cursor:
        cursor.execute(LISTED, {"n": number, "list": registry})
        row = cursor.fetchone()
    return bool(row and row[0])


def test_full_file_lists_its_numbers_and_covers_its_area_codes() -> None:
    result = loaded("212,5550100\n212,5560101\n305,5559999\n", days=3)

    assert (result.added, result.removed, result.numbers, result.areas) == (3, 0, 3, ("212", "305"))
    assert is_listed("2125550100")
    assert is_listed("3055559999")
    assert not is_listed("2125550101")
    rows = DncArea.objects.order_by("area").values_list("registry", "area", "dated", "numbers")
    day = TODAY - timedelta(days=3)
    assert list(rows) == [("US", "212", day, 2), ("US", "305", day, 1)]
    event = Event.objects.get(kind="compliance.registry.loaded")
    assert event.data["added"] == 3


def test_full_file_replaces_only_its_own_area_codes() -> None:
    loaded("212,5550100\n212,5560101\n305,5559999\n", days=3)
    result = loaded("212,5550100\n212,5570102\n")

    assert (result.added, result.removed) == (1, 1)
    assert not is_listed("2125560101")
    assert is_listed("2125570102")
    assert is_listed("3055559999")
    assert not DncBlock.objects.filter(pk="US:212556").exists()
    assert DncArea.objects.get(area="305").dated == TODAY - timedelta(days=3)


def test_change_list_updates_numbers_and_the_copy_date() -> None:
    loaded("212,5550100\n212,5550101\n", days=20)
    result = loaded("212,5550100,2026-11-20,D\n212,5580100,2026-11-21,A\n")

    assert (result.is_change, result.added, result.removed) == (True, 1, 1)
    assert not is_listed("2125550100")
    assert is_listed("2125550101")
    assert is_listed("2125580100")
    area = DncArea.objects.get()
    assert (area.dated, area.numbers) == (TODAY, 2)


def test_change_list_without_a_full_file_is_rejected() -> None:
    loaded("212,5550100\n", days=20)
    with pytest.raises(BadListFile, match="305"):
        loaded("305,5550100,2026-11-20,A\n")
    assert not is_listed("3055550100")


def test_same_file_twice_is_loaded_once() -> None:
    loaded("212,5550100\n")
    again = loaded("212,5550100\n")
    assert (again.was_already_loaded, again.added) == (True, 0)
    assert DncFile.objects.count() == 1


def test_same_list_downloaded_again_is_a_newer_copy() -> None:
    loaded("212,5550100\n", days=20)
    again = loaded("212,5550100\n")
    assert (again.was_already_loaded, again.added, again.removed) == (False, 0, 0)
    assert DncArea.objects.get().dated == TODAY


def test_older_copy_never_replaces_a_newer_one() -> None:
    loaded("212,5550100\n", days=2)
    with pytest.raises(BadListFile, match="older"):
        loaded("212,5550100\n212,5550102\n", days=5)
    assert not is_listed("2125550102")


@pytest.mark.parametrize(("days", "fits"), [(31, True), (32, False), (-1, False)])
def test_copy_can_be_31_days_old_and_not_from_tomorrow(days: int, fits: bool) -> None:
    if fits:
        assert loaded("212,5550100\n", days=days).added == 1
    else:
        with pytest.raises(BadListFile):
            loaded("212,5550100\n", days=days)
        assert not DncArea.objects.exists()


def test_truncated_file_is_rejected_until_staff_confirm_it() -> None:
    many = "".join(f"212,555{number:04}\n" for number in range(100))
    loaded(many, days=3)
    with pytest.raises(BadListFile, match="51 fewer numbers"):
        loaded(many[: 12 * 49])
    assert is_listed("2125550099")
    assert loaded(many[: 12 * 49], may_shrink=True).removed == 51
    assert not is_listed("2125550099")


def test_file_truncated_in_its_last_area_code_is_rejected() -> None:
    many = "".join(f"212,555{number:04}\n" for number in range(100))
    loaded(many + "305,5550001\n305,5550002\n305,5550003\n", days=3)
    with pytest.raises(BadListFile, match="2 fewer numbers for area code 305"):
        loaded(many + "305,5550001\n")
    assert is_listed("3055550003")


def test_preview_reports_the_load_and_changes_nothing() -> None:
    result = loaded("212,5550100\n", is_trial=True)
    assert (result.added, result.areas) == (1, ("212",))
    assert not DncArea.objects.exists()
    assert not DncFile.objects.exists()
    assert not is_listed("2125550100")


def test_state_list_is_complete_across_area_codes() -> None:
    loaded("5125550100\n2125550101\n", "TX", days=3)
    loaded("5125550100\n2125550199\n", "TX")
    area = DncArea.objects.get()
    assert (area.registry, area.area, area.numbers) == ("TX", "", 2)
    assert not is_listed("2125550101", "TX")
    assert is_listed("2125550199", "TX")
    assert not is_listed("5125550100")  # the national registry is another list


def test_internal_list_only_grows() -> None:
    loaded("5125550100\n", "INTERNAL", days=900)
    result = loaded("5125550101\n", "INTERNAL")
    assert (result.added, result.removed) == (1, 0)
    assert is_listed("5125550100", "INTERNAL")
    assert DncArea.objects.get().numbers == 2


def test_nothing_removes_a_number_from_the_internal_list() -> None:
    loaded("5125550100\n", "INTERNAL", days=3)
    with pytest.raises(BadListFile, match="only grows"):
        loaded("512,5550100,2026-11-20,D\n512,5550101,2026-11-20,A\n", "INTERNAL")
    assert is_listed("5125550100", "INTERNAL")
    assert not is_listed("5125550101", "INTERNAL")


def test_unknown_list_is_rejected() -> None:
    with pytest.raises(BadListFile, match="ZZ"):
        loaded("5125550100\n", "ZZ")


def test_unreadable_line_changes_nothing() -> None:
    loaded("212,5550100\n", days=3)
    with pytest.raises(BadListFile, match="Line 2"):
        loaded("212,5550101\nxyz\n")
    assert is_listed("2125550100")
    assert DncArea.objects.get().dated == TODAY - timedelta(days=3)


def test_first_and_last_number_of_a_block_are_distinguished() -> None:
    loaded("212,5550000\n212,5559999\n", days=1)
    assert [is_listed(f"212555{digits}") for digits in ("0000", "0001", "9998", "9999")] == [
        True,
        False,
        False,
        True,
    ]
