"""Importing a spreadsheet: upload, columns, dry run, the import with its progress, its result."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.field_map import BadMap, Line, lines_of
from rooftree.capture.imports import mapping, stage, transfer, undo
from rooftree.capture.imports.stage import BadFile
from rooftree.capture.imports.table import MOST_ROWS
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.paths import written
from rooftree.capture.targets import TARGETS
from rooftree.flow import spreadsheets
from rooftree.leads.models import Source
from rooftree.web import map_form
from rooftree.web.answers import done, moved, refused
from rooftree.web.page import must, staff
from rooftree.web.views import transfers
from rooftree.web.views.sources import why

SAMPLES = 3  # rows that are shown under each column
LISTED = 100  # rows with what to change
LARGEST = settings.FILE_LIMIT - 64 * 1024  # bytes of a file; the rest is the form around it
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
CHANGE = {  # reason: what to change in the row
    "no_name": "Give a first or a last name.",
    "no_contact": "Give a valid ten-digit phone number, or an e-mail address.",
    "our_fault": "Our program failed on it; replay it from its delivery.",
}
BECAME = {  # word: (before, after, icon, tone)
    "new": ("New people", "New people", "plus", "ok"),
    "known": ("On file already", "On file, added to", "user", ""),
    "left_out": ("", "On file, left as they are", "user", ""),
    "again": ("Again in this file", "", "merge", ""),
    "repeated": ("Imported before", "Imported before, skipped", "merge", ""),
    "refused": ("Cannot be used", "Not usable", "warn", "late"),
}


ON_LISTS = {  # of numbers: (said, what follows, icon, tone)
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


@staff("GET", "POST")
def index(request: HttpRequest) -> HttpResponse:
    """Every import, and a new one."""
    must(request.user, "edit_sources")
    sources = Source.objects.filter(adapter__in=stage.KINDS, paused_at=None).order_by("name")
    problem = ""
    if request.method == "POST":
        try:
            sheet, is_new = _uploaded(request)
        except BadFile as bad:
            problem = str(bad)
        else:
            said = f"{sheet.row_count:,} rows were read"
            if not is_new:
                said = "This very file was uploaded before; here is its import"
            return moved(request, said, to=_home(sheet))
    newest = Spreadsheet.objects.select_related("source", "uploaded_by").order_by("-number")
    context = {
        "sheets": newest[:100],
        "sources": sources,
        "problem": problem,
        "most": f"{MOST_ROWS:,}",
        "largest": f"{LARGEST // 1024 // 1024} MB",
    }
    return render(request, "imports/index.html", context, status=422 if problem else 200)


@staff("GET", "POST")
def sheet(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """One import, at whatever step it is; a POST says what stands in the columns."""
    must(request.user, "edit_sources")
    one = _sheet(sheet_id)
    if request.method == "GET":
        return _page(request, one)
    lines = _lines(request, one)
    chosen = transfers.chosen(request.POST)
    options = {
        "then": request.POST.get("then", "keep"),
        "known": request.POST.get("known", "leave"),
    }
    if options["then"] not in stage.THEN or options["known"] not in stage.KNOWN:
        return _page(request, one, lines=lines, problems=["Choose what shall happen."], status=422)
    try:
        with atomic():
            if chosen:
                mapping.choose(sheet_id=one.pk, **chosen)
            stage.describe(
                sheet_id=one.pk, lines=lines, options=options, by=request.user, at=request.at
            )
            spreadsheets.begin_check(sheet_id=one.pk)
    except BadMap as bad:
        return _page(request, one, lines=lines, problems=bad.problems, status=422)
    except BadFile as bad:
        return refused(request, str(bad), back_to=_home(one))
    return done(request, "The dry run is under way; nothing is imported yet", back_to=_home(one))


@staff("POST")
def act(request: HttpRequest, sheet_id: UUID, what: str) -> HttpResponse:
    """Import it, change its columns, put it away, ask again, or take it back."""
    must(request.user, "edit_sources")
    one = _sheet(sheet_id)
    by, at = request.user, request.at
    try:
        if what == "run":
            spreadsheets.begin(sheet_id=one.pk, by=by, at=at)
            said = "The import is under way; you can leave this page"
        elif what == "columns":
            stage.move(one.pk, came_from=("checked",), to="columns", by=by, at=at)
            said = "Say again what stands in the columns"
        elif what == "drop":
            before = ("reading", "columns", "checked")
            stage.move(one.pk, came_from=before, to="dropped", by=by, at=at)
            said = "It is put away; nothing was imported"
        elif what == "ask":
            transfer.hurry(sheet_id=one.pk, at=at)
            said = "It is asked again"
        elif what != "undo":
            raise Http404
        else:
            spreadsheets.begin_undo(sheet_id=one.pk, by=by, at=at)
            said = "Its leads are being closed; what was worked on stays"
    except BadFile as bad:
        return refused(request, str(bad), back_to=_home(one))
    return done(request, said, back_to=_home(one))


@staff("GET")
def refused_rows(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """The rows that could not be used, as a file to mend and upload again."""
    must(request.user, "edit_sources")
    one = _sheet(sheet_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*map(harmless, one.columns), "Line", "What to change"])
    for line, cells, reason in _refused(one):
        kept = [harmless(cells.get(name, "")) for name in one.columns]
        writer.writerow([*kept, line, CHANGE.get(reason) or why(reason)])
    answer = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{one}-refused.csv"'
    return answer


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a plain number stays as it is."""
    is_number = cell[:1] in "+-" and cell[1:].replace(".", "").replace(",", "").isdigit()
    return f"'{cell}" if cell.startswith(FORMULA) and not is_number else cell


def _refused(one: Spreadsheet) -> list[tuple[int, dict[str, str], str]]:
    rows = ImportedRow.objects.filter(spreadsheet=one, became="refused").select_related("delivery")
    return [(row.line, _cells(row), row.why) for row in rows.order_by("line").iterator(500)]


def _cells(row: ImportedRow) -> dict[str, str]:
    try:
        found = json.loads(bytes(row.delivery.body)).get("row", {})
    except ValueError:
        return {}
    return {str(name): str(cell) for name, cell in found.items()}


def _uploaded(request: HttpRequest) -> tuple[Spreadsheet, bool]:
    file = request.FILES.get("file")
    if file is None:
        raise BadFile("Choose a file.")
    if (file.size or 0) > LARGEST:
        raise BadFile("The file is too large; split it.")
    try:
        source_id = UUID(request.POST.get("source", ""))
    except ValueError as bad:
        raise BadFile("Choose the source these people came from.") from bad
    if not Source.objects.filter(pk=source_id, adapter__in=stage.KINDS).exists():
        raise BadFile("Choose the source these people came from.")
    return stage.upload(
        source_id=source_id,
        name=file.name or "",
        body=file.read(),
        by=request.user,
        at=request.at,
    )


def _lines(request: HttpRequest, one: Spreadsheet) -> list[Line]:
    """What each column is said to hold, and what the file costs a row."""
    lines = []
    for nth, column in enumerate(one.columns):
        field = request.POST.get(f"field-{nth}", "")
        if field:
            convert = request.POST.get(f"convert-{nth}", "")
            lines.append(Line(field=field, path=written((column,)), convert=convert))
    cost = request.POST.get("cost", "").strip()
    if cost and not any(line.field == "cost" for line in lines):
        lines.append(Line(field="cost", constant=cost))
    return lines


def _sheet(sheet_id: UUID) -> Spreadsheet:
    return get_object_or_404(
        Spreadsheet.objects.select_related("source", "uploaded_by", "transfer"), pk=sheet_id
    )


def _home(one: Spreadsheet) -> str:
    return reverse("import", args=[one.pk])


def _page(
    request: HttpRequest,
    one: Spreadsheet,
    *,
    lines: Sequence[Line] | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "sheet": one,
        "then": stage.then_for(one.source),
        "known": stage.KNOWN,
        "said_then": stage.THEN.get(one.options.get("then", ""), ""),
        "said_known": stage.KNOWN.get(one.options.get("known", ""), ""),
        "remarks": [one_remark.replace("_", " ") for one_remark in one.remarks],
        "problems": problems,
        "percent": 100 * one.seen_rows // max(one.row_count, 1),
        "is_under_way": one.state in ("reading", "checking", "running", "undoing"),
        "counts": _counts(one),
        "lists": _lists(one),
        "steps": _steps(one),
        **transfers.shown(one),
    }
    if one.state == "columns":
        context |= _columns(one, lines_of(one.lines) if lines is None else lines)
        context["options"] = {**one.options, **request.POST.dict()}
    elif one.state == "checked":
        refused = one.findings.get("refused", [])
        context["refused"] = [_listed(row["line"], row["reason"]) for row in refused[:LISTED]]
        context["remarks"] = [
            f"{name.replace('_', ' ')} ({count:,} rows)"
            for name, count in one.findings.get("remarks", {}).items()
        ]
    elif one.state in ("done", "undoing"):
        rows = ImportedRow.objects.filter(spreadsheet=one, became="refused").order_by("line")
        context["refused"] = [_listed(row.line, row.why, row.delivery_id) for row in rows[:LISTED]]
        context["may_close"] = 0 if one.undone_at else undo.untouched(one).count()
    return render(request, "imports/sheet.html", context, status=status)


def _listed(line: int, reason: str, delivery: UUID | None = None) -> dict[str, Any]:
    return {"line": line, "change": CHANGE.get(reason) or why(reason), "delivery": delivery}


def _columns(one: Spreadsheet, lines: Sequence[Line]) -> dict[str, Any]:
    """The columns with some of what stands in them, and the field each is said to fill."""
    filled = {line.path: line for line in lines}
    rows = list(stage.rows_of(one, most=50))
    kind = stage.KINDS[one.source.adapter]
    listed = []
    for nth, name in enumerate(one.columns):
        cells = [row.cells[name] for row in rows if name in row.cells]
        listed.append(
            {
                "nth": nth,
                "name": name,
                "samples": [map_form.short(cell)[:60] for cell in cells[:SAMPLES]],
                "line": filled.get(written((name,))),
                "is_beside": kind.is_beside(name),
            }
        )
    cost = next((line.constant for line in lines if line.field == "cost"), "")
    return {
        "columns": listed,
        "cost": cost,
        "fields": map_form.fields(),
        "conversions": map_form.conversions(),
        "unfilled": sum(not (row["line"] or row["is_beside"]) for row in listed),
        "names": {key: target.label for key, target in TARGETS.items()},
    }


def _counts(one: Spreadsheet) -> list[dict[str, Any]]:
    is_done = one.state in ("running", "done", "undoing")
    counts = one.counts if is_done else one.findings.get("counts", {})
    return [
        {"said": after if is_done else before, "count": counts[word], "icon": icon, "tone": tone}
        for word, (before, after, icon, tone) in BECAME.items()
        if counts.get(word)
    ]


def _lists(one: Spreadsheet) -> list[dict[str, Any]]:
    """How many of its numbers are on which list: before, of all; after, of those taken in."""
    is_done = one.state in ("done", "undoing")
    counts = one.findings.get("lists_after" if is_done else "lists", {})
    return [
        {"said": said, "why": why_not, "icon": icon, "tone": tone, "count": counts[word]}
        for word, (said, why_not, icon, tone) in ON_LISTS.items()
        if counts.get(word)
    ]


def _steps(one: Spreadsheet) -> list[tuple[str, str]]:
    """The way of an import, and where this one is: done, here or ahead."""
    order = ("reading", "columns", "checking", "checked", "running", "done")
    state = "done" if one.state == "undoing" else one.state
    at = order.index(state) if state in order else 0
    said = ((1, "Columns"), (3, "Dry run"), (4, "Import"), (5, "Result"))
    if transfer.of(one):
        said = ((0, "Read it"), (1, "Map it"), *said[1:])
    return [
        (label, "here" if at == place or (place == 3 and at == 2) else "done" if at > place else "")
        for place, label in said
    ]
