"""One routing decision: who was chosen, who was not, why, and the same choice made again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.org.working_hours import local_date
from rooftree.routing import choice_inputs, replay_decision, rule_names, rule_sentences
from rooftree.routing.candidates import Candidate
from rooftree.routing.choose_officer import Choice, ChoiceReason
from rooftree.routing.models import Offer, RoutingDecision
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared import display_formats
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_CANDIDATES = 25  # candidates before "show them"
CANDIDATE_TABS = {"": "All", "could": "Could take it", "out": "Ruled out"}


@staff_view("GET")
def show_decision(request: StaffRequest, decision_id: UUID) -> HttpResponse:
    """The page of one decision, for whoever may see its lead."""
    rows = RoutingDecision.objects.filter(lead__in=leads_visible_to(request.user))
    one = get_object_or_404(
        rows.select_related("lead__person", "lead__source", "rule_set", "officer__user"),
        pk=decision_id,
    )
    context = {
        "decision": one,
        "lead": one.lead,
        "offer": Offer.objects.filter(decision=one).first(),
        "facts": _lead_facts(one),
        "may_see_rules": has_permission(request.user, "see_routing"),
        **(_replay_context(request, one) if one.inputs else {}),
    }
    return render(request, "routing/decision.html", context)


def _replay_context(request: StaffRequest, one: RoutingDecision) -> dict[str, Any]:
    """The choice made again from what is stored, with a line for every officer."""
    choice = replay_decision.replay_choice(one)
    known = choice_inputs.inputs_from_json(one.inputs)
    people = {candidate.id: candidate for candidate in known.candidates}
    made_at = datetime.fromisoformat(one.inputs["at"])
    rows = [_candidate_row(reason, people, one, made_at) for reason in choice.reasons]
    kind = request.GET.get("show", "")
    picked = [row for row in rows if not kind or (row["rank"] > 0) == (kind == "could")]
    whole = "all" in request.GET
    return {
        "agrees": replay_decision.is_reproducible(one),
        "choice": choice,
        "again_name": people[choice.officer_id].name if choice.officer_id else "nobody",
        "rule_words": _rule_sentence(one, choice),
        "rows": picked if whole else picked[:MAX_CANDIDATES],
        "more": 0 if whole else max(0, len(picked) - MAX_CANDIDATES),
        "kinds": [
            (key, said, _count_candidates(rows, key)) for key, said in CANDIDATE_TABS.items()
        ],
        "kind": kind if kind in CANDIDATE_TABS else "",
        "place": choice.place,
        "what_if": _next_in_line(rows, one),
    }


def _candidate_row(
    reason: ChoiceReason, people: dict[str, Candidate], one: RoutingDecision, at: datetime
) -> dict[str, Any]:
    person = people[reason.officer_id]
    state = one.inputs["lead"]["state"]
    return {
        "name": person.name,
        "rank": reason.rank,
        "outcome": {0: "Ruled out", 1: "Chosen"}.get(reason.rank, f"Number {reason.rank}"),
        "reason": reason.text,
        "license": _license_status(person, state, at),
        "load": f"{person.open} of {person.open_cap}",
        "today": f"{person.today} of {person.daily_cap}",
    }


def _license_status(person: Candidate, state: str, at: datetime) -> tuple[str, str]:
    """What a license in the state looked like then, and how loud that is."""
    if not state:
        return "no state known", "quiet"
    day = local_date(person.zone, at)
    held = [permit for permit in person.permits if permit.state == state]
    good = next((permit for permit in held if permit.is_in_force(day)), None)
    if good:
        until = good.until_date - timedelta(days=1) if good.until_date else None
        return (f"until {until:%b} {until.day}, {until.year}" if until else "no end"), "soft"
    return ("not in force" if held else "none"), "is-late"


def _count_candidates(rows: list[dict[str, Any]], kind: str) -> int:
    return sum(not kind or (row["rank"] > 0) == (kind == "could") for row in rows)


def _rule_sentence(one: RoutingDecision, choice: Choice) -> str:
    rules = choice_inputs.load_rules(one.rule_set)
    rule = next((rule for rule in rules if rule.name == choice.rule_name), None)
    return rule_sentences.rule_sentence(rule, rule_names.load_rule_names()) if rule else ""


def _lead_facts(one: RoutingDecision) -> list[tuple[str, str]]:
    """What was known of the lead at that moment, as stored."""
    stored = one.inputs.get("lead", {})
    if not stored:
        return []
    amount = stored.get("amount_cents")
    purpose = display_formats.purpose(stored["purpose"], stored.get("loan_type", ""))
    score = stored.get("score")
    return [
        ("Property in", stored.get("state") or "unknown"),
        ("Loan", f"{purpose}, {display_formats.money(amount)}" if amount is not None else purpose),
        ("Source", one.lead.source.name),
        ("Language", rule_sentences.SPOKEN_LANGUAGES.get(stored.get("language", ""), "not stated")),
        ("Stated credit", (stored.get("credit_band") or "not stated").replace("_", " ")),
        ("Score", "not scored yet" if score is None else str(score)),
        ("Inquiry", "repeated" if stored.get("is_repeat") else "new"),
        (
            "Arrived",
            f"{rule_sentences.DAY_NAMES.get(stored.get('day'), '')} {stored.get('clock', '')}",
        ),
    ]


def _next_in_line(rows: list[dict[str, Any]], one: RoutingDecision) -> list[tuple[str, str]]:
    """Who would have been next, by the order that was found."""
    if one.officer is None:
        return []
    first = one.officer.user.name
    second = next((row["name"] for row in rows if row["rank"] == 2), None)
    return [(f"{first} had been busy", second or "the chain of the rule, from its next step on")]
