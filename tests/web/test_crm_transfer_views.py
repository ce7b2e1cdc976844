"""CRM transfer pages: connect, read, map, preview, import, compare counts, undo."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.models import Spreadsheet
from rooftree.leads.models import Lead, Source
from rooftree_simulators.crms import hubspot
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import start_simulators
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def vendor(settings):
    journey.set_up_company()
    with start_simulators(clock=SimulatedClock(at=make.NOON, speed=0)) as simulators:
        settings.UPSTREAMS = {"crm_hubspot": simulators.urls["hubspot"]}
        simulator = simulators.hubspot
        dana = simulator.add_owner("Dana Okafor", "dana@lindenfield.example")
        sam = simulator.add_owner("Sam Gone", "sam@elsewhere.example")
        people = (
            ("Ivo", "8135550114", dana, "IN_PROGRESS"),
            ("Mara", "8135550115", sam, "UNQUALIFIED"),
        )
        for name, phone, owner, stage in people:
            simulator.add_contact(
                firstname=name, phone=phone, hubspot_owner_id=owner, hs_lead_status=stage
            )
        simulator.add_engagement("notes", "151", hs_note_body="Call after the fair")
        yield simulator


@pytest.fixture
def clerk(signed_in, vendor):
    return signed_in(make.user("operations"))


@pytest.fixture
def book(vendor):
    return make.source("crm_hubspot", name="Old HubSpot", slug="old-hubspot")


def work(minutes=0):
    """Run all tasks due now or within the given time."""
    journey.run(at=timezone.now() + timedelta(minutes=minutes))


def connect_hubspot(clerk, book, token=hubspot.TOKEN):
    clerk.post(reverse("source_credentials", args=[book.pk]), {"access_token": token})
    clerk.post(reverse("import_systems"), {"source": str(book.pk)})
    work()
    return Spreadsheet.objects.get(source=book)


def page_of(clerk, sheet):
    return clerk.get(reverse("import", args=[sheet.pk])).content.decode()


def test_crm_page_without_a_source_says_how_to_start(clerk):
    page = clerk.get(reverse("import_systems")).content.decode()

    assert "Add as source" in page
    assert "Private apps" in page


def test_unconnected_crm_is_not_read_and_names_what_is_missing(clerk, book):
    assert (
        "Not connected yet: access token" in clerk.get(reverse("import_systems")).content.decode()
    )

    answer = clerk.post(reverse("import_systems"), {"source": str(book.pk)}, follow=True)

    assert "Connect HubSpot first. Still missing: Access token." in answer.content.decode()
    assert not Spreadsheet.objects.exists()


def test_crm_token_is_stored_encrypted_and_never_shown(clerk, book):
    sheet = connect_hubspot(clerk, book)

    with connection.cursor() as cursor:
        cursor.execute("select credentials from source where id = %s", [book.pk])
        assert hubspot.TOKEN not in cursor.fetchone()[0]
    for address in (reverse("import_systems"), reverse("source_credentials", args=[book.pk])):
        assert hubspot.TOKEN not in clerk.get(address).content.decode()
    assert hubspot.TOKEN not in page_of(clerk, sheet)


def test_wrong_crm_token_says_what_to_change_and_reading_resumes_once_fixed(clerk, book):
    sheet = connect_hubspot(clerk, book, token="wrong-token")
    page = page_of(clerk, sheet)
    assert "HubSpot denied access." in page
    assert reverse("source_credentials", args=[book.pk]) in page

    clerk.post(reverse("source_credentials", args=[book.pk]), {"access_token": hubspot.TOKEN})
    work()

    assert 'id="owners">Owners' in page_of(clerk, sheet)


def test_crm_transfer_runs_step_by_step_to_the_end(clerk, book):
    sam = make.officer("Sam Stone")
    sheet = connect_hubspot(clerk, book)
    page = page_of(clerk, sheet)
    assert "2 of 2 not matched" in page
    assert "Consent unknown" in page

    columns = {
        f"field-{nth}": next((x["field"] for x in sheet.lines if x["path"] == name), "")
        for nth, name in enumerate(sheet.columns)
    }
    clerk.post(
        reverse("import", args=[sheet.pk]),
        columns
        | {"then": "keep", "known": "leave"}
        | {"owners-0": "770", "owners-0-is": str(sam.pk), "owners-1": "771", "owners-1-is": ""}
        | {"stages-0": "IN_PROGRESS", "stages-0-is": "nurture"}
        | {"stages-1": "UNQUALIFIED", "stages-1-is": "retired"},
    )
    work()
    page = page_of(clerk, sheet)
    assert "1 owner in HubSpot has no match." in " ".join(page.split())
    assert "Sam Gone (1)" in page
    assert not Lead.objects.exists()

    clerk.post(reverse("start_import", args=[sheet.pk]))
    work()
    page = page_of(clerk, sheet)
    assert "HubSpot reports 2" in page
    assert page.count("adds up") == 2
    assert "doesn’t add up" not in page
    ivo = Lead.objects.get(person__first_name="Ivo")
    assert (ivo.officer, ivo.state) == (sam, "nurture")

    clerk.post(reverse("undo_import", args=[sheet.pk]))
    work()
    assert {lead.state for lead in Lead.objects.all()} == {"retired"}


def test_unknown_officer_in_the_owner_map_is_rejected(clerk, book):
    sheet = connect_hubspot(clerk, book)

    answer = clerk.post(
        reverse("import", args=[sheet.pk]),
        {"then": "keep", "known": "leave", "owners-0": "770", "owners-0-is": str(book.pk)},
        follow=True,
    )

    assert "Choose a loan officer, or no one." in answer.content.decode()
    sheet.refresh_from_db()
    assert sheet.state == "columns"


def test_crm_can_be_read_again_on_demand(clerk, book, vendor):
    vendor.faults.add_fault({**hubspot.rate_limit_fault(3600), "count": 1})
    sheet = connect_hubspot(clerk, book)
    assert "asked us to wait 3600 seconds" in page_of(clerk, sheet)

    clerk.post(reverse("retry_reading", args=[sheet.pk]))
    work()

    assert 'id="owners">Owners' in page_of(clerk, sheet)


def test_crm_transfer_stopped_while_reading_keeps_nothing(clerk, book):
    sheet = connect_hubspot(clerk, book, token="wrong-token")

    clerk.post(reverse("archive_import", args=[sheet.pk]))
    work(30)

    sheet.refresh_from_db()
    assert (sheet.state, sheet.row_count) == ("dropped", 0)


def test_loan_officer_cannot_transfer_from_a_crm(signed_in, book):
    officer = signed_in(make.officer().user)

    assert officer.get(reverse("import_systems")).status_code == 403
    answer = officer.post(reverse("import_systems"), {"source": str(book.pk)})

    assert answer.status_code == 403
    assert not Spreadsheet.objects.exists()
    assert Source.objects.filter(pk=book.pk).exists()
