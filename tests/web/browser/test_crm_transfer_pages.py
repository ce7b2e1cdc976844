"""CRM transfer in a real Chromium, on a phone and at a desk."""

import pytest
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.imports import crm_import
from rooftree.capture.models import Spreadsheet
from rooftree.flow import spreadsheet_imports
from rooftree_simulators.crms import hubspot
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import start_simulators
from tests import make
from tests.flow import journey, moving
from tests.flow.senders import create_source
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def vendor(settings, people):
    make.user("operations", name="Pat Lowe", email="pat@lindenfield.example")
    with start_simulators(clock=SimulatedClock(at=make.NOON, speed=0)) as simulators:
        settings.UPSTREAMS = {"crm_hubspot": simulators.urls["hubspot"]}
        simulator = simulators.hubspot
        dana = simulator.add_owner("Dana Reyes", people.dana.user.email)
        sam = simulator.add_owner("Samantha Featherstone-Gone", "sam.gone@elsewhere.example")
        for nth, stage in enumerate(("IN_PROGRESS", "UNQUALIFIED", "OPEN_DEAL", "NEW")):
            key = simulator.add_contact(
                firstname=f"Ivo{nth}", lastname="Petrov", phone=f"813555011{nth}",
                email=f"ivo{nth}@home.example", hs_lead_status=stage, state="FL",
                hs_email_optout="true" if nth == 1 else None,
                hubspot_owner_id=sam if nth else dana,
            )  # fmt: skip
            simulator.add_engagement("notes", key, hs_note_body="<p>Call after the fair</p>")
            simulator.add_engagement(
                "emails", key, hs_email_subject="Your rate", hs_email_text="Dear Ivo, as promised.",
                hs_email_direction="EMAIL", hs_timestamp="2026-10-01T15:00:00Z",
            )  # fmt: skip
        simulator.add_contact(firstname="Nobody", lastname="Reachable")
        simulator.add_engagement("calls", hs_call_title="To nobody", hs_call_direction="OUTBOUND")
        yield simulator


def test_crm_transfer_pages_fit_at_every_step(chromium, front, vendor, people):
    page = open_as(chromium, front, "Operations")
    page.goto(reverse("import_systems"))
    check_page(page, "systems-empty")
    book = create_source("crm_hubspot", access_token=f"{hubspot.TOKEN}x")
    page.goto(reverse("import_systems"))
    check_page(page, "systems")

    clerk, at = moving.clerk(), timezone.now()
    sheet = crm_import.start_crm_import(source_id=book.pk, by=clerk, at=at)
    journey.run(at=at)
    address = reverse("import", args=[sheet.pk])
    page.goto(address)
    check_page(page, "transfer-error")
    book.credentials = f'{{"access_token": "{hubspot.TOKEN}"}}'
    book.save()
    crm_import.retry_now(sheet_id=sheet.pk, at=at)
    journey.run(at=at)
    page.goto(address)
    check_page(page, "transfer-map")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_load_state()
    journey.run(at=timezone.now())
    page.goto(address)
    check_page(page, "transfer-checked")
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk, at=at)
    journey.run(at=timezone.now())
    page.goto(address)
    check_page(page, "transfer-done")
    imported_sheet = Spreadsheet.objects.get(pk=sheet.pk)
    lead = imported_sheet.past.exclude(lead=None).first().lead
    page.goto(reverse("lead", args=[lead.pk]))
    check_page(page, "transfer-lead")
    page.goto(reverse("imports"))
    check_page(page, "transfer-index")
    assert imported_sheet.state == "done"
