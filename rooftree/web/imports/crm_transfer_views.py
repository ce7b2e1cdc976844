"""Moving from another system: connect it, read it, and what its import shows besides."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.crms import SYSTEMS
from rooftree.capture.imports import crm_import, imported_activities, owner_mapping
from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.imports.models import CrmImport
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.source_setup.vendor_credentials import missing_credentials
from rooftree.leads.models import Source
from rooftree.web.shared.htmx_responses import respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources.views import reason_text

KIND_LABELS = {
    "record": "people",
    "note": "notes",
    "task": "tasks",
    "call": "calls",
    "email": "e-mails",
    "text": "texts",
    "meeting": "meetings",
}
ROW_OUTCOMES = ("new", "known", "left_out", "repeated", "refused")
PEOPLE_LABELS = {  # of a dry run's counts: words, icon, tone
    "with_phone": ("Have a phone number", "phone", ""),
    "with_email": ("Have an e-mail address", "mail", ""),
    "do_not_call": ("Asked not to be called", "ban", "late"),
    "do_not_text": ("Asked not to be texted", "ban", "late"),
    "do_not_email": ("Opted out of e-mail", "ban", "late"),
}


@staff_view("GET", "POST")
def connect_system(request: StaffRequest) -> HttpResponse:
    """Every system we can ask, with what is connected; a POST begins to read one."""
    require_permission(request.user, "edit_sources")
    here = reverse("import_systems")
    if request.method == "GET":
        return render(request, "imports/systems.html", {"systems": _system_lines()})
    try:
        source_id = UUID(request.POST.get("source", ""))
        sheet = crm_import.start_crm_import(source_id=source_id, by=request.user, at=request.at)
    except (ValueError, Source.DoesNotExist):
        return respond_refused(request, "Choose a system to read.", back_to=here)
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=here)
    return respond_redirect(request, "It is being read", to=reverse("import", args=[sheet.pk]))


def parse_mapping(typed: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Whose leads are whose and what stages become, as a form said it; {} where it says neither."""
    found: dict[str, dict[str, str]] = {"owners": {}, "stages": {}}
    for part, values in found.items():
        nth = 0
        while f"{part}-{nth}" in typed:
            values[typed[f"{part}-{nth}"]] = typed.get(f"{part}-{nth}-is", "")
            nth += 1
    return found if any(found.values()) else {}


def transfer_context(sheet: Spreadsheet) -> dict[str, Any]:
    """What the page of an import shows besides, if it is read out of another system."""
    people = sheet.findings.get("people", {})
    common = {
        "people": [
            {"said": said, "icon": icon, "tone": tone, "count": people[key]}
            for key, (said, icon, tone) in PEOPLE_LABELS.items()
            if people.get(key)
        ],
        "unknown": people.get("consent_unknown", 0),
        "asking": {key: people.get(f"ask_{key}", 0) for key in ("by_email", "by_call", "never")},
    }
    row = crm_import.crm_import_of(sheet)
    if row is None:
        return common
    return common | {
        "transfer": row,
        "system": SYSTEMS[sheet.source.adapter].NAME,
        "so_far": _read_counts(row),
        **(_mapping_context(row, sheet) if sheet.state in ("columns", "checked") else {}),
        **(_reconciliation_context(row, sheet) if sheet.state in ("done", "undoing") else {}),
    }


def _system_lines() -> list[dict[str, Any]]:
    connected: dict[str, list[dict[str, Any]]] = {key: [] for key in SYSTEMS}
    for source in Source.objects.filter(adapter__in=SYSTEMS, paused_at=None).order_by("name"):
        newest = (
            Spreadsheet.objects.filter(source=source).exclude(transfer=None).order_by("-number")
        )
        row = {"source": source, "missing": missing_credentials(source), "sheet": newest.first()}
        connected[source.adapter].append(row)
    return [
        {"key": key, "name": system.NAME, "mend": system.FIX_HINT, "sources": connected[key]}
        for key, system in SYSTEMS.items()
    ]


def _read_counts(row: CrmImport) -> list[dict[str, Any]]:
    names = ["records", *imported_activities.ActivityKind]
    listed = {name: row.listed.get(name, 0) for name in names}
    return [
        {"said": KIND_LABELS[name.removesuffix("s")], "count": count, "of": row.declared.get(name)}
        for name, count in listed.items()
        if count
    ]


def _mapping_context(row: CrmImport, sheet: Spreadsheet) -> dict[str, Any]:
    held = owner_mapping.list_owners(row, sheet.findings.get("owners", {}))
    stages = [
        {"name": name, "count": count, "becomes": row.stages.get(name, "new")}
        for name, count in sheet.findings.get("stages", {}).items()
    ]
    for stage in stages:
        stage["said"] = owner_mapping.LEAD_STATES[stage["becomes"]]
    return {
        "held": held,
        "unmatched": owner_mapping.unmatched_owners(held),
        "officers": owner_mapping.list_active_officers(),
        "stages": stages,
        "stage_choices": owner_mapping.LEAD_STATES,
    }


def _reconciliation_context(row: CrmImport, sheet: Spreadsheet) -> dict[str, Any]:
    """Theirs against ours, a line for each kind; every line must add up."""
    counts, read = sheet.counts, row.listed.get("records", 0)
    people = {
        "said": "people",
        "declared": row.declared.get("records"),
        "listed": read,
        "taken": counts.get("new", 0) + counts.get("known", 0),
        "merged": counts.get("known", 0),
        "before": counts.get("left_out", 0) + counts.get("repeated", 0),
        "refused": _refusal_reasons(sheet),
        "adds_up": read == sum(counts.get(word, 0) for word in ROW_OUTCOMES),
    }
    return {"sums": [people, *map(_reconciliation_line, imported_activities.count_by_kind(sheet))]}


def _refusal_reasons(sheet: Spreadsheet) -> list[tuple[str, int]]:
    rows = ImportedRow.objects.filter(spreadsheet=sheet, became="refused")
    counted = rows.values_list("why").annotate(count=Count("pk")).order_by("-count")
    return [(reason_text(reason), count) for reason, count in counted]


def _reconciliation_line(one: imported_activities.ActivityTotals) -> dict[str, Any]:
    parts = (("nobody", one.nobody), ("not_taken", one.not_taken))
    return {
        "said": KIND_LABELS[one.kind],
        "listed": one.listed,
        "taken": one.joined,
        "before": one.before,
        "declared": None,
        "refused": [
            (imported_activities.UNLINKED_REASONS[word], count) for word, count in parts if count
        ],
        "adds_up": one.is_balanced,
    }
