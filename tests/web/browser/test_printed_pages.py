"""Printed pages for an examiner, and the pages that name the company's licenses."""

import os
from pathlib import Path

from django.urls import reverse
from playwright.sync_api import Page, expect

from rooftree.compliance.models import Verdict
from rooftree.ledger import seal
from rooftree.org.models import CompanyLicense
from tests import make
from tests.reporting import whole_life
from tests.web.browser.conftest import DESK, check_page, open_as

LETTER = {"width": 740, "height": 980}  # printable width of a sheet between its margins, in pixels


def read_printed_page(page: Page, name: str) -> str:
    """Return the printed text; save a PDF if ROOFTREE_PICTURES names a folder."""
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size(LETTER)
    if folder := os.environ.get("ROOFTREE_PICTURES"):
        page.pdf(path=Path(folder) / f"{name}.pdf", format="Letter", print_background=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= LETTER["width"]
    assert page.locator(":is(button, .button, input, textarea):visible").count() == 0
    text = page.inner_text("body")
    assert "Printed " in text
    return text


def test_examiner_pages_print_well(chromium, front, committed, noon):
    whole_life.make_whole_life()
    make.user("compliance", name="Omar Haddad")
    seal.seal_events(at=noon)
    page = open_as(chromium, front, "Compliance", DESK)

    page.goto(f"{reverse('compliance')}?q=8135550142")
    text = read_printed_page(page, "paper-person")
    assert "By ticking this box I agree" in text
    proof = page.locator(".popover.on-paper").first
    assert proof.evaluate("one => getComputedStyle(one).opacity") == "1"
    assert "autodialed calls" in text

    blocked = Verdict.objects.filter(reason="guaranteed_approval").latest("at")
    page.goto(reverse("verdict", args=[blocked.pk]))
    text = read_printed_page(page, "paper-verdict")
    assert "When it was due, for" in text
    assert "Property state" in text  # the facts of the verdict are expanded on paper

    for name in ("releases", "clocks", "controls", "compliance_ledger"):
        page.goto(reverse(name))
        read_printed_page(page, "paper")


def test_license_pages_fit_and_are_accessible(
    chromium, front, people, noon
):  # fmt: skip
    make.user("administrator", name="Ada Lind")
    make.user("marketing", name="Marta Voss")
    CompanyLicense.objects.filter(state="CA").update(license="")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_licenses"))
    expect(page.get_by_text("Until then, no messages go to this state.")).to_be_visible()
    check_page(page, "licenses")
    license_row = CompanyLicense.objects.get(state="CA")
    page.goto(reverse("setup_company_license", args=[license_row.pk]))
    check_page(page, "license")
    page.get_by_label("License type").select_option(label="CA: DFPI, California Financing Law")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Loans made or arranged pursuant to")).to_be_visible()

    page = open_as(chromium, front, "Marketing")
    page.goto(reverse("wording_place", args=["first_hello", "text", "any", "any"]))
    page.get_by_label("License disclosure for").select_option("CA")
    page.locator("#body-en").fill("Hi, {{ sender }} here. Call us? Reply STOP to end.")
    expect(page.get_by_text("California Financing Law license CO-CA-1").first).to_be_visible()
    check_page(page, "wording")
