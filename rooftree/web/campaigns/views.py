"""Campaigns: messages to many people, with preview, approval, first messages and stop."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.us_states import STATES
from rooftree.flow import release_runner
from rooftree.leads.models import Source
from rooftree.org import sending_pause
from rooftree.org.models import User
from rooftree.outreach.models import Message
from rooftree.outreach.releases import (
    release_control,
    release_drafts,
    release_dry_run,
    release_limits,
    release_progress,
)
from rooftree.outreach.releases.audience import STAGES
from rooftree.outreach.releases.models import Release
from rooftree.outreach.wording.occasions import (
    LOAN_KIND_NAMES,
    MEDIUM_NAMES,
    get_occasion,
)
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.campaigns.campaign_form import CampaignForm
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LISTED = 50  # ended campaigns
MAX_MESSAGES = 200  # messages listed as already sent to the carrier
KIND_LABELS = {
    "written": "Created by staff",
    "rates": "Rate alerts",
    "greetings": "First responses",
    "steps": "Sequence step",
}
STATE_LABELS = {  # by state: icon, tone, label
    "draft": ("edit", "", "Draft"),
    "waiting": ("user", "soon", "Waiting for approval"),
    "canary": ("play", "accent", "Sending first messages"),
    "looking": ("eye", "soon", "Results check needed"),
    "going": ("play", "accent", "Sending"),
    "done": ("check", "ok", "Done"),
    "stopped": ("ban", "late", "Stopped"),
}
DISCARDED_LABEL = ("x", "", "Discarded")  # of a draft that was never sent
STOP_REASONS = {  # by exceeded limit, to follow "Too many"
    "failed": "failures",
    "unknown": "unknown statuses",
    "stops": "opt-outs",
    "complaints": "complaints",
}
MESSAGE_STATES = {  # by message state, in the order listed: icon, tone, label
    "delivered": ("check", "ok", "Delivered"),
    "sent": ("arrow", "", "Sent"),
    "claimed": ("arrow", "", "Sending"),
    "uncertain": ("warn", "soon", "Checking"),
    "failed": ("x", "late", "Failed"),
    "waiting": ("clock", "", "Queued"),
    "held": ("moon", "hold", "On hold"),
    "review": ("user", "soon", "Needs review"),
    "blocked": ("ban", "late", "Blocked"),
    "cancelled": ("undo", "", "Canceled"),
    "shadow": ("moon", "", "Not sent: shadow mode"),
}


@staff_view("GET")
def list_campaigns(request: StaffRequest) -> HttpResponse:
    """List open and ended campaigns, with the limits and the emergency stop."""
    require_permission(request.user, "see_releases")
    pause = sending_pause.current_pause()
    rows = Release.objects.select_related("made_by", "approved_by")
    unfinished = rows.filter(state__in=release_control.OPEN_STATES).order_by("-made_at")
    ended = rows.exclude(state__in=release_control.OPEN_STATES).order_by("-made_at")[:MAX_LISTED]
    context = {
        "has_context": True,
        "open": [_campaign_line(release) for release in unfinished],
        "ended": [_campaign_line(release) for release in ended],
        "may_make": has_permission(request.user, "make_release"),
        "may_stop_all": has_permission(request.user, "stop_sending"),
        "pause": pause,
        "limits": _limit_lines(request.at),
        "may_see_rules": has_permission(request.user, "see_compliance"),
    }
    if pause:
        messages = release_progress.messages_beyond_recall_at_pause(pause)
        context |= _beyond_recall_context(messages, request.user)
    return render(request, "campaigns/index.html", context)


@staff_view("GET", "POST")
def create_campaign(request: StaffRequest) -> HttpResponse:
    """Show the form for a new campaign; a POST creates a draft and starts its dry run."""
    require_permission(request.user, "make_release")
    shown = {**request.GET.dict(), "stages": request.GET.getlist("stages") or [*STAGES]}
    form = CampaignForm(request.POST or None, by=request.user, at=request.at, initial=shown)
    if request.method == "POST" and form.is_valid():
        key, medium = form.cleaned_data["wording"].split("/")
        try:
            release = release_runner.create_release(
                title=form.cleaned_data["title"], audience=form.audience, key=key, medium=medium,
                by=request.user, at=request.at,
            )  # fmt: skip
        except release_control.CannotChangeRelease as problem:
            form.show_refusal("", str(problem))
        else:
            return respond_redirect(
                request, "Preview is running. Nothing is sent", to=_campaign_url(release.pk)
            )
    context = {"form": form, "is_empty": not form.has_templates}
    return render(request, "campaigns/new.html", context, status=422 if form.errors else 200)


@staff_view("GET")
def show_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Show one campaign: its audience, preview, progress and actions."""
    require_permission(request.user, "see_releases")
    context = _campaign_context(_get_campaign(release_id), request)
    return render(request, "campaigns/show.html", context)


@staff_view("POST")
def request_campaign_approval(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Request approval of the user's draft; a small campaign starts at once."""

    def request_approval(release: Release) -> str:
        if not release.findings:
            raise release_control.CannotChangeRelease("Wait for the preview to finish.")
        if release.made_by_id != request.user.pk:
            raise release_control.CannotChangeRelease("Only the person who created it can send it.")
        sealed = release_drafts.seal_draft(release.pk, by=request.user, at=request.at)
        return "Approval requested" if sealed.state == "waiting" else "Campaign is sending"

    return _change_campaign(request, release_id, "make_release", request_approval)


@staff_view("POST")
def approve_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Approve a campaign as the second person; its first messages go out."""

    def approve(release: Release) -> str:
        release_control.approve_release(release, by=request.user, at=request.at)
        return f"Approved. Sending to the first {release.canary_size} people"

    return _change_campaign(request, release_id, "approve_release", approve)


@staff_view("POST")
def continue_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Send a campaign to everyone else, after its first messages were checked."""

    def send_to_rest(release: Release) -> str:
        release_control.continue_release(release, by=request.user, at=request.at)
        return "Sending to everyone"

    return _change_campaign(request, release_id, "approve_release", send_to_rest)


@staff_view("POST")
def discard_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Discard a draft that was never sent."""

    def discard(release: Release) -> str:
        release_control.discard_draft(release, by=request.user, at=request.at)
        return "Draft discarded. Nothing was sent"

    return _change_campaign(request, release_id, "stop_release", discard)


@staff_view("POST")
def stop_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Stop a campaign and cancel its queued messages."""

    def stop(release: Release) -> str:
        because = request.POST.get("reason", "")
        canceled = release_control.stop_release(
            release, by=request.user, because=because, at=request.at
        )
        return f"Campaign stopped, {count_noun(canceled, 'message')} canceled"

    return _change_campaign(request, release_id, "stop_release", stop)


@staff_view("POST")
def stop_everything(request: StaffRequest) -> HttpResponse:
    """Stop all sending, not only campaigns, until an administrator resumes it."""
    require_permission(request.user, "stop_sending")
    because = " ".join(request.POST.get("because", "").split())[:150]
    reason = f"Stopped by {request.user.name}. {because}".strip()
    sending_pause.begin_pause(reason=reason[:200], backup_at=None, at=request.at)
    return respond_done(request, "All sending is stopped", back_to=reverse("releases"))


def _change_campaign(
    request: StaffRequest, release_id: UUID, permission: str, change: Callable[[Release], str]
) -> HttpResponse:
    """Change a campaign and confirm it; `change` returns the toast."""
    require_permission(request.user, "see_releases")
    release = _get_campaign(release_id)
    require_permission(request.user, permission)
    try:
        words = change(release)
    except release_control.CannotChangeRelease as problem:
        return respond_refused(request, str(problem), back_to=_campaign_url(release.pk))
    return respond_done(request, words, back_to=_campaign_url(release.pk))


def _limit_lines(at: datetime) -> list[tuple[str, str]]:
    """Describe the limits of a campaign that starts now."""
    limits = release_limits.current_limits(at=at)
    return [
        ("Without approval", count_noun(limits.free_size, "person", "people")),
        (
            "First messages",
            f"{count_noun(limits.canary_size, 'person', 'people')}, then a results check",
        ),
        ("Per hour", f"{count_noun(limits.per_hour, 'message')} per campaign"),
        ("Per second", f"{count_noun(settings.RELEASE_PER_SECOND, 'message')} in total"),
    ]


def _campaign_context(release: Release, request: StaffRequest) -> dict[str, Any]:
    user, progress = request.user, release_progress.load_progress(release)
    approvers = release_drafts.list_approvers(release)
    first = release_progress.load_canary_result(release) if release.approved_at else None
    exceeded = first.exceeded_limits if first else []
    is_open, is_draft = release.state in release_control.OPEN_STATES, release.state == "draft"
    return {
        **_campaign_line(release),
        "progress": progress,
        "percent": round(100 * progress.people_queued / progress.people) if progress.people else 0,
        "states": [
            (*labels, progress.states[state])
            for state, labels in MESSAGE_STATES.items()
            if progress.states[state]
        ],
        "reasons": [
            (*MESSAGE_STATES[state], reason, count) for state, reason, count in progress.reasons
        ],
        "first": first,
        "too_many": ", ".join(STOP_REASONS[name] for name in exceeded),
        "max_percent": release_progress.MAX_PERCENT,
        **_beyond_recall_context(release_progress.messages_beyond_recall(release), user),
        "totals": _dry_run_totals(release),
        "audience": _audience_lines(release),
        "is_open": is_open,
        "is_small": progress.people <= release.free_size,
        "is_paused": sending_pause.is_sending_paused(),
        "may_ask": is_draft and release.made_by_id == user.pk and release.findings,
        "may_approve": release.state == "waiting" and user in approvers,
        "may_go_on": release.state == "looking" and has_permission(user, "approve_release"),
        "may_stop": is_open and has_permission(user, "stop_release"),
        "people_left": progress.people - progress.people_queued,
        "others": [approver.name for approver in approvers],
    }


def _beyond_recall_context(messages: QuerySet[Message], user: User) -> dict[str, Any]:
    """Return the messages on leads the user can see, and the count of the others."""
    visible = leads_visible_to(user)
    return {
        "beyond": messages.filter(lead__in=visible)[:MAX_MESSAGES],
        "elsewhere": messages.exclude(lead__in=visible).count(),
    }


def _campaign_line(release: Release) -> dict[str, Any]:
    is_discarded = release.stop_reason == release_control.DISCARDED
    icon, tone, status = DISCARDED_LABEL if is_discarded else STATE_LABELS[release.state]
    return {
        "release": release,
        "is_discarded": is_discarded,
        "kind": KIND_LABELS[release.kind],
        "icon": icon,
        "tone": tone,
        "status": status,
    }


def _dry_run_totals(release: Release) -> dict[str, int]:
    if not release.findings:
        return {}
    decisions = ("allow", "defer", "require", "block")
    return {name: release_dry_run.count_messages(release.findings, name) for name in decisions}


def _audience_lines(release: Release) -> list[tuple[str, str]]:
    """Describe the audience; empty for campaigns that Rooftree created."""
    about = release.about
    audience = about.get("audience")
    if audience is None:
        return []
    source = Source.objects.filter(pk=audience["source"]).first() if audience["source"] else None
    days = audience["silent_days"]
    return [
        (
            "Template",
            f"{get_occasion(about['key']).title}, {MEDIUM_NAMES[about['medium']].lower()}",
        ),
        ("Leads in", ", ".join(STAGES[stage].lower() for stage in audience["stages"])),
        ("Source", source.name if source else "Any source"),
        ("Property state", STATES.get(audience["state"], "Any state")),
        ("Loan type", LOAN_KIND_NAMES[audience["loan"]]),
        ("Last message or call", f"At least {count_noun(days, 'day')} ago" if days else "Any time"),
    ]


def _get_campaign(release_id: UUID) -> Release:
    rows = Release.objects.select_related("made_by", "approved_by", "resumed_by", "stopped_by")
    return get_object_or_404(rows, pk=release_id)


def _campaign_url(release_id: UUID) -> str:
    return reverse("release", args=[release_id])
