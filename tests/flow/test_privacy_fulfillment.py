"""Privacy requests for access, correction and deletion are fulfilled and answered in time."""

import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from django.db import transaction

from rooftree.capture.identity import merge_people
from rooftree.capture.imports.models import ImportedActivity
from rooftree.capture.intake import amend_touch
from rooftree.capture.models import Spreadsheet
from rooftree.compliance.models import Consent, Revocation
from rooftree.flow import data_removal, privacy_fulfillment
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, Lead, Loan, Person, Task
from rooftree.ledger.models import Event
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.retention import legal_holds, privacy_requests, purge_proof, purges
from rooftree.retention.answer_letter import LetterFacts, compose_letter
from rooftree.retention.models import PrivacyRequest
from rooftree.retention.privacy_requests import NewRequest, RequestRefused
from tests import make
from tests.flow import journey
from tests.flow.test_purges import tables_containing, years_later

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
TODAY = make.NOON.date()


@pytest.fixture
def omar(db):
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def ben(omar) -> Lead:
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.create_website(), journey.form_post(message="I broke my leg"))


def receive_request(kind: str, of, omar, *, is_known: bool = True, **more) -> PrivacyRequest:
    new_request = NewRequest(
        kind=kind, address=BEN, person_id=of.person_id if of else None, state="CA",
        received_via="letter", received_date=more.get("received", TODAY),
    )  # fmt: skip
    row = privacy_requests.receive_request(new_request, owner=omar, by=omar, at=make.NOON)
    if is_known:
        privacy_requests.confirm_identity(
            row.pk, how="Code sent to the number on file", by=omar, at=make.NOON
        )
    return row


def compose_letter_text(request: PrivacyRequest, **more) -> str:
    request.refresh_from_db()
    defaults = {
        "company": "Lindenfield Mortgage, LLC", "postal_address": "400 Linden Street",
        "name": "Ben Ortiz", "state": "California", "removed": 1, "recipients": (),
    }  # fmt: skip
    return compose_letter(request, LetterFacts(**defaults | more))


def test_privacy_request_is_due_in_45_days_and_extended_once_to_90(ben, omar) -> None:
    row = receive_request("deletion", ben, omar, received=date(2026, 11, 20))
    assert row.due_date == date(2027, 1, 4)
    assert privacy_requests.acknowledgment_due_date(row) == date(2026, 12, 7), (
        "ten business days, Thanksgiving off"
    )
    privacy_requests.extend_deadline(row.pk, because="The archive is large", by=omar, at=make.NOON)
    row.refresh_from_db()
    assert row.due_date == date(2027, 2, 18)
    with pytest.raises(RequestRefused, match="once"):
        privacy_requests.extend_deadline(row.pk, because="Still very large", by=omar, at=make.NOON)


def test_overdue_privacy_request_cannot_be_extended(ben, omar) -> None:
    row = receive_request("deletion", ben, omar, received=TODAY - timedelta(days=46))
    with pytest.raises(RequestRefused, match="overdue"):
        privacy_requests.extend_deadline(
            row.pk, because="The archive is large", by=omar, at=make.NOON
        )


@pytest.mark.parametrize("kind", ["access", "deletion", "correction"])
def test_privacy_request_requires_confirmed_identity(ben, omar, kind) -> None:
    row = receive_request(kind, ben, omar, is_known=False)
    do = {
        "access": lambda: privacy_fulfillment.build_copy(row.pk, by=omar, at=make.NOON),
        "deletion": lambda: privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON),
        "correction": lambda: privacy_fulfillment.correct_person(
            row.pk, field="first_name", value="Mallory", by=omar, at=make.NOON
        ),
    }[kind]
    with pytest.raises(RequestRefused, match="Confirm their identity"):
        do()
    assert Person.objects.get(pk=ben.person_id).first_name == "Ben"


def test_owner_is_reminded_ten_days_before_and_alarm_follows_when_late(ben, omar) -> None:
    boss = make.user("administrator")
    receive_request("access", ben, omar)
    assert privacy_requests.send_due_reminders(at=make.NOON + 34 * make.DAY) == 0
    assert privacy_requests.send_due_reminders(at=make.NOON + 35 * make.DAY) == 1
    assert privacy_requests.send_due_reminders(at=make.NOON + 36 * make.DAY) == 0, "once"
    assert privacy_requests.send_due_reminders(at=make.NOON + 46 * make.DAY) == 2
    notices = StaffNotice.objects.filter(kind="privacy_request")
    assert {notice.user_id for notice in notices} == {omar.pk, boss.pk}
    assert not any("Ortiz" in notice.text for notice in notices)


def test_data_copy_contains_all_data_of_person_and_no_one_elses(ben, omar) -> None:
    spouse = make.lead(person=make.person(phone=BEN, first_name="Lena"))
    make.touch(spouse, inquiry={"message": "A secret of Lena"})
    archive = privacy_fulfillment.build_copy(
        receive_request("access", ben, omar).pk, by=omar, at=make.NOON
    )
    with zipfile.ZipFile(io.BytesIO(archive)) as zip_file:
        data = json.loads(zip_file.read("everything.json"))
        readme = zip_file.read("read me first.txt").decode()
    text = json.dumps(data)
    assert "I broke my leg" in text and "ben.ortiz@home.example" in text
    assert "Lena" not in text
    assert len(data["messages"]) == Message.objects.filter(person=ben.person_id).count() > 0
    assert len(data["consents"]) == Consent.objects.filter(person=ben.person_id).count() > 0
    assert data["as_received"][0]["body"]
    assert f"Your consents: {len(data['consents'])}" in readme
    assert Event.objects.filter(kind="compliance.own_file.made").count() == 1


def test_data_copy_contains_imported_activities_and_tasks(ben, omar) -> None:
    sheet = Spreadsheet.objects.create(
        number=1, source=ben.source, file_name="old.csv", body_sha256="0" * 64, columns=[],
        row_count=1, uploaded_by=omar, uploaded_at=make.NOON,
    )  # fmt: skip
    ImportedActivity.objects.create(
        sheet=sheet, source=ben.source, kind="note", key="1", text="Likes to fish", lead=ben
    )
    Task.objects.create(
        lead=ben, idempotency_key="typed:1", title="Ask about the boat", due_at=make.NOON,
        created_at=make.NOON,
    )  # fmt: skip
    archive = privacy_fulfillment.build_copy(
        receive_request("access", ben, omar).pk, by=omar, at=make.NOON
    )
    with zipfile.ZipFile(io.BytesIO(archive)) as zip_file:
        text = zip_file.read("everything.json").decode()
    assert "Likes to fish" in text and "Ask about the boat" in text


def test_correction_changes_person_and_is_recorded(ben, omar) -> None:
    row = receive_request("correction", ben, omar)
    privacy_fulfillment.correct_person(
        row.pk, field="last_name", value="  Ortiz-Vega ", by=omar, at=make.NOON
    )
    person = Person.objects.get(pk=ben.person_id)
    assert (person.last_name, person.name_key) == ("Ortiz-Vega", "ben ortiz vega")
    row.refresh_from_db()
    assert (row.old_value, row.new_value) == ("Ortiz", "Ortiz-Vega")
    assert "“Ortiz” to “Ortiz-Vega”" in compose_letter_text(row)
    entry = Event.objects.get(kind="leads.person.corrected")
    assert "Ortiz" not in json.dumps(entry.data), "the ledger holds no name"


def test_deletion_removes_inquiry_and_keeps_legally_required_records(ben, omar) -> None:
    row = receive_request("deletion", ben, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    ben.refresh_from_db()
    assert (ben.details, ben.borrower_message, ben.value_cents) == ({}, "", None)
    assert Consent.objects.filter(person=ben.person_id).exists()
    assert Person.objects.get(pk=ben.person_id).last_name == "Ortiz", "the consent names them"
    row.refresh_from_db()
    assert set(row.kept_classes) >= {"consent_record", "house_default_message_audit"}
    letter = compose_letter_text(row)
    assert "We won’t contact you" in letter
    assert "five years after our last contact" in letter
    assert "attorney general of California" in letter
    assert purge_proof.prove_purges().problems == []


def test_deletion_without_consent_keeps_only_opt_out_number(omar) -> None:
    journey.set_up_company()
    lead = make.lead(person=make.person(phone=BEN, last_name="Ortiz"), borrower_message="My plan")
    make.touch(lead, inquiry={"message": "My plan"}, delivery=make.delivery(body=b"Ortiz"))
    row = receive_request("deletion", lead, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    assert tables_containing("Ortiz", "My plan") == {}
    revocation = Revocation.objects.get(address=BEN, ended_at=None)
    assert set(revocation.media) == {"call", "text", "voicemail"}
    assert purge_proof.prove_purges().problems == []


def test_deletion_covers_notices_and_warnings_about_person(omar) -> None:
    journey.set_up_company()
    quill = make.person(phone=BEN, first_name="Quill")
    lead = make.lead(person=quill)
    make.touch(lead, delivery=make.delivery(warnings=["bad_state:Quill"]))
    StaffNotice.objects.create(
        user=omar, idempotency_key="reply:1", kind="reply", text="Quill wrote back.",
        link=f"/leads/{lead.pk}/", at=make.NOON,
    )  # fmt: skip
    other = StaffNotice.objects.create(
        user=omar, idempotency_key="reply:2", kind="reply", text="Lena wrote back.",
        link=f"/leads/{make.lead().pk}/", at=make.NOON,
    )  # fmt: skip
    privacy_fulfillment.delete_person_data(
        receive_request("deletion", lead, omar).pk, by=omar, at=make.NOON
    )
    data_removal.run_removals(at=make.NOON)
    assert tables_containing("Quill") == {}
    assert StaffNotice.objects.filter(pk=other.pk).exists()


def test_deletion_covers_duplicate_deliveries_and_later_chat(omar) -> None:
    journey.set_up_company()
    source = make.source(adapter="chat_generic")
    lead = make.lead(person=make.person(phone=BEN, last_name="Quill"), source=source)
    first = make.delivery(source, body=b"I am Quill")
    touch = make.touch(lead, delivery=first, vendor_lead_id="chat-1")
    inquiry = {"source": "chat_generic", "channel": "chat", "vendor_lead_id": "chat-1"}
    inquiry |= {"interaction": {"kind": "chat"}}
    later = make.delivery(source, body=b"Quill, as I said", body_sha256="1" * 64)
    with transaction.atomic():
        amend_touch.amend_touch(CanonicalLead.from_json(inquiry), delivery=later, at=make.NOON)
    again = make.delivery(source, at=make.NOON + make.HOUR, body=b"I am Quill", state="duplicate")
    other = make.delivery(source, body=b"Lena", body_sha256="2" * 64, state="duplicate")
    assert Event.objects.filter(kind="capture.touch.amended", data__touch=str(touch.pk)).exists()
    privacy_fulfillment.delete_person_data(
        receive_request("deletion", lead, omar).pk, by=omar, at=make.NOON
    )
    data_removal.run_removals(at=make.NOON)
    assert tables_containing("Quill") == {}
    bodies = {delivery.pk: bytes(delivery.body) for delivery in Delivery.objects.all()}
    assert (bodies[first.pk], bodies[later.pk], bodies[again.pk]) == (b"", b"", b"")
    assert bodies[other.pk] == b"Lena"


def test_deleted_person_gets_no_more_messages(ben, omar) -> None:
    privacy_fulfillment.delete_person_data(
        receive_request("deletion", ben, omar).pk, by=omar, at=make.NOON
    )
    assert not Message.objects.filter(state__in=["waiting", "held"]).exists()
    ben.refresh_from_db()
    assert (ben.state, ben.retired_reason) == ("retired", privacy_fulfillment.DELETION_REASON)
    again = journey.deliver(
        journey.create_website(name="Second", slug="second"),
        journey.form_post(consent=False),
        at=make.NOON + make.HOUR,
    )
    texts = Message.objects.filter(medium="text", created_at__gt=make.NOON, direction="out")
    assert again and not texts.filter(sent_at__isnull=False).exists()


@pytest.mark.parametrize("kind", ["access", "deletion", "correction"])
def test_request_of_merged_person_is_fulfilled_for_survivor(ben, omar, kind) -> None:
    row = receive_request(kind, ben, omar)
    merge_people.merge_people(
        survivor_id=make.person(first_name="Benjamin").pk,
        duplicate_id=ben.person_id,
        reason="papers",
        by=omar.pk,
        at=make.NOON,
    )
    ben.refresh_from_db()
    assert ben.person_id != row.person_id
    if kind == "access":
        archive = privacy_fulfillment.build_copy(row.pk, by=omar, at=make.NOON)
        with zipfile.ZipFile(io.BytesIO(archive)) as zip_file:
            assert "I broke my leg" in zip_file.read("everything.json").decode()
    elif kind == "correction":
        privacy_fulfillment.correct_person(
            row.pk, field="last_name", value="Vega", by=omar, at=make.NOON
        )
        assert Person.objects.get(pk=ben.person_id).last_name == "Vega", "it is they we write to"
    else:
        privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
        data_removal.run_removals(at=make.NOON)
        ben.refresh_from_db()
        assert (ben.details, ben.retired_reason) == ({}, privacy_fulfillment.DELETION_REASON)


def test_application_is_kept_after_deletion_request_and_letter_explains_it(ben, omar) -> None:
    Loan.objects.create(
        lead=ben, los="encompass", instance="x", los_loan_id="1", created_at=make.NOON
    )
    Lead.objects.filter(pk=ben.pk).update(state="application")
    row = receive_request("deletion", ben, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    ben.refresh_from_db()
    assert ben.details and ben.state == "application"
    assert not Revocation.objects.exists(), "an open file must still be answered to"
    letter = compose_letter_text(row, recipients=privacy_fulfillment.list_recipients(ben.person_id))
    assert "25 months after our answer" in letter and "Gramm-Leach-Bliley" in letter


def test_hold_overrides_deletion_request(ben, omar) -> None:
    legal_holds.place_hold(
        legal_holds.HoldScope(address=BEN), matter="Ortiz v. Lindenfield", why="Complaint received",
        by=omar, at=make.NOON,
    )  # fmt: skip
    row = receive_request("deletion", ben, omar)
    assert privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON) is None
    ben.refresh_from_db()
    assert ben.details
    row.refresh_from_db()
    assert row.kept_classes == ["legal_hold"]
    assert "legal matter" in compose_letter_text(row, removed=0)
    assert Revocation.objects.filter(address=BEN).exists(), "they are left alone all the same"


def test_privacy_request_cannot_be_answered_before_it_is_carried_out(ben, omar) -> None:
    row = receive_request("deletion", ben, omar)
    with pytest.raises(RequestRefused, match="not carried out"):
        privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    with pytest.raises(RequestRefused, match="already answered"):
        privacy_requests.answer_request(
            row.pk, outcome="refused", because="No more of this", by=omar, at=make.NOON
        )


def test_unknown_person_is_told_nothing_is_on_file(omar) -> None:
    row = receive_request("access", None, omar)
    with pytest.raises(RequestRefused, match="Nobody on file"):
        privacy_fulfillment.build_copy(row.pk, by=omar, at=make.NOON)
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    assert "have nothing about you" in compose_letter_text(row, name="")


def test_privacy_request_is_erased_two_years_after_answer(ben, omar) -> None:
    row = receive_request("correction", ben, omar)
    privacy_fulfillment.correct_person(
        row.pk, field="city", value="Sarasota", by=omar, at=make.NOON
    )
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    purges.plan_scheduled_purge(at=years_later(2, days=-1))
    assert PrivacyRequest.objects.get().new_value == "Sarasota"
    purges.plan_scheduled_purge(at=years_later(2, days=1))
    data_removal.run_removals(at=years_later(2, days=1))
    assert PrivacyRequest.objects.get().new_value == ""
