"""One routing decision: the officer chosen, the others and why not, and a replay."""

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

MAX_CANDIDATES = 25  # candidates listed before "Show all"
CANDIDATE_TABS = {"": "All", "could": "Eligible", "out": "Ruled out"}


@staff_view("GET")
def show_decision(request: StaffRequest, decision_id: UUID) -> HttpResponse:
    """Show one decision to users who can see its lead."""
    decisions = RoutingDecision.objects.filter(lead__in=leads_visible_to(request.user))
    decision = get_object_or_404(
        decisions.select_related("lead__person", "lead__source", "rule_set", "officer__user"),
        pk=decision_id,
    )
    context = {
        "decision": decision,
        "lead": decision.lead,
        "offer": Offer.objects.filter(decision=decision).first(),
        "facts": _lead_facts(decision),
        "may_see_rules": has_permission(request.user, "see_routing"),
        **(_replay_context(request, decision) if decision.inputs else {}),
    }
    return render(request, "routing/decision.html", context)


def _replay_context(request: StaffRequest, decision: RoutingDecision) -> dict[str, Any]:
    """Make the choice again from the stored inputs; return one row per candidate."""
    choice = replay_decision.replay_choice(decision)
    inputs = choice_inputs.inputs_from_json(decision.inputs)
    candidates = {candidate.id: candidate for candidate in inputs.candidates}
    decided_at = datetime.fromisoformat(decision.inputs["at"])
    rows = [
        _candidate_row(reason, candidates[reason.officer_id], decision, decided_at)
        for reason in choice.reasons
    ]
    tab = request.GET.get("show", "")
    selected = [row for row in rows if not tab or (row["rank"] > 0) == (tab == "could")]
    limit = len(selected) if "all" in request.GET else MAX_CANDIDATES
    eligible = sum(row["rank"] > 0 for row in rows)
    counts = {"": len(rows), "could": eligible, "out": len(rows) - eligible}
    return {
        "agrees": replay_decision.is_reproducible(decision),
        "choice": choice,
        "again_name": candidates[choice.officer_id].name if choice.officer_id else "no one",
        "rule_sentence": _rule_sentence(decision, choice),
        "rows": selected[:limit],
        "more": max(0, len(selected) - limit),
        "kinds": [(key, label, counts[key]) for key, label in CANDIDATE_TABS.items()],
        "kind": tab if tab in CANDIDATE_TABS else "",
        "place": choice.place,
        "what_if": _next_in_line(rows, decision),
    }


def _candidate_row(
    reason: ChoiceReason, candidate: Candidate, decision: RoutingDecision, at: datetime
) -> dict[str, Any]:
    return {
        "name": candidate.name,
        "rank": reason.rank,
        "outcome": {0: "Ruled out", 1: "Chosen"}.get(reason.rank, f"Number {reason.rank}"),
        "reason": reason.text,
        "license": _license_status(candidate, decision.inputs["lead"]["state"], at),
        "load": f"{candidate.open} of {candidate.open_cap}",
        "today": f"{candidate.today} of {candidate.daily_cap}",
    }


def _license_status(candidate: Candidate, state: str, at: datetime) -> tuple[str, str]:
    """Return the status of the license in the state at that time, and its CSS class."""
    if not state:
        return "state unknown", "quiet"
    day = local_date(candidate.zone, at)
    permits = [permit for permit in candidate.permits if permit.state == state]
    in_force = next((permit for permit in permits if permit.is_in_force(day)), None)
    if in_force is None:
        return ("not in force" if permits else "none"), "is-late"
    if in_force.until_date is None:
        return "no end date", "soft"
    last = in_force.until_date - timedelta(days=1)
    return f"until {last:%b} {last.day}, {last.year}", "soft"


def _rule_sentence(decision: RoutingDecision, choice: Choice) -> str:
    rules = choice_inputs.load_rules(decision.rule_set)
    rule = next((rule for rule in rules if rule.name == choice.rule_name), None)
    return rule_sentences.rule_sentence(rule, rule_names.load_rule_names()) if rule else ""


def _lead_facts(decision: RoutingDecision) -> list[tuple[str, str]]:
    """Return what was known about the lead at that time, as stored."""
    stored = decision.inputs.get("lead", {})
    if not stored:
        return []
    amount = stored.get("amount_cents")
    purpose = display_formats.purpose(stored["purpose"], stored.get("loan_type", ""))
    score = stored.get("score")
    return [
        ("Property state", stored.get("state") or "unknown"),
        ("Loan", f"{purpose}, {display_formats.money(amount)}" if amount is not None else purpose),
        ("Source", decision.lead.source.name),
        ("Language", rule_sentences.SPOKEN_LANGUAGES.get(stored.get("language", ""), "not stated")),
        ("Stated credit", (stored.get("credit_band") or "not stated").replace("_", " ")),
        ("Score", "not scored yet" if score is None else str(score)),
        ("Inquiry", "repeat" if stored.get("is_repeat") else "new"),
        (
            "Arrived",
            f"{rule_sentences.DAY_NAMES.get(stored.get('day'), '')} {stored.get('clock', '')}",
        ),
    ]


def _next_in_line(rows: list[dict[str, Any]], decision: RoutingDecision) -> list[tuple[str, str]]:
    """Return who would have been next, as (condition, name)."""
    if decision.officer is None:
        return []
    first = decision.officer.user.name
    second = next((row["name"] for row in rows if row["rank"] == 2), None)
    return [(f"{first} had been busy", second or "the next step of the rule’s chain")]
