"""Compliance > Rules: the values in force in each state and everywhere, with their authority."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.rulebook import RULE_DATA, RULES_VERSION, STATES
from rooftree.compliance.rule_changes import approved_changes, effective_values, rule_items
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.compliance.rule_changes.value_wording import place_name
from rooftree.money.company_day import company_day
from rooftree.routing.permissions import has_company_permission
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

SUMMARY_ITEMS = ("live", "auto", "caps")  # a state's values on the page of all states
UNSETTLED_LAW = {  # by key of the rule data: the reading that Rooftree takes
    "revoke_all_cross_category": "An opt-out from one kind of message applies to every kind.",
    "texts_as_calls_227c": "A text counts as a call under the do-not-call rules.",
    "written_consent": "Consent to automated marketing must be in writing.",
    "quiet_hours_vs_consent": "Quiet hours apply even to people who consented.",
    "ai_voice": "An AI voice is an artificial voice and says so in its first sentence.",
}
RELATED_FIELDS = ("written_by", "approved_by", "dropped_by", "withdraws")


@staff_view("GET")
def list_rules(request: StaffRequest) -> HttpResponse:
    """Show the values everywhere, a summary of each state, and proposed and past changes."""
    require_permission(request.user, "see_compliance")
    changes, day = approved_changes.load_approved_changes(), _chosen_date(request)
    rows = RuleChange.objects.select_related(*RELATED_FIELDS).order_by("-number")
    context = {
        "everywhere": effective_values.effective_values(effective_rules.EVERYWHERE, day, changes),
        "states": [_state_summary(code, day, changes) for code in sorted(STATES, key=place_name)],
        "waiting": _change_lines(rows.filter(approved_at=None, dropped_at=None)),
        "history": _change_lines(rows.exclude(approved_at=None, dropped_at=None)),
        "fixed": [
            {
                "sentence": sentence,
                "authorities": "; ".join(_authorities(RULE_DATA["federal"][key])),
            }
            for key, sentence in UNSETTLED_LAW.items()
        ],
        **_shared_context(request, day),
    }
    return render(request, "compliance/rules/index.html", context)


@staff_view("GET")
def show_place(request: StaffRequest, place: str) -> HttpResponse:
    """Show every value of one state, or of the rules that apply everywhere."""
    require_permission(request.user, "see_compliance")
    if not rule_items.place_items(place):
        raise Http404
    day = _chosen_date(request)
    rows = (
        RuleChange.objects.select_related(*RELATED_FIELDS).filter(place=place).order_by("-number")
    )
    context = {
        "place": place,
        "name": place_name(place),
        "values": effective_values.effective_values(
            place, day, approved_changes.load_approved_changes()
        ),
        "history": _change_lines(rows),
        **_shared_context(request, day),
    }
    return render(request, "compliance/rules/place.html", context)


def change_badge(change: RuleChange) -> tuple[str, str, str]:
    """Return the tone, icon and label of a change's state."""
    if change.is_waiting:
        return "soon", "clock", "waiting for approval"
    if change.dropped_at:
        return "", "ban", "not approved"
    return "ok", "check", "approved"


def _shared_context(request: StaffRequest, day: date) -> dict[str, Any]:
    return {
        "day": day,
        "is_today": day == company_day(request.at),
        "version": RULES_VERSION,
        "may_change": has_company_permission(request.user, "change_rules"),
    }


def _chosen_date(request: StaffRequest) -> date:
    """Return the date of the query, else today."""
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return company_day(request.at)


def _state_summary(code: str, day: date, changes: Changes) -> dict[str, Any]:
    values = {
        value.item.key: value for value in effective_values.effective_values(code, day, changes)
    }
    return {
        "code": code,
        "name": place_name(code),
        "summary": [values[key] for key in SUMMARY_ITEMS],
        "closed_days": len(values["holidays"].value) + len(values["proclaimed"].value),
        "active_switches": [
            value.item.label
            for value in values.values()
            if value.item.kind == "switch" and value.value
        ],
        "changed": sum(value.number is not None for value in values.values()),
        "is_looser": any(value.is_looser for value in values.values()),
    }


def _change_lines(rows: QuerySet[RuleChange]) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "state": (state := change_badge(row)),
            "tone": f"is-{state[0]}" if state[0] else "",
            "place": place_name(row.place),
            "label": rule_items.place_items(row.place)[row.item].label,
        }
        for row in rows
    ]


def _authorities(entry: dict[str, Any]) -> Iterable[str]:
    """Return the orders and cases that an entry of the rule data names; contrary ones last."""
    for key in ("order", "case", "cite", "against_written", "held_calls"):
        named = entry.get(key, [])
        yield from [named] if isinstance(named, str) else named
    yield from (f"contrary: {case}" for case in entry.get("held_not_calls", []))
