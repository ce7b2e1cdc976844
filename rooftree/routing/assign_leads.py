"""Offers a lead to the loan officer the rules choose, or explains why no one can have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_into_tables
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event
from rooftree.money.company_day import DEFAULT_ZONE
from rooftree.org import shadow_mode
from rooftree.org.models import Company
from rooftree.routing import choice_inputs, officer_roster, response_deadline, unclaimed_alarm
from rooftree.routing.assignment_batch import AssignmentBatch, ChoiceStart
from rooftree.routing.choose_officer import Choice, ChoiceInputs, find_rule, list_pools
from rooftree.routing.models import Offer, RoutingDecision
from rooftree.routing.routing_rules import LeadFacts, Rule

COMPANY_ZONE = Subquery(Company.objects.values("zone")[:1])
EARLIER_LEADS = Lead.objects.filter(person=OuterRef("person")).exclude(pk=OuterRef("pk"))
LEADS = PreparedQuery(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("source", "person")
        .annotate(has_earlier=Exists(EARLIER_LEADS), company_zone=COMPANY_ZONE)
        .annotate(number=response_deadline.PRIMARY_NUMBER, rules=response_deadline.RULE_CHANGES)
        .annotate(is_shadow=shadow_mode.shadow_is_on())
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
LIVE_OFFER = {"accepted_at": None, "declined_at": None, "expired_at": None}
LIVE_OFFERS = PreparedQuery(
    lambda leads: Offer.objects.filter(lead__in=leads, **LIVE_OFFER), leads=list[UUID]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A lead offered to or owned by an officer. `is_new` is False when it already was."""

    lead_id: UUID
    officer_id: UUID
    offer_id: UUID | None = None  # None: owned, so there is no offer to take
    due_at: datetime | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """A lead no officer can have now, with the reason and the time from which one can."""

    lead_id: UUID
    sentence: str
    hold_until: datetime | None = None
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChosenLead:
    """A choice for one lead, with everything it was based on."""

    lead: Lead
    choice: Choice
    lead_facts: LeadFacts
    inputs: ChoiceInputs
    rule: Rule | None

    @property
    def is_shadow(self) -> bool:
        """In shadow mode the choice is stored, and nobody is offered the lead."""
        return bool(self.lead.is_shadow)  # type: ignore[attr-defined]


def assign_to_best_officer(
    *, lead_id: UUID | str, start: ChoiceStart | None = None, at: datetime
) -> Assignment | Unassigned:
    """Offer a lead to the officer the rules choose, with a time to take it by.

    Safe to repeat: a lead that is offered or owned stays where it is. If two
    workers race, one offers and the other finds the offer. When no one is
    eligible, the lead waits and the alarm contact is notified, unless its rule
    holds the lead until an officer starts work.
    """
    return assign_to_best_officers([UUID(str(lead_id))], start=start, at=at)[0]


def assign_to_best_officers(
    lead_ids: Sequence[UUID], *, start: ChoiceStart | None = None, at: datetime
) -> list[Assignment | Unassigned]:
    """Offer several leads like `assign_to_best_officer`, as many as fit one transaction.

    Handles at least the first lead; call again, in another transaction, for the
    others. Each choice counts the choices before it as if they were stored.
    """
    with atomic(savepoint=False):
        leads = {lead.pk: lead for lead in LEADS.all(keys=list(lead_ids))}
        current = _find_current_assignments([*leads.values()])
        batch, choices = AssignmentBatch(at), []
        results: list[Assignment | Unassigned] = []
        for lead_id in dict.fromkeys(lead_ids):  # a lead can be listed twice
            lead = leads[lead_id]
            if assignment := current.get(lead_id):
                results.append(assignment)
            elif lead.retired_at:
                results.append(Unassigned(lead_id=lead.pk, sentence="The lead is archived."))
            else:
                chosen = _choose_for_lead(lead, start or ChoiceStart(), batch)
                if chosen is None:
                    break
                if start and start.is_retry and chosen.choice.officer_id is None:
                    results.append(Unassigned(lead_id=lead.pk, sentence=chosen.choice.sentence))
                else:
                    choices.append(chosen)
        return [*results, *_store_choices(choices, batch)]


def _find_current_assignments(leads: Sequence[Lead]) -> dict[UUID, Assignment]:
    """Return leads already owned (mirrored on the lead by the database) or in a live offer."""
    owned = {
        lead.pk: Assignment(lead_id=lead.pk, officer_id=lead.officer_id, is_new=False)
        for lead in leads
        if lead.officer_id
    }
    offered = {
        live_offer.lead_id: Assignment(
            lead_id=live_offer.lead_id,
            officer_id=live_offer.officer_id,
            offer_id=live_offer.pk,
            due_at=live_offer.due_at,
            is_new=False,
        )
        for live_offer in LIVE_OFFERS.all(leads=[lead.pk for lead in leads])
    }
    return offered | owned


def _choose_for_lead(lead: Lead, start: ChoiceStart, batch: AssignmentBatch) -> _ChosenLead | None:
    """Choose for one lead; None when it must wait for a locked officer while others are locked."""
    is_repeat = lead.has_earlier or lead.last_inquiry_at > lead.created_at  # type: ignore[attr-defined]
    zone = lead.company_zone or DEFAULT_ZONE  # type: ignore[attr-defined]
    facts = choice_inputs.build_lead_facts(lead, zone=zone, is_repeat=is_repeat)
    rule = find_rule(facts, batch.rules, start.rule_name)
    pools = list_pools(rule, start.place) if rule else []
    result = batch.choose_and_lock(facts, pools, start)
    if result is None:
        return None
    choice, inputs = result
    return _ChosenLead(lead=lead, choice=choice, lead_facts=facts, inputs=inputs, rule=rule)


def _store_choices(
    choices: Sequence[_ChosenLead], batch: AssignmentBatch
) -> list[Assignment | Unassigned]:
    """Store choices with their offers, events, turns, deadlines and alarms.

    A choice of shadow mode has no offer, no deadline and no alarm.
    """
    new_rosters = {
        chosen_lead.inputs.roster_sha256: chosen_lead.inputs.unstored_roster
        for chosen_lead in choices
        if chosen_lead.inputs.unstored_roster
    }
    officer_roster.store_rosters(new_rosters, at=batch.at)
    decisions = [_build_decision(chosen_lead, batch) for chosen_lead in choices]
    pairs = list(zip(choices, decisions, strict=True))
    offers = {
        chosen.lead.pk: _build_offer(chosen, decision, batch.at)
        for chosen, decision in pairs
        if chosen.choice.officer_id and not chosen.is_shadow
    }
    events = [
        _build_event(chosen, decision, offers.get(chosen.lead.pk), batch.at)
        for chosen, decision in pairs
    ]
    insert_into_tables(decisions, [*offers.values()], events)
    batch.store_turns()
    response_deadline.store_deadlines(
        {
            chosen_lead.lead.pk: _response_deadline(chosen_lead, batch.at)
            for chosen_lead in choices
            if not chosen_lead.is_shadow
        }
    )
    for chosen_lead in choices:
        if chosen_lead.choice.officer_id is None and chosen_lead.choice.hold_until is None:
            unclaimed_alarm.raise_unclaimed_alarm(
                chosen_lead.lead,
                rule=chosen_lead.rule,
                why=chosen_lead.choice.sentence,
                at=batch.at,
            )
    return [
        _build_result(chosen, decision, offers.get(chosen.lead.pk)) for chosen, decision in pairs
    ]


def _build_decision(chosen: _ChosenLead, batch: AssignmentBatch) -> RoutingDecision:
    choice = chosen.choice
    outcome = {
        "officer_id": choice.officer_id,
        "place": choice.place,
        "pool": choice.pool_key,
        "turn": choice.turn,
        "hold_until": choice.hold_until.isoformat() if choice.hold_until else None,
    }
    return RoutingDecision(
        id=uuid7_at(batch.at),
        lead=chosen.lead,
        rule_set=batch.edition,
        rule_name=choice.rule_name,
        place=choice.place,
        inputs=choice_inputs.inputs_to_json(chosen.lead_facts, chosen.inputs, batch.at),
        outcome=outcome,
        officer_id=UUID(choice.officer_id) if choice.officer_id else None,
        sentence=choice.sentence[:400],
        at=batch.at,
    )


def _build_offer(chosen: _ChosenLead, decision: RoutingDecision, at: datetime) -> Offer:
    assert decision.officer_id is not None
    return Offer(
        id=uuid7_at(at),
        lead=chosen.lead,
        officer_id=decision.officer_id,
        decision=decision,
        offered_at=at,
        due_at=at + timedelta(seconds=chosen.choice.take_seconds),
    )


def _response_deadline(chosen: _ChosenLead, at: datetime) -> datetime:
    lead, by = chosen.lead, chosen.choice.hold_until or at
    if chosen.choice.officer_id:
        by = at + timedelta(seconds=chosen.choice.take_seconds)
    number, rules = lead.number, lead.rules  # type: ignore[attr-defined]
    return response_deadline.callable_deadline(
        number, lead.property_state, lead.property_zip, rules, by=by, at=at
    )


def _build_event(
    chosen: _ChosenLead, decision: RoutingDecision, offer: Offer | None, at: datetime
) -> Event:
    data: dict[str, Any] = {"decision_id": decision.pk}
    if offer:
        kind = "routing.offer.made"
        data |= {"offer_id": offer.pk, "officer_id": offer.officer_id, "due_at": offer.due_at}
        data["place"] = chosen.choice.place
    elif chosen.choice.officer_id:
        kind = "routing.offer.shadow"
        data |= {"officer_id": chosen.choice.officer_id, "place": chosen.choice.place}
    else:
        kind = "routing.lead.held" if chosen.choice.hold_until else "routing.lead.unclaimed"
        data["hold_until"] = chosen.choice.hold_until
    lead = chosen.lead
    return build_event(
        kind, at=at, actor="system:routing", lead_id=lead.pk, person_id=lead.person_id, **data
    )


def _build_result(
    chosen: _ChosenLead, decision: RoutingDecision, offer: Offer | None
) -> Assignment | Unassigned:
    if offer:
        return Assignment(
            lead_id=chosen.lead.pk,
            officer_id=offer.officer_id,
            offer_id=offer.pk,
            due_at=offer.due_at,
        )
    return Unassigned(
        lead_id=chosen.lead.pk,
        sentence=chosen.choice.sentence,
        hold_until=chosen.choice.hold_until,
        decision_id=decision.pk,
    )
