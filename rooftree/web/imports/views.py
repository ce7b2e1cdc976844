"""Importing a spreadsheet: upload, columns, dry run, the import with its progress, its result."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import crm_import, import_staging, owner_mapping, undo_import
from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.imports.tabular_files import MAX_ROWS
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.parsing.field_map import BadMap, MapLine, parse_map_lines
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.parsing.value_paths import format_path
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Source
from rooftree.web.imports import crm_transfer_views
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import field_map_editor
from rooftree.web.sources.views import reason_text

SAMPLES = 3  # rows that are shown under each column
MAX_LISTED = 100  # rows with what to change
MAX_FILE_BYTES = (
    settings.UPLOAD_LIMIT - 64 * 1024
)  # bytes of a file; the rest is the form around it
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
FIX_HINTS = {  # reason: what to change in the row
    "no_name": "Give a first or a last name.",
    "no_contact": "Give a valid ten-digit phone number, or an e-mail address.",
    "our_fault": "Our program failed on it; replay it from its delivery.",
}
OUTCOME_LABELS = {  # word: (before, after, icon, tone)
    "new": ("New people", "New people", "plus", "ok"),
    "known": ("On file already", "On file, added to", "user", ""),
    "left_out": ("", "On file, left as they are", "user", ""),
    "again": ("Again in this file", "", "merge", ""),
    "repeated": ("Imported before", "Imported before, skipped", "merge", ""),
    "refused": ("Cannot be used", "Not usable", "warn", "late"),
}


DO_NOT_CALL_LABELS = {  # of numbers: (said, what follows, icon, tone)
    "litigator": ("Known litigators", "never called or texted", "warn", "late"),
    "internal": ("Our own do-not-call list", "never called or texted", "warn", "late"),
    "opted_out": ("Stopped us, or not theirs", "until they come back themselves", "warn", "late"),
    "national": (
        "National registry",
        "only with signed permission, or if they asked us lately",
        "shield",
        "soon",
    ),
    "state": (
        "A state’s list",
        "only with signed permission, or if they asked us lately",
        "shield",
        "soon",
    ),
    "unknown": ("No fresh list covers it", "counts as listed until one does", "clock", "soon"),
    "clear": ("On none", "", "check", "ok"),
}


@staff_view("GET", "POST")
def list_imports(request: StaffRequest) -> HttpResponse:
    """Every import, and a new one."""
    require_permission(request.user, "edit_sources")
    sources = Source.objects.filter(
        adapter__in=import_staging.RECORD_FORMATS, paused_at=None
    ).order_by("name")
    problem = ""
    if request.method == "POST":
        try:
            sheet, is_new = _store_upload(request)
        except InvalidImport as bad:
            problem = str(bad)
        else:
            said = f"{sheet.row_count:,} rows were read"
            if not is_new:
                said = "This very file was uploaded before; here is its import"
            return respond_redirect(request, said, to=_import_url(sheet))
    newest = Spreadsheet.objects.select_related("source", "uploaded_by").order_by("-number")
    context = {
        "sheets": newest[:100],
        "sources": sources,
        "problem": problem,
        "most": f"{MAX_ROWS:,}",
        "largest": f"{MAX_FILE_BYTES // 1024 // 1024} MB",
    }
    return render(request, "imports/index.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def show_import(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """One import, at whatever step it is; a POST says what stands in the columns."""
    require_permission(request.user, "edit_sources")
    one = _get_sheet(sheet_id)
    if request.method == "GET":
        return _render_import(request, one)
    lines = _parse_lines(request, one)
    chosen = crm_transfer_views.parse_mapping(request.POST)
    options = {
        "then": request.POST.get("then", "keep"),
        "known": request.POST.get("known", "leave"),
    }
    if (
        options["then"] not in import_staging.NEW_LEAD_ACTIONS
        or options["known"] not in import_staging.KNOWN_LEAD_ACTIONS
    ):
        return _render_import(
            request, one, lines=lines, problems=["Choose what shall happen."], status=422
        )
    try:
        with atomic():
            if chosen:
                owner_mapping.save_choices(sheet_id=one.pk, **chosen)
            import_staging.save_column_map(
                sheet_id=one.pk, lines=lines, options=options, by=request.user, at=request.at
            )
            spreadsheet_imports.enqueue_check(sheet_id=one.pk)
    except BadMap as bad:
        return _render_import(request, one, lines=lines, problems=bad.problems, status=422)
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=_import_url(one))
    return respond_done(
        request, "The dry run is under way; nothing is imported yet", back_to=_import_url(one)
    )


@staff_view("POST")
def apply_import_action(request: StaffRequest, sheet_id: UUID, what: str) -> HttpResponse:
    """Import it, change its columns, put it away, ask again, or take it back."""
    require_permission(request.user, "edit_sources")
    one = _get_sheet(sheet_id)
    by, at = request.user, request.at
    try:
        if what == "run":
            spreadsheet_imports.start_import(sheet_id=one.pk, by=by, at=at)
            said = "The import is under way; you can leave this page"
        elif what == "columns":
            import_staging.change_state(one.pk, came_from=("checked",), to="columns", by=by, at=at)
            said = "Say again what stands in the columns"
        elif what == "drop":
            before = ("reading", "columns", "checked")
            import_staging.change_state(one.pk, came_from=before, to="dropped", by=by, at=at)
            said = "It is put away; nothing was imported"
        elif what == "ask":
            crm_import.retry_now(sheet_id=one.pk, at=at)
            said = "It is asked again"
        elif what != "undo":
            raise Http404
        else:
            spreadsheet_imports.start_undo(sheet_id=one.pk, by=by, at=at)
            said = "Its leads are being closed; what was worked on stays"
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=_import_url(one))
    return respond_done(request, said, back_to=_import_url(one))


@staff_view("GET")
def download_refused_rows(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """The rows that could not be used, as a file to mend and upload again."""
    require_permission(request.user, "edit_sources")
    one = _get_sheet(sheet_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*map(escape_formula, one.columns), "Line", "What to change"])
    for line, cells, reason in _list_refused_rows(one):
        kept = [escape_formula(cells.get(name, "")) for name in one.columns]
        writer.writerow([*kept, line, FIX_HINTS.get(reason) or reason_text(reason)])
    answer = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{one}-refused.csv"'
    return answer


def escape_formula(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a plain number stays as it is."""
    is_number = cell[:1] in "+-" and cell[1:].replace(".", "").replace(",", "").isdigit()
    return f"'{cell}" if cell.startswith(FORMULA) and not is_number else cell


def _list_refused_rows(one: Spreadsheet) -> list[tuple[int, dict[str, str], str]]:
    rows = ImportedRow.objects.filter(spreadsheet=one, became="refused").select_related("delivery")
    return [(row.line, _row_cells(row), row.why) for row in rows.order_by("line").iterator(500)]


def _row_cells(row: ImportedRow) -> dict[str, str]:
    try:
        found = json.loads(bytes(row.delivery.body)).get("row", {})
    except ValueError:
        return {}
    return {str(name): str(cell) for name, cell in found.items()}


def _store_upload(request: StaffRequest) -> tuple[Spreadsheet, bool]:
    file = request.FILES.get("file")
    if file is None:
        raise InvalidImport("Choose a file.")
    if (file.size or 0) > MAX_FILE_BYTES:
        raise InvalidImport("The file is too large; split it.")
    try:
        source_id = UUID(request.POST.get("source", ""))
    except ValueError as bad:
        raise InvalidImport("Choose the source these people came from.") from bad
    if not Source.objects.filter(pk=source_id, adapter__in=import_staging.RECORD_FORMATS).exists():
        raise InvalidImport("Choose the source these people came from.")
    return import_staging.store_upload(
        source_id=source_id,
        name=file.name or "",
        body=file.read(),
        by=request.user,
        at=request.at,
    )


def _parse_lines(request: StaffRequest, one: Spreadsheet) -> list[MapLine]:
    """What each column is said to hold, and what the file costs a row."""
    lines = []
    for nth, column in enumerate(one.columns):
        field = request.POST.get(f"field-{nth}", "")
        if field:
            convert = request.POST.get(f"convert-{nth}", "")
            lines.append(MapLine(field=field, path=format_path((column,)), convert=convert))
    cost = request.POST.get("cost", "").strip()
    if cost and not any(line.field == "cost" for line in lines):
        lines.append(MapLine(field="cost", constant=cost))
    return lines


def _get_sheet(sheet_id: UUID) -> Spreadsheet:
    return get_object_or_404(
        Spreadsheet.objects.select_related("source", "uploaded_by", "transfer"), pk=sheet_id
    )


def _import_url(one: Spreadsheet) -> str:
    return reverse("import", args=[one.pk])


def _render_import(
    request: StaffRequest,
    one: Spreadsheet,
    *,
    lines: Sequence[MapLine] | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "sheet": one,
        "then": import_staging.allowed_lead_actions(one.source),
        "known": import_staging.KNOWN_LEAD_ACTIONS,
        "said_then": import_staging.NEW_LEAD_ACTIONS.get(one.options.get("then", ""), ""),
        "said_known": import_staging.KNOWN_LEAD_ACTIONS.get(one.options.get("known", ""), ""),
        "remarks": [one_remark.replace("_", " ") for one_remark in one.remarks],
        "problems": problems,
        "percent": 100 * one.seen_rows // max(one.row_count, 1),
        "is_under_way": one.state in ("reading", "checking", "running", "undoing"),
        "counts": _outcome_counts(one),
        "lists": _do_not_call_counts(one),
        "steps": _progress_steps(one),
        **crm_transfer_views.transfer_context(one),
    }
    if one.state == "columns":
        context |= _columns_context(one, parse_map_lines(one.lines) if lines is None else lines)
        context["options"] = {**one.options, **request.POST.dict()}
    elif one.state == "checked":
        refused = one.findings.get("refused", [])
        context["refused"] = [
            _refused_line(row["line"], row["reason"]) for row in refused[:MAX_LISTED]
        ]
        context["remarks"] = [
            f"{name.replace('_', ' ')} ({count:,} rows)"
            for name, count in one.findings.get("remarks", {}).items()
        ]
    elif one.state in ("done", "undoing"):
        rows = ImportedRow.objects.filter(spreadsheet=one, became="refused").order_by("line")
        context["refused"] = [
            _refused_line(row.line, row.why, row.delivery_id) for row in rows[:MAX_LISTED]
        ]
        context["may_close"] = 0 if one.undone_at else undo_import.untouched_leads(one).count()
    return render(request, "imports/sheet.html", context, status=status)


def _refused_line(line: int, reason: str, delivery: UUID | None = None) -> dict[str, Any]:
    return {
        "line": line,
        "change": FIX_HINTS.get(reason) or reason_text(reason),
        "delivery": delivery,
    }


def _columns_context(one: Spreadsheet, lines: Sequence[MapLine]) -> dict[str, Any]:
    """The columns with some of what stands in them, and the field each is said to fill."""
    filled = {line.path: line for line in lines}
    rows = list(import_staging.read_rows(one, most=50))
    kind = import_staging.RECORD_FORMATS[one.source.adapter]
    listed = []
    for nth, name in enumerate(one.columns):
        cells = [row.cells[name] for row in rows if name in row.cells]
        listed.append(
            {
                "nth": nth,
                "name": name,
                "samples": [field_map_editor.shorten_value(cell)[:60] for cell in cells[:SAMPLES]],
                "line": filled.get(format_path((name,))),
                "is_beside": kind.is_fixed_column(name),
            }
        )
    cost = next((line.constant for line in lines if line.field == "cost"), "")
    return {
        "columns": listed,
        "cost": cost,
        "fields": field_map_editor.field_choices(),
        "conversions": field_map_editor.conversion_choices(),
        "unfilled": sum(not (row["line"] or row["is_beside"]) for row in listed),
        "names": {key: target.label for key, target in TARGET_FIELDS.items()},
    }


def _outcome_counts(one: Spreadsheet) -> list[dict[str, Any]]:
    is_done = one.state in ("running", "done", "undoing")
    counts = one.counts if is_done else one.findings.get("counts", {})
    return [
        {"said": after if is_done else before, "count": counts[word], "icon": icon, "tone": tone}
        for word, (before, after, icon, tone) in OUTCOME_LABELS.items()
        if counts.get(word)
    ]


def _do_not_call_counts(one: Spreadsheet) -> list[dict[str, Any]]:
    """How many of its numbers are on which list: before, of all; after, of those taken in."""
    is_done = one.state in ("done", "undoing")
    counts = one.findings.get("lists_after" if is_done else "lists", {})
    return [
        {"said": said, "why": why_not, "icon": icon, "tone": tone, "count": counts[word]}
        for word, (said, why_not, icon, tone) in DO_NOT_CALL_LABELS.items()
        if counts.get(word)
    ]


def _progress_steps(one: Spreadsheet) -> list[tuple[str, str]]:
    """The way of an import, and where this one is: done, here or ahead."""
    order = ("reading", "columns", "checking", "checked", "running", "done")
    state = "done" if one.state == "undoing" else one.state
    at = order.index(state) if state in order else 0
    said = ((1, "Columns"), (3, "Dry run"), (4, "Import"), (5, "Result"))
    if crm_import.crm_import_of(one):
        said = ((0, "Read it"), (1, "Map it"), *said[1:])
    return [
        (label, "here" if at == place or (place == 3 and at == 2) else "done" if at > place else "")
        for place, label in said
    ]
