"""Compliance > Rules: what is in force in each state and everywhere, since when and why."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.compliance import law, rule_items
from rooftree.compliance.amending import in_force, standing
from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.amending.value_words import place_name
from rooftree.compliance.law import Changes
from rooftree.compliance.rulebook import DATA, STATES, VERSION
from rooftree.money.company_day import company_day
from rooftree.web.page import may_for_all, must, staff

SHOWN = ("live", "auto", "caps")  # of a state, on the page of all
UNSETTLED = {  # by the key of the rule data, the reading that is built in
    "revoke_all_cross_category": "A stop that answers one kind of message ends every kind at once.",
    "texts_as_calls_227c": "A text counts as a call for the do-not-call rules.",
    "written_consent": "Consent to automated marketing must be in writing.",
    "quiet_hours_vs_consent": "Hours hold for people who consented, too.",
    "ai_voice": "A voice of AI is an artificial voice, and says so in its first sentence.",
}
PEOPLE = ("written_by", "approved_by", "dropped_by", "withdraws")


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """What holds everywhere, the states in short, what waits, and what was changed."""
    must(request.user, "see_compliance")
    changes, day = standing.now(), _day(request)
    rows = RuleChange.objects.select_related(*PEOPLE).order_by("-number")
    context = {
        "everywhere": in_force.values(law.EVERYWHERE, day, changes),
        "states": [_state(code, day, changes) for code in sorted(STATES, key=place_name)],
        "waiting": _lines(rows.filter(approved_at=None, dropped_at=None)),
        "history": _lines(rows.exclude(approved_at=None, dropped_at=None)),
        "fixed": _fixed(),
        **_common(request, day),
    }
    return render(request, "compliance/rules/index.html", context)


@staff("GET")
def place(request: HttpRequest, place: str) -> HttpResponse:
    """Every value of one state, or of what holds everywhere."""
    must(request.user, "see_compliance")
    if not rule_items.items_of(place):
        raise Http404
    day = _day(request)
    rows = RuleChange.objects.select_related(*PEOPLE).filter(place=place).order_by("-number")
    context = {
        "place": place,
        "name": place_name(place),
        "values": in_force.values(place, day, standing.now()),
        "history": _lines(rows),
        **_common(request, day),
    }
    return render(request, "compliance/rules/place.html", context)


def state_of(change: RuleChange) -> tuple[str, str, str]:
    """Tone, icon and word of what became of a change."""
    if change.is_waiting:
        return "soon", "clock", "waits for approval"
    if change.dropped_at:
        return "", "ban", "not approved"
    return "ok", "check", "approved"


def _common(request: HttpRequest, day: date) -> dict[str, Any]:
    return {
        "day": day,
        "is_today": day == company_day(request.at),
        "version": VERSION,
        "may_change": may_for_all(request.user, "change_rules"),
    }


def _day(request: HttpRequest) -> date:
    """The date asked about, else today."""
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return company_day(request.at)


def _state(code: str, day: date, changes: Changes) -> dict[str, Any]:
    values = {one.item.key: one for one in in_force.values(code, day, changes)}
    return {
        "code": code,
        "name": place_name(code),
        "short": [values[key] for key in SHOWN],
        "days": len(values["holidays"].value) + len(values["proclaimed"].value),
        "on": [
            one.item.label for one in values.values() if one.item.kind == "switch" and one.value
        ],
        "changed": sum(one.number is not None for one in values.values()),
        "is_looser": any(one.is_looser for one in values.values()),
    }


def _lines(rows: QuerySet[RuleChange]) -> list[dict[str, Any]]:
    return [
        {
            "row": one,
            "state": (state := state_of(one)),
            "tone": f"is-{state[0]}" if state[0] else "",
            "place": place_name(one.place),
            "label": rule_items.items_of(one.place)[one.item].label,
        }
        for one in rows
    ]


def _fixed() -> list[dict[str, str]]:
    """What counsel may want otherwise and only a release changes: the law is unsettled there."""
    return [
        {"says": says, "why": "; ".join(_why(DATA["federal"][key]))}
        for key, says in UNSETTLED.items()
    ]


def _why(said: dict[str, Any]) -> list[str]:
    """Where the law stands: the orders and cases that the rule data name."""
    named = (
        said.get(key, []) for key in ("order", "case", "cite", "against_written", "held_calls")
    )
    found = [one for each in named for one in ([each] if isinstance(each, str) else each)]
    return found + [f"otherwise: {one}" for one in said.get("held_not_calls", [])]
