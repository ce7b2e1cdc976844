"""Spreadsheet imports: upload, columns, preview, import with progress, result."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.imports import crm_import, import_staging, owner_mapping, undo_import
from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.imports.tabular_files import MAX_ROWS
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.parsing.field_map import BadMap, MapLine, parse_map_lines
from rooftree.capture.parsing.value_paths import format_path
from rooftree.core.spreadsheet_csv import escape_cell
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Lead, Source
from rooftree.web.imports import crm_transfer_views
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import field_map_editor
from rooftree.web.sources.views import reason_text

SAMPLES = 3  # sample values shown per column
MAX_SAMPLE_LENGTH = 60  # characters of a sample value
SAMPLED_ROWS = 50  # rows read for samples
MAX_LISTED = 100  # unusable rows listed
FORM_OVERHEAD_BYTES = 64 * 1024  # the multipart form around the file
MAX_FILE_BYTES = settings.UPLOAD_LIMIT - FORM_OVERHEAD_BYTES
FIX_HINTS = {  # refusal reason: what to change in the row
    "no_name": "Enter a first or last name.",
    "no_contact": "Enter a valid ten-digit phone number or an email address.",
    "our_fault": "Rooftree failed to process it. Replay its delivery.",
}
OUTCOME_LABELS = {  # outcome: (label before, label after the import, icon, tone)
    "new": ("New people", "New people", "plus", "ok"),
    "known": ("Already on file", "Already on file, inquiry added", "user", ""),
    "left_out": ("", "Already on file, unchanged", "user", ""),
    "again": ("Duplicates in this file", "Duplicates in this file", "merge", ""),
    "repeated": ("Imported before", "Imported before, skipped", "merge", ""),
    "refused": ("Unusable", "Unusable", "warn", "late"),
}
DO_NOT_CALL_LABELS = {  # list: (label, effect, icon, tone)
    "litigator": ("Known litigators", "never called or texted", "warn", "late"),
    "internal": ("Internal do-not-call list", "never called or texted", "warn", "late"),
    "opted_out": ("Opted out, or wrong number", "until they contact you again", "warn", "late"),
    "national": (
        "National registry",
        "only with signed consent or a recent inquiry",
        "shield",
        "soon",
    ),
    "state": ("State list", "only with signed consent or a recent inquiry", "shield", "soon"),
    "unknown": ("Not covered by a current list", "counts as listed until it is", "clock", "soon"),
    "clear": ("On no list", "", "check", "ok"),
}


@staff_view("GET", "POST")
def list_imports(request: StaffRequest) -> HttpResponse:
    """List the imports; a POST uploads a file and opens its import."""
    require_permission(request.user, "edit_sources")
    problem = ""
    if request.method == "POST":
        try:
            sheet, is_new = _store_upload(request)
        except InvalidImport as bad:
            problem = str(bad)
        else:
            toast = f"{sheet.row_count:,} rows read"
            if not is_new:
                toast = "You uploaded this file before. Here is its import"
            return respond_redirect(request, toast, to=_import_url(sheet))
    sheets = Spreadsheet.objects.select_related("source", "uploaded_by").order_by("-number")
    context = {
        "sheets": sheets[:100],
        "sources": Source.objects.filter(
            adapter__in=import_staging.RECORD_FORMATS, paused_at=None
        ).order_by("name"),
        "problem": problem,
        "max_rows": f"{MAX_ROWS:,}",
        "max_size": f"{MAX_FILE_BYTES // 1024 // 1024} MB",
    }
    return render(request, "imports/index.html", context, status=422 if problem else 200)


@staff_view("GET", "POST")
def show_import(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Show one import at its current step; a POST saves the columns and starts the preview."""
    require_permission(request.user, "edit_sources")
    sheet = _get_sheet(sheet_id)
    if request.method == "GET":
        return _render_import(request, sheet)
    lines = _parse_lines(request, sheet)
    mapping = crm_transfer_views.parse_mapping(request.POST)
    options = {
        "then": request.POST.get("then", "keep"),
        "known": request.POST.get("known", "leave"),
        "people": request.POST.get("people", "leads"),
    }
    if (
        options["then"] not in import_staging.NEW_LEAD_ACTIONS
        or options["people"] not in import_staging.PEOPLE_KINDS
        or options["known"] not in import_staging.KNOWN_LEAD_ACTIONS
    ):
        return _render_import(
            request, sheet, lines=lines, problems=["Choose an action."], status=422
        )
    try:
        with atomic():
            if mapping:
                owner_mapping.save_choices(sheet_id=sheet.pk, **mapping)
            import_staging.save_column_map(
                sheet_id=sheet.pk, lines=lines, options=options, by=request.user, at=request.at
            )
            spreadsheet_imports.enqueue_check(sheet_id=sheet.pk)
    except BadMap as bad:
        return _render_import(request, sheet, lines=lines, problems=bad.problems, status=422)
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=_import_url(sheet))
    return respond_done(
        request, "Preview started. Nothing is imported yet", back_to=_import_url(sheet)
    )


@staff_view("GET")
def download_refused_rows(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Return the unusable rows as a CSV file to fix and upload again."""
    require_permission(request.user, "edit_sources")
    sheet = _get_sheet(sheet_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*map(escape_formula, sheet.columns), "Line", "What to change"])
    rows = ImportedRow.objects.filter(spreadsheet=sheet, outcome="refused")
    for row in rows.select_related("delivery").order_by("line").iterator(500):
        cells = _row_cells(row)
        values = [escape_formula(cells.get(name, "")) for name in sheet.columns]
        writer.writerow([*values, row.line, FIX_HINTS.get(row.problem) or reason_text(row.problem)])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sheet}-refused.csv"'
    return response


def escape_formula(cell: str) -> str:
    """Escape a cell as in any file of ours, but keep plain numbers, so that it can be imported."""
    is_number = cell[:1] in "+-" and cell[1:].replace(".", "").replace(",", "").isdigit()
    return cell if is_number else escape_cell(cell)


def _row_cells(row: ImportedRow) -> dict[str, str]:
    try:
        cells = json.loads(bytes(row.delivery.body)).get("row", {})
    except ValueError:
        return {}
    return {str(name): str(cell) for name, cell in cells.items()}


def _store_upload(request: StaffRequest) -> tuple[Spreadsheet, bool]:
    """Store the uploaded file; return its import and whether it is new. Raises `InvalidImport`."""
    upload = request.FILES.get("file")
    if upload is None:
        raise InvalidImport("Choose a file.")
    if (upload.size or 0) > MAX_FILE_BYTES:
        raise InvalidImport("The file is too large. Split it.")
    try:
        source_id = UUID(request.POST.get("source", ""))
    except ValueError as bad:
        raise InvalidImport("Choose a source.") from bad
    if not Source.objects.filter(pk=source_id, adapter__in=import_staging.RECORD_FORMATS).exists():
        raise InvalidImport("Choose a source.")
    return import_staging.store_upload(
        source_id=source_id,
        name=upload.name or "",
        body=upload.read(),
        by=request.user,
        at=request.at,
    )


def _parse_lines(request: StaffRequest, sheet: Spreadsheet) -> list[MapLine]:
    """Read the field chosen for each column, and the cost per row."""
    lines = []
    for nth, column in enumerate(sheet.columns):
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


def _import_url(sheet: Spreadsheet) -> str:
    return reverse("import", args=[sheet.pk])


def _render_import(
    request: StaffRequest,
    sheet: Spreadsheet,
    *,
    lines: Sequence[MapLine] | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    options = sheet.options
    context: dict[str, Any] = {
        "sheet": sheet,
        "then": import_staging.allowed_lead_actions(sheet.source),
        "known": import_staging.KNOWN_LEAD_ACTIONS,
        "people_kinds": import_staging.PEOPLE_KINDS,
        "people_kind": import_staging.PEOPLE_KINDS[options.get("people", "leads")],
        "new_action": import_staging.NEW_LEAD_ACTIONS.get(options.get("then", ""), ""),
        "known_action": import_staging.KNOWN_LEAD_ACTIONS.get(options.get("known", ""), ""),
        "remarks": [remark.replace("_", " ") for remark in sheet.remarks],
        "problems": problems,
        "percent": 100 * sheet.seen_rows // max(sheet.row_count, 1),
        "is_under_way": sheet.state in ("reading", "checking", "running", "undoing"),
        "counts": _outcome_counts(sheet),
        "lists": _do_not_call_counts(sheet),
        "steps": _progress_steps(sheet),
        "named_officers": _named_officers(sheet),
        **crm_transfer_views.transfer_context(sheet),
    }
    if sheet.state == "columns":
        context |= _columns_context(sheet, parse_map_lines(sheet.lines) if lines is None else lines)
        context["options"] = context["options"] | options | request.POST.dict()
    elif sheet.state == "checked":
        refused = sheet.findings.get("refused", [])[:MAX_LISTED]
        context["refused"] = [_refused_line(row["line"], row["reason"]) for row in refused]
        context["remarks"] = [
            f"{name.replace('_', ' ')} ({count:,} rows)"
            for name, count in sheet.findings.get("remarks", {}).items()
        ]
    elif sheet.state in ("done", "undoing"):
        context |= _result_context(sheet)
    return render(request, "imports/sheet.html", context, status=status)


def _result_context(sheet: Spreadsheet) -> dict[str, Any]:
    """Return what a finished import shows: unusable rows, whom its source holds, and the undo."""
    rows = ImportedRow.objects.filter(spreadsheet=sheet, outcome="refused").order_by("line")
    source_imports = Spreadsheet.objects.filter(source=sheet.source, started_at__isnull=False)
    return {
        "refused": [
            _refused_line(row.line, row.problem, row.delivery_id) for row in rows[:MAX_LISTED]
        ],
        "source_leads": Lead.objects.filter(source=sheet.source, is_test=False).count(),
        "source_imports": source_imports.count(),
        "holds_clients": sheet.source.setup.get("people") == "clients",
        "may_close": 0 if sheet.undone_at else undo_import.untouched_leads(sheet).count(),
    }


def _refused_line(line: int, reason: str, delivery_id: UUID | None = None) -> dict[str, Any]:
    return {
        "line": line,
        "change": FIX_HINTS.get(reason) or reason_text(reason),
        "delivery": delivery_id,
    }


def _columns_context(sheet: Spreadsheet, lines: Sequence[MapLine]) -> dict[str, Any]:
    """Return the columns with sample values and the field each one fills."""
    lines_by_path = {line.path: line for line in lines}
    rows = list(import_staging.read_rows(sheet, limit=SAMPLED_ROWS))
    record_format = import_staging.RECORD_FORMATS[sheet.source.adapter]
    columns = []
    for nth, name in enumerate(sheet.columns):
        cells = [row.cells[name] for row in rows if name in row.cells][:SAMPLES]
        columns.append(
            {
                "nth": nth,
                "name": name,
                "samples": [
                    field_map_editor.shorten_value(cell)[:MAX_SAMPLE_LENGTH] for cell in cells
                ],
                "line": lines_by_path.get(format_path((name,))),
                "is_fixed": record_format.is_fixed_column(name),
            }
        )
    has_closed_loans = any(line.field == "closed_with_us" for line in lines)
    guess = "clients" if has_closed_loans else "leads"
    return {
        "columns": columns,
        "options": {"people": sheet.source.setup.get("people", guess)},
        "cost": next((line.constant for line in lines if line.field == "cost"), ""),
        "fields": field_map_editor.field_choices(),
        "conversions": field_map_editor.conversion_choices(),
        "unfilled": sum(not (column["line"] or column["is_fixed"]) for column in columns),
    }


def _outcome_counts(sheet: Spreadsheet) -> list[dict[str, Any]]:
    is_done = sheet.state in ("running", "done", "undoing")
    counts = sheet.counts if is_done else sheet.findings.get("counts", {})
    return [
        {"label": after if is_done else before, "count": counts[key], "icon": icon, "tone": tone}
        for key, (before, after, icon, tone) in OUTCOME_LABELS.items()
        if counts.get(key)
    ]


def _named_officers(sheet: Spreadsheet) -> list[dict[str, Any]]:
    """Return the loan officers that the rows of a file name, and whether each is known."""
    if sheet.options.get("then") != "owner":
        return []
    counts: dict[str, int] = sheet.findings.get("owners", {})
    officers = owner_mapping.find_named_officers(counts)
    return [
        {"name": name, "count": count, "is_known": bool(officers.get(name))}
        for name, count in counts.items()
    ]


def _do_not_call_counts(sheet: Spreadsheet) -> list[dict[str, Any]]:
    """Count the numbers per do-not-call list: of the file, or once done of imported people."""
    is_done = sheet.state in ("done", "undoing")
    counts = sheet.findings.get("lists_after" if is_done else "lists", {})
    return [
        {"label": label, "effect": effect, "icon": icon, "tone": tone, "count": counts[key]}
        for key, (label, effect, icon, tone) in DO_NOT_CALL_LABELS.items()
        if counts.get(key)
    ]


def _progress_steps(sheet: Spreadsheet) -> list[tuple[str, str]]:
    """Return the steps of the import as (label, "done", "here" or "")."""
    order = ("reading", "columns", "checked", "running", "done")
    shown_as = {"undoing": "done", "checking": "checked"}
    state = shown_as.get(sheet.state, sheet.state)
    current = order.index(state) if state in order else 0
    steps: tuple[tuple[int, str], ...] = (
        (1, "Columns"),
        (2, "Preview"),
        (3, "Import"),
        (4, "Result"),
    )
    if crm_import.crm_import_of(sheet):
        steps = ((0, "Read"), (1, "Map"), *steps[1:])
    return [
        (label, "here" if current == place else "done" if current > place else "")
        for place, label in steps
    ]
