"""Do-not-contact lists: what is held, how old it is, and a new file of one."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.compliance.do_not_call import loaded_lists, watched_folder
from rooftree.compliance.do_not_call.list_file import BadListFile, date_in_name
from rooftree.compliance.do_not_call.load_list import (
    INTERNAL,
    LITIGATOR,
    NATIONAL,
    REGISTRIES,
    ListUpload,
    LoadResult,
    load_file,
)
from rooftree.compliance.models import DncFile
from rooftree.compliance.numbers import number_questions, vendor_account
from rooftree.compliance.numbers.models import DncFolderFile
from rooftree.core.area_codes_and_zones import STATE_NAMES
from rooftree.money.company_day import company_day
from rooftree.routing.permissions import has_permission
from rooftree.web.imports.views import MAX_FILE_BYTES
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

RENEW_SOON_DAYS = 7  # days before a copy is too old that it is pointed out
MAX_FILES = 30
LIST_TITLES = {
    NATIONAL: "National registry",
    LITIGATOR: "Known litigators",
    INTERNAL: "Our own list, from before Rooftree",
}


@staff_view("GET", "POST")
def show_lists(request: StaffRequest) -> HttpResponse:
    """What is held of every list; a POST loads a file, or says what it would do."""
    require_permission(request.user, "see_compliance")
    problem, trial = "", None
    if request.method == "POST":
        require_permission(request.user, "load_lists")
        is_trial = request.POST.get("act") == "trial"
        try:
            found = _load_upload(request, is_trial=is_trial)
        except BadListFile as refused:
            problem = str(refused)
        else:
            if not is_trial:
                return respond_done(request, _load_summary(found), back_to=reverse("dnc_lists"))
            trial = found
    context = {
        "held": [
            _list_line(loaded_list)
            for loaded_list in loaded_lists.loaded_lists(today=company_day(request.at))
        ],
        "files": [_file_line(recent_file) for recent_file in _recent_files()],
        **_folder_context(request),
        "service": vendor_account.active_service(),
        "waiting": sum(
            question_count.count
            for question_count in number_questions.open_question_counts().values()
        ),
        "titles": [(registry, list_title(registry)) for registry in REGISTRIES],
        "chosen": request.POST.get("registry", NATIONAL),
        "dated": request.POST.get("dated", ""),
        "problem": problem,
        "trial": _load_summary(trial, would=True) if trial else "",
        "largest": f"{MAX_FILE_BYTES // 1024 // 1024} MB",
        "good_for": loaded_lists.max_copy_age_days(company_day(request.at)),
        "may_load": has_permission(request.user, "load_lists"),
    }
    return render(
        request, "compliance/do_not_call_lists.html", context, status=422 if problem else 200
    )


def _recent_files() -> Iterable[DncFile]:
    return DncFile.objects.select_related("loaded_by").order_by("-loaded_at", "-id")[:MAX_FILES]


def _folder_context(request: StaffRequest) -> dict[str, Any]:
    """The watched folder: what lies there and waits, and what became of the rest."""
    if not settings.DNC_FOLDER:
        return {"folder": ""}
    folder = Path(settings.DNC_FOLDER)
    rows = DncFolderFile.objects.select_related("file").order_by("-seen_at", "path")
    return {
        "folder": settings.DNC_FOLDER,
        "is_there": folder.is_dir(),
        "lying": [
            pending_file.path
            for pending_file in watched_folder.pending_files(folder, at=request.at)
        ],
        "found": rows[:MAX_FILES],
    }


def _file_line(one: DncFile) -> dict[str, Any]:
    counts = {"added": f"{one.added:,}", "removed": f"{one.removed:,}"}
    gap = watched_folder.describe_redundant_changes(one.strays)
    return {"row": one, "title": list_title(one.registry), "gap": gap, **counts}


def _list_line(one: loaded_lists.LoadedList) -> dict[str, Any]:
    return {
        "row": one,
        "title": list_title(one.registry),
        "numbers": f"{one.numbers:,}",
        "tone": age_tone(one.days_left),
    }


def list_title(registry: str) -> str:
    """It is a list's name on a page."""
    return LIST_TITLES.get(registry) or f"{STATE_NAMES.get(registry, registry)} state list"


def age_tone(days_left: int | None) -> str:
    """How loudly the age of a copy is told."""
    if days_left is None:
        return "ok"
    return "late" if days_left < 0 else "soon" if days_left <= RENEW_SOON_DAYS else "ok"


def _load_upload(request: StaffRequest, *, is_trial: bool) -> LoadResult:
    file = request.FILES.get("file")
    if file is None:
        raise BadListFile("Choose a file.")
    upload = ListUpload(
        registry=request.POST.get("registry", ""),
        name=file.name or "",
        dated=_parse_list_date(request.POST.get("dated", ""), file.name or ""),
        file=file.file,
        may_shrink="whole" in request.POST,
    )
    return load_file(upload, by=request.user, at=request.at, is_trial=is_trial)


def _parse_list_date(typed: str, name: str) -> date:
    try:
        day = date.fromisoformat(typed) if typed else date_in_name(name)
    except ValueError:
        day = None
    if day is None:
        raise BadListFile("Give the day on which the registry made this copy.")
    return day


def _load_summary(found: LoadResult, *, would: bool = False) -> str:
    name = list_title(found.registry)
    if found.was_already_loaded:
        return f"This very file was loaded before; {name} is as it was"
    verb, noun = "would be " if would else "", "number" if found.added == 1 else "numbers"
    gap = watched_folder.describe_redundant_changes(found.redundant_changes)
    said = (
        f"{name} of {found.dated:%m/%d}: {found.added:,} {noun} {verb}added, "
        f"{found.removed:,} taken off"
    )
    return f"{said}. {gap.rstrip('.')}" if gap else said
