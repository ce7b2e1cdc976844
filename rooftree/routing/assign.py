"""Offering a lead to the loan officer the rules choose, or saying why nobody can have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.ledger.write import event
from rooftree.money.company_day import DEFAULT_ZONE
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_each
from rooftree.org.models import Company
from rooftree.routing import alarm, facts, promise, roster
from rooftree.routing.choose import Choice, Known, pools_of, rule_for
from rooftree.routing.models import Offer, RoutingDecision
from rooftree.routing.rules import LeadFacts, Rule
from rooftree.routing.table import Start, Table

ZONE = Subquery(Company.objects.values("zone")[:1])
EARLIER = Lead.objects.filter(person=OuterRef("person")).exclude(pk=OuterRef("pk"))
LEADS = Reads(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("source", "person")
        .annotate(has_earlier=Exists(EARLIER), company_zone=ZONE)
        .annotate(number=promise.NUMBER, rules=promise.RULES)
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
LIVE = {"taken_at": None, "passed_at": None, "lapsed_at": None}
OFFERED = Reads(lambda leads: Offer.objects.filter(lead__in=leads, **LIVE), leads=list[UUID])


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A choice with everything it rested on."""

    lead: Lead
    choice: Choice
    about: LeadFacts
    known: Known
    rule: Rule | None


def to_best_officer(
    *, lead_id: UUID | str, start: Start | None = None, at: datetime
) -> Assigned | Nobody:
    """Offer a lead to the officer the rules choose, with a time to take it by.

    Safe to repeat: a lead that is offered or owned stays where it is. Of two
    workers at once, one offers and the other finds the offer. When nobody is
    eligible the lead waits and a named person is told, unless its rule holds it
    until somebody opens.
    """
    return to_best_officers([UUID(str(lead_id))], start=start, at=at)[0]


def to_best_officers(
    lead_ids: Sequence[UUID], *, start: Start | None = None, at: datetime
) -> list[Assigned | Nobody]:
    """As `to_best_officer` for the first of several leads, as many as one transaction may do.

    At least one; call again, in another transaction, for the others. Each is chosen
    as if those before had been written down already.
    """
    with atomic(savepoint=False):
        leads = {one.pk: one for one in LEADS.all(keys=list(lead_ids))}
        standing = _standing([*leads.values()])
        table, made = Table(at), []
        done: list[Assigned | Nobody] = []
        for lead_id in dict.fromkeys(lead_ids):  # one that asked twice is there twice
            lead = leads[lead_id]
            if so := standing.get(lead_id):
                done.append(so)
            elif lead.retired_at:
                done.append(Nobody(lead_id=lead.pk, sentence="The lead is retired."))
            else:
                chosen = _make(lead, start or Start(), table)
                if chosen is None:
                    break
                made.append(chosen)
        return [*done, *_written(made, table)]


def _standing(leads: Sequence[Lead]) -> dict[UUID, Assigned]:
    """Whose a lead is already: its owner's, as the database mirrors it, or by a live offer."""
    owned = {
        one.pk: Assigned(lead_id=one.pk, officer_id=one.officer_id, is_new=False)
        for one in leads
        if one.officer_id
    }
    offered = {
        one.lead_id: Assigned(
            lead_id=one.lead_id,
            officer_id=one.officer_id,
            offer_id=one.pk,
            due_at=one.due_at,
            is_new=False,
        )
        for one in OFFERED.all(leads=[one.pk for one in leads])
    }
    return offered | owned


def _make(lead: Lead, start: Start, table: Table) -> _Made | None:
    """The choice for one lead; None when it must wait for an officer, and others are held."""
    is_repeat = lead.has_earlier or lead.warmed_at > lead.created_at  # type: ignore[attr-defined]
    zone = lead.company_zone or DEFAULT_ZONE  # type: ignore[attr-defined]
    about = facts.of_lead(lead, zone=zone, is_repeat=is_repeat)
    rule = rule_for(about, table.rules, start.rule_name)
    pools = pools_of(rule, start.place) if rule else []
    found = table.choose(about, pools, start)
    if found is None:
        return None
    choice, known = found
    return _Made(lead=lead, choice=choice, about=about, known=known, rule=rule)


def _written(made: Sequence[_Made], table: Table) -> list[Assigned | Nobody]:
    """Write down choices, and what follows from each."""
    unfiled = {one.known.roster: one.known.unfiled for one in made if one.known.unfiled}
    roster.file(unfiled, at=table.at)
    decisions = [_decision(one, table) for one in made]
    pairs = list(zip(made, decisions, strict=True))
    offers = {one.lead.pk: _offer(one, of, table.at) for one, of in pairs if one.choice.officer_id}
    told = [_told(one, of, offers.get(one.lead.pk), table.at) for one, of in pairs]
    insert_each(decisions, [*offers.values()], told)
    table.write_turns()
    promise.promise({one.lead.pk: _promised_at(one, table.at) for one in made})
    for one in made:
        if one.choice.officer_id is None and one.choice.hold_until is None:
            alarm.nobody_takes(one.lead, rule=one.rule, why=one.choice.sentence, at=table.at)
    return [_answer(one, of, offers.get(one.lead.pk)) for one, of in pairs]


def _decision(made: _Made, table: Table) -> RoutingDecision:
    choice = made.choice
    outcome = {
        "officer_id": choice.officer_id,
        "place": choice.place,
        "pool": choice.pool_key,
        "turn": choice.turn,
        "hold_until": choice.hold_until.isoformat() if choice.hold_until else None,
    }
    return RoutingDecision(
        id=uuid7_at(table.at),
        lead=made.lead,
        rule_set=table.edition,
        rule_name=choice.rule_name,
        place=choice.place,
        inputs=facts.to_json(made.about, made.known, table.at),
        outcome=outcome,
        officer_id=UUID(choice.officer_id) if choice.officer_id else None,
        sentence=choice.sentence[:400],
        at=table.at,
    )


def _offer(made: _Made, decision: RoutingDecision, at: datetime) -> Offer:
    assert decision.officer_id is not None
    return Offer(
        id=uuid7_at(at),
        lead=made.lead,
        officer_id=decision.officer_id,
        decision=decision,
        offered_at=at,
        due_at=at + timedelta(seconds=made.choice.take_seconds),
    )


def _promised_at(made: _Made, at: datetime) -> datetime:
    lead, by = made.lead, made.choice.hold_until or at
    if made.choice.officer_id:
        by = at + timedelta(seconds=made.choice.take_seconds)
    number, rules = lead.number, lead.rules  # type: ignore[attr-defined]
    return promise.lawful(number, lead.property_state, lead.property_zip, rules, by=by, at=at)


def _told(made: _Made, decision: RoutingDecision, offer: Offer | None, at: datetime) -> Event:
    about: dict[str, Any] = {"decision_id": decision.pk}
    if offer:
        kind = "routing.offer.made"
        about |= {"offer_id": offer.pk, "officer_id": offer.officer_id, "due_at": offer.due_at}
        about["place"] = made.choice.place
    else:
        kind = "routing.lead.held" if made.choice.hold_until else "routing.lead.unclaimed"
        about["hold_until"] = made.choice.hold_until
    lead = made.lead
    return event(
        kind, at=at, actor="system:routing", lead_id=lead.pk, person_id=lead.person_id, **about
    )


def _answer(made: _Made, decision: RoutingDecision, offer: Offer | None) -> Assigned | Nobody:
    if offer:
        return Assigned(
            lead_id=made.lead.pk,
            officer_id=offer.officer_id,
            offer_id=offer.pk,
            due_at=offer.due_at,
        )
    return Nobody(
        lead_id=made.lead.pk,
        sentence=made.choice.sentence,
        hold_until=made.choice.hold_until,
        decision_id=decision.pk,
    )
