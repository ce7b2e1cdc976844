"""Releases: acts that write to many people, with their second person, first few and stop."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.states import STATES
from rooftree.flow import releases
from rooftree.leads.models import Source
from rooftree.org import pause
from rooftree.org.models import User
from rooftree.outreach import wording
from rooftree.outreach.models import Message, Template
from rooftree.outreach.purposes import LOANS, MEDIA, OCCASIONS, occasion
from rooftree.outreach.releases import acts, dry_run, gather, limits, progress
from rooftree.outreach.releases.audience import STAGES, Audience
from rooftree.outreach.releases.models import Release
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import done, moved, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, choice, number, several, text
from rooftree.web.words import plural

SHOWN = 50  # releases of the list
LISTED = 200  # messages beyond recall that are named
KINDS = {
    "written": "Written by hand",
    "rates": "Rate alerts",
    "greetings": "First answers",
    "steps": "A step of a sequence",
}
SAID = {  # by state: icon, tone, words
    "draft": ("edit", "", "Draft"),
    "waiting": ("user", "soon", "Waits for a second person"),
    "canary": ("play", "accent", "The first few go"),
    "looking": ("eye", "soon", "Waits for a look"),
    "going": ("play", "accent", "Going"),
    "done": ("check", "ok", "Done"),
    "stopped": ("ban", "late", "Stopped"),
}
TOO_MANY = {
    "failed": "failures",
    "unknown": "unknown fates",
    "stops": "stops",
    "complaints": "complaints",
}
STATE_WORDS = {  # of messages, as a page lists them: icon, tone, words
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


class ReleaseForm(StaffForm):
    """Which wording, to whom."""

    PARTS = (
        ("What", ("title", "wording")),
        ("To whom", ("stages", "source", "state", "loan", "silent_days")),
    )
    title = text("Its name", "For yourselves, as “Spring check-in”")
    wording = choice("Approved wording", [])
    stages = several("Leads that are", STAGES.items())
    source = choice("From", [], required=False)
    state = choice("Property in", [("", "Any state"), *STATES.items()], required=False)
    loan = choice("Loan", LOANS.items(), required=False)
    silent_days = number("Not written to or called for, days", least=0, most=3650, required=False)

    def __init__(self, *args: Any, at: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].choices = _wordings(at)
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


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """What waits for somebody, what runs, and what was."""
    must(request.user, "see_releases")
    stop = pause.current()
    rows = Release.objects.select_related("made_by", "approved_by")
    open_ones = rows.filter(state__in=acts.OPEN).order_by("-made_at")
    ended = rows.exclude(state__in=acts.OPEN).order_by("-made_at")[:SHOWN]
    context = {
        "has_context": True,
        "open": [_line(one) for one in open_ones],
        "ended": [_line(one) for one in ended],
        "may_make": may(request.user, "make_release"),
        "may_stop_all": may(request.user, "stop_sending"),
        "pause": stop,
        "limits": _limits(request.at),
        "may_see_rules": may(request.user, "see_compliance"),
        **(_beyond(progress.beyond_recall_of(stop), request.user) if stop else {}),
    }
    return render(request, "releases/index.html", context)


@staff("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """Choose a wording and its readers; nothing is sent, the dry run begins."""
    must(request.user, "make_release")
    form = ReleaseForm(request.POST or None, at=request.at, initial={"stages": [*STAGES]})
    if request.method == "POST" and form.is_valid():
        key, medium = form.cleaned_data["wording"].split("/")
        try:
            made = releases.make(
                title=form.cleaned_data["title"], audience=form.audience, key=key, medium=medium,
                by=request.user, at=request.at,
            )  # fmt: skip
        except acts.CannotAct as problem:
            form.refuse("", str(problem))
        else:
            return moved(request, "The dry run is under way; nothing is sent", to=_home(made.pk))
    context = {"form": form, "is_empty": not form.fields["wording"].choices}
    return render(request, "releases/new.html", context, status=422 if form.errors else 200)


@staff("GET")
def show(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """One release: its people and words, how far it is, and the button that stops it."""
    must(request.user, "see_releases")
    one = _release(release_id)
    return render(request, "releases/show.html", _context(one, request))


@staff("POST")
def act(request: HttpRequest, release_id: UUID, what: str) -> HttpResponse:
    """Ask for a second person, approve, refuse, go on, or stop."""
    must(request.user, "see_releases")
    if what not in ACTS:
        raise Http404
    one = _release(release_id)
    verb, carry_out = ACTS[what]
    must(request.user, verb)
    try:
        said = carry_out(request, one)
    except acts.CannotAct as problem:
        return refused(request, str(problem), back_to=_home(one.pk))
    return done(request, said, back_to=_home(one.pk))


@staff("POST")
def stop_everything(request: HttpRequest) -> HttpResponse:
    """Nothing leaves any more, of releases and of all else, until an administrator says so."""
    must(request.user, "stop_sending")
    because = " ".join(request.POST.get("because", "").split())[:150]
    words = f"{request.user.name} stopped it. {because}".strip()
    pause.begin(because=words[:200], backup_at=None, at=request.at)
    return done(request, "Nothing leaves any more", back_to=reverse("releases"))


def _ask(request: HttpRequest, one: Release) -> str:
    if not one.findings:
        raise acts.CannotAct("Its dry run is not done yet.")
    if one.made_by_id != request.user.pk:
        raise acts.CannotAct("Only its maker asks for it.")
    sealed = gather.seal(one.pk, by=request.user, at=request.at)
    if sealed.state == "waiting":
        return "A second person is asked"
    return "It goes"


def _approval(request: HttpRequest, one: Release) -> str:
    acts.approve(one, by=request.user, at=request.at)
    return f"The first {one.canary_size} go"


def _going_on(request: HttpRequest, one: Release) -> str:
    acts.go_on(one, by=request.user, at=request.at)
    return "It goes on to everybody"


def _stop(request: HttpRequest, one: Release) -> str:
    because = request.POST.get("reason", "")
    taken = acts.stop(one, by=request.user, because=because, at=request.at)
    return f"Stopped; {plural(taken, 'message')} taken back"


ACTS: dict[str, tuple[str, Callable[[HttpRequest, Release], str]]] = {
    "request": ("make_release", _ask),
    "approval": ("approve_release", _approval),
    "going-on": ("approve_release", _going_on),
    "stop": ("stop_release", _stop),
}


def _limits(at: datetime) -> list[tuple[str, str]]:
    """How far a release that begins now may go, in words."""
    now = limits.in_force(at=at)
    return [
        ("Without a second person", plural(now.free_size, "person", "people")),
        ("The first few", f"{plural(now.canary_size, 'person', 'people')}, then somebody looks"),
        ("In an hour", f"{plural(now.per_hour, 'message')} of one release"),
        ("In a second", f"{plural(settings.RELEASE_PER_SECOND, 'message')} of all"),
    ]


def _context(one: Release, request: HttpRequest) -> dict[str, Any]:
    user, found = request.user, progress.of(one)
    approvers = gather.approvers(one)
    first = progress.first_few(one) if one.approved_at else None
    is_open = one.state in acts.OPEN
    return {
        **_line(one),
        "progress": found,
        "percent": round(100 * found.lined_up / found.people) if found.people else 0,
        "states": _states(found),
        "reasons": [(*STATE_WORDS[state], said, many) for state, said, many in found.reasons],
        "first": first,
        "too_many": ", ".join(TOO_MANY[name] for name in first.too_many) if first else "",
        "worst": progress.WORST,
        **_beyond(progress.beyond_recall(one), user),
        "totals": _totals(one),
        "audience": _audience(one),
        "is_open": is_open,
        "is_small": found.people <= one.free_size,
        "is_paused": pause.is_on(),
        "may_ask": one.state == "draft" and one.made_by_id == user.pk and one.findings,
        "may_approve": one.state == "waiting" and user in approvers,
        "may_go_on": one.state == "looking" and may(user, "approve_release"),
        "may_stop": is_open and may(user, "stop_release"),
        "others": [other.name for other in approvers],
    }


def _beyond(found: QuerySet[Message], user: User) -> dict[str, Any]:
    """What is beyond recall: by name where the reader may know of the lead, else how many."""
    seen = leads_visible_to(user)
    return {
        "beyond": found.filter(lead__in=seen)[:LISTED],
        "elsewhere": found.exclude(lead__in=seen).count(),
    }


def _line(one: Release) -> dict[str, Any]:
    icon, tone, said = SAID[one.state]
    return {"release": one, "kind": KINDS[one.kind], "icon": icon, "tone": tone, "said": said}


def _states(found: progress.Progress) -> list[tuple[str, str, str, int]]:
    return [(*words, found.states[key]) for key, words in STATE_WORDS.items() if found.states[key]]


def _totals(one: Release) -> dict[str, int]:
    if not one.findings:
        return {}
    answers = ("allow", "defer", "require", "block")
    return {name: dry_run.total(one.findings, name) for name in answers}


def _audience(one: Release) -> list[tuple[str, str]]:
    """Whom it is for, in words."""
    said = one.about.get("audience")
    if said is None:
        return []
    source = Source.objects.filter(pk=said["source"]).first() if said["source"] else None
    days = said["silent_days"]
    return [
        ("Wording", f"{occasion(one.about['key']).title}, {MEDIA[one.about['medium']].lower()}"),
        ("Leads that are", ", ".join(STAGES[stage].lower() for stage in said["stages"])),
        ("From", source.name if source else "any source"),
        ("Property in", STATES.get(said["state"], "any state")),
        ("Loan", LOANS[said["loan"]].lower()),
        ("Silence", f"{plural(days, 'day')} without a word of ours" if days else "any"),
    ]


def _wordings(at: Any) -> list[tuple[str, str]]:
    """What may be sent to many by hand: approved wording that no event of the program sends."""
    keys = Template.objects.values_list("key", flat=True).distinct()
    steps = [key for key in keys if key not in OCCASIONS or OCCASIONS[key].is_step]
    live = wording.live_templates(set(steps), at=at)
    places = {(one.key, one.medium) for one in live if one.language == "en"}
    return [
        (f"{key}/{medium}", f"{occasion(key).title}, {MEDIA[medium].lower()}")
        for key, medium in sorted(places)
    ]


def _release(release_id: UUID) -> Release:
    rows = Release.objects.select_related("made_by", "approved_by", "went_on_by", "stopped_by")
    return get_object_or_404(rows, pk=release_id)


def _home(release_id: UUID) -> str:
    return reverse("release", args=[release_id])
