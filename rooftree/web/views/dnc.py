"""Do-not-contact lists: what is held, how old it is, and a new file of one."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.compliance import held_lists, list_folder
from rooftree.compliance.dnc_file import NotAList, day_in
from rooftree.compliance.load_dnc import (
    INTERNAL,
    LITIGATOR,
    NATIONAL,
    REGISTRIES,
    Loaded,
    Upload,
    load,
)
from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers import questions, service
from rooftree.compliance.numbers.models import DncFound
from rooftree.core.zones import STATE_NAMES
from rooftree.money.company_day import company_day
from rooftree.routing.visible import may
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.views.imports import LARGEST

SOON = 7  # days before a copy is too old that it is pointed out
FILES = 30
TITLES = {
    NATIONAL: "National registry",
    LITIGATOR: "Known litigators",
    INTERNAL: "Our own list, from before Rooftree",
}


@staff("GET", "POST")
def lists(request: HttpRequest) -> HttpResponse:
    """What is held of every list; a POST loads a file, or says what it would do."""
    must(request.user, "see_compliance")
    problem, trial = "", None
    if request.method == "POST":
        must(request.user, "load_lists")
        is_trial = request.POST.get("act") == "trial"
        try:
            found = _load(request, is_trial=is_trial)
        except NotAList as refused:
            problem = str(refused)
        else:
            if not is_trial:
                return done(request, _said(found), back_to=reverse("dnc_lists"))
            trial = found
    context = {
        "held": [_held(one) for one in held_lists.held(today=company_day(request.at))],
        "files": [_file(one) for one in _files()],
        **_folder(request),
        "service": service.the_service(),
        "waiting": sum(one.count for one in questions.waiting().values()),
        "titles": [(one, title_of(one)) for one in REGISTRIES],
        "chosen": request.POST.get("registry", NATIONAL),
        "dated": request.POST.get("dated", ""),
        "problem": problem,
        "trial": _said(trial, would=True) if trial else "",
        "largest": f"{LARGEST // 1024 // 1024} MB",
        "good_for": held_lists.good_for(company_day(request.at)),
        "may_load": may(request.user, "load_lists"),
    }
    return render(request, "compliance/lists.html", context, status=422 if problem else 200)


def _files() -> Iterable[DncFile]:
    return DncFile.objects.select_related("loaded_by").order_by("-loaded_at", "-id")[:FILES]


def _folder(request: HttpRequest) -> dict[str, Any]:
    """The watched folder: what lies there and waits, and what became of the rest."""
    if not settings.DNC_FOLDER:
        return {"folder": ""}
    folder = Path(settings.DNC_FOLDER)
    rows = DncFound.objects.select_related("file").order_by("-seen_at", "path")
    return {
        "folder": settings.DNC_FOLDER,
        "is_there": folder.is_dir(),
        "lying": [one.path for one in list_folder.waiting(folder, at=request.at)],
        "found": rows[:FILES],
    }


def _file(one: DncFile) -> dict[str, Any]:
    counts = {"added": f"{one.added:,}", "removed": f"{one.removed:,}"}
    gap = list_folder.strays_said(one.strays)
    return {"row": one, "title": title_of(one.registry), "gap": gap, **counts}


def _held(one: held_lists.Held) -> dict[str, Any]:
    return {
        "row": one,
        "title": title_of(one.registry),
        "numbers": f"{one.numbers:,}",
        "tone": tone_of(one.days_left),
    }


def title_of(registry: str) -> str:
    """It is a list's name on a page."""
    return TITLES.get(registry) or f"{STATE_NAMES.get(registry, registry)} state list"


def tone_of(days_left: int | None) -> str:
    """How loudly the age of a copy is told."""
    if days_left is None:
        return "ok"
    return "late" if days_left < 0 else "soon" if days_left <= SOON else "ok"


def _load(request: HttpRequest, *, is_trial: bool) -> Loaded:
    file = request.FILES.get("file")
    if file is None:
        raise NotAList("Choose a file.")
    upload = Upload(
        registry=request.POST.get("registry", ""),
        name=file.name or "",
        dated=_dated(request.POST.get("dated", ""), file.name or ""),
        file=file.file,
        may_shrink="whole" in request.POST,
    )
    return load(upload, by=request.user, at=request.at, is_trial=is_trial)


def _dated(typed: str, name: str) -> date:
    try:
        day = date.fromisoformat(typed) if typed else day_in(name)
    except ValueError:
        day = None
    if day is None:
        raise NotAList("Give the day on which the registry made this copy.")
    return day


def _said(found: Loaded, *, would: bool = False) -> str:
    name = title_of(found.registry)
    if found.was_known:
        return f"This very file was loaded before; {name} is as it was"
    verb, noun = "would be " if would else "", "number" if found.added == 1 else "numbers"
    gap = list_folder.strays_said(found.strays)
    said = (
        f"{name} of {found.dated:%m/%d}: {found.added:,} {noun} {verb}added, "
        f"{found.removed:,} taken off"
    )
    return f"{said}. {gap.rstrip('.')}" if gap else said
