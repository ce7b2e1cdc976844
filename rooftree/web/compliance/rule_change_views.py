"""Changing a rule: written down, looked at with its dry run, approved, dropped or withdrawn."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.rule_changes import (
    approved_changes,
    change_approval,
    effective_values,
    rule_items,
)
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.compliance.rule_changes.value_wording import (
    describe_difference,
    format_value,
    place_name,
)
from rooftree.flow import rule_change_process
from rooftree.money.company_day import company_day
from rooftree.outreach.models import Message
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.compliance.rule_change_forms import (
    RuleChangeEndForm,
    RuleChangeForm,
    build_grounds,
)
from rooftree.web.compliance.rule_views import RELATED_FIELDS, change_badge
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    has_company_permission,
    require_company_permission,
    require_permission,
    staff_view,
)

EFFECT_LABELS = {  # of a message in a dry run
    "later": "would go later",
    "earlier": "would go earlier",
    "stopped": "would not go",
    "asked": "would wait for a person",
    "let_go": "would go, and would not go now",
}
AWAITING_APPROVAL_MESSAGE = "Written down; it counts once somebody else approves it"


@staff_view("GET", "POST")
def propose_change(request: StaffRequest, place: str, item: str) -> HttpResponse:
    """Write down another value of one rule."""
    require_company_permission(request.user, "change_rules")
    about = rule_items.place_items(place).get(item)
    if about is None:
        raise Http404
    today, is_sent = company_day(request.at), request.method == "POST"
    now = effective_values.effective_value(
        place, item, today, approved_changes.load_approved_changes()
    )
    form = RuleChangeForm(
        request.POST if is_sent else None, item=about, now=now.value,
        initial={"from_date": today + timedelta(days=1)},
    )  # fmt: skip

    def write(typed: dict[str, Any]) -> RuleChange:
        return rule_change_process.propose_change(
            place=place, item=item, by=request.user, at=request.at, **typed
        )

    if is_sent and form.submit(write):
        return respond_done(
            request, AWAITING_APPROVAL_MESSAGE, back_to=reverse("rule_change", args=[form.result.pk])
        )
    came = rule_items.shipped_value(place, item, today)
    context = {
        "form": form, "place": place, "name": place_name(place), "now": now,
        "came": format_value(about, came),
    }  # fmt: skip
    return render(request, "compliance/rules/form.html", context, status=422 if is_sent else 200)


@staff_view("GET", "POST")
def propose_end(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Write down that a change ends on a day."""
    require_company_permission(request.user, "change_rules")
    one = get_object_or_404(RuleChange, pk=change_id)
    tomorrow, is_sent = company_day(request.at) + timedelta(days=1), request.method == "POST"
    begun = {"from_date": max(tomorrow, one.from_date)}
    about = _change_context(one)
    form = RuleChangeEndForm(request.POST if is_sent else None, item=about["item"], initial=begun)

    def write(typed: dict[str, Any]) -> RuleChange:
        grounds = build_grounds(typed)
        return rule_change_process.propose_withdrawal(
            change=one, grounds=grounds, by=request.user, at=request.at
        )

    if is_sent and form.submit(write):
        return respond_done(
            request, AWAITING_APPROVAL_MESSAGE, back_to=reverse("rule_change", args=[form.result.pk])
        )
    context = {"form": form, "one": one, "name": place_name(one.place), "about": about}
    return render(request, "compliance/rules/end.html", context, status=422 if is_sent else 200)


@staff_view("GET")
def show_change(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """One change: what it changes, what it would move, who wrote and who approved it."""
    require_permission(request.user, "see_compliance")
    one = get_object_or_404(RuleChange.objects.select_related(*RELATED_FIELDS), pk=change_id)
    ends = one.withdrawals.filter(approved_at__isnull=False).first()
    may_change = has_company_permission(request.user, "change_rules")
    context = {
        "one": one,
        "about": _change_context(one),
        "state": change_badge(one),
        "ends": ends,
        "is_mine": one.written_by_id == request.user.pk,
        "may_change": may_change,
        "may_end": may_change and one.approved_at and not one.withdraws_id and not ends,
        "others": [
            each.name for each in change_approval.approvers() if each.pk != one.written_by_id
        ],
        "tried": _dry_run_context(one, request),
    }
    return render(request, "compliance/rules/show.html", context)


@staff_view("POST")
def apply_change_action(request: StaffRequest, change_id: UUID, what: str) -> HttpResponse:
    """Approve it, drop it, or try it again."""
    require_company_permission(request.user, "change_rules")
    one = get_object_or_404(RuleChange, pk=change_id)
    if what not in ACTIONS:
        raise Http404
    back = reverse("rule_change", args=[one.pk])
    try:
        said = ACTIONS[what](request, one)
    except change_approval.BadChange as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, said, back_to=back)


def _approve_change(request: StaffRequest, one: RuleChange) -> str:
    if one.dry_run is None:
        raise change_approval.BadChange("", "Wait until you see what it would move.")
    if one.is_looser and request.POST.get("read") != "on":
        raise change_approval.BadChange("", "Read counsel’s document first, and say so.")
    rule_change_process.approve_change(change_id=one.pk, by=request.user, at=request.at)
    return f"Approved; it counts from {one.from_date:%b} {one.from_date.day}, {one.from_date.year}"


def _drop_change(request: StaffRequest, one: RuleChange) -> str:
    reason = request.POST.get("reason", "")
    change_approval.drop_change(change_id=one.pk, reason=reason, by=request.user, at=request.at)
    return "It is not approved, and never will be"


def _rerun_dry_run(request: StaffRequest, one: RuleChange) -> str:
    rule_change_process.repeat_dry_run(one)
    return "The messages in line are being asked about again"


ACTIONS: dict[str, Callable[[StaffRequest, RuleChange], str]] = {
    "approval": _approve_change,
    "drop": _drop_change,
    "trial": _rerun_dry_run,
}


def _change_context(one: RuleChange) -> dict[str, Any]:
    """What it changes, in words: from what held before it to what it says."""
    item = rule_items.place_items(one.place)[one.item]
    before = tuple(
        each for each in approved_changes.load_approved_changes() if each.number < one.number
    )
    was = effective_values.effective_value(one.place, one.item, one.from_date, before)
    if one.withdraws_id:
        after = change_approval.changes_with_draft(before, one, change_approval.change_grounds(one))
        now = effective_values.effective_value(one.place, one.item, one.from_date, after).value
    else:
        now = json.loads(one.value)
    came = rule_items.shipped_value(one.place, one.item, one.from_date)
    return {
        "item": item,
        "place": place_name(one.place),
        "difference": describe_difference(item, was.value, now),
        "was": was,
        "now": format_value(item, now),
        "came": format_value(item, came),
    }


def _dry_run_context(one: RuleChange, request: StaffRequest) -> dict[str, Any] | None:
    """What the dry run found, with the first messages that its reader may see."""
    found = one.dry_run
    if found is None:
        return None
    listed = {line["message"]: line for line in found["first"]}
    mine = Message.objects.filter(pk__in=listed, lead__in=leads_visible_to(request.user))
    rows = {str(each.pk): each for each in mine.select_related("lead__person")}
    return {
        "messages": found.get("messages", 0),
        "parts": [(found[key], said) for key, said in EFFECT_LABELS.items() if found.get(key)],
        "moved": sum(found.get(key, 0) for key in EFFECT_LABELS),
        "rows": [_message_row(rows[key], line) for key, line in listed.items() if key in rows],
    }


def _message_row(message: Message, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "message": message,
        "said": EFFECT_LABELS[line["what"]],
        "now": datetime.fromisoformat(line["now"]) if line["now"] else None,
        "then": datetime.fromisoformat(line["then"]) if line["then"] else None,
    }
