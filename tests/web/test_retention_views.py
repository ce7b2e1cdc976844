"""Retention pages: the schedule, legal holds, privacy requests and purges, for compliance only."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from rooftree.flow import data_removal
from rooftree.leads.models import Lead, Person
from rooftree.org.models import Company
from rooftree.retention import legal_holds, purges
from rooftree.retention.models import LegalHold, PrivacyRequest, Purge
from tests import make

LONG_AGO = make.NOON - 800 * make.DAY


@pytest.fixture
def omar(cast, signed_in):
    return signed_in(cast.omar)


def create_old_leads(number: int, source) -> None:
    for _ in range(number):
        human = make.person(phone=None, email=None, at=LONG_AGO)
        make.lead(person=human, source=source, at=LONG_AGO, borrower_message="A plan")


def new_request(client, cast, kind: str, **more) -> PrivacyRequest:
    number = cast.ben.person.phones.get().e164
    client.post(
        reverse("privacy_requests"),
        {
            "address": number, "kind": kind, "state": "CA", "came_by": "letter",
            "received_date": "2026-11-20", "owner": str(cast.omar.pk), **more,
        },
    )  # fmt: skip
    return PrivacyRequest.objects.get()


def apply_request_action(client, request: PrivacyRequest, action: str, **form):
    return client.post(f"/compliance/requests/{request.pk}/{action}/", form, follow=True)


def test_request_is_shown_before_the_company_is_set_up(omar, cast) -> None:
    request = new_request(omar, cast, "access")
    Company.objects.all().delete()

    page = omar.get(reverse("privacy_request", args=[request.pk]))

    assert page.status_code == 200
    assert "The letter needs the company’s name and address" in page.text


def test_retention_schedule_is_shown_with_its_laws(omar) -> None:
    page = omar.get(reverse("keeping")).text
    assert "Consent and its proof" in page
    assert "5 years" in page and "25 months" in page and "16 CFR 310.5" in page
    assert "or until the person asks for deletion" in page


def test_administrator_sees_counts_and_no_names(cast, signed_in, omar) -> None:
    new_request(omar, cast, "access")
    page = signed_in(make.user("administrator")).get(reverse("keeping")).text
    assert "1 open. Compliance answers them." in page
    assert cast.ben.person.last_name not in page


def test_branch_compliance_cannot_manage_company_retention(cast, signed_in) -> None:
    bound = signed_in(make.user("compliance", branch=cast.tampa))
    for name in ("keeping", "legal_holds", "privacy_requests", "export_asks"):
        assert bound.get(reverse(name)).status_code == 403


def test_legal_hold_is_shown_on_the_person_page_only_to_compliance(cast, omar, signed_in) -> None:
    number = cast.ben.person.phones.get().e164
    form = {"matter": "Ortiz v. Lindenfield", "why": "Letter of counsel, May 3", "address": number}
    omar.post(reverse("legal_holds"), form)
    hold = LegalHold.objects.get()
    assert (hold.address, hold.placed_by) == (number, cast.omar)
    assert (
        "Legal hold: Ortiz v. Lindenfield" in omar.get(reverse("person", args=[cast.ben.pk])).text
    )
    others = signed_in(make.user("administrator")).get(reverse("person", args=[cast.ben.pk])).text
    assert "legal hold" not in others.lower()
    omar.post(reverse("hold_lifting", args=[hold.pk]), {"because": "Settled on June 1"})
    hold.refresh_from_db()
    assert hold.lifted_by == cast.omar
    assert "Legal hold:" not in omar.get(reverse("person", args=[cast.ben.pk])).text


def test_legal_hold_from_a_lead_covers_its_person(cast, omar) -> None:
    address = f"{reverse('legal_holds')}?lead={cast.ben.pk}"
    assert cast.ben.person.name in omar.get(address).text
    form = {"matter": "Matter 7", "why": "Letter of counsel", "person": str(cast.ben.person_id)}
    omar.post(address, form)
    assert LegalHold.objects.get().person == cast.ben.person


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"address": "hello"}, "Enter a 10-digit US phone number"),
        ({}, "Enter a number, an email address"),
        ({"from_date": "2026-02-01", "last_date": "2026-01-01"}, "must be after the start date"),
    ],
)
def test_legal_hold_without_a_subject_is_rejected_with_a_sentence(omar, form, problem) -> None:
    page = omar.post(
        reverse("legal_holds"), {"matter": "Matter 8", "why": "Letter of counsel", **form}
    )
    assert page.status_code == 422
    assert problem in page.text
    assert not LegalHold.objects.exists()


def test_deletion_request_is_handled_from_receipt_to_answer(cast, omar) -> None:
    Lead.objects.filter(pk=cast.ben.pk).update(borrower_message="My plan")
    request = new_request(omar, cast, "deletion")
    assert request.due_date.isoformat() == "2027-01-04"
    page = apply_request_action(omar, request, "deletion").text
    assert "Confirm their identity first" in page
    apply_request_action(omar, request, "identity", how="Called back on the number on file")
    page = apply_request_action(omar, request, "deletion").text
    assert "Deletion starts within seconds" in page
    data_removal.run_removals(at=make.NOON)
    assert Lead.objects.get(pk=cast.ben.pk).borrower_message == ""
    page = apply_request_action(omar, request, "answer", outcome="done").text
    assert "We won’t contact you" in page
    assert "attorney general of California" in page
    request.refresh_from_db()
    assert (request.outcome, request.answered_by) == ("done", cast.omar)


def test_access_request_is_answered_with_a_file(cast, omar) -> None:
    Company.objects.get()
    request = new_request(omar, cast, "access")
    apply_request_action(omar, request, "identity", how="Came in person with a license")
    answer = omar.post(reverse("download_personal_data", args=[request.pk]))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert set(packed.namelist()) == {"everything.json", "read me first.txt"}


def test_correction_request_names_the_old_and_new_value(cast, omar) -> None:
    request = new_request(omar, cast, "correction")
    apply_request_action(omar, request, "identity", how="Came in person with a license")
    apply_request_action(omar, request, "correction", field="last_name", value="Ortega")
    assert Person.objects.get(pk=cast.ben.person_id).last_name == "Ortega"
    assert "“Ortega”" in omar.get(reverse("privacy_request", args=[request.pk])).text


def test_request_from_a_person_not_on_file_is_recorded_and_answered(cast, omar) -> None:
    request = new_request(omar, cast, "access", address="+13055550199")
    assert request.person is None
    page = omar.get(reverse("privacy_request", args=[request.pk])).text
    assert "no one on file" in page and "have nothing about you" in page


def test_request_by_a_number_of_two_people_asks_which_one(cast, omar) -> None:
    number = cast.ben.person.phones.get().e164
    make.person(phone=number)
    page = omar.post(
        reverse("privacy_requests"),
        {
            "address": number, "kind": "access", "came_by": "call",
            "received_date": "2026-11-20", "owner": str(cast.omar.pk),
        },
    )  # fmt: skip
    assert page.status_code == 422 and "2 people have this contact" in page.text


def test_large_purge_needs_two_people_and_its_page_proves_it(
    cast, omar, signed_in, monkeypatch
) -> None:
    monkeypatch.setattr(purges, "SECOND_PERSON_ABOVE", 2)
    create_old_leads(3, cast.zillow)
    omar.post(reverse("purge_count"))
    purge = Purge.objects.get()
    address = reverse("purge", args=[purge.pk])
    assert purge.counts["lead"] == 3
    assert "Inquiries" in omar.get(address).text
    omar.post(reverse("purge_approval", args=[purge.pk]))
    answer_text = omar.post(reverse("purge_approval", args=[purge.pk]), follow=True).text
    assert "A second person must approve it" in answer_text
    data_removal.run_removals(at=make.NOON)
    assert Lead.objects.filter(borrower_message="A plan").count() == 3
    signed_in(make.user("compliance")).post(reverse("purge_approval", args=[purge.pk]))
    data_removal.run_removals(at=make.NOON)
    assert not Lead.objects.filter(borrower_message="A plan").exists()
    assert "Deletion verified." in omar.get(address).text
    Lead.objects.filter(created_at=LONG_AGO).update(borrower_message="Back again")
    assert "Deletion could not be verified." in omar.get(address).text


def test_legal_hold_over_a_source_is_described(cast, omar) -> None:
    day = make.NOON.date()
    legal_holds.place_hold(
        legal_holds.HoldScope(
            source_id=cast.zillow.pk, from_date=day, until_date=day + timedelta(days=1)
        ),
        matter="Exam 12",
        why="State examination",
        by=cast.omar,
        at=make.NOON,
    )
    page = omar.get(reverse("legal_holds")).text
    assert "Everything from Zillow, from Nov 23, 2026, through Nov 23, 2026" in page
