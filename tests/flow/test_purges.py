"""Purges remove expired records, keep required ones, and prove both."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection

from rooftree.capture.identity import merge_people
from rooftree.capture.models import Retrieval
from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Consent, LeadBasis, Revocation, Verdict
from rooftree.leads.models import (
    ContactAttempt,
    Delivery,
    Email,
    Lead,
    Loan,
    Person,
    Phone,
    PossibleDuplicate,
)
from rooftree.ledger import seal, verify_chain
from rooftree.ledger.models import Event
from rooftree.outreach.models import Message
from rooftree.reporting import invariants
from rooftree.retention import erasure_list, legal_holds, purge_proof, purges
from rooftree.retention.models import Purge, PurgeRow
from rooftree.retention.record_sets import RECORD_SETS_BY_NAME
from rooftree.retention.removal_check import check_removals
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
OF_BEN = ("Ortiz", "8135550142", "813-555-0142", "ben.ortiz", "412000", "203.0.113.10")


def years_later(number: int, days: int = 0) -> datetime:
    return make.NOON.replace(year=2026 + number) + timedelta(days=days)


def run_purges(at: datetime) -> list[Purge]:
    """Plan and run removals until nothing is due; two people approve each large one."""
    for _ in range(5):
        if not (purge := purges.plan_scheduled_purge(at=at)):
            break
        if purge.approved_at is None:
            purges.request_purge(purge_id=purge.pk, by=make.user("compliance"), at=at)
            purges.approve_purge(purge_id=purge.pk, by=make.user("compliance"), at=at)
        while purges.remove_next_slice(at=at):
            pass
    return list(Purge.objects.order_by("pk"))


def tables_containing(*words: str) -> dict[str, str]:
    """Find the tables that contain any of the words in any column, bytes included."""
    tables = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class "
            "where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'select r::text from "{table}" r')
            for (row,) in cursor.fetchall():
                text = row + _decode_bytes(row)
                if matches := [word for word in words if word.lower() in text.lower()]:
                    tables[table] = matches[0]
    return tables


def _decode_bytes(row: str) -> str:
    """Decode the bytes of a row, which the database shows in hex."""
    hex_strings = re.findall(r"\\x((?:[0-9a-f]{2})+)", row)
    return " ".join(
        bytes.fromhex(hex_string).decode("utf-8", "replace") for hex_string in hex_strings
    )


@pytest.fixture
def ben(db) -> Lead:
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.create_website(), journey.form_post())


def test_inquiry_is_erased_two_years_after_last_use(ben) -> None:
    assert purges.plan_scheduled_purge(at=years_later(2, days=-1)) is None
    run_purges(years_later(2, days=1))
    ben.refresh_from_db()
    assert (ben.details, ben.property_zip, ben.value_cents, ben.state) == ({}, "", None, "retired")
    assert ben.touches.get().inquiry == {}
    assert ben.person.last_name == "Ortiz", "consent and messages still name them"
    assert Consent.objects.exists()


def test_database_holds_no_identity_after_all_retention_periods(ben) -> None:
    assert tables_containing(*OF_BEN), "the search finds them while they are there"
    sums = invariants.check_money_sums(make.NOON).sentence
    run_purges(years_later(2, days=1))
    run_purges(years_later(5, days=5))
    run_purges(years_later(7, days=5))
    run_purges(years_later(9, days=5))
    assert tables_containing(*OF_BEN) == {}
    assert not Message.objects.exists() and not Verdict.objects.exists()
    assert Lead.objects.count() == 1, "what the sums count is still counted"
    assert invariants.check_money_sums(make.NOON).sentence == sums
    seal.seal_events(at=years_later(9, days=6))
    assert verify_chain.verify_ledger().is_intact
    assert purge_proof.prove_purges().problems == []
    for holds_still in (*invariants.INVARIANTS, check_removals):
        assert holds_still(years_later(9, days=6)).holds, holds_still.__name__


def test_opt_out_outlives_all_other_records(ben) -> None:
    store_revocation.store_revocation(
        person_id=ben.person_id, address=BEN, kind="stop", media=["text", "call"],
        origin="message:1", idempotency_key="text:1", words="stop, Ben Ortiz", at=make.NOON,
    )  # fmt: skip
    run_purges(years_later(2, days=1))
    run_purges(years_later(7, days=5))
    run_purges(years_later(10, days=5))
    stopped = Revocation.objects.get()
    assert (stopped.address, stopped.ended_at, stopped.borrower_words) == (BEN, None, "")
    assert tables_containing("Ortiz", "ben.ortiz") == {}
    assert set(tables_containing("8135550142")) == {"revocation"}


def test_messages_verdicts_and_attempts_are_erased_after_seven_years(ben) -> None:
    sent_count = Message.objects.filter(direction="out").count()
    assert sent_count and Verdict.objects.exists()
    run_purges(years_later(5, days=5))
    assert Message.objects.filter(direction="out").count() == sent_count
    run_purges(years_later(7, days=5))
    assert not Message.objects.exists()
    assert not Verdict.objects.exists()
    assert not ContactAttempt.objects.exists()
    assert purge_proof.prove_purges().problems == []


def test_application_is_kept_25_months_and_closed_loan_three_years(ben) -> None:
    loan = Loan.objects.create(
        lead=ben, los="encompass", instance="x", los_loan_id="1", created_at=make.NOON
    )
    run_purges(years_later(4))
    ben.refresh_from_db()
    assert ben.details, "a file that is still open is not due at all"
    Loan.objects.filter(pk=loan.pk).update(funded_date="2030-10-01")
    run_purges(years_later(6))
    ben.refresh_from_db()
    assert ben.details, "two years after it closed"
    run_purges(years_later(7))
    ben.refresh_from_db()
    assert ben.details == {}
    assert Loan.objects.get().funded_date.year == 2030, "what the sums need stays"


def test_purge_erases_every_lookup_of_delivery(ben) -> None:
    """Two leads in one Meta post are two look-ups of one delivery."""
    delivery = ben.touches.get().delivery
    for name in ("first", "second"):
        Retrieval.objects.create(
            delivery=delivery, path=f"/v24.0/{name}", query=[["fields", "Ortiz"]],
            body=b"Ben Ortiz", problem="Ortiz?", requested_at=make.NOON,
        )  # fmt: skip
    run_purges(years_later(2, days=1))
    run_purges(years_later(7, days=5))
    run_purges(years_later(9, days=5))
    assert tables_containing("Ortiz") == {}
    assert Retrieval.objects.count() == 2, "that they were made stays"


def test_hold_placed_after_count_prevents_removal(ben) -> None:
    purge = purges.plan_scheduled_purge(at=years_later(2, days=1))
    assert purge and purge.counts["lead"] == 1
    legal_holds.place_hold(
        legal_holds.HoldScope(person_id=ben.person_id), matter="Ortiz v. Lindenfield",
        why="Complaint received", by=make.user("compliance"), at=years_later(2, days=1),
    )  # fmt: skip
    while purges.remove_next_slice(at=years_later(2, days=1)):
        pass
    ben.refresh_from_db()
    assert ben.details
    assert set(PurgeRow.objects.values_list("kept_reason", flat=True)) == {"legal_hold"}
    assert not Event.objects.filter(kind=purges.PURGED_EVENT).exists()
    assert purges.plan_scheduled_purge(at=years_later(3)) is None, (
        "what is held is not even counted"
    )


@pytest.mark.parametrize("of", ["number", "e-mail", "source", "period", "merged part"])
def test_legal_hold_of_any_scope_keeps_its_people_until_lifted(ben, of) -> None:
    day = make.NOON.date()
    part = make.person(phone=None, email=None, merged_into=ben.person)
    scope = {
        "number": legal_holds.HoldScope(address=BEN),
        "e-mail": legal_holds.HoldScope(address="ben.ortiz@home.example"),
        "source": legal_holds.HoldScope(source_id=ben.source_id),
        "period": legal_holds.HoldScope(from_date=day, until_date=day + timedelta(days=1)),
        "merged part": legal_holds.HoldScope(person_id=part.pk),
    }[of]
    omar = make.user("compliance")
    hold = legal_holds.place_hold(
        scope, matter="Matter 1", why="Subpoena of May", by=omar, at=make.NOON
    )
    assert [active_hold.pk for active_hold in legal_holds.active_holds([ben.person_id])] == [
        hold.pk
    ]
    assert run_purges(years_later(9)) == []
    legal_holds.lift_hold(hold_id=hold.pk, because="Settled in full", by=omar, at=years_later(9))
    assert legal_holds.active_holds([ben.person_id]) == []
    assert run_purges(years_later(9))
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"compliance.hold.placed", "compliance.hold.lifted"} <= kinds


def test_hold_on_another_person_keeps_only_unattributable_records(ben) -> None:
    stray = make.delivery(ben.source, state="quarantined", body=b"who is this")
    other = make.person(phone="+13055550177")
    legal_holds.place_hold(
        legal_holds.HoldScope(person_id=other.pk), matter="Matter 2", why="Subpoena of June",
        by=make.user("compliance"), at=make.NOON,
    )  # fmt: skip
    run_purges(years_later(9))
    assert tables_containing("Ortiz") == {}
    assert bytes(Delivery.objects.get(pk=stray.pk).body) == b"who is this"
    assert Phone.objects.filter(person=other).exists()


def test_many_held_records_do_not_hide_other_due_records(ben, monkeypatch) -> None:
    monkeypatch.setattr(purges, "MAX_RECORDS_PER_SET", 1)
    other = make.lead(person=make.person(), source=ben.source, borrower_message="A plan")
    for held_lead, free_lead in ((ben, other), (other, ben)):
        hold = legal_holds.place_hold(
            legal_holds.HoldScope(person_id=held_lead.person_id),
            matter="Matter 3",
            why="Subpoena of July",
            by=make.user("compliance"),
            at=make.NOON,
        )
        records = purges.due_records(
            RECORD_SETS_BY_NAME["lead"], today=years_later(2, days=1).date()
        )
        assert [record.id for record in records] == [free_lead.pk]
        legal_holds.lift_hold(
            hold_id=hold.pk, because="Settled in full", by=hold.placed_by, at=make.NOON
        )


def test_large_removal_requires_two_different_people(ben, monkeypatch) -> None:
    monkeypatch.setattr(purges, "SECOND_PERSON_ABOVE", 0)
    purge = purges.plan_scheduled_purge(at=years_later(2, days=1))
    assert purge is not None
    assert purges.remove_next_slice(at=years_later(2, days=1)) == 0
    omar = make.user("compliance")
    with pytest.raises(purges.PurgeRefused):
        purges.approve_purge(purge_id=purge.pk, by=omar, at=years_later(2, days=1))
    purges.request_purge(purge_id=purge.pk, by=omar, at=years_later(2, days=1))
    with pytest.raises(purges.PurgeRefused, match="second person"):
        purges.approve_purge(purge_id=purge.pk, by=omar, at=years_later(2, days=1))
    assert purges.remove_next_slice(at=years_later(2, days=1)) == 0
    purges.approve_purge(purge_id=purge.pk, by=make.user("compliance"), at=years_later(2, days=1))
    assert purges.remove_next_slice(at=years_later(2, days=1)) > 0


def test_removal_records_count_and_rules_in_ledger(ben) -> None:
    (purge,) = run_purges(years_later(2, days=1))
    entry = Event.objects.get(kind=purges.PURGED_EVENT, data__holding="lead")
    assert entry.data["count"] == 1
    assert entry.data["sha256"] == purges.ids_commitment([ben.pk])
    assert entry.data["rules_version"] == purge.rules_version
    assert entry.data["record"] == "glba_customer_information_disposal"
    purge.refresh_from_db()
    assert purge.ended_at
    assert Event.objects.filter(kind="compliance.purge.ended").count() == 1


def _restore_data(ben: Lead) -> None:
    Lead.objects.filter(pk=ben.pk).update(borrower_message="I am back")


def _forge_row(ben: Lead) -> None:
    PurgeRow.objects.filter(record_set="lead").update(row_id=make.uuid7())


def _add_row(ben: Lead) -> None:
    row = PurgeRow.objects.filter(record_set="lead").get()
    PurgeRow.objects.create(
        purge=row.purge, position=0, record_set="lead", row_id=make.uuid7(),
        removed_at=row.removed_at,
        event_id=row.event_id,
    )  # fmt: skip


def _add_row_without_event(ben: Lead) -> None:
    row = PurgeRow.objects.filter(record_set="lead").get()
    PurgeRow.objects.create(
        purge=row.purge,
        position=0,
        record_set="lead",
        row_id=make.uuid7(),
        removed_at=row.removed_at,
    )


@pytest.mark.parametrize("tamper", [_restore_data, _forge_row, _add_row, _add_row_without_event])
def test_removal_check_detects_tampering(ben, tamper) -> None:
    run_purges(years_later(2, days=1))
    assert check_removals(make.NOON).holds
    tamper(ben)
    result = check_removals(make.NOON)
    assert not result.holds and result.offenders


def test_record_used_again_after_count_is_kept(ben) -> None:
    purges.plan_scheduled_purge(at=years_later(2, days=1))
    Lead.objects.filter(pk=ben.pk).update(last_inquiry_at=years_later(2, days=1))
    while purges.remove_next_slice(at=years_later(2, days=1)):
        pass
    ben.refresh_from_db()
    assert ben.details
    row = PurgeRow.objects.get(record_set="lead")
    assert (row.removed_at, row.kept_reason) == (None, "retention_24_months")


def test_bureau_lead_basis_is_erased_five_years_after_last_contact(ben) -> None:
    LeadBasis.objects.create(
        lead=ben, reference="Folder of Ben Ortiz", by=make.user("compliance"), at=make.NOON
    )
    run_purges(years_later(5, days=-1))
    assert LeadBasis.objects.exists()
    run_purges(years_later(5, days=5))
    assert not LeadBasis.objects.exists()


def test_purge_removes_merge_evidence(ben) -> None:
    duplicate, survivor = make.person(last_name="Ortiz"), make.person(last_name="Ortiz")
    for surviving, merged in ((ben.person, duplicate), (survivor, ben.person)):
        merge_people.merge_people(
            survivor_id=surviving.pk, duplicate_id=merged.pk, reason="papers", by=None,
            at=make.NOON, evidence="Both are Ben Ortiz",
        )  # fmt: skip
    PossibleDuplicate.objects.create(
        older=duplicate, newer=make.person(), speaks_for="Ben Ortiz too", found_at=make.NOON
    )
    for number in (2, 7, 9):
        run_purges(years_later(number, days=5))
    assert tables_containing("Ortiz") == {}


def test_record_reused_before_removal_is_not_listed_as_erased(ben) -> None:
    stray = make.delivery(ben.source, state="quarantined", body=b"who is this")
    purges.plan_scheduled_purge(at=years_later(2, days=1))
    Delivery.objects.filter(pk=stray.pk).update(state="received")
    while purges.remove_next_slice(at=years_later(2, days=1)):
        pass
    assert PurgeRow.objects.filter(record_set="delivery", row_id=stray.pk).exists()
    assert str(stray.pk) not in erasure_list.list_erasures().get("delivery", [])
    assert erasure_list.list_erasures()["lead"] == [str(ben.pk)]


def test_purge_leaves_no_name_of_second_applicant(ben) -> None:
    second = make.person(first_name="Lena", last_name="Ortiz")
    Lead.objects.filter(pk=ben.pk).update(co_borrower=second)
    run_purges(years_later(9))
    run_purges(years_later(9, days=1))
    assert Person.objects.exclude(last_name="").count() == 0
    assert not Email.objects.exists()
