"""Compliance > Rules: propose a change, preview it, approve or reject it, or end it."""

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
from rooftree.routing.permissions import has_company_permission, leads_visible_to
from rooftree.web.compliance.rule_change_forms import (
    RuleChangeEndForm,
    RuleChangeForm,
    build_grounds,
)
from rooftree.web.compliance.rule_views import RELATED_FIELDS, change_badge
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_company_permission,
    require_permission,
    staff_view,
)

EFFECT_LABELS = {  # by what a dry run found for a message
    "later": "would go later",
    "earlier": "would go earlier",
    "stopped": "would not be sent",
    "asked": "would need review",
    "let_go": "would be sent instead of stopped",
}
AWAITING_APPROVAL_MESSAGE = "Change proposed. Someone else must approve it"


@staff_view("GET", "POST")
def propose_change(request: StaffRequest, place: str, item: str) -> HttpResponse:
    """Propose another value for one rule."""
    require_company_permission(request.user, "change_rules")
    rule_item = rule_items.place_items(place).get(item)
    if rule_item is None:
        raise Http404
    today, is_sent = company_day(request.at), request.method == "POST"
    now = effective_values.effective_value(
        place, item, today, approved_changes.load_approved_changes()
    )
    form = RuleChangeForm(
        request.POST if is_sent else None, item=rule_item, now=now.value,
        initial={"from_date": today + timedelta(days=1)},
    )  # fmt: skip

    def propose(typed: dict[str, Any]) -> RuleChange:
        return rule_change_process.propose_change(
            place=place, item=item, by=request.user, at=request.at, **typed
        )

    if is_sent and form.submit(propose):
        return respond_done(
            request,
            AWAITING_APPROVAL_MESSAGE,
            back_to=reverse("rule_change", args=[form.result.pk]),
        )
    default = rule_items.shipped_value(place, item, today)
    context = {
        "form": form, "place": place, "name": place_name(place), "now": now,
        "default_value": format_value(rule_item, default),
    }  # fmt: skip
    return render(request, "compliance/rules/form.html", context, status=422 if is_sent else 200)


@staff_view("GET", "POST")
def propose_end(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Propose the end of an approved change."""
    require_company_permission(request.user, "change_rules")
    change = get_object_or_404(RuleChange, pk=change_id)
    tomorrow, is_sent = company_day(request.at) + timedelta(days=1), request.method == "POST"
    initial = {"from_date": max(tomorrow, change.from_date)}
    about = _change_context(change)
    form = RuleChangeEndForm(request.POST if is_sent else None, item=about["item"], initial=initial)

    def propose(typed: dict[str, Any]) -> RuleChange:
        return rule_change_process.propose_withdrawal(
            change=change, grounds=build_grounds(typed), by=request.user, at=request.at
        )

    if is_sent and form.submit(propose):
        return respond_done(
            request,
            AWAITING_APPROVAL_MESSAGE,
            back_to=reverse("rule_change", args=[form.result.pk]),
        )
    context = {"form": form, "change": change, "name": place_name(change.place), "about": about}
    return render(request, "compliance/rules/end.html", context, status=422 if is_sent else 200)


@staff_view("GET")
def show_change(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Show one change: its effect, its preview, its author and its approver."""
    require_permission(request.user, "see_compliance")
    change = get_object_or_404(RuleChange.objects.select_related(*RELATED_FIELDS), pk=change_id)
    end = change.withdrawals.filter(approved_at__isnull=False).first()
    may_change = has_company_permission(request.user, "change_rules")
    context = {
        "change": change,
        "about": _change_context(change),
        "state": change_badge(change),
        "end": end,
        "is_mine": change.written_by_id == request.user.pk,
        "may_change": may_change,
        "may_end": may_change and change.approved_at and not change.withdraws_id and not end,
        "others": [
            approver.name
            for approver in change_approval.approvers()
            if approver.pk != change.written_by_id
        ],
        "dry_run": _dry_run_context(change, request),
    }
    return render(request, "compliance/rules/show.html", context)


@staff_view("POST")
def approve_change(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Approve a change as the second person."""

    def approve(change: RuleChange) -> str:
        if change.dry_run is None:
            raise change_approval.BadChange("", "Wait for the preview to finish, then approve.")
        if change.is_looser and request.POST.get("read") != "on":
            raise change_approval.BadChange("", "Read counsel’s document and check the box.")
        rule_change_process.approve_change(change_id=change.pk, by=request.user, at=request.at)
        day = change.from_date
        return f"Approved. In force from {day:%b} {day.day}, {day.year}"

    return _decide_change(request, change_id, approve)


@staff_view("POST")
def drop_change(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Reject a change, or withdraw the user's own."""

    def drop(change: RuleChange) -> str:
        reason = request.POST.get("reason", "")
        change_approval.drop_change(
            change_id=change.pk, reason=reason, by=request.user, at=request.at
        )
        return "Withdrawn" if change.written_by_id == request.user.pk else "Rejected"

    return _decide_change(request, change_id, drop)


@staff_view("POST")
def repeat_dry_run(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Run the preview of a change again."""

    def repeat(change: RuleChange) -> str:
        rule_change_process.repeat_dry_run(change)
        return "Preview is running again"

    return _decide_change(request, change_id, repeat)


def _decide_change(
    request: StaffRequest, change_id: UUID, act: Callable[[RuleChange], str]
) -> HttpResponse:
    """Act on a change and confirm it; `act` returns the toast."""
    require_company_permission(request.user, "change_rules")
    change = get_object_or_404(RuleChange, pk=change_id)
    back = reverse("rule_change", args=[change.pk])
    try:
        words = act(change)
    except change_approval.BadChange as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, words, back_to=back)


def _change_context(change: RuleChange) -> dict[str, Any]:
    """Describe the values before and after a change, and the default."""
    item = rule_items.place_items(change.place)[change.item]
    earlier = tuple(
        other for other in approved_changes.load_approved_changes() if other.number < change.number
    )
    was = effective_values.effective_value(change.place, change.item, change.from_date, earlier)
    if change.withdraws_id:
        grounds = change_approval.change_grounds(change)
        changes = change_approval.changes_with_draft(earlier, change, grounds)
        now = effective_values.effective_value(
            change.place, change.item, change.from_date, changes
        ).value
    else:
        now = json.loads(change.value)
    default = rule_items.shipped_value(change.place, change.item, change.from_date)
    return {
        "item": item,
        "place": place_name(change.place),
        "difference": describe_difference(item, was.value, now),
        "was": was,
        "now": format_value(item, now),
        "default_value": format_value(item, default),
    }


def _dry_run_context(change: RuleChange, request: StaffRequest) -> dict[str, Any] | None:
    """Return the dry run's counts and the first messages visible to this user; None before it."""
    dry_run = change.dry_run
    if dry_run is None:
        return None
    lines = {line["message"]: line for line in dry_run["first"]}
    visible = Message.objects.filter(pk__in=lines, lead__in=leads_visible_to(request.user))
    messages = {str(message.pk): message for message in visible.select_related("lead__person")}
    return {
        "messages": dry_run.get("messages", 0),
        "parts": [
            (dry_run[key], label) for key, label in EFFECT_LABELS.items() if dry_run.get(key)
        ],
        "affected": sum(dry_run.get(key, 0) for key in EFFECT_LABELS),
        "rows": [
            _message_row(messages[key], line) for key, line in lines.items() if key in messages
        ],
    }


def _message_row(message: Message, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "message": message,
        "effect": EFFECT_LABELS[line["what"]],
        "now": datetime.fromisoformat(line["now"]) if line["now"] else None,
        "then": datetime.fromisoformat(line["then"]) if line["then"] else None,
    }
