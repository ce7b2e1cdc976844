"""The do-not-call list page: loaded lists, their age, and file uploads."""

import os
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rooftree.compliance.do_not_call import watched_folder
from rooftree.compliance.models import DncArea, DncFile
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.money.company_day import company_day
from tests import make

PAGE = "/compliance/lists/"


@pytest.fixture
def omar(cast, signed_in):
    return signed_in(cast.omar)


def post(browser, lines: str, *, name: str = "list.txt", **typed: str):
    file = SimpleUploadedFile(name, lines.encode(), content_type="text/plain")
    return browser.post(PAGE, {"registry": "US", "act": "load", "file": file, **typed})


def today(omar):
    return company_day(omar.get(PAGE).context["request"].at)


def test_page_without_lists_explains_the_effect(omar):
    assert "every number counts as listed" in omar.get(PAGE).text
    assert "No lists loaded" in omar.get("/compliance/").text


def test_uploaded_file_is_loaded_and_its_area_codes_are_shown(cast, omar):
    day = today(omar)
    answer = post(omar, "813,5550142\n813,5550143\n", dated=day.isoformat())

    assert answer.status_code == 303
    area = DncArea.objects.get()
    assert (area.area, area.numbers, area.dated) == ("813", 2, day)
    assert DncFile.objects.get().loaded_by == cast.omar
    text = omar.get(PAGE).text
    assert "National registry" in text
    assert "Area code 813" in text
    assert "Current" in omar.get("/compliance/").text


def test_copy_date_is_read_from_the_file_name(omar):
    day = today(omar)
    post(omar, "813,5550142\n", name=f"{day:%Y-%m-%d}_813.txt")
    assert DncArea.objects.get().dated == day


def test_preview_changes_nothing(omar):
    answer = post(omar, "813,5550142\n", dated=today(omar).isoformat(), act="trial")
    assert answer.status_code == 200
    assert "1 number would be added" in answer.text
    assert not DncArea.objects.exists()


@pytest.mark.parametrize(
    ("lines", "typed", "words"),
    [
        ("813,5550142\nnonsense\n", {}, "Line 2"),
        ("813,5550142\n", {"dated": "2020-01-01"}, "over 31 days old"),
        ("813,5550142\n", {"dated": ""}, "Enter the date"),
        ("813,5550142\n", {"dated": "soon"}, "Enter the date"),
        ("813,5550142\n", {"registry": "ZZ"}, "Unknown list ZZ"),
    ],
)
def test_invalid_file_is_rejected_with_the_reason_and_changes_nothing(omar, lines, typed, words):
    answer = post(omar, lines, **{"dated": today(omar).isoformat(), **typed})
    assert answer.status_code == 422
    assert words in answer.text
    assert not DncArea.objects.exists()


def test_missing_file_is_reported(omar):
    assert "Choose a file." in omar.post(PAGE, {"registry": "US", "act": "load"}).text


def test_outdated_copy_is_marked(omar):
    day = today(omar)
    post(omar, "813,5550142\n", dated=day.isoformat())
    for days, words in ((31, "0 days left"), (32, "Too old"), (20, "good for 11 more days")):
        DncArea.objects.update(dated=day - timedelta(days=days))
        assert words in omar.get(PAGE).text, days
    DncArea.objects.update(dated=day - timedelta(days=32))
    assert "Too old" in omar.get("/compliance/").text


def test_number_lookup_names_the_lists_it_is_on(omar):
    address = "/compliance/?q=%2B18135550142"
    assert "so the number counts as listed" in omar.get(address).text
    day = today(omar).isoformat()
    post(omar, "813,5550142\n", dated=day)
    post(omar, "8135550199\n", dated=day, registry="FL")
    text = omar.get(address).text
    assert "On list: National registry" in text
    assert "Not on list: Florida state list" in text
    assert "so the number counts as listed" not in text
    DncArea.objects.update(dated="2026-01-01")
    assert "too old, so the number counts as listed" in omar.get(address).text
    assert omar.get("/compliance/?q=ben.ortiz%40home.example").status_code == 200


def test_roles_without_compliance_cannot_load_lists(cast, signed_in):
    browser = signed_in(make.user("operations"))
    assert post(browser, "813,5550142\n", dated="2026-11-20").status_code == 403
    assert not DncArea.objects.exists()


def test_watched_folder_shows_waiting_loaded_and_rejected_files(omar, settings, tmp_path):
    settings.DNC_FOLDER = str(tmp_path)
    assert "The folder is empty" in omar.get(PAGE).text
    day = today(omar)
    (tmp_path / f"{day}_813.txt").write_text("813,5550142\n")
    (tmp_path / "nameless.txt").write_text("813,5550142\n")
    for path in tmp_path.iterdir():
        os.utime(path, (path.stat().st_mtime - 600,) * 2)
    assert omar.get(PAGE).text.count("Loads within a minute") == 2

    at = omar.get(PAGE).context["request"].at
    while watched_folder.load_next_file(tmp_path, at=at):
        pass

    page_text = omar.get(PAGE).text
    assert "Loads within a minute" not in page_text
    assert f"{day}_813.txt" in page_text
    assert "Its name has no date" in page_text


def test_missing_watched_folder_is_reported(omar, settings, tmp_path):
    settings.DNC_FOLDER = str(tmp_path / "nowhere")
    assert "The folder does not exist" in omar.get(PAGE).text


def test_gap_between_change_lists_is_reported(omar):
    day = today(omar).isoformat()
    post(omar, "813,5550142\n", dated=day)
    post(omar, "813,5550199,2026-11-20,D\n", dated=day, name="changes.txt")

    page_text = omar.get(PAGE).text
    assert "1 of its changes were already in effect" in page_text
    assert ">Gap<" in page_text


def test_unreachable_list_vendor_is_an_alert_on_the_page(omar):
    NumberService.objects.create(
        id="dncscrub", key="k", covers=["US"], changed_at=make.NOON, failing_since=make.NOON,
        problem="www.dncscrub.com failed (500).",
    )  # fmt: skip
    NumberQuestion.objects.create(
        kind="lists", number="+18135550142", asked_at=make.NOON, due_at=make.NOON
    )

    page_text = omar.get(PAGE).text

    assert "has not answered since" in page_text
    assert "1 number waiting to be checked" in page_text
