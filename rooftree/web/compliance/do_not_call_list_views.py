"""Compliance > Do-not-call lists: the loaded lists and their age, and the upload of a new file."""

from datetime import date
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast

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

RENEW_SOON_DAYS = 7  # warn this many days before a copy is too old
MAX_FILES = 30
LIST_TITLES = {
    NATIONAL: "National registry",
    LITIGATOR: "Known litigators",
    INTERNAL: "Internal list from before Rooftree",
}


@staff_view("GET", "POST")
def show_lists(request: StaffRequest) -> HttpResponse:
    """Show the loaded lists; a POST loads a file or previews it."""
    require_permission(request.user, "see_compliance")
    problem = preview = ""
    if request.method == "POST":
        require_permission(request.user, "load_lists")
        is_trial = request.POST.get("act") == "trial"
        try:
            result = _load_upload(request, is_trial=is_trial)
        except BadListFile as refusal:
            problem = str(refusal)
        else:
            if not is_trial:
                return respond_done(request, _load_summary(result), back_to=reverse("dnc_lists"))
            preview = _load_summary(result, is_preview=True)
    latest_files = DncFile.objects.select_related("loaded_by").order_by("-loaded_at", "-id")
    context = {
        "lists": [
            _list_line(loaded_list)
            for loaded_list in loaded_lists.loaded_lists(today=company_day(request.at))
        ],
        "files": [_file_line(file) for file in latest_files[:MAX_FILES]],
        **_folder_context(request),
        "service": vendor_account.active_service(),
        "pending_checks": sum(
            questions.count for questions in number_questions.open_question_counts().values()
        ),
        "titles": [(registry, list_title(registry)) for registry in REGISTRIES],
        "chosen": request.POST.get("registry", NATIONAL),
        "dated": request.POST.get("dated", ""),
        "problem": problem,
        "preview": preview,
        "largest": f"{MAX_FILE_BYTES // 1024 // 1024} MB",
        "good_for": loaded_lists.max_copy_age_days(company_day(request.at)),
        "may_load": has_permission(request.user, "load_lists"),
    }
    return render(
        request, "compliance/do_not_call_lists.html", context, status=422 if problem else 200
    )


def _folder_context(request: StaffRequest) -> dict[str, Any]:
    """Return the watched folder's pending and processed files."""
    if not settings.DNC_FOLDER:
        return {"folder": ""}
    folder = Path(settings.DNC_FOLDER)
    rows = DncFolderFile.objects.select_related("file").order_by("-seen_at", "path")
    return {
        "folder": settings.DNC_FOLDER,
        "folder_exists": folder.is_dir(),
        "pending_files": [
            pending_file.path
            for pending_file in watched_folder.pending_files(folder, at=request.at)
        ],
        "processed_files": rows[:MAX_FILES],
    }


def _file_line(file: DncFile) -> dict[str, Any]:
    return {
        "row": file,
        "title": list_title(file.registry),
        "gap": watched_folder.describe_redundant_changes(file.strays),
        "added": f"{file.added:,}",
        "removed": f"{file.removed:,}",
    }


def _list_line(loaded_list: loaded_lists.LoadedList) -> dict[str, Any]:
    return {
        "row": loaded_list,
        "title": list_title(loaded_list.registry),
        "numbers": f"{loaded_list.numbers:,}",
        "tone": age_tone(loaded_list.days_left),
    }


def list_title(registry: str) -> str:
    """Return the label of a list."""
    return LIST_TITLES.get(registry) or f"{STATE_NAMES.get(registry, registry)} state list"


def age_tone(days_left: int | None) -> str:
    """Return the tone for a copy's age; None days: the list doesn't expire."""
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
        file=cast(BufferedIOBase, file.file),
        may_shrink="whole" in request.POST,
    )
    return load_file(upload, by=request.user, at=request.at, is_trial=is_trial)


def _parse_list_date(typed: str, name: str) -> date:
    try:
        day = date.fromisoformat(typed) if typed else date_in_name(name)
    except ValueError:
        day = None
    if day is None:
        raise BadListFile("Enter the date on which the registry made this copy.")
    return day


def _load_summary(result: LoadResult, *, is_preview: bool = False) -> str:
    name = list_title(result.registry)
    if result.was_already_loaded:
        return f"This file was already loaded. {name} is unchanged"
    verb, noun = "would be " if is_preview else "", "number" if result.added == 1 else "numbers"
    gap = watched_folder.describe_redundant_changes(result.redundant_changes)
    summary = (
        f"{name} of {result.dated:%b %-d}: {result.added:,} {noun} {verb}added, "
        f"{result.removed:,} removed"
    )
    return f"{summary}. {gap.rstrip('.')}" if gap else summary
