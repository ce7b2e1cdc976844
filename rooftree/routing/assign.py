"""Offering a lead to the loan officer the rules choose, or saying why nobody can have it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write import write
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert
from rooftree.org.models import Company, LoanOfficer
from rooftree.routing import alarm, facts, promise, publish
from rooftree.routing.choose import Choice, Known, choose, pools_of, rule_for, without_busy
from rooftree.routing.models import Offer, RoutingDecision, RuleSet, Turn
from rooftree.routing.rules import LeadFacts, Pool, Rule

EARLIER = Lead.objects.filter(person=OuterRef("person")).exclude(pk=OuterRef("pk"))
LEAD = Reads(
    lambda key: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("source", "person")
        .annotate(has_earlier=Exists(EARLIER))
        .filter(pk=key)
    ),
    key=UUID,
)
LIVE = {"taken_at": None, "passed_at": None, "lapsed_at": None}
OFFERED = Reads(lambda lead: Offer.objects.filter(lead=lead, **LIVE), lead=UUID)
TRIES = 20  # of finding an officer whom no other worker holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The lead is in somebody's hands. `is_new` is False when it already was."""

    lead_id: UUID
    officer_id: UUID
    offer_id: UUID | None = None  # None: owned, nothing to take
    due_at: datetime | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """Nobody can have it now; why, and from when somebody may."""

    lead_id: UUID
    sentence: str
    hold_until: datetime | None = None
    decision_id: UUID | None = None


class CannotRoute(Exception):
    """Every officer is being given other leads at this moment; trying again will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a choice begins: a place in the chain of a rule, and whom to leave out."""

    asked: frozenset[str] = frozenset()
    place: int = 0
    rule_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A choice with everything it rested on."""

    choice: Choice
    lead: LeadFacts
    known: Known
    edition: RuleSet
    rule: Rule | None
    at: datetime


def to_best_officer(
    *, lead_id: UUID | str, at: datetime, exclude: Collection[UUID | str] = frozenset()
) -> Assigned | Nobody:
    """Offer a lead to the officer the rules choose, with a time to take it by.

    Safe to repeat: a lead that is offered or owned stays where it is. Of two
    workers at once, one offers and the other finds the offer. When nobody is
    eligible the lead waits and a named person is told, unless its rule holds it
    until somebody opens.
    """
    asked = frozenset(str(one) for one in exclude)
    return begin(lead_id=lead_id, start=Start(asked=asked), at=at)


def begin(*, lead_id: UUID | str, start: Start, at: datetime) -> Assigned | Nobody:
    """As `to_best_officer`, from a place of a rule's chain."""
    with atomic():
        lead = _lock(lead_id)
        standing = _standing(lead)
        if standing:
            return standing
        if lead.retired_at:
            return Nobody(lead_id=lead.pk, sentence="The lead is retired.")
        made = _make(lead, start, at)
        decision = _record(made)
        if made.choice.officer_id is None:
            return _wait(lead, made, decision)
        return _offer(lead, made, decision, officer_id=UUID(made.choice.officer_id))


def _lock(lead_id: UUID | str) -> Lead:
    """The lead, which no other worker can route until this transaction ends."""
    return LEAD.one(key=UUID(str(lead_id)))


def _standing(lead: Lead) -> Assigned | None:
    """Whose the lead is already: its owner's, as the database mirrors it, or by a live offer."""
    if lead.officer_id:
        return Assigned(lead_id=lead.pk, officer_id=lead.officer_id, is_new=False)
    offer = OFFERED.first(lead=lead.pk)
    if offer is None:
        return None
    return Assigned(
        lead_id=lead.pk,
        officer_id=offer.officer_id,
        offer_id=offer.pk,
        due_at=offer.due_at,
        is_new=False,
    )


def _make(lead: Lead, start: Start, at: datetime) -> _Made:
    edition = publish.current(at=at)
    rules = facts.rules_of(edition)
    zone = Company.objects.values_list("zone", flat=True).first() or "America/New_York"
    is_repeat = lead.has_earlier or lead.warmed_at > lead.created_at  # type: ignore[attr-defined]
    about = facts.of_lead(lead, zone=zone, is_repeat=is_repeat)
    rule = rule_for(about, rules, start.rule_name)
    pools = pools_of(rule, start.place) if rule else []
    choice, known = _hold_one(about, rules, pools, start, at)
    return _Made(choice=choice, lead=about, known=known, edition=edition, rule=rule, at=at)


def _hold_one(
    about: LeadFacts, rules: Sequence[Rule], pools: Sequence[Pool], start: Start, at: datetime
) -> tuple[Choice, Known]:
    """Choose, and hold the chosen officer's row, so that no cap or turn is spent twice.

    An officer whom another worker holds is left out as busy rather than waited
    for, unless nobody else can have the lead.
    """
    known = _begun(facts.known(pools, state=about.state, at=at), start)
    for _ in range(TRIES):
        choice = choose(about, rules, known, at=at, explained=False)
        waits = choice.officer_id is None and bool(known.busy)
        if waits:
            known = without_busy(known)
            choice = choose(about, rules, known, at=at, explained=False)
        if choice.officer_id is None:
            return choice, known
        if not _holds(choice.officer_id, waits=waits):
            known = replace(known, busy=known.busy | {choice.officer_id})
        elif _is_still(choice, known, at):
            return choice, known
        else:
            known = _begun(facts.known(pools, state=about.state, at=at), start)
    raise CannotRoute("Every loan officer is being given another lead. Try again.")


def _begun(known: Known, start: Start) -> Known:
    return replace(known, asked=start.asked, place=start.place, rule_name=start.rule_name)


def _holds(officer_id: str, *, waits: bool) -> bool:
    officers = LoanOfficer.objects.select_for_update(no_key=True, skip_locked=not waits)
    return officers.filter(pk=officer_id).values_list("pk", flat=True).first() is not None


def _is_still(choice: Choice, known: Known, at: datetime) -> bool:
    """Whether the officer held is as they were when chosen."""
    chosen = facts.candidate(known.candidates, choice.officer_id or "")
    if chosen is None:
        return False
    taken = known.turns.get(choice.pool_key, {}).get(chosen.id, 0)
    return facts.is_still(chosen, pool=choice.pool_key, taken=taken, at=at)


def _record(made: _Made) -> RoutingDecision:
    choice = made.choice
    outcome = {
        "officer_id": choice.officer_id,
        "place": choice.place,
        "pool": choice.pool_key,
        "turn": choice.turn,
        "hold_until": choice.hold_until.isoformat() if choice.hold_until else None,
    }
    decision = RoutingDecision(
        id=uuid7_at(made.at),
        lead_id=made.lead.id,
        rule_set=made.edition,
        rule_name=choice.rule_name,
        place=choice.place,
        inputs=facts.to_json(made.lead, made.known, made.at),
        outcome=outcome,
        officer_id=choice.officer_id,
        sentence=choice.sentence[:400],
        at=made.at,
    )
    return insert(decision)


def _offer(lead: Lead, made: _Made, decision: RoutingDecision, *, officer_id: UUID) -> Assigned:
    choice, at = made.choice, made.at
    due_at = at + timedelta(seconds=choice.take_seconds)
    offer = Offer(
        id=uuid7_at(at),
        lead=lead,
        officer_id=officer_id,
        decision=decision,
        offered_at=at,
        due_at=due_at,
    )
    insert(offer)
    Turn.objects.bulk_create(
        [Turn(pool=choice.pool_key, officer_id=officer_id, taken=choice.turn)],
        update_conflicts=True,
        unique_fields=["pool", "officer"],
        update_fields=["taken"],
    )
    promise.owe(lead, by=due_at, at=at)
    write(
        "routing.offer.made",
        at=at,
        actor="system:routing",
        lead_id=lead.pk,
        person_id=lead.person_id,
        offer_id=offer.pk,
        officer_id=offer.officer_id,
        decision_id=decision.pk,
        place=choice.place,
        due_at=due_at,
    )
    return Assigned(lead_id=lead.pk, officer_id=offer.officer_id, offer_id=offer.pk, due_at=due_at)


def _wait(lead: Lead, made: _Made, decision: RoutingDecision) -> Nobody:
    choice, at = made.choice, made.at
    promise.owe(lead, by=choice.hold_until or at, at=at)
    write(
        "routing.lead.held" if choice.hold_until else "routing.lead.unclaimed",
        at=at,
        actor="system:routing",
        lead_id=lead.pk,
        person_id=lead.person_id,
        decision_id=decision.pk,
        hold_until=choice.hold_until,
    )
    if choice.hold_until is None:
        alarm.nobody_takes(lead, rule=made.rule, why=choice.sentence, at=at)
    return Nobody(
        lead_id=lead.pk,
        sentence=choice.sentence,
        hold_until=choice.hold_until,
        decision_id=decision.pk,
    )
