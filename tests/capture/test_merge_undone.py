"""Property test: a merge and a split restore every row of any two people."""

from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.capture.identity.merge_people import CannotMerge
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.leads.models import (
    ContactAttempt,
    Email,
    Lead,
    Person,
    PersonMerge,
    Phone,
    Touch,
)
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from tests import make
from tests.capture.made_one import merge, rows, split, stop

pytestmark = pytest.mark.django_db
NUMBERS = ("+18135550142", "+18135550166", "+14155550187")
ADDRESSES = ("ben@home.example", "zev@work.example", "lupe@home.example")


def somebody(rng: Random) -> Person:
    """Create a person with random numbers, facts and leads, some shared with the others."""
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
            idempotency_key=f"touch:{touch.pk}:{make.number()}",
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
        delivery=touch.delivery, idempotency_key=f"touch:{touch.pk}", basis="per_lead",
        on_date=make.NOON.date(), booked_at=make.NOON,
    )  # fmt: skip


def verdict(lead: Lead) -> Verdict:
    return Verdict.objects.create(
        lead=lead,
        person=lead.person,
        idempotency_key="touch:1",
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
        lead=lead,
        person=lead.person,
        medium="call",
        at=make.NOON,
        idempotency_key=f"t:{make.number()}",
    )
    return Message.objects.create(
        lead=lead,
        person=lead.person,
        direction=direction,
        medium="text",
        purpose="reply",
        idempotency_key=f"t:{make.number()}",
        to_address="",
        body="Hello",
        state="received",
        created_at=make.NOON,
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(min_value=0, max_value=2**32))
def test_merge_then_split_restores_every_row(seed):
    rng = Random(seed)
    with transaction.atomic():
        people = [somebody(rng) for _ in range(4)]
        for (
            lead
        ) in Lead.objects.all():  # some have one of the others, or a stranger, as co-borrower
            others = [person for person in people if person != lead.person] + [make.person(), None]
            Lead.objects.filter(pk=lead.pk).update(co_borrower=rng.choice(others))
        undone: list[tuple[PersonMerge, dict[str, Any]]] = []
        for _ in range(rng.randint(1, 3)):
            free = [person for person in people if not _is_part(person)]
            kept, gone = rng.sample(free, 2)
            before = rows()
            try:
                undone.append((merge(kept, gone), before))
            except CannotMerge:  # they are borrower and co-borrower
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
