"""What is no longer kept goes, what must stay stays, and both can be proved."""

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
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
OF_BEN = ("Ortiz", "8135550142", "813-555-0142", "ben.ortiz", "412000", "203.0.113.10")


def years(number: int, days: int = 0) -> datetime:
    return make.NOON.replace(year=2026 + number) + timedelta(days=days)


def go(at: datetime) -> list[Purge]:
    """Plan and remove until nothing is due any more; two people let each large one go."""
    for _ in range(5):
        if not (purge := purges.plan_scheduled_purge(at=at)):
            break
        if purge.approved_at is None:
            purges.request_purge(purge_id=purge.pk, by=make.user("compliance"), at=at)
            purges.approve_purge(purge_id=purge.pk, by=make.user("compliance"), at=at)
        while purges.remove_next_slice(at=at):
            pass
    return list(Purge.objects.order_by("pk"))


def tables_that_say(*words: str) -> dict[str, str]:
    """Every table of ours in which any of the words stands, in any column, also in bytes."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class "
            "where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'select r::text from "{table}" r')
            for (row,) in cursor.fetchall():
                said = row + _readable(row)
                if there := [word for word in words if word.lower() in said.lower()]:
                    found[table] = there[0]
    return found


def _readable(row: str) -> str:
    """What bytes say, which the database shows in hex."""
    found = re.findall(r"\\x((?:[0-9a-f]{2})+)", row)
    return " ".join(bytes.fromhex(one).decode("utf-8", "replace") for one in found)


@pytest.fixture
def ben(db) -> Lead:
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return journey.deliver(journey.website(), journey.form_post())


def test_an_inquiry_goes_two_years_after_its_last_use_and_not_a_day_before(ben) -> None:
    assert purges.plan_scheduled_purge(at=years(2, days=-1)) is None
    go(years(2, days=1))
    ben.refresh_from_db()
    assert (ben.details, ben.property_zip, ben.value_cents, ben.state) == ({}, "", None, "retired")
    assert ben.touches.get().inquiry == {}
    assert ben.person.last_name == "Ortiz", "consent and messages still name them"
    assert Consent.objects.exists()


def test_after_all_clocks_nothing_in_the_database_says_who_it_was(ben) -> None:
    assert tables_that_say(*OF_BEN), "the search finds them while they are there"
    sums = invariants.check_money_sums(make.NOON).sentence
    go(years(2, days=1))
    go(years(5, days=5))
    go(years(7, days=5))
    go(years(9, days=5))
    assert tables_that_say(*OF_BEN) == {}
    assert not Message.objects.exists() and not Verdict.objects.exists()
    assert Lead.objects.count() == 1, "what the sums count is still counted"
    assert invariants.check_money_sums(make.NOON).sentence == sums
    seal.seal_events(at=years(9, days=6))
    assert verify_chain.verify_ledger().is_intact
    assert purge_proof.prove_purges().problems == []
    for holds_still in invariants.INVARIANTS:
        assert holds_still(years(9, days=6)).holds, holds_still.__name__


def test_who_asked_us_to_stop_stays_stopped_when_all_else_is_gone(ben) -> None:
    store_revocation.store_revocation(
        person_id=ben.person_id, address=BEN, kind="stop", media=["text", "call"],
        origin="message:1", idempotency_key="text:1", words="stop, Ben Ortiz", at=make.NOON,
    )  # fmt: skip
    go(years(2, days=1))
    go(years(7, days=5))
    go(years(10, days=5))
    stopped = Revocation.objects.get()
    assert (stopped.address, stopped.ended_at, stopped.words) == (BEN, None, "")
    assert tables_that_say("Ortiz", "ben.ortiz") == {}
    assert set(tables_that_say("8135550142")) == {"revocation"}


def test_messages_go_with_their_proof_and_their_attempt_seven_years_later(ben) -> None:
    sent = Message.objects.filter(direction="out").count()
    assert sent and Verdict.objects.exists()
    go(years(5, days=5))
    assert Message.objects.filter(direction="out").count() == sent
    go(years(7, days=5))
    assert not Message.objects.exists()
    assert not Verdict.objects.exists()
    assert not ContactAttempt.objects.exists()
    assert purge_proof.prove_purges().problems == []


def test_an_application_is_kept_25_months_from_its_end_and_a_closed_loan_three_years(ben) -> None:
    loan = Loan.objects.create(
        lead=ben, los="encompass", instance="x", los_loan_id="1", created_at=make.NOON
    )
    go(years(4))
    ben.refresh_from_db()
    assert ben.details, "a file that is still open is not due at all"
    Loan.objects.filter(pk=loan.pk).update(funded_date="2030-10-01")
    go(years(6))
    ben.refresh_from_db()
    assert ben.details, "two years after it closed"
    go(years(7))
    ben.refresh_from_db()
    assert ben.details == {}
    assert Loan.objects.get().funded_date.year == 2030, "what the sums need stays"


def test_what_was_looked_up_for_a_delivery_goes_with_it_however_often(ben) -> None:
    """Two leads in one post of Meta are two look-ups of one delivery."""
    delivery = ben.touches.get().delivery
    for name in ("first", "second"):
        Retrieval.objects.create(
            delivery=delivery, path=f"/v24.0/{name}", query=[["fields", "Ortiz"]],
            body=b"Ben Ortiz", problem="Ortiz?", wanted_at=make.NOON,
        )  # fmt: skip
    go(years(2, days=1))
    go(years(7, days=5))
    go(years(9, days=5))
    assert tables_that_say("Ortiz") == {}
    assert Retrieval.objects.count() == 2, "that they were made stays"


def test_a_hold_placed_between_the_count_and_the_removal_wins(ben) -> None:
    purge = purges.plan_scheduled_purge(at=years(2, days=1))
    assert purge and purge.counts["lead"] == 1
    legal_holds.place_hold(
        legal_holds.HoldScope(person_id=ben.person_id), matter="Ortiz v. Lindenfield",
        why="Complaint received", by=make.user("compliance"), at=years(2, days=1),
    )  # fmt: skip
    while purges.remove_next_slice(at=years(2, days=1)):
        pass
    ben.refresh_from_db()
    assert ben.details
    assert set(PurgeRow.objects.values_list("kept_because", flat=True)) == {"legal_hold"}
    assert not Event.objects.filter(kind=purges.PURGED_EVENT).exists()
    assert purges.plan_scheduled_purge(at=years(3)) is None, "what is held is not even counted"


@pytest.mark.parametrize("of", ["number", "e-mail", "source", "period", "merged part"])
def test_a_hold_of_any_kind_keeps_all_of_its_people_until_it_is_lifted(ben, of) -> None:
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
    assert go(years(9)) == []
    legal_holds.lift_hold(hold_id=hold.pk, because="Settled in full", by=omar, at=years(9))
    assert legal_holds.active_holds([ben.person_id]) == []
    assert go(years(9))
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"compliance.hold.placed", "compliance.hold.lifted"} <= kinds


def test_a_hold_of_others_keeps_nobody_else_but_what_cannot_be_told_apart(ben) -> None:
    stray = make.delivery(ben.source, state="quarantined", body=b"who is this")
    other = make.person(phone="+13055550177")
    legal_holds.place_hold(
        legal_holds.HoldScope(person_id=other.pk), matter="Matter 2", why="Subpoena of June",
        by=make.user("compliance"), at=make.NOON,
    )  # fmt: skip
    go(years(9))
    assert tables_that_say("Ortiz") == {}
    assert bytes(Delivery.objects.get(pk=stray.pk).body) == b"who is this"
    assert Phone.objects.filter(person=other).exists()


def test_many_records_on_hold_do_not_keep_others_from_being_found(ben, monkeypatch) -> None:
    monkeypatch.setattr(purges, "MAX_RECORDS_PER_SET", 1)
    other = make.lead(person=make.person(), source=ben.source, asked="A plan")
    for held, free in ((ben, other), (other, ben)):
        hold = legal_holds.place_hold(
            legal_holds.HoldScope(person_id=held.person_id),
            matter="Matter 3",
            why="Subpoena of July",
            by=make.user("compliance"),
            at=make.NOON,
        )
        found = purges.due_records(RECORD_SETS_BY_NAME["lead"], today=years(2, days=1).date())
        assert [due_record.id for due_record in found] == [free.pk]
        legal_holds.lift_hold(
            hold_id=hold.pk, because="Settled in full", by=hold.placed_by, at=make.NOON
        )


def test_a_large_removal_waits_for_two_different_people(ben, monkeypatch) -> None:
    monkeypatch.setattr(purges, "SECOND_PERSON_ABOVE", 0)
    purge = purges.plan_scheduled_purge(at=years(2, days=1))
    assert purge is not None
    assert purges.remove_next_slice(at=years(2, days=1)) == 0
    omar = make.user("compliance")
    with pytest.raises(purges.PurgeRefused):
        purges.approve_purge(purge_id=purge.pk, by=omar, at=years(2, days=1))
    purges.request_purge(purge_id=purge.pk, by=omar, at=years(2, days=1))
    with pytest.raises(purges.PurgeRefused, match="second person"):
        purges.approve_purge(purge_id=purge.pk, by=omar, at=years(2, days=1))
    assert purges.remove_next_slice(at=years(2, days=1)) == 0
    purges.approve_purge(purge_id=purge.pk, by=make.user("compliance"), at=years(2, days=1))
    assert purges.remove_next_slice(at=years(2, days=1)) > 0


def test_a_removal_says_in_the_ledger_what_went_and_under_which_rules(ben) -> None:
    (purge,) = go(years(2, days=1))
    entry = Event.objects.get(kind=purges.PURGED_EVENT, data__holding="lead")
    assert entry.data["count"] == 1
    assert entry.data["sha256"] == purges.ids_commitment([ben.pk])
    assert entry.data["rules_version"] == purge.rules_version
    assert entry.data["record"] == "glba_customer_information_disposal"
    purge.refresh_from_db()
    assert purge.ended_at
    assert Event.objects.filter(kind="compliance.purge.ended").count() == 1


def _came_back(ben: Lead) -> None:
    Lead.objects.filter(pk=ben.pk).update(asked="I am back")


def _forged(ben: Lead) -> None:
    PurgeRow.objects.filter(holding="lead").update(row_id=make.uuid7())


def _added(ben: Lead) -> None:
    row = PurgeRow.objects.filter(holding="lead").get()
    PurgeRow.objects.create(
        purge=row.purge, nth=0, holding="lead", row_id=make.uuid7(), removed_at=row.removed_at,
        event_id=row.event_id,
    )  # fmt: skip


def _untold(ben: Lead) -> None:
    row = PurgeRow.objects.filter(holding="lead").get()
    PurgeRow.objects.create(
        purge=row.purge, nth=0, holding="lead", row_id=make.uuid7(), removed_at=row.removed_at
    )


@pytest.mark.parametrize("tamper", [_came_back, _forged, _added, _untold])
def test_the_check_finds_what_is_not_as_the_removal_says(ben, tamper) -> None:
    go(years(2, days=1))
    assert invariants.check_removals(make.NOON).holds
    tamper(ben)
    found = invariants.check_removals(make.NOON)
    assert not found.holds and found.offenders


def test_what_came_into_use_again_after_the_count_is_kept(ben) -> None:
    purges.plan_scheduled_purge(at=years(2, days=1))
    Lead.objects.filter(pk=ben.pk).update(warmed_at=years(2, days=1))
    while purges.remove_next_slice(at=years(2, days=1)):
        pass
    ben.refresh_from_db()
    assert ben.details
    kept = PurgeRow.objects.get(holding="lead")
    assert (kept.removed_at, kept.kept_because) == (None, "retention_24_months")


def test_the_basis_of_a_bureaus_lead_goes_five_years_after_the_last_contact(ben) -> None:
    LeadBasis.objects.create(
        lead=ben, reference="Folder of Ben Ortiz", by=make.user("compliance"), at=make.NOON
    )
    go(years(5, days=-1))
    assert LeadBasis.objects.exists()
    go(years(5, days=5))
    assert not LeadBasis.objects.exists()


def test_what_spoke_for_a_merge_is_not_left_of_any_record_of_a_person(ben) -> None:
    part, whole = make.person(last_name="Ortiz"), make.person(last_name="Ortiz")
    for kept, gone in ((ben.person, part), (whole, ben.person)):
        merge_people.merge_people(
            survivor_id=kept.pk, duplicate_id=gone.pk, reason="papers", by=None, at=make.NOON,
            evidence="Both are Ben Ortiz",
        )  # fmt: skip
    PossibleDuplicate.objects.create(
        older=part, newer=make.person(), speaks_for="Ben Ortiz too", found_at=make.NOON
    )
    for number in (2, 7, 9):
        go(years(number, days=5))
    assert tables_that_say("Ortiz") == {}


def test_what_was_taken_up_again_before_its_turn_is_not_listed_as_erased(ben) -> None:
    stray = make.delivery(ben.source, state="quarantined", body=b"who is this")
    purges.plan_scheduled_purge(at=years(2, days=1))
    Delivery.objects.filter(pk=stray.pk).update(state="received")
    while purges.remove_next_slice(at=years(2, days=1)):
        pass
    assert PurgeRow.objects.filter(holding="delivery", row_id=stray.pk).exists()
    assert str(stray.pk) not in erasure_list.list_erasures().get("delivery", [])
    assert erasure_list.list_erasures()["lead"] == [str(ben.pk)]


def test_a_second_applicant_is_not_named_by_what_is_left(ben) -> None:
    second = make.person(first_name="Lena", last_name="Ortiz")
    Lead.objects.filter(pk=ben.pk).update(co_borrower=second)
    go(years(9))
    go(years(9, days=1))
    assert Person.objects.exclude(last_name="").count() == 0
    assert not Email.objects.exists()
