"""Offering a lead to the loan officer the rules choose, or saying why nobody can have it."""

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
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
LIVE_OFFER = {"taken_at": None, "passed_at": None, "lapsed_at": None}
LIVE_OFFERS = PreparedQuery(
    lambda leads: Offer.objects.filter(lead__in=leads, **LIVE_OFFER), leads=list[UUID]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The lead is in somebody's hands. `is_new` is False when it already was."""

    lead_id: UUID
    officer_id: UUID
    offer_id: UUID | None = None  # None: owned, nothing to take
    due_at: datetime | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """Nobody can have it now; why, and from when somebody may."""

    lead_id: UUID
    sentence: str
    hold_until: datetime | None = None
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChosenLead:
    """A choice with everything it rested on."""

    lead: Lead
    choice: Choice
    lead_facts: LeadFacts
    inputs: ChoiceInputs
    rule: Rule | None


def assign_to_best_officer(
    *, lead_id: UUID | str, start: ChoiceStart | None = None, at: datetime
) -> Assignment | Unassigned:
    """Offer a lead to the officer the rules choose, with a time to take it by.

    Safe to repeat: a lead that is offered or owned stays where it is. Of two
    workers at once, one offers and the other finds the offer. When nobody is
    eligible the lead waits and a named person is told, unless its rule holds it
    until somebody opens.
    """
    return assign_to_best_officers([UUID(str(lead_id))], start=start, at=at)[0]


def assign_to_best_officers(
    lead_ids: Sequence[UUID], *, start: ChoiceStart | None = None, at: datetime
) -> list[Assignment | Unassigned]:
    """As `to_best_officer` for the first of several leads, as many as one transaction may do.

    At least one; call again, in another transaction, for the others. Each is chosen
    as if those before had been written down already.
    """
    with atomic(savepoint=False):
        leads = {lead.pk: lead for lead in LEADS.all(keys=list(lead_ids))}
        standing = _find_current_assignments([*leads.values()])
        table, made = AssignmentBatch(at), []
        done: list[Assignment | Unassigned] = []
        for lead_id in dict.fromkeys(lead_ids):  # one that asked twice is there twice
            lead = leads[lead_id]
            if so := standing.get(lead_id):
                done.append(so)
            elif lead.retired_at:
                done.append(Unassigned(lead_id=lead.pk, sentence="The lead is retired."))
            else:
                chosen = _choose_for_lead(lead, start or ChoiceStart(), table)
                if chosen is None:
                    break
                made.append(chosen)
        return [*done, *_store_choices(made, table)]


def _find_current_assignments(leads: Sequence[Lead]) -> dict[UUID, Assignment]:
    """Whose a lead is already: its owner's, as the database mirrors it, or by a live offer."""
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


def _choose_for_lead(lead: Lead, start: ChoiceStart, table: AssignmentBatch) -> _ChosenLead | None:
    """The choice for one lead; None when it must wait for an officer, and others are held."""
    is_repeat = lead.has_earlier or lead.warmed_at > lead.created_at  # type: ignore[attr-defined]
    zone = lead.company_zone or DEFAULT_ZONE  # type: ignore[attr-defined]
    about = choice_inputs.build_lead_facts(lead, zone=zone, is_repeat=is_repeat)
    rule = find_rule(about, table.rules, start.rule_name)
    pools = list_pools(rule, start.place) if rule else []
    found = table.choose_and_lock(about, pools, start)
    if found is None:
        return None
    choice, known = found
    return _ChosenLead(lead=lead, choice=choice, lead_facts=about, inputs=known, rule=rule)


def _store_choices(
    made: Sequence[_ChosenLead], table: AssignmentBatch
) -> list[Assignment | Unassigned]:
    """Write down choices, and what follows from each."""
    unfiled = {
        chosen_lead.inputs.roster_sha256: chosen_lead.inputs.unstored_roster
        for chosen_lead in made
        if chosen_lead.inputs.unstored_roster
    }
    officer_roster.store_rosters(unfiled, at=table.at)
    decisions = [_build_decision(chosen_lead, table) for chosen_lead in made]
    pairs = list(zip(made, decisions, strict=True))
    offers = {
        one.lead.pk: _build_offer(one, of, table.at) for one, of in pairs if one.choice.officer_id
    }
    told = [_build_event(one, of, offers.get(one.lead.pk), table.at) for one, of in pairs]
    insert_into_tables(decisions, [*offers.values()], told)
    table.store_turns()
    response_deadline.store_deadlines(
        {chosen_lead.lead.pk: _response_deadline(chosen_lead, table.at) for chosen_lead in made}
    )
    for chosen_lead in made:
        if chosen_lead.choice.officer_id is None and chosen_lead.choice.hold_until is None:
            unclaimed_alarm.raise_unclaimed_alarm(
                chosen_lead.lead,
                rule=chosen_lead.rule,
                why=chosen_lead.choice.sentence,
                at=table.at,
            )
    return [_build_result(one, of, offers.get(one.lead.pk)) for one, of in pairs]


def _build_decision(made: _ChosenLead, table: AssignmentBatch) -> RoutingDecision:
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
        inputs=choice_inputs.inputs_to_json(made.lead_facts, made.inputs, table.at),
        outcome=outcome,
        officer_id=UUID(choice.officer_id) if choice.officer_id else None,
        sentence=choice.sentence[:400],
        at=table.at,
    )


def _build_offer(made: _ChosenLead, decision: RoutingDecision, at: datetime) -> Offer:
    assert decision.officer_id is not None
    return Offer(
        id=uuid7_at(at),
        lead=made.lead,
        officer_id=decision.officer_id,
        decision=decision,
        offered_at=at,
        due_at=at + timedelta(seconds=made.choice.take_seconds),
    )


def _response_deadline(made: _ChosenLead, at: datetime) -> datetime:
    lead, by = made.lead, made.choice.hold_until or at
    if made.choice.officer_id:
        by = at + timedelta(seconds=made.choice.take_seconds)
    number, rules = lead.number, lead.rules  # type: ignore[attr-defined]
    return response_deadline.callable_deadline(
        number, lead.property_state, lead.property_zip, rules, by=by, at=at
    )


def _build_event(
    made: _ChosenLead, decision: RoutingDecision, offer: Offer | None, at: datetime
) -> Event:
    about: dict[str, Any] = {"decision_id": decision.pk}
    if offer:
        kind = "routing.offer.made"
        about |= {"offer_id": offer.pk, "officer_id": offer.officer_id, "due_at": offer.due_at}
        about["place"] = made.choice.place
    else:
        kind = "routing.lead.held" if made.choice.hold_until else "routing.lead.unclaimed"
        about["hold_until"] = made.choice.hold_until
    lead = made.lead
    return build_event(
        kind, at=at, actor="system:routing", lead_id=lead.pk, person_id=lead.person_id, **about
    )


def _build_result(
    made: _ChosenLead, decision: RoutingDecision, offer: Offer | None
) -> Assignment | Unassigned:
    if offer:
        return Assignment(
            lead_id=made.lead.pk,
            officer_id=offer.officer_id,
            offer_id=offer.pk,
            due_at=offer.due_at,
        )
    return Unassigned(
        lead_id=made.lead.pk,
        sentence=made.choice.sentence,
        hold_until=made.choice.hold_until,
        decision_id=decision.pk,
    )
