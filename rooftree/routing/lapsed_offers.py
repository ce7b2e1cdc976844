"""Ends offers not taken in time, and passes their leads down the rule's chain."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.routing import assign_leads, unclaimed_alarm
from rooftree.routing.assign_leads import LIVE_OFFER, Assignment, Unassigned
from rooftree.routing.assignment_batch import ChoiceStart
from rooftree.routing.choice_inputs import load_rules
from rooftree.routing.models import Offer, Ownership, RoutingDecision
from rooftree.routing.routing_rules import Rule

SILENCE = "silence"
UNANSWERED = Q(declined_at__isnull=False) | Q(end_reason=SILENCE)  # declined, or no answer
CHAIN_ENDED = "Every loan officer in the chain was asked. No one accepted."
ASK_AGAIN_AFTER = timedelta(hours=12)  # after an officer declined a lead or let it lapse


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsedOffer:
    """An offer that ended without an answer, and its place in the chain."""

    offer_id: UUID
    lead_id: UUID
    officer_id: UUID
    place: int


def end_overdue_offers(*, at: datetime, limit: int) -> list[LapsedOffer]:
    """End the offers no one took in time, oldest first; for each, `pass_on_lead` follows.

    Any number of schedulers can run: rows locked by another are skipped, and so is
    an offer being taken right now. The leads are locked too, as every writer locks
    the lead before its offer: an officer taking an offer waits for this, never the reverse.
    """
    with atomic():
        due = (
            Offer.objects.filter(**LIVE_OFFER, due_at__lte=at)
            .select_for_update(of=("self", "lead"), no_key=True, skip_locked=True)
            .select_related("decision", "lead")
            .order_by("due_at", "id")[:limit]
        )
        ended = list(due)
        Offer.objects.filter(pk__in=[offer.pk for offer in ended]).update(
            expired_at=at, end_reason=SILENCE
        )
        for offer in ended:
            write_event(
                "routing.offer.lapsed",
                at=at,
                actor="system:clock",
                lead_id=offer.lead_id,
                person_id=offer.lead.person_id,
                offer_id=offer.pk,
                officer_id=offer.officer_id,
                because=SILENCE,
            )
    return [
        LapsedOffer(
            offer_id=offer.pk,
            lead_id=offer.lead_id,
            officer_id=offer.officer_id,
            place=offer.decision.place,
        )
        for offer in ended
    ]


def pass_on_lead(*, lead_id: UUID | str, at: datetime) -> Assignment | Unassigned:
    """Offer a lead to the next officer in its rule's chain; at the end, raise the alarm.

    Officers who declined or let the offer lapse are not asked again for
    `ASK_AGAIN_AFTER`. A lead whose last offer ended for another reason (its state
    or a license changed) starts again at the first place. Safe to repeat.
    """
    with atomic():
        lead = Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)
        decision = (
            RoutingDecision.objects.filter(lead=lead).order_by("-at", "-place", "-id").first()
        )
        start = ChoiceStart(declined_officers=_recently_asked_officers(lead, at))
        if (
            decision is None
            or not decision.offers.filter(UNANSWERED).exists()
            or Ownership.objects.filter(lead=lead, until_at=None).exists()
            or Offer.objects.filter(lead=lead, **LIVE_OFFER).exists()
        ):
            if decision and not (decision.officer_id or decision.outcome.get("hold_until")):
                return _retry(lead, decision, start, "", at)
            return assign_leads.assign_to_best_officer(lead_id=lead_id, start=start, at=at)
        rule = _rule_of(decision)
        if rule and decision.place < len(rule.chain):
            onward = ChoiceStart(
                declined_officers=start.declined_officers,
                place=decision.place + 1,
                rule_name=rule.name,
            )
            return assign_leads.assign_to_best_officer(lead_id=lead_id, start=onward, at=at)
        # Everyone in the chain was asked; somebody who wasn't free then can be free now.
        return _retry(lead, decision, start, CHAIN_ENDED, at)


def _rule_of(decision: RoutingDecision) -> Rule | None:
    rules = load_rules(decision.rule_set)
    return next((rule for rule in rules if rule.name == decision.rule_name), None)


def _retry(
    lead: Lead, decision: RoutingDecision, start: ChoiceStart, why: str, at: datetime
) -> Assignment | Unassigned:
    """Look for an officer again, and raise the day's alarm if there is still none.

    A lead can wait for weeks, as in a state without a license, so another choice of no one is
    neither stored nor does it begin another promise.

    Args:
        why: the sentence of the alarm; "" for that of the choice.
    """
    assignment = assign_leads.assign_to_best_officer(
        lead_id=lead.pk, start=replace(start, is_retry=True), at=at
    )
    if isinstance(assignment, Assignment) or lead.retired_at:
        return assignment
    sentence = why or assignment.sentence
    rule = _rule_of(decision)
    if unclaimed_alarm.raise_unclaimed_alarm(lead, rule=rule, why=sentence, at=at):
        write_event(
            "routing.lead.unclaimed",
            at=at,
            actor="system:routing",
            lead_id=lead.pk,
            person_id=lead.person_id,
            decision_id=decision.pk,
        )
    return Unassigned(lead_id=lead.pk, sentence=sentence, decision_id=decision.pk)


def _recently_asked_officers(lead: Lead, at: datetime) -> frozenset[str]:
    unanswered = Offer.objects.filter(
        UNANSWERED,
        lead=lead,
        offered_at__gt=at - ASK_AGAIN_AFTER,
    )
    return frozenset(str(pk) for pk in unanswered.values_list("officer_id", flat=True))
