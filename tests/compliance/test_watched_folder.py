"""The watched folder for do-not-contact files: each once, in order, gaps reported."""

import os
from datetime import date
from pathlib import Path

import pytest

from rooftree.compliance.do_not_call import number_lookup, watched_folder
from rooftree.compliance.models import DncArea, DncFile
from rooftree.compliance.numbers.models import DncFolderFile
from rooftree.flow import dnc_list_imports
from rooftree.org.models import StaffNotice
from rooftree.tasks.drain_queue import run_queued_tasks
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    settings.DNC_FOLDER = str(tmp_path)
    return tmp_path


def put(folder: Path, name: str, *lines: str, changed_at=make.NOON - make.HOUR) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, (changed_at.timestamp(), changed_at.timestamp()))
    return path


def take_in(folder: Path, *, at=make.NOON) -> int:
    count = 0
    while watched_folder.load_next_file(folder, at=at):
        count += 1
    return count


def is_listed(number: str) -> dict[str, bool]:
    return {status.registry: status.is_listed for status in number_lookup.look_up_number(number)}


def test_files_are_loaded_in_date_order(folder):
    put(folder, "z_2026-11-18.txt", "813,5550101", "813,5550102")
    put(folder, "b_2026-11-19_changes.txt", "813,5550102,2026-11-19,D")
    put(folder, "a_2026-11-20_changes.txt", "813,5550103,2026-11-20,A")

    assert take_in(folder) == 3

    order = list(DncFile.objects.order_by("dated").values_list("dated", "is_change", "strays"))
    assert order == [
        (date(2026, 11, 18), False, 0),
        (date(2026, 11, 19), True, 0),
        (date(2026, 11, 20), True, 0),
    ]
    statuses = [is_listed(f"+181355501{n:02}") for n in (1, 2, 3)]
    assert statuses == [{"US": True}, {"US": False}, {"US": True}]
    assert DncArea.objects.get().dated == date(2026, 11, 20)


def test_full_file_is_loaded_before_the_changes_of_its_day(folder):
    put(folder, "2026-11-20_a_changes.txt", "813,5550103,2026-11-20,A")
    put(folder, "2026-11-20_full.txt", *(f"813,55501{n:02}" for n in range(10)))

    take_in(folder)

    assert not DncFolderFile.objects.exclude(problem="").exists()


def test_file_is_loaded_once_and_again_only_when_changed(folder):
    path = put(folder, "2026-11-20.txt", "813,5550101")
    assert (take_in(folder), take_in(folder)) == (1, 0)

    put(folder, path.name, "813,5550101", "813,5550102", changed_at=make.NOON - 30 * make.MINUTE)

    assert take_in(folder) == 1
    assert DncArea.objects.get().numbers == 2
    assert DncFolderFile.objects.count() == 1


def test_file_still_being_written_is_skipped(folder):
    put(folder, "2026-11-20.txt", "813,5550101", changed_at=make.NOON - 59 * make.SECOND)
    assert take_in(folder) == 0
    assert take_in(folder, at=make.NOON + make.SECOND) == 1


def test_folder_named_after_a_list_has_its_files(folder):
    put(folder, "TX/2026-11-20.csv", "2145550101")
    put(folder, "litigator/2026-11-20.txt", "2145550101")

    take_in(folder)

    assert is_listed("+12145550101") == {"TX": True, "LITIGATOR": True}


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("813.txt", "813,5550101", "has no date"),
        ("NJ/2026-11-20.txt", "813,5550101", "is not named after a list"),
        ("2026-11-20.txt", "nonsense here 12", "Line 1 is not a phone number"),
        ("2026-10-01.txt", "813,5550101", "over 31 days old"),
        ("2026-11-20.txt", "813,5550101,2026-11-20,A", "Load the full file of 813"),
    ],
)
def test_bad_file_is_rejected_reported_once_and_blocks_no_other(folder, name, line, words):
    admin = make.user("administrator")
    put(folder, name, line)
    put(folder, "2026-11-21_last.txt", "407,5550101")

    assert take_in(folder) == 2

    assert words in DncFolderFile.objects.get(path=name).problem
    assert words in StaffNotice.objects.get(user=admin, kind="lists").text
    assert DncArea.objects.get().area == "407"
    assert take_in(folder) == 0


def test_gap_between_change_lists_is_reported(folder):
    admin = make.user("administrator")
    put(folder, "2026-11-18.txt", "813,5550101")
    # The list of the 19th, which added 5550102, is missing.
    put(folder, "2026-11-20.txt", "813,5550102,2026-11-20,D", "813,5550103,2026-11-20,A")

    take_in(folder)

    assert DncFile.objects.get(is_change=True).strays == 1
    notice = StaffNotice.objects.get(user=admin, kind="lists").text
    assert "1 of its changes were already in effect. An earlier file may be missing" in notice
    assert is_listed("+18135550103") == {"US": True}


def test_clock_enqueues_the_loading(folder):
    put(folder, "2026-11-20.txt", "813,5550101")

    dnc_list_imports.enqueue_waiting_files(at=make.NOON)
    assert not DncFile.objects.exists()
    with journey.moment.freeze(make.NOON):
        run_queued_tasks(by=make.NOON)

    assert is_listed("+18135550101") == {"US": True}


def test_nothing_is_read_without_a_folder(settings):
    settings.DNC_FOLDER = ""
    dnc_list_imports.enqueue_waiting_files(at=make.NOON)
    run_queued_tasks(by=make.NOON)
    assert not DncFolderFile.objects.exists()
