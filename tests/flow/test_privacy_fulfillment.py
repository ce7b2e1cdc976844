"""A person asks to see, to correct or to delete their data, and gets a true answer in time."""

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
from tests.flow.test_purges import tables_that_say, years

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
TODAY = make.NOON.date()


@pytest.fixture
def omar(db):
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def ben(omar) -> Lead:
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.website(), journey.form_post(message="I broke my leg"))


def asks(kind: str, of, omar, *, is_known: bool = True, **more) -> PrivacyRequest:
    asked = NewRequest(
        kind=kind, address=BEN, person_id=of.person_id if of else None, state="CA",
        received_via="letter", received_date=more.get("received", TODAY),
    )  # fmt: skip
    row = privacy_requests.receive_request(asked, owner=omar, by=omar, at=make.NOON)
    if is_known:
        privacy_requests.confirm_identity(
            row.pk, how="Code sent to the number on file", by=omar, at=make.NOON
        )
    return row


def written(request: PrivacyRequest, **more) -> str:
    request.refresh_from_db()
    usual = {
        "company": "Lindenfield Mortgage, LLC", "postal_address": "400 Linden Street",
        "name": "Ben Ortiz", "state": "California", "removed": 1, "recipients": (),
    }  # fmt: skip
    return compose_letter(request, LetterFacts(**usual | more))


def test_a_request_is_due_in_45_days_and_extended_once_to_90(ben, omar) -> None:
    row = asks("deletion", ben, omar, received=date(2026, 11, 20))
    assert row.due_date == date(2027, 1, 4)
    assert privacy_requests.acknowledgment_due_date(row) == date(2026, 12, 7), (
        "ten business days, Thanksgiving off"
    )
    privacy_requests.extend_deadline(row.pk, because="The archive is large", by=omar, at=make.NOON)
    row.refresh_from_db()
    assert row.due_date == date(2027, 2, 18)
    with pytest.raises(RequestRefused, match="once"):
        privacy_requests.extend_deadline(row.pk, because="Still very large", by=omar, at=make.NOON)


def test_an_overdue_request_cannot_be_extended(ben, omar) -> None:
    row = asks("deletion", ben, omar, received=TODAY - timedelta(days=46))
    with pytest.raises(RequestRefused, match="overdue"):
        privacy_requests.extend_deadline(
            row.pk, because="The archive is large", by=omar, at=make.NOON
        )


@pytest.mark.parametrize("kind", ["access", "deletion", "correction"])
def test_nothing_is_done_for_somebody_who_did_not_prove_who_they_are(ben, omar, kind) -> None:
    row = asks(kind, ben, omar, is_known=False)
    do = {
        "access": lambda: privacy_fulfillment.build_copy(row.pk, by=omar, at=make.NOON),
        "deletion": lambda: privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON),
        "correction": lambda: privacy_fulfillment.correct_person(
            row.pk, field="first_name", value="Mallory", by=omar, at=make.NOON
        ),
    }[kind]
    with pytest.raises(RequestRefused, match="make sure"):
        do()
    assert Person.objects.get(pk=ben.person_id).first_name == "Ben"


def test_the_owner_is_told_ten_days_before_and_everybody_alarmed_once_it_is_late(ben, omar) -> None:
    boss = make.user("administrator")
    asks("access", ben, omar)
    assert privacy_requests.send_due_reminders(at=make.NOON + 34 * make.DAY) == 0
    assert privacy_requests.send_due_reminders(at=make.NOON + 35 * make.DAY) == 1
    assert privacy_requests.send_due_reminders(at=make.NOON + 36 * make.DAY) == 0, "once"
    assert privacy_requests.send_due_reminders(at=make.NOON + 46 * make.DAY) == 2
    told = StaffNotice.objects.filter(kind="privacy_request")
    assert {staff_notice.user_id for staff_notice in told} == {omar.pk, boss.pk}
    assert not any("Ortiz" in staff_notice.text for staff_notice in told)


def test_a_copy_holds_all_that_is_theirs_and_nobody_elses(ben, omar) -> None:
    spouse = make.lead(person=make.person(phone=BEN, first_name="Lena"))
    make.touch(spouse, inquiry={"message": "A secret of Lena"})
    archive = privacy_fulfillment.build_copy(asks("access", ben, omar).pk, by=omar, at=make.NOON)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        found = json.loads(packed.read("everything.json"))
        words = packed.read("read me first.txt").decode()
    said = json.dumps(found)
    assert "I broke my leg" in said and "ben.ortiz@home.example" in said
    assert "Lena" not in said
    assert len(found["messages"]) == Message.objects.filter(person=ben.person_id).count() > 0
    assert len(found["consents"]) == Consent.objects.filter(person=ben.person_id).count() > 0
    assert found["as_received"][0]["body"]
    assert f"What you allowed us: {len(found['consents'])}" in words
    assert Event.objects.filter(kind="compliance.own_file.made").count() == 1


def test_a_copy_holds_what_came_from_another_system_and_what_staff_were_to_do(ben, omar) -> None:
    sheet = Spreadsheet.objects.create(
        number=1, source=ben.source, file_name="old.csv", body_sha256="0" * 64, columns=[],
        row_count=1, uploaded_by=omar, uploaded_at=make.NOON,
    )  # fmt: skip
    ImportedActivity.objects.create(
        sheet=sheet, source=ben.source, kind="note", key="1", text="Likes to fish", lead=ben
    )
    Task.objects.create(
        lead=ben, cause="typed:1", title="Ask about the boat", due_at=make.NOON,
        created_at=make.NOON,
    )  # fmt: skip
    archive = privacy_fulfillment.build_copy(asks("access", ben, omar).pk, by=omar, at=make.NOON)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        said = packed.read("everything.json").decode()
    assert "Likes to fish" in said and "Ask about the boat" in said


def test_a_correction_changes_what_we_go_by_and_is_written_down(ben, omar) -> None:
    row = asks("correction", ben, omar)
    privacy_fulfillment.correct_person(
        row.pk, field="last_name", value="  Ortiz-Vega ", by=omar, at=make.NOON
    )
    person = Person.objects.get(pk=ben.person_id)
    assert (person.last_name, person.name_key) == ("Ortiz-Vega", "ben ortiz vega")
    row.refresh_from_db()
    assert (row.was, row.became) == ("Ortiz", "Ortiz-Vega")
    assert "“Ortiz” to “Ortiz-Vega”" in written(row)
    entry = Event.objects.get(kind="leads.person.corrected")
    assert "Ortiz" not in json.dumps(entry.data), "the ledger holds no name"


def test_a_deletion_removes_the_inquiry_and_keeps_what_the_law_keeps(ben, omar) -> None:
    row = asks("deletion", ben, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    ben.refresh_from_db()
    assert (ben.details, ben.asked, ben.value_cents) == ({}, "", None)
    assert Consent.objects.filter(person=ben.person_id).exists()
    assert Person.objects.get(pk=ben.person_id).last_name == "Ortiz", "the consent names them"
    row.refresh_from_db()
    assert set(row.stays) >= {"consent_record", "house_default_message_audit"}
    said = written(row)
    assert "we do not contact you" in said
    assert "five years after our last contact" in said
    assert "attorney general of California" in said
    assert purge_proof.prove_purges().problems == []


def test_who_never_allowed_anything_is_forgotten_whole_but_for_the_number(omar) -> None:
    journey.ready()
    made = make.lead(person=make.person(phone=BEN, last_name="Ortiz"), asked="My plan")
    make.touch(made, inquiry={"message": "My plan"}, delivery=make.delivery(body=b"Ortiz"))
    row = asks("deletion", made, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    assert tables_that_say("Ortiz", "My plan") == {}
    stopped = Revocation.objects.get(address=BEN, ended_at=None)
    assert set(stopped.media) == {"call", "text", "voicemail"}
    assert purge_proof.prove_purges().problems == []


def test_a_deletion_reaches_what_was_said_of_them_in_passing(omar) -> None:
    journey.ready()
    quill = make.person(phone=BEN, first_name="Quill")
    made = make.lead(person=quill)
    make.touch(made, delivery=make.delivery(warnings=["bad_state:Quill"]))
    StaffNotice.objects.create(
        user=omar, cause="reply:1", kind="reply", text="Quill wrote back.",
        link=f"/leads/{made.pk}/", at=make.NOON,
    )  # fmt: skip
    other = StaffNotice.objects.create(
        user=omar, cause="reply:2", kind="reply", text="Lena wrote back.",
        link=f"/leads/{make.lead().pk}/", at=make.NOON,
    )  # fmt: skip
    privacy_fulfillment.delete_person_data(asks("deletion", made, omar).pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    assert tables_that_say("Quill") == {}
    assert StaffNotice.objects.filter(pk=other.pk).exists()


def test_a_deletion_reaches_what_was_sent_twice_and_the_later_words_of_a_chat(omar) -> None:
    journey.ready()
    here = make.source(adapter="chat_generic")
    made = make.lead(person=make.person(phone=BEN, last_name="Quill"), source=here)
    first = make.delivery(here, body=b"I am Quill")
    touch = make.touch(made, delivery=first, vendor_lead_id="chat-1")
    said = {"source": "chat_generic", "channel": "chat", "vendor_lead_id": "chat-1"}
    said |= {"interaction": {"kind": "chat"}}
    later = make.delivery(here, body=b"Quill, as I said", body_sha256="1" * 64)
    with transaction.atomic():
        amend_touch.amend_touch(CanonicalLead.from_json(said), delivery=later, at=make.NOON)
    again = make.delivery(here, at=make.NOON + make.HOUR, body=b"I am Quill", state="duplicate")
    other = make.delivery(here, body=b"Lena", body_sha256="2" * 64, state="duplicate")
    assert Event.objects.filter(kind="capture.touch.amended", data__touch=str(touch.pk)).exists()
    privacy_fulfillment.delete_person_data(asks("deletion", made, omar).pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    assert tables_that_say("Quill") == {}
    bodies = {delivery.pk: bytes(delivery.body) for delivery in Delivery.objects.all()}
    assert (bodies[first.pk], bodies[later.pk], bodies[again.pk]) == (b"", b"", b"")
    assert bodies[other.pk] == b"Lena"


def test_after_a_deletion_nothing_more_is_sent_to_them(ben, omar) -> None:
    privacy_fulfillment.delete_person_data(asks("deletion", ben, omar).pk, by=omar, at=make.NOON)
    assert not Message.objects.filter(state__in=["waiting", "held"]).exists()
    ben.refresh_from_db()
    assert (ben.state, ben.retired_reason) == ("retired", privacy_fulfillment.DELETION_REASON)
    again = journey.deliver(
        journey.website(name="Second", slug="second"),
        journey.form_post(consent=False),
        at=make.NOON + make.HOUR,
    )
    texts = Message.objects.filter(medium="text", created_at__gt=make.NOON, direction="out")
    assert again and not texts.filter(sent_at__isnull=False).exists()


@pytest.mark.parametrize("kind", ["access", "deletion", "correction"])
def test_who_became_part_of_another_record_after_asking_is_not_missed(ben, omar, kind) -> None:
    row = asks(kind, ben, omar)
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
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            assert "I broke my leg" in packed.read("everything.json").decode()
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


def test_an_application_stays_whole_and_the_letter_says_why(ben, omar) -> None:
    Loan.objects.create(
        lead=ben, los="encompass", instance="x", los_loan_id="1", created_at=make.NOON
    )
    Lead.objects.filter(pk=ben.pk).update(state="application")
    row = asks("deletion", ben, omar)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    data_removal.run_removals(at=make.NOON)
    ben.refresh_from_db()
    assert ben.details and ben.state == "application"
    assert not Revocation.objects.exists(), "an open file must still be answered to"
    said = written(row, recipients=privacy_fulfillment.list_recipients(ben.person_id))
    assert "25 months after our answer" in said and "Gramm-Leach-Bliley" in said


def test_a_hold_wins_over_the_wish_to_be_deleted(ben, omar) -> None:
    legal_holds.place_hold(
        legal_holds.HoldScope(address=BEN), matter="Ortiz v. Lindenfield", why="Complaint received",
        by=omar, at=make.NOON,
    )  # fmt: skip
    row = asks("deletion", ben, omar)
    assert privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON) is None
    ben.refresh_from_db()
    assert ben.details
    row.refresh_from_db()
    assert row.stays == ["legal_hold"]
    assert "legal matter" in written(row, removed=0)
    assert Revocation.objects.filter(address=BEN).exists(), "they are left alone all the same"


def test_a_request_is_not_answered_as_done_before_it_is_done(ben, omar) -> None:
    row = asks("deletion", ben, omar)
    with pytest.raises(RequestRefused, match="not carried out"):
        privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    privacy_fulfillment.delete_person_data(row.pk, by=omar, at=make.NOON)
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    with pytest.raises(RequestRefused, match="answered already"):
        privacy_requests.answer_request(
            row.pk, outcome="refused", because="No more of this", by=omar, at=make.NOON
        )


def test_who_is_not_on_file_is_told_so(omar) -> None:
    row = asks("access", None, omar)
    with pytest.raises(RequestRefused, match="Nobody on file"):
        privacy_fulfillment.build_copy(row.pk, by=omar, at=make.NOON)
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    assert "hold nothing about you" in written(row, name="")


def test_a_request_is_itself_forgotten_two_years_after_its_answer(ben, omar) -> None:
    row = asks("correction", ben, omar)
    privacy_fulfillment.correct_person(
        row.pk, field="city", value="Sarasota", by=omar, at=make.NOON
    )
    privacy_requests.answer_request(row.pk, outcome="done", by=omar, at=make.NOON)
    purges.plan_scheduled_purge(at=years(2, days=-1))
    assert PrivacyRequest.objects.get().became == "Sarasota"
    purges.plan_scheduled_purge(at=years(2, days=1))
    data_removal.run_removals(at=years(2, days=1))
    assert PrivacyRequest.objects.get().became == ""
