"""Past clients: imported with their loan and officer, kept quiet, declared afterwards."""

import re
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from rooftree.capture.imports import import_staging
from rooftree.flow import close_stale_leads, lead_nurture
from rooftree.leads import snooze
from rooftree.leads.models import Lead, Task
from rooftree.outreach.models import Message
from rooftree.rates.models import RateWatch
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import parse_period
from rooftree.routing.models import Offer
from tests import make
from tests.flow.test_spreadsheet_imports import (
    book,  # noqa: F401
    clerk,
    file_of,
    run_import,
    upload,
)

HEADER = (
    "First name,Last name,Mobile,Email,Property state,"
    "Closed with us on,Loan amount,Rate,Program,Loan officer"
)


@pytest.fixture
def officers(book):  # noqa: F811
    return [make.officer("Elena Ruiz"), make.officer("Marcus Bell"), make.officer("Priya Nair")]


def counted_leads() -> int:
    figures = cost_by_source.load_first_screen(
        period=parse_period(f"{make.NOON:%Y}-q4", make.NOON.date()),
        branch_paths=None,
        today=make.NOON.date(),
    )
    return figures.total.leads


def test_past_clients_get_their_loan_and_officer_without_contact(book, officers):  # noqa: F811
    elena, marcus, priya = officers
    body = file_of(
        "Nina,Kowalczyk,8135550117,nina@example.com,FL,2023-03-14,410000,6.875,FHA,\"Ruiz, Elena\"",
        f"Omar,Haddad,8135550118,omar@example.com,TX,3/2/2022,300000,3.1,,{marcus.user.email}",
        f"Zoe,Ray,8135550119,zoe@example.com,FL,,,,,NMLS {priya.nmls_id}",
        "Ann,Lee,8135550120,ann@example.com,FL,,,,,Nobody Here",
        header=HEADER,
    )  # fmt: skip

    sheet = run_import(book, body, people="clients", then="owner")

    leads = {lead.person.first_name: lead for lead in Lead.objects.select_related("person")}
    nina = leads["Nina"]
    assert nina.details["loan"]["closed_on"] == "2023-03-14"
    assert (nina.amount_cents, nina.current_rate_pct) == (41_000_000, Decimal("6.875"))
    assert nina.loan_type == "fha"
    assert {name: lead.officer_id for name, lead in leads.items()} == {
        "Nina": elena.pk, "Omar": marcus.pk, "Zoe": priya.pk, "Ann": None,
    }  # fmt: skip
    assert {(lead.state, lead.response_due_at) for lead in leads.values()} == {("nurture", None)}
    assert not Offer.objects.exists()
    assert not Message.objects.exists()
    assert counted_leads() == 0
    assert sheet.findings["owners"]["Nobody Here"] == 1
    assert close_stale_leads.close_due_leads(at=make.NOON + 400 * make.DAY) == 0
    import_staging.declare_people(sheet_id=sheet.pk, people="leads", by=clerk(), at=make.NOON)
    assert counted_leads() == 4


@pytest.mark.parametrize("known", ["leave", "add"])
def test_dry_run_counts_are_what_the_import_does(book, known):  # noqa: F811
    run_import(make.source("csv_import"), file_of("Old,Client,8135550101,old@example.com,FL,Refi"))
    body = file_of(
        "Old,Client,8135550101,new@example.com,FL,Refi",  # on file
        "Old,Client,,new@example.com,FL,Refi",  # on file only once the row before is added
        "Nina,Kowalczyk,8135550117,,FL,Refi",
        "Nina,Kowalczyk,8135550117,nina@example.com,FL,Refi",  # the same person
        "Nina,Kowalczyk,,nina@example.com,FL,Refi",  # the same only if the row before is added
        "Paul,Kowalczyk,8135550117,,FL,Refi",  # a spouse with the same phone
        "Nina,Kowalczyk,8135550117,,FL,Refi",  # the same row
        "Nobody,Reachable,,,FL,Refi",
        "Nobody,Reachable,,,FL,Refi",
    )

    sheet = upload(book, body, known=known)
    preview = sheet.findings["counts"]
    done = run_import(book, body, known=known)

    result = dict(done.counts)
    result["known"] = result.pop("left_out", 0) + result.get("known", 0)
    assert result == preview
    assert preview["refused"] == 2
    assert (preview["new"], preview["known"], preview["again"]) == (
        (2, 2, 3) if known == "add" else (4, 1, 2)
    )


def test_file_with_closing_dates_proposes_past_clients(book, signed_in):  # noqa: F811
    browser = signed_in(clerk())
    for header, cells, proposed in (
        (
            HEADER,
            "Nina,Kowalczyk,8135550117,nina@example.com,FL,2023-03-14,410000,6.9,,",
            "clients",
        ),
        ("First name,Last name,Mobile", "Omar,Haddad,8135550118", "leads"),
    ):
        sheet, _ = import_staging.store_upload(
            source_id=book.pk, name="people.csv", body=f"{header}\n{cells}\n".encode(),
            by=clerk(), at=make.NOON,
        )  # fmt: skip
        page = browser.get(reverse("import", args=[sheet.pk])).text
        checked = re.findall(r'name="people" value="(\w+)"\s+checked', page)
        assert checked == [proposed]


def test_past_clients_imported_as_leads_are_declared_afterwards(book, signed_in):  # noqa: F811
    sheet = run_import(book)
    other = make.source("csv_import")
    run_import(other, file_of("Zoe,Ray,8135550199,zoe@example.org,FL,Refi"))
    browser = signed_in(clerk())
    page = browser.get(reverse("import", args=[sheet.pk])).text
    assert "Declare 2 past clients" in page
    assert counted_leads() == 3

    browser.post(reverse("declare_past_clients", args=[sheet.pk]))
    assert counted_leads() == 1
    people = browser.get(reverse("people"), {"kind": "clients"}).text
    assert "Nina Kowalczyk" in people
    assert "Zoe Ray" not in people
    assert "Nina Kowalczyk" not in browser.get(reverse("people"), {"kind": "leads"}).text

    browser.post(reverse("declare_leads", args=[sheet.pk]))
    assert counted_leads() == 3


def test_officer_moves_a_lead_to_nurture_with_reason_and_date(cast, signed_in):
    lead = make.lead(officer=cast.dana)
    browser = signed_in(cast.dana.user)
    address = reverse("nurture", args=[lead.pk])
    assert "Not now" in browser.get(reverse("lead", args=[lead.pk])).text

    browser.post(address, {"because": "", "due_at": "2030-01-01T09:00"})
    lead.refresh_from_db()
    assert lead.state != "nurture"
    until = make.NOON + 60 * make.DAY
    lead_nurture.move_to_nurture(
        lead_id=lead.pk, until=until, because="Lease ends in May", by=cast.dana.user, at=make.NOON
    )

    lead.refresh_from_db()
    assert (lead.state, lead.snoozed_until) == ("nurture", until)
    assert lead.snooze_reason == "Lease ends in May"
    task = Task.objects.get(lead=lead)
    assert (task.title, task.due_at) == ("Follow up: Lease ends in May", until)
    with pytest.raises(snooze.CannotSnooze, match="Only a new lead"):
        lead_nurture.move_to_nurture(
            lead_id=lead.pk, until=until, because="Again", by=cast.dana.user, at=make.NOON
        )


def test_rate_watch_is_set_for_several_leads_and_undone(cast, signed_in):
    leads = [make.lead(officer=cast.dana) for _ in range(2)]
    browser = signed_in(cast.dana.user)
    typed = {
        "lead": [str(lead.pk) for lead in leads], "from": "page_name=people",
        "product": "30yr_fixed", "rate_pct": "5.75", "key": str(uuid4()),
    }  # fmt: skip
    assert "Rate watch" in browser.get(reverse("people")).text

    preview = browser.post(reverse("bulk_watch"), {**typed, "step": "preview"})
    assert preview.status_code == 200
    assert not RateWatch.objects.exists()
    done = browser.post(reverse("bulk_watch"), {**typed, "step": "run"}, follow=True)

    assert "Rate watch set: 30-year fixed at 5.75%" in done.text
    assert {watch.lead_id for watch in RateWatch.objects.filter(ended_at=None)} == {
        lead.pk for lead in leads
    }
    browser.post(reverse("bulk_undo", args=[typed["key"]]), {"from": "page_name=people"})
    assert not RateWatch.objects.filter(ended_at=None).exists()
