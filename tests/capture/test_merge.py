"""Two records that are one human, and taking them apart: nothing is lost, nothing is doubled."""

from random import Random
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.capture.merge import CannotMerge
from rooftree.capture.split import CannotSplit
from rooftree.compliance import revoke
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.flow import merging, replies
from rooftree.leads.models import (
    ContactAttempt,
    DeliveryKey,
    Email,
    Lead,
    Person,
    PersonMerge,
    Phone,
    Source,
    Touch,
)
from rooftree.ledger.models import Event
from rooftree.money.models import Entry
from rooftree.outreach.known import Known
from rooftree.outreach.models import Message
from rooftree.reporting import invariants, rederive
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
LATER = make.NOON + make.HOUR
OF_THE_ACT = {"person_merge", "event"}


def rows() -> dict[str, dict[Any, Any]]:
    """Every row of every table of ours, but those that record the act itself."""
    return {
        table._meta.db_table: {row["id"]: row for row in table._default_manager.values()}
        for table in apps.get_app_config("rooftree").get_models()
        if table._meta.db_table not in OF_THE_ACT and table._meta.pk.name == "id"
    }


def merge(kept: Person, gone: Person, **changes: Any) -> PersonMerge:
    asked = {"kept_id": kept.pk, "gone_id": gone.pk, "reason": "said", "by": None, "at": LATER}
    return merging.merge(**{**asked, **changes})


def split(made: PersonMerge, **changes: Any) -> PersonMerge:
    return merging.split(
        **{"merge_id": made.pk, "reason": "slip", "by": None, "at": LATER + make.HOUR, **changes}
    )


@pytest.fixture
def ben_and_benny():
    """Ben, and the same Ben again with a number of his own and a name too far from his."""
    journey.ready()
    zillow = journey.zillow()
    ben = journey.deliver(zillow, journey.zillow_contact())
    benny = journey.deliver(
        zillow,
        journey.zillow_contact(
            sender={
                "firstName": "Zev",
                "lastName": "Ortiz",
                "phoneNumber": "8135550166",
                "emailAddress": "zev@work.example",
            }
        ),
        at=journey.later(1),
    )
    assert ben.person != benny.person
    return ben.person, benny.person


def test_a_merged_person_has_both_leads_numbers_and_addresses(ben_and_benny):
    ben, zev = ben_and_benny

    merge(ben, zev)

    assert Lead.objects.filter(person=ben).count() == 2
    assert {one.e164 for one in ben.phones.all()} == {"+18135550142", "+18135550166"}
    assert ben.emails.count() == 2
    assert [one.e164 for one in ben.phones.filter(is_primary=True)] == ["+18135550142"]
    assert set(Message.objects.values_list("person", flat=True)) == {ben.pk}
    zev.refresh_from_db()
    assert zev.merged_into == ben


def test_credits_and_costs_stay_to_the_cent(ben_and_benny):
    ben, zev = ben_and_benny
    before = (list(Entry.objects.order_by("pk").values()), list(Touch.objects.order_by("pk")))

    made = merge(ben, zev)
    assert (list(Entry.objects.order_by("pk").values()), list(Touch.objects.order_by("pk"))) == (
        before
    )
    assert [one.sentence for one in whole(LATER) if not one.holds] == []

    split(made)
    assert list(Entry.objects.order_by("pk").values()) == before[0]
    assert [one.sentence for one in whole(LATER) if not one.holds] == []


def whole(at) -> list[invariants.Finding]:
    """All that `rooftree check --deep` looks at."""
    return [check(at) for check in (*invariants.EVERY, *rederive.DEEP)]


def test_both_are_ledger_events_of_both_people_with_the_reason_and_no_name(ben_and_benny):
    ben, zev = ben_and_benny
    ruth = make.user("manager")

    made = merge(ben, zev, by=ruth, reason="papers")
    split(made, by=ruth, reason="slip")

    told = Event.objects.filter(kind__startswith="capture.person.").order_by("id")
    assert {(one.kind, one.person_id, one.data["reason"], one.actor) for one in told} == {
        ("capture.person.merged", ben.pk, "papers", f"user:{ruth.pk}"),
        ("capture.person.merged", zev.pk, "papers", f"user:{ruth.pk}"),
        ("capture.person.split", ben.pk, "slip", f"user:{ruth.pk}"),
        ("capture.person.split", zev.pk, "slip", f"user:{ruth.pk}"),
    }
    assert "Ortiz" not in str([one.data for one in told])


def test_asked_twice_it_is_done_once(ben_and_benny):
    ben, zev = ben_and_benny

    first, again = merge(ben, zev), merge(ben, zev)
    assert first == again
    split(first)
    after = rows()
    split(first)

    assert rows() == after
    assert Event.objects.filter(kind="capture.person.split").count() == 2


def test_a_stop_of_either_holds_for_both_while_they_are_one(ben_and_benny):
    ben, zev = ben_and_benny
    stop("+18135550166", zev)

    merge(ben, zev)

    theirs = Lead.objects.filter(person=ben).select_related("person")
    assert {is_stopped(lead, "+18135550142") for lead in theirs} == {True}


def test_a_stop_said_while_they_were_one_holds_for_both_afterwards(ben_and_benny):
    ben, zev = ben_and_benny
    made = merge(ben, zev)
    replies.receive_text(
        sender="+18135550142", body="STOP", carrier_id="SM1", carrier="console", at=LATER
    )

    split(made)

    assert Revocation.objects.filter(person=ben, ended_at=None).count() == 1
    doubled = Revocation.objects.get(person=zev, ended_at=None)
    assert (doubled.address, doubled.kind, doubled.at) == ("+18135550142", "stop", LATER)
    assert is_stopped(Lead.objects.get(person=zev), "+18135550166")
    assert is_stopped(Lead.objects.get(person=ben), "+18135550142")


def test_a_stop_from_before_goes_back_to_whom_it_belongs(ben_and_benny):
    ben, zev = ben_and_benny
    stop("+18135550166", zev)

    split(merge(ben, zev))

    assert is_stopped(Lead.objects.get(person=zev), "+18135550166")
    assert not is_stopped(Lead.objects.get(person=ben), "+18135550142")


def stop(number: str, person: Person) -> Revocation:
    return revoke.record(
        person_id=person.pk,
        address=number,
        kind="stop",
        media=["text", "call"],
        origin="message:1",
        cause=f"text:{make.number()}",
        at=make.NOON + make.MINUTE,
    )


def is_stopped(lead: Lead, number: str) -> bool:
    at = LATER + 2 * make.HOUR
    return any(one.kind == "stop" for one in Known(lead, keys=[number], at=at).revocations(number))


def test_a_number_that_was_wrong_for_one_is_wrong_for_both_and_comes_back_as_it_was():
    one, other = make.person(phone="+18135550142"), make.person(phone="+18135550142")
    Phone.objects.filter(person=other).update(unlinked_at=make.NOON)

    made = merge(one, other)
    assert Phone.objects.get(person=one).unlinked_at == make.NOON

    split(made)
    assert Phone.objects.get(person=one).unlinked_at is None
    assert Phone.objects.get(person=other).unlinked_at == make.NOON


def test_what_arrives_while_they_are_one_goes_with_its_lead(ben_and_benny):
    """With its consent and the number that came with it, however it was filed meanwhile."""
    ben, zev = ben_and_benny
    theirs = Lead.objects.get(person=zev)
    vendor_id = Touch.objects.get(lead=theirs).vendor_lead_id
    made = merge(ben, zev)
    DeliveryKey.objects.all().delete()
    again = journey.deliver(
        Source.objects.get(),
        journey.zillow_contact(
            id=vendor_id, sender={"firstName": "Zev", "phoneNumber": "8135550177"}
        ),
        at=LATER,
    )
    assert (again, again.person) == (theirs, ben)

    split(made)

    assert set(Touch.objects.filter(lead=theirs).values_list("person", flat=True)) == {zev.pk}
    assert Consent.objects.get(address="+18135550177").person == zev
    assert Phone.objects.get(e164="+18135550177").person == zev
    assert set(Message.objects.filter(lead=theirs).values_list("person", flat=True)) == {zev.pk}


def test_a_new_inquiry_under_the_old_name_finds_the_whole_person(ben_and_benny):
    ben, zev = ben_and_benny
    merge(ben, zev)

    lead = journey.deliver(
        journey.website(),
        journey.form_post(
            first_name="Zev", last_name="Ortiz", phone="(813) 555-0166", email="new@home.example"
        ),
        at=LATER,
    )

    assert lead.person == ben
    assert Person.objects.count() == 2


def test_what_waits_to_go_to_the_other_ones_number_goes_no_more(ben_and_benny):
    ben, zev = ben_and_benny
    made = merge(ben, zev)
    lead = Lead.objects.get(pk__in=made.moved["lead"])
    astray = Message.objects.create(
        lead=lead,
        person=ben,
        medium="text",
        purpose="marketing",
        cause="step:1",
        to_address="+18135550142",
        body="Hello",
        state="held",
        created_at=LATER,
        due_at=LATER + make.DAY,
    )

    split(made)

    astray.refresh_from_db()
    assert (astray.person, astray.state, astray.due_at) == (zev, "cancelled", None)


def test_the_later_merge_is_undone_first():
    one, two, three = make.person(), make.person(), make.person()
    first = merge(one, two)
    second = merge(one, three)

    with pytest.raises(CannotSplit, match="was merged later"):
        split(first)
    split(second)
    split(first)

    assert not Person.objects.exclude(merged_into=None).exists()


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("itself", "one person already"),
        ("a part", "part of another person already"),
        ("a test", "kept apart from people"),
        ("no reason", "Say why"),
    ],
)
def test_some_cannot_be_merged(which, said):
    one, other, third = make.person(), make.person(), make.person()
    make.lead(person=one)
    make.lead(person=other, is_test=which == "a test")
    if which == "a part":
        merge(third, other)
    before = rows()

    with pytest.raises(CannotMerge, match=said):
        merge(
            one,
            one if which == "itself" else other,
            reason="" if which == "no reason" else "said",
        )

    assert rows() == before


def test_a_split_needs_a_reason(ben_and_benny):
    made = merge(*ben_and_benny)

    with pytest.raises(CannotSplit, match="Say why"):
        split(made, reason="")

    made.refresh_from_db()
    assert made.split_at is None


NUMBERS = ("+18135550142", "+18135550166", "+14155550187")
ADDRESSES = ("ben@home.example", "zev@work.example", "lupe@home.example")


def somebody(rng: Random) -> Person:
    """A person with any numbers, facts and leads, some shared with the others."""
    person = make.person(
        phone=None,
        email=None,
        first_name=rng.choice(("Ben", "Zev", "")),
        compared_at=rng.choice((None, make.NOON)),
    )
    for number in rng.sample(NUMBERS, rng.randint(0, 3)):
        Phone.objects.create(
            person=person,
            e164=number,
            is_primary=rng.random() < 0.5,
            given_at=make.NOON,
            unlinked_at=make.NOON if rng.random() < 0.3 else None,
        )
    for address in rng.sample(ADDRESSES, rng.randint(0, 2)):
        Email.objects.create(
            person=person,
            address=address,
            key=address,
            is_primary=rng.random() < 0.5,
            given_at=make.NOON,
            bounced_at=make.NOON if rng.random() < 0.3 else None,
        )
    for _ in range(rng.randint(0, 2)):
        lead = make.lead(person=person)
        touch = make.touch(lead)
        Consent.objects.create(
            person=person,
            address=rng.choice(NUMBERS),
            delivery=touch.delivery,
            status="granted",
            record={},
            recorded_at=make.NOON,
            cause=f"touch:{touch.pk}:{make.number()}",
        )
        verdict(lead)
        message(lead, rng.choice(("in", "out")))
        cost(touch, rng.randint(1, 90_00))
    if rng.random() < 0.5:
        stop(rng.choice(NUMBERS), person)
    return person


def cost(touch: Touch, cents: int) -> Entry:
    return Entry.objects.create(
        kind="cost", amount_cents=cents, lead=touch.lead, source=touch.source,
        delivery=touch.delivery, cause=f"touch:{touch.pk}", basis="per_lead",
        on_date=make.NOON.date(), booked_at=make.NOON,
    )  # fmt: skip


def verdict(lead: Lead) -> Verdict:
    return Verdict.objects.create(
        lead=lead,
        person=lead.person,
        cause="touch:1",
        medium="text",
        purpose="marketing",
        stage="planned",
        decision="allow",
        reason="ok",
        sentence="It may go.",
        results=[],
        facts={},
        facts_sha256="",
        rules_version="1",
        at=make.NOON,
    )


def message(lead: Lead, direction: str) -> Message:
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", at=make.NOON, cause=f"t:{make.number()}"
    )
    return Message.objects.create(
        lead=lead,
        person=lead.person,
        direction=direction,
        medium="text",
        purpose="reply",
        cause=f"t:{make.number()}",
        to_address="",
        body="Hello",
        state="received",
        created_at=make.NOON,
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(min_value=0, max_value=2**32))
def test_merging_and_splitting_leaves_every_row_as_it_was(seed):
    rng = Random(seed)
    with transaction.atomic():
        people = [somebody(rng) for _ in range(4)]
        for lead in Lead.objects.all():  # some apply with one of the others, or with a stranger
            others = [one for one in people if one != lead.person] + [make.person(), None]
            Lead.objects.filter(pk=lead.pk).update(co_borrower=rng.choice(others))
        undone: list[tuple[PersonMerge, dict[str, Any]]] = []
        for _ in range(rng.randint(1, 3)):
            free = [one for one in people if not _is_part(one)]
            kept, gone = rng.sample(free, 2)
            before = rows()
            try:
                undone.append((merge(kept, gone), before))
            except CannotMerge:  # they apply together
                assert rows() == before
                continue
            assert not Lead.objects.filter(co_borrower=gone).exists()
            assert not Lead.objects.filter(person=gone).exists()
            assert not Revocation.objects.filter(person=gone).exists()
        for made, before in reversed(undone):
            split(made)
            assert rows() == before
        transaction.set_rollback(True)


def _is_part(person: Person) -> bool:
    person.refresh_from_db()
    return person.merged_into_id is not None
