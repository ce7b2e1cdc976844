"""Releases: acts that write to many people, with their second person, first few and stop."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.us_states import STATES
from rooftree.flow import release_runner
from rooftree.leads.models import Source
from rooftree.org import sending_pause
from rooftree.org.models import User
from rooftree.outreach.models import Message, Template
from rooftree.outreach.releases import (
    release_control,
    release_drafts,
    release_dry_run,
    release_limits,
    release_progress,
)
from rooftree.outreach.releases.audience import STAGES, Audience
from rooftree.outreach.releases.models import Release
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.occasions import (
    LOAN_KIND_NAMES,
    MEDIUM_NAMES,
    OCCASIONS,
    get_occasion,
)
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkboxes_field,
    choice_field,
    integer_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LISTED = 50  # releases of the list
MAX_MESSAGES = 200  # messages beyond recall that are named
KIND_LABELS = {
    "written": "Written by hand",
    "rates": "Rate alerts",
    "greetings": "First answers",
    "steps": "Sequence step",
}
STATE_LABELS = {  # by state: icon, tone, words
    "draft": ("edit", "", "Draft"),
    "waiting": ("user", "soon", "Waits for a second person"),
    "canary": ("play", "accent", "The first few go"),
    "looking": ("eye", "soon", "Waits for a look"),
    "going": ("play", "accent", "Going"),
    "done": ("check", "ok", "Done"),
    "stopped": ("ban", "late", "Stopped"),
}
STOP_REASONS = {
    "failed": "failures",
    "unknown": "unknown fates",
    "stops": "stops",
    "complaints": "complaints",
}
MESSAGE_STATES = {  # of messages, as a page lists them: icon, tone, words
    "delivered": ("check", "ok", "Delivered"),
    "sent": ("arrow", "", "With the carrier"),
    "claimed": ("arrow", "", "Being handed over"),
    "uncertain": ("warn", "soon", "Perhaps with the carrier"),
    "failed": ("x", "late", "Failed"),
    "waiting": ("clock", "", "In line"),
    "held": ("moon", "hold", "Held"),
    "review": ("user", "soon", "For a person"),
    "blocked": ("ban", "late", "Blocked"),
    "cancelled": ("undo", "", "Taken back"),
}


class CampaignForm(StaffForm):
    """Which wording, to whom."""

    FIELDSETS = (
        ("What", ("title", "wording")),
        ("To whom", ("stages", "source", "state", "loan", "silent_days")),
    )
    title = text_field("Its name", "For yourselves, as “Spring check-in”")
    wording = choice_field("Approved wording", [])
    stages = checkboxes_field("Leads that are", STAGES.items())
    source = choice_field("From", [], required=False)
    state = choice_field("Property in", [("", "Any state"), *STATES.items()], required=False)
    loan = choice_field("Loan", LOAN_KIND_NAMES.items(), required=False)
    silent_days = integer_field(
        "Not written to or called for, days", min_value=0, max_value=3650, required=False
    )

    def __init__(self, *args: Any, at: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].choices = _wording_choices(at)
        sources = Source.objects.filter(is_test=False).order_by("name").values_list("pk", "name")
        self.fields["source"].choices = [("", "Any source"), *((str(k), n) for k, n in sources)]

    @property
    def audience(self) -> Audience:
        said = self.cleaned_data
        return Audience(
            stages=tuple(said["stages"] or STAGES),
            source=said["source"],
            state=said["state"],
            loan=said["loan"],
            silent_days=said["silent_days"] or 0,
        )


@staff_view("GET")
def list_campaigns(request: StaffRequest) -> HttpResponse:
    """What waits for somebody, what runs, and what was."""
    require_permission(request.user, "see_releases")
    stop = sending_pause.current_pause()
    rows = Release.objects.select_related("made_by", "approved_by")
    open_ones = rows.filter(state__in=release_control.OPEN_STATES).order_by("-made_at")
    ended = rows.exclude(state__in=release_control.OPEN_STATES).order_by("-made_at")[:MAX_LISTED]
    context = {
        "has_context": True,
        "open": [_campaign_line(open_one) for open_one in open_ones],
        "ended": [_campaign_line(row) for row in ended],
        "may_make": has_permission(request.user, "make_release"),
        "may_stop_all": has_permission(request.user, "stop_sending"),
        "pause": stop,
        "limits": _limit_lines(request.at),
        "may_see_rules": has_permission(request.user, "see_compliance"),
        **(
            _beyond_recall_context(
                release_progress.messages_beyond_recall_at_pause(stop), request.user
            )
            if stop
            else {}
        ),
    }
    return render(request, "campaigns/index.html", context)


@staff_view("GET", "POST")
def create_campaign(request: StaffRequest) -> HttpResponse:
    """Choose a wording and its readers; nothing is sent, the dry run begins."""
    require_permission(request.user, "make_release")
    form = CampaignForm(request.POST or None, at=request.at, initial={"stages": [*STAGES]})
    if request.method == "POST" and form.is_valid():
        key, medium = form.cleaned_data["wording"].split("/")
        try:
            made = release_runner.create_release(
                title=form.cleaned_data["title"], audience=form.audience, key=key, medium=medium,
                by=request.user, at=request.at,
            )  # fmt: skip
        except release_control.CannotChangeRelease as problem:
            form.show_refusal("", str(problem))
        else:
            return respond_redirect(
                request, "The dry run is under way; nothing is sent", to=_campaign_url(made.pk)
            )
    context = {"form": form, "is_empty": not form.fields["wording"].choices}
    return render(request, "campaigns/new.html", context, status=422 if form.errors else 200)


@staff_view("GET")
def show_campaign(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """One release: its people and words, how far it is, and the button that stops it."""
    require_permission(request.user, "see_releases")
    one = _get_campaign(release_id)
    return render(request, "campaigns/show.html", _campaign_context(one, request))


@staff_view("POST")
def apply_campaign_action(request: StaffRequest, release_id: UUID, what: str) -> HttpResponse:
    """Ask for a second person, approve, refuse, go on, or stop."""
    require_permission(request.user, "see_releases")
    if what not in ACTIONS:
        raise Http404
    one = _get_campaign(release_id)
    verb, carry_out = ACTIONS[what]
    require_permission(request.user, verb)
    try:
        said = carry_out(request, one)
    except release_control.CannotChangeRelease as problem:
        return respond_refused(request, str(problem), back_to=_campaign_url(one.pk))
    return respond_done(request, said, back_to=_campaign_url(one.pk))


@staff_view("POST")
def stop_everything(request: StaffRequest) -> HttpResponse:
    """Nothing leaves any more, of releases and of all else, until an administrator says so."""
    require_permission(request.user, "stop_sending")
    because = " ".join(request.POST.get("because", "").split())[:150]
    words = f"{request.user.name} stopped it. {because}".strip()
    sending_pause.begin_pause(reason=words[:200], backup_at=None, at=request.at)
    return respond_done(request, "Nothing leaves any more", back_to=reverse("releases"))


def _request_approval(request: StaffRequest, one: Release) -> str:
    if not one.findings:
        raise release_control.CannotChangeRelease("Its dry run is not done yet.")
    if one.made_by_id != request.user.pk:
        raise release_control.CannotChangeRelease("Only its maker asks for it.")
    sealed = release_drafts.seal_draft(one.pk, by=request.user, at=request.at)
    if sealed.state == "waiting":
        return "A second person is asked"
    return "It goes"


def _approve_campaign(request: StaffRequest, one: Release) -> str:
    release_control.approve_release(one, by=request.user, at=request.at)
    return f"The first {one.canary_size} go"


def _continue_campaign(request: StaffRequest, one: Release) -> str:
    release_control.continue_release(one, by=request.user, at=request.at)
    return "It goes on to everybody"


def _stop_campaign(request: StaffRequest, one: Release) -> str:
    because = request.POST.get("reason", "")
    taken = release_control.stop_release(one, by=request.user, because=because, at=request.at)
    return f"Stopped; {count_noun(taken, 'message')} taken back"


ACTIONS: dict[str, tuple[str, Callable[[StaffRequest, Release], str]]] = {
    "request": ("make_release", _request_approval),
    "approval": ("approve_release", _approve_campaign),
    "going-on": ("approve_release", _continue_campaign),
    "stop": ("stop_release", _stop_campaign),
}


def _limit_lines(at: datetime) -> list[tuple[str, str]]:
    """How far a release that begins now may go, in words."""
    now = release_limits.current_limits(at=at)
    return [
        ("Without a second person", count_noun(now.free_size, "person", "people")),
        (
            "The first few",
            f"{count_noun(now.canary_size, 'person', 'people')}, then somebody looks",
        ),
        ("In an hour", f"{count_noun(now.per_hour, 'message')} of one release"),
        ("In a second", f"{count_noun(settings.RELEASE_PER_SECOND, 'message')} of all"),
    ]


def _campaign_context(one: Release, request: StaffRequest) -> dict[str, Any]:
    user, found = request.user, release_progress.load_progress(one)
    approvers = release_drafts.list_approvers(one)
    first = release_progress.load_canary_result(one) if one.approved_at else None
    is_open = one.state in release_control.OPEN_STATES
    return {
        **_campaign_line(one),
        "progress": found,
        "percent": round(100 * found.people_queued / found.people) if found.people else 0,
        "states": _message_state_lines(found),
        "reasons": [(*MESSAGE_STATES[state], said, many) for state, said, many in found.reasons],
        "first": first,
        "too_many": ", ".join(STOP_REASONS[name] for name in first.exceeded_limits)
        if first
        else "",
        "worst": release_progress.MAX_PERCENT,
        **_beyond_recall_context(release_progress.messages_beyond_recall(one), user),
        "totals": _dry_run_totals(one),
        "audience": _audience_lines(one),
        "is_open": is_open,
        "is_small": found.people <= one.free_size,
        "is_paused": sending_pause.is_sending_paused(),
        "may_ask": one.state == "draft" and one.made_by_id == user.pk and one.findings,
        "may_approve": one.state == "waiting" and user in approvers,
        "may_go_on": one.state == "looking" and has_permission(user, "approve_release"),
        "may_stop": is_open and has_permission(user, "stop_release"),
        "others": [other.name for other in approvers],
    }


def _beyond_recall_context(found: QuerySet[Message], user: User) -> dict[str, Any]:
    """What is beyond recall: by name where the reader may know of the lead, else how many."""
    seen = leads_visible_to(user)
    return {
        "beyond": found.filter(lead__in=seen)[:MAX_MESSAGES],
        "elsewhere": found.exclude(lead__in=seen).count(),
    }


def _campaign_line(one: Release) -> dict[str, Any]:
    icon, tone, said = STATE_LABELS[one.state]
    return {"release": one, "kind": KIND_LABELS[one.kind], "icon": icon, "tone": tone, "said": said}


def _message_state_lines(
    found: release_progress.ReleaseProgress,
) -> list[tuple[str, str, str, int]]:
    return [
        (*words, found.states[key]) for key, words in MESSAGE_STATES.items() if found.states[key]
    ]


def _dry_run_totals(one: Release) -> dict[str, int]:
    if not one.findings:
        return {}
    answers = ("allow", "defer", "require", "block")
    return {name: release_dry_run.count_messages(one.findings, name) for name in answers}


def _audience_lines(one: Release) -> list[tuple[str, str]]:
    """Whom it is for, in words."""
    said = one.about.get("audience")
    if said is None:
        return []
    source = Source.objects.filter(pk=said["source"]).first() if said["source"] else None
    days = said["silent_days"]
    return [
        (
            "Wording",
            f"{get_occasion(one.about['key']).title}, {MEDIUM_NAMES[one.about['medium']].lower()}",
        ),
        ("Leads that are", ", ".join(STAGES[stage].lower() for stage in said["stages"])),
        ("From", source.name if source else "any source"),
        ("Property in", STATES.get(said["state"], "any state")),
        ("Loan", LOAN_KIND_NAMES[said["loan"]].lower()),
        ("Silence", f"{count_noun(days, 'day')} without a word of ours" if days else "any"),
    ]


def _wording_choices(at: Any) -> list[tuple[str, str]]:
    """What may be sent to many by hand: approved wording that no event of the program sends."""
    keys = Template.objects.values_list("key", flat=True).distinct()
    steps = [key for key in keys if key not in OCCASIONS or OCCASIONS[key].is_step]
    live = message_templates.live_templates(set(steps), at=at)
    places = {
        (live_template.key, live_template.medium)
        for live_template in live
        if live_template.language == "en"
    }
    return [
        (f"{key}/{medium}", f"{get_occasion(key).title}, {MEDIUM_NAMES[medium].lower()}")
        for key, medium in sorted(places)
    ]


def _get_campaign(release_id: UUID) -> Release:
    rows = Release.objects.select_related("made_by", "approved_by", "went_on_by", "stopped_by")
    return get_object_or_404(rows, pk=release_id)


def _campaign_url(release_id: UUID) -> str:
    return reverse("release", args=[release_id])
