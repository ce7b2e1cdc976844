"""Invariants hold after any sequence of random events."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from rooftree.db.db_role import assume_role
from rooftree.flow import borrower_replies, call_events, call_outcomes, lead_offers, rate_alerts
from rooftree.leads.models import Lead
from rooftree.outreach.models import Message, Ring
from rooftree.rates import rate_watch
from rooftree.reporting import deep_checks, invariants
from rooftree.retention.removal_check import check_removals
from rooftree.routing.answer_offer import LIVE_OFFER, CannotTake
from rooftree.routing.lead_ownership import CannotOwn
from rooftree.routing.models import Offer, Ownership
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
STEPS = 25
WORDS = ("Yes", "STOP", "START", "HELP", "wrong number", "cancel Tuesday, I can do Wednesday", "🛑")
STATES = (("FL", "33602"), ("CA", "94110"), ("TX", "75201"), ("NY", "10001"), (None, None))
PEOPLE = (
    ("Ben", "Ortiz", "8135550142", "ben@home.example"),
    ("Guadalupe", "Reyes", "8135550142", "lupe@home.example"),  # in Ben's household
    ("Mei", "Chen", "4155550187", "mei@home.example"),
    ("Al", "Quist", "2145550103", "al@home.example"),
)


class RandomHistory:
    """A company, four borrowers and a sequence of random events."""

    def __init__(self, seed: int) -> None:
        journey.set_up_company()
        self.rng, self.at, self.number = Random(seed), make.NOON, 0
        self.told: list[str] = []
        self.officers = [
            make.officer("Dana Whitfield", licensed=("CA", "FL")),
            make.officer("Sam Rivera", licensed=("TX",), languages=["en", "es"]),
        ]
        self.manager = make.user("manager")
        self.zillow, self.site = journey.create_zillow(), journey.create_website()
        self.last: tuple = ()

    def live(self) -> None:
        """Take one random step and run everything that follows at once."""
        name = self.rng.choice(ACTIONS)
        self.told.append(f"{self.at:%d %H:%M} {name}")
        getattr(self, name)()
        journey.run(self.at)

    def arrive(self) -> None:
        first, last, phone, email = self.rng.choice(PEOPLE)
        state, postcode = self.rng.choice(STATES)
        if self.rng.random() < 0.5:
            body = journey.zillow_contact(
                sender={
                    "firstName": first,
                    "lastName": last,
                    "phoneNumber": phone,
                    "emailAddress": email,
                },
                details={
                    "stateAbbreviation": state,
                    "zipCode": postcode,
                    "loanPurpose": self.rng.choice(("Purchase", "Refinance")),
                },
            )
            self.last = (self.zillow, body)
        else:
            shown = self.at - make.MINUTE
            body = journey.form_post(
                consent=self.rng.random() < 0.7,
                first_name=first,
                last_name=last,
                phone=phone,
                email=email,
                property_state=state or "",
                property_zip=postcode or "",
                rendered_at=f"{shown:%Y-%m-%dT%H:%M:%SZ}",
                submitted_at=f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
                language=self.rng.choice(("en", "es")),
            )
            self.last = (self.site, body)
        journey.arrive(*self.last, at=self.at)

    def repeat(self) -> None:
        if self.last:
            journey.arrive(*self.last, at=self.at)

    def write_back(self) -> None:
        self.number += 1
        borrower_replies.receive_text(
            sender=f"+1{self.rng.choice(PEOPLE)[2]}",
            body=self.rng.choice(WORDS),
            carrier_id=f"SM{self.number // self.rng.choice((1, 2))}",  # some arrive twice
            carrier="twilio",
            at=self.at,
        )

    def unsubscribe(self) -> None:
        message = self._any(Message.objects.filter(medium="email", state="sent"))
        if message:
            borrower_replies.unsubscribe_person(message=message, at=self.at)

    def take(self) -> None:
        offer = self._any(Offer.objects.filter(**LIVE_OFFER)) or self._any(Offer.objects.all())
        if offer:
            officer = self.rng.choice((offer.officer, offer.officer, *self.officers))
            try:
                lead_offers.take_offer(offer_id=offer.pk, officer_id=officer.pk, at=self.at)
            except CannotTake:
                return

    def press(self) -> None:
        live = {f"offer__{name}": value for name, value in LIVE_OFFER.items()}
        ring = self._any(Ring.objects.filter(**live)) or self._any(Ring.objects.all())
        if ring:
            call_events.on_officer_answered(ring_id=ring.pk, at=self.at)
            call_events.on_officer_pressed(
                ring_id=ring.pk, digits=self.rng.choice("12"), at=self.at
            )
            status = self.rng.choice(("completed", "no-answer"))
            call_events.on_borrower_call_ended(ring_id=ring.pk, dial_status=status, at=self.at)

    def give(self) -> None:
        lead, officer = self._any(Lead.objects.all()), self.rng.choice(self.officers)
        if lead:
            try:
                lead_offers.reassign_lead(
                    lead_id=lead.pk, officer_id=officer.pk, by=self.manager, at=self.at
                )
            except CannotOwn:
                return

    def dispose(self) -> None:
        lead = self._any(Lead.objects.filter(officer__isnull=False))
        if lead:
            result = self.rng.choice(list(call_outcomes.RESULTS))
            call_outcomes.record_outcome(
                lead_id=lead.pk,
                result=result,
                by=lead.officer.user,
                at=self.at,
                call_back_at=self.at + make.HOUR if result == "call_back" else None,
            )

    def see_a_rate(self) -> None:
        lead = self._any(Lead.objects.all())
        if lead:
            target = Decimal("6.000")
            rate_watch.set_watch(
                lead=lead, product="30yr_fixed", target_pct=target, by=None, at=self.at
            )
            self.at += make.MINUTE
            rate_alerts.record_rate(
                product="30yr_fixed",
                rate_pct=Decimal("5.990"),
                apr_pct=Decimal("6.120"),
                points=Decimal("0.500"),
                sheet="House sheet",
                by=None,
                at=self.at,
            )

    def wait(self) -> None:
        self.at += timedelta(minutes=self.rng.choice((1, 4, 31, 9 * 60, 26 * 60)))

    def _any(self, rows):
        candidates = list(rows.order_by("pk"))
        return self.rng.choice(candidates) if candidates else None


ACTIONS = (
    *("arrive",) * 4,
    *("repeat", "write_back", "write_back", "unsubscribe", "take", "take", "press", "give"),
    *("dispose", "dispose", "see_a_rate", "wait", "wait"),
)


def broken_invariants(at: datetime) -> list[str]:
    proofs = (*invariants.INVARIANTS, check_removals, *deep_checks.DEEP_CHECKS)
    results = [prove(at) for prove in proofs]
    return [f"{result.sentence} {result.offenders}" for result in results if not result.holds]


@pytest.mark.parametrize("seed", range(6))
def test_invariants_hold_after_random_events(seed):
    life = RandomHistory(seed)

    for _ in range(STEPS):
        life.live()
        life.at += make.SECOND
    life.at += 3 * make.DAY
    journey.run(life.at)

    assert broken_invariants(life.at) == [], "\n".join(life.told)
    assert Lead.objects.exists()
    assert not Message.objects.filter(state__in=["waiting", "claimed"], due_at__lt=life.at).exists()


def test_random_events_reach_every_important_state():
    """Enough of every kind happens for the invariants to mean something."""
    life = RandomHistory(3)
    for _ in range(2 * STEPS):
        life.live()
        life.at += make.SECOND

    states = set(Message.objects.values_list("state", flat=True))
    assert {"sent", "blocked", "received"} <= states
    assert Ownership.objects.exists()
    assert Offer.objects.filter(expired_at__isnull=False).exists()
    assert broken_invariants(life.at) == [], "\n".join(life.told)


def test_broken_invariant_is_detected():
    """A check that never fails proves nothing: here a text is sent without its verdict."""
    lead = deliver_one_lead()
    with assume_role("door"):
        Message.objects.filter(lead=lead, state="sent").update(verdict=None)
    make.touch(lead, at=make.NOON + make.DAY)

    broken = [
        result.name
        for result in (prove(make.NOON) for prove in invariants.INVARIANTS)
        if not result.holds
    ]

    assert "one door" in broken


def deliver_one_lead() -> Lead:
    journey.set_up_company()
    return journey.deliver(journey.create_website(), journey.form_post())
