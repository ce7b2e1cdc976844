"""Changing a rule: written down, looked at with its dry run, approved, dropped or withdrawn."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance import rule_items
from rooftree.compliance.amending import acts, in_force, standing
from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.amending.value_words import difference, in_words, place_name
from rooftree.flow import rule_changes
from rooftree.money.company_day import company_day
from rooftree.outreach.models import Message
from rooftree.routing.visible import leads_visible_to
from rooftree.web.answers import done, refused
from rooftree.web.page import may_for_all, must, must_for_all, staff
from rooftree.web.rule_change_form import ChangeForm, EndForm, grounds_of
from rooftree.web.views.rules import PEOPLE, state_of

WHAT = {  # of a message in a dry run
    "later": "would go later",
    "earlier": "would go earlier",
    "stopped": "would not go",
    "asked": "would wait for a person",
    "let_go": "would go, and would not go now",
}
WRITTEN = "Written down; it counts once somebody else approves it"


@staff("GET", "POST")
def new(request: HttpRequest, place: str, item: str) -> HttpResponse:
    """Write down another value of one rule."""
    must_for_all(request.user, "change_rules")
    about = rule_items.items_of(place).get(item)
    if about is None:
        raise Http404
    today, is_sent = company_day(request.at), request.method == "POST"
    now = in_force.value(place, item, today, standing.now())
    form = ChangeForm(
        request.POST if is_sent else None, item=about, now=now.value,
        initial={"from_date": today + timedelta(days=1)},
    )  # fmt: skip

    def write(typed: dict[str, Any]) -> RuleChange:
        return rule_changes.propose(place=place, item=item, by=request.user, at=request.at, **typed)

    if is_sent and form.carried_out(write):
        return done(request, WRITTEN, back_to=reverse("rule_change", args=[form.made.pk]))
    came = rule_items.shipped(place, item, today)
    context = {
        "form": form, "place": place, "name": place_name(place), "now": now,
        "came": in_words(about, came),
    }  # fmt: skip
    return render(request, "compliance/rules/form.html", context, status=422 if is_sent else 200)


@staff("GET", "POST")
def end(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Write down that a change ends on a day."""
    must_for_all(request.user, "change_rules")
    one = get_object_or_404(RuleChange, pk=change_id)
    tomorrow, is_sent = company_day(request.at) + timedelta(days=1), request.method == "POST"
    begun = {"from_date": max(tomorrow, one.from_date)}
    about = _about(one)
    form = EndForm(request.POST if is_sent else None, item=about["item"], initial=begun)

    def write(typed: dict[str, Any]) -> RuleChange:
        grounds = grounds_of(typed)
        return rule_changes.propose_withdrawal(
            change=one, grounds=grounds, by=request.user, at=request.at
        )

    if is_sent and form.carried_out(write):
        return done(request, WRITTEN, back_to=reverse("rule_change", args=[form.made.pk]))
    context = {"form": form, "one": one, "name": place_name(one.place), "about": about}
    return render(request, "compliance/rules/end.html", context, status=422 if is_sent else 200)


@staff("GET")
def show(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """One change: what it changes, what it would move, who wrote and who approved it."""
    must(request.user, "see_compliance")
    one = get_object_or_404(RuleChange.objects.select_related(*PEOPLE), pk=change_id)
    ends = one.withdrawals.filter(approved_at__isnull=False).first()
    may_change = may_for_all(request.user, "change_rules")
    context = {
        "one": one,
        "about": _about(one),
        "state": state_of(one),
        "ends": ends,
        "is_mine": one.written_by_id == request.user.pk,
        "may_change": may_change,
        "may_end": may_change and one.approved_at and not one.withdraws_id and not ends,
        "others": [each.name for each in acts.approvers() if each.pk != one.written_by_id],
        "tried": _tried(one, request),
    }
    return render(request, "compliance/rules/show.html", context)


@staff("POST")
def act(request: HttpRequest, change_id: UUID, what: str) -> HttpResponse:
    """Approve it, drop it, or try it again."""
    must_for_all(request.user, "change_rules")
    one = get_object_or_404(RuleChange, pk=change_id)
    if what not in ACTS:
        raise Http404
    back = reverse("rule_change", args=[one.pk])
    try:
        said = ACTS[what](request, one)
    except acts.BadChange as problem:
        return refused(request, str(problem), back_to=back)
    return done(request, said, back_to=back)


def _approval(request: HttpRequest, one: RuleChange) -> str:
    if one.dry_run is None:
        raise acts.BadChange("", "Wait until you see what it would move.")
    if one.is_looser and request.POST.get("read") != "on":
        raise acts.BadChange("", "Read counsel’s document first, and say so.")
    rule_changes.approve(change_id=one.pk, by=request.user, at=request.at)
    return f"Approved; it counts from {one.from_date:%b} {one.from_date.day}, {one.from_date.year}"


def _drop(request: HttpRequest, one: RuleChange) -> str:
    reason = request.POST.get("reason", "")
    acts.drop(change_id=one.pk, reason=reason, by=request.user, at=request.at)
    return "It is not approved, and never will be"


def _trial(request: HttpRequest, one: RuleChange) -> str:
    rule_changes.try_again(one)
    return "The messages in line are being asked about again"


ACTS: dict[str, Callable[[HttpRequest, RuleChange], str]] = {
    "approval": _approval,
    "drop": _drop,
    "trial": _trial,
}


def _about(one: RuleChange) -> dict[str, Any]:
    """What it changes, in words: from what held before it to what it says."""
    item = rule_items.items_of(one.place)[one.item]
    before = tuple(each for each in standing.now() if each.number < one.number)
    was = in_force.value(one.place, one.item, one.from_date, before)
    if one.withdraws_id:
        after = acts.with_one(before, one, acts.grounds_of(one))
        now = in_force.value(one.place, one.item, one.from_date, after).value
    else:
        now = json.loads(one.value)
    came = rule_items.shipped(one.place, one.item, one.from_date)
    return {
        "item": item,
        "place": place_name(one.place),
        "difference": difference(item, was.value, now),
        "was": was,
        "now": in_words(item, now),
        "came": in_words(item, came),
    }


def _tried(one: RuleChange, request: HttpRequest) -> dict[str, Any] | None:
    """What the dry run found, with the first messages that its reader may see."""
    found = one.dry_run
    if found is None:
        return None
    listed = {line["message"]: line for line in found["first"]}
    mine = Message.objects.filter(pk__in=listed, lead__in=leads_visible_to(request.user))
    rows = {str(each.pk): each for each in mine.select_related("lead__person")}
    return {
        "messages": found.get("messages", 0),
        "parts": [(found[key], said) for key, said in WHAT.items() if found.get(key)],
        "moved": sum(found.get(key, 0) for key in WHAT),
        "rows": [_row(rows[key], line) for key, line in listed.items() if key in rows],
    }


def _row(message: Message, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "message": message,
        "said": WHAT[line["what"]],
        "now": datetime.fromisoformat(line["now"]) if line["now"] else None,
        "then": datetime.fromisoformat(line["then"]) if line["then"] else None,
    }
