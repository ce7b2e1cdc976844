"""Compliance > Rules: what is in force in each state and everywhere, since when and why."""

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
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import has_company_permission, require_permission, staff_view

SUMMARY_ITEMS = ("live", "auto", "caps")  # of a state, on the page of all
UNSETTLED_LAW = {  # by the key of the rule data, the reading that is built in
    "revoke_all_cross_category": "A stop that answers one kind of message ends every kind at once.",
    "texts_as_calls_227c": "A text counts as a call for the do-not-call rules.",
    "written_consent": "Consent to automated marketing must be in writing.",
    "quiet_hours_vs_consent": "Hours hold for people who consented, too.",
    "ai_voice": "A voice of AI is an artificial voice, and says so in its first sentence.",
}
RELATED_FIELDS = ("written_by", "approved_by", "dropped_by", "withdraws")


@staff_view("GET")
def list_rules(request: StaffRequest) -> HttpResponse:
    """What holds everywhere, the states in short, what waits, and what was changed."""
    require_permission(request.user, "see_compliance")
    changes, day = approved_changes.load_approved_changes(), _chosen_date(request)
    rows = RuleChange.objects.select_related(*RELATED_FIELDS).order_by("-number")
    context = {
        "everywhere": effective_values.effective_values(effective_rules.EVERYWHERE, day, changes),
        "states": [_state_summary(code, day, changes) for code in sorted(STATES, key=place_name)],
        "waiting": _change_lines(rows.filter(approved_at=None, dropped_at=None)),
        "history": _change_lines(rows.exclude(approved_at=None, dropped_at=None)),
        "fixed": _fixed_readings(),
        **_shared_context(request, day),
    }
    return render(request, "compliance/rules/index.html", context)


@staff_view("GET")
def show_place(request: StaffRequest, place: str) -> HttpResponse:
    """Every value of one state, or of what holds everywhere."""
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
    """Tone, icon and word of what became of a change."""
    if change.is_waiting:
        return "soon", "clock", "waits for approval"
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
    """The date asked about, else today."""
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return company_day(request.at)


def _state_summary(code: str, day: date, changes: Changes) -> dict[str, Any]:
    values = {
        effective_value.item.key: effective_value
        for effective_value in effective_values.effective_values(code, day, changes)
    }
    return {
        "code": code,
        "name": place_name(code),
        "short": [values[key] for key in SUMMARY_ITEMS],
        "days": len(values["holidays"].value) + len(values["proclaimed"].value),
        "on": [
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


def _fixed_readings() -> list[dict[str, str]]:
    """What counsel may want otherwise and only a release changes: the law is unsettled there."""
    return [
        {"says": says, "why": "; ".join(_authorities(RULE_DATA["federal"][key]))}
        for key, says in UNSETTLED_LAW.items()
    ]


def _authorities(said: dict[str, Any]) -> list[str]:
    """Where the law stands: the orders and cases that the rule data name."""
    named = (
        said.get(key, []) for key in ("order", "case", "cite", "against_written", "held_calls")
    )
    found = [one for each in named for one in ([each] if isinstance(each, str) else each)]
    return found + [f"otherwise: {one}" for one in said.get("held_not_calls", [])]
