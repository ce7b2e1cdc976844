"""Number checks, do-not-call lists and an import's list check, in Chromium."""

import io
import os

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.capture.imports import import_staging
from rooftree.capture.parsing.field_map import parse_map_lines
from rooftree.compliance.do_not_call import watched_folder
from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.flow import spreadsheet_imports
from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.start_simulators import start_simulators
from tests import make
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def vendor(settings):
    with start_simulators() as running:
        settings.UPSTREAMS = {f"numbers_{kind}": running.urls["dncscrub"] for kind in QuestionKind}
        yield running.dncscrub


def test_number_check_page_fits_without_with_a_refused_and_with_a_failing_account(
    chromium, front, people, vendor
):
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_numbers"))
    expect(page.get_by_text("Without an account")).to_be_visible()
    check_page(page, "numbers-none")

    page.get_by_label("Login ID").fill("wrong")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("rejected our credentials")).to_be_visible()
    check_page(page, "numbers-refused")

    page.get_by_label("Login ID").fill(dncscrub.LOGIN_ID)
    page.get_by_label("Check the FCC").check()
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_role("heading", name="DNCScrub")).to_be_visible()
    NumberService.objects.update(
        failing_since=make.NOON, problem="www.dncscrub.com rejected our credentials (401)."
    )
    NumberQuestion.objects.create(
        kind="lists", number="+18135550142", asked_at=make.NOON, due_at=make.NOON
    )
    page.goto(reverse("setup_numbers"))
    expect(page.get_by_text("No answer since")).to_be_visible()
    check_page(page, "numbers-down")


def test_do_not_call_list_page_fits_with_a_folder_a_gap_and_a_failing_vendor(
    chromium, front, people, noon, settings, tmp_path
):
    settings.DNC_FOLDER = str(tmp_path)
    NumberService.objects.create(
        id="dncscrub", key="k", covers=["US", "FL"], asks_reassigned=True, changed_at=noon,
        answered_at=noon - make.HOUR, failing_since=noon,
        problem="www.dncscrub.com failed (500).",
    )  # fmt: skip
    for name, lines in (
        (f"{noon.date()}_813.txt", "813,5550142\n813,5550143\n"),
        (f"TX/{noon.date()}.csv", "2145550101\n"),
        ("changes.txt", "813,5550142,2026-11-20,D\n"),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(lines)
        os.utime(path, (noon.timestamp() - 600,) * 2)
    while watched_folder.load_next_file(tmp_path, at=noon):
        pass
    DncFile.objects.filter(registry="TX").update(strays=12, is_change=True)
    page = open_as(chromium, front, "Compliance")
    page.goto(reverse("dnc_lists"))
    expect(page.get_by_text("Its name has no date")).to_be_visible()
    check_page(page, "lists")


def test_import_page_names_the_lists_its_numbers_are_on(chromium, front, people, noon):
    for registry, lines in (("US", b"813,5550101\n"), ("LITIGATOR", b"8135550102\n")):
        upload = ListUpload(
            registry=registry, name="l.txt", dated=noon.date(), file=io.BytesIO(lines)
        )
        load_file(upload, by=None, at=noon)
    rows = ["First name,Last name,Mobile,Property state"]
    rows += [f"Ann,Number{n},81355501{n:02},FL" for n in range(1, 9)] + ["Gus,Far,4145550107,FL"]
    clerk = make.user("operations")
    sheet, _ = import_staging.store_upload(
        source_id=make.source("csv_import", name="Old book").pk, name="old.csv",
        body="\n".join(rows).encode(), by=clerk, at=noon,
    )  # fmt: skip
    options = {"then": "keep", "known": "leave"}
    import_staging.save_column_map(
        sheet_id=sheet.pk, lines=parse_map_lines(sheet.lines), options=options, by=clerk, at=noon
    )
    spreadsheet_imports.run_dry_run(sheet_id=sheet.pk, at=noon)
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("import", args=[sheet.pk]))
    expect(page.get_by_text("Known litigators")).to_be_visible()
    check_page(page, "import-lists")
