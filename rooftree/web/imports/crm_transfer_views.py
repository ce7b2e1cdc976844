"""Imports from another CRM: connect it, read it, and the CRM parts of an import's page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.crms import SYSTEMS
from rooftree.capture.crms.crm_pages import ActivityKind
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
    "email": "emails",
    "text": "texts",
    "meeting": "meetings",
}
ROW_OUTCOMES = ("new", "known", "left_out", "repeated", "refused")
PEOPLE_LABELS = {  # count of a preview: (label, icon, tone)
    "with_phone": ("With a phone number", "phone", ""),
    "with_email": ("With an email address", "mail", ""),
    "do_not_call": ("Opted out of calls", "ban", "late"),
    "do_not_text": ("Opted out of texts", "ban", "late"),
    "do_not_email": ("Opted out of email", "ban", "late"),
}


@staff_view("GET", "POST")
def connect_system(request: StaffRequest) -> HttpResponse:
    """List the supported systems and their connections; a POST starts reading one."""
    require_permission(request.user, "edit_sources")
    page_url = reverse("import_systems")
    if request.method == "GET":
        return render(request, "imports/systems.html", {"systems": _system_lines()})
    try:
        source_id = UUID(request.POST.get("source", ""))
        sheet = crm_import.start_crm_import(source_id=source_id, by=request.user, at=request.at)
    except (ValueError, Source.DoesNotExist):
        return respond_refused(request, "Choose a system to read.", back_to=page_url)
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=page_url)
    return respond_redirect(request, "Reading started", to=reverse("import", args=[sheet.pk]))


def parse_mapping(typed: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Read the chosen officer per owner and state per stage; {} if the form has neither."""
    mapping: dict[str, dict[str, str]] = {"owners": {}, "stages": {}}
    for part, values in mapping.items():
        nth = 0
        while f"{part}-{nth}" in typed:
            values[typed[f"{part}-{nth}"]] = typed.get(f"{part}-{nth}-is", "")
            nth += 1
    return mapping if any(mapping.values()) else {}


def transfer_context(sheet: Spreadsheet) -> dict[str, Any]:
    """Return the context of an import's people and, if read from a CRM, of that CRM."""
    people = sheet.findings.get("people", {})
    common = {
        "people": [
            {"label": label, "icon": icon, "tone": tone, "count": people[key]}
            for key, (label, icon, tone) in PEOPLE_LABELS.items()
            if people.get(key)
        ],
        "unknown_consent": people.get("consent_unknown", 0),
        "asking": {key: people.get(f"ask_{key}", 0) for key in ("by_email", "by_call", "never")},
    }
    transfer = crm_import.crm_import_of(sheet)
    if transfer is None:
        return common
    return common | {
        "transfer": transfer,
        "system": SYSTEMS[sheet.source.adapter].NAME,
        "read_counts": _read_counts(transfer),
        **(_mapping_context(transfer, sheet) if sheet.state in ("columns", "checked") else {}),
        **(_reconciliation_context(transfer, sheet) if sheet.state in ("done", "undoing") else {}),
    }


def _system_lines() -> list[dict[str, Any]]:
    """Return each system with its sources, their missing credentials and their last import."""
    lines: dict[str, list[dict[str, Any]]] = {key: [] for key in SYSTEMS}
    for source in Source.objects.filter(adapter__in=SYSTEMS, paused_at=None).order_by("name"):
        sheets = Spreadsheet.objects.filter(source=source).exclude(transfer=None)
        lines[source.adapter].append(
            {
                "source": source,
                "missing": missing_credentials(source),
                "sheet": sheets.order_by("-number").first(),
            }
        )
    return [
        {"key": key, "name": system.NAME, "fix_hint": system.FIX_HINT, "sources": lines[key]}
        for key, system in SYSTEMS.items()
    ]


def _read_counts(transfer: CrmImport) -> list[dict[str, Any]]:
    names = ["records", *ActivityKind]
    counts = {name: transfer.listed.get(name, 0) for name in names}
    return [
        {
            "label": KIND_LABELS[name.removesuffix("s")],
            "count": count,
            "total": transfer.declared.get(name),
        }
        for name, count in counts.items()
        if count
    ]


def _mapping_context(transfer: CrmImport, sheet: Spreadsheet) -> dict[str, Any]:
    owners = owner_mapping.list_owners(transfer, sheet.findings.get("owners", {}))
    states = {name: transfer.stages.get(name, "new") for name in sheet.findings.get("stages", {})}
    return {
        "owners": owners,
        "unmatched": owner_mapping.unmatched_owners(owners),
        "officers": owner_mapping.list_active_officers(),
        "stages": [
            {
                "name": name,
                "count": count,
                "becomes": states[name],
                "label": owner_mapping.LEAD_STATES[states[name]],
            }
            for name, count in sheet.findings.get("stages", {}).items()
        ],
        "stage_choices": owner_mapping.LEAD_STATES,
    }


def _reconciliation_context(transfer: CrmImport, sheet: Spreadsheet) -> dict[str, Any]:
    """Compare what was read with what was imported, one line per kind; each must add up."""
    counts, read = sheet.counts, transfer.listed.get("records", 0)
    people = {
        "label": "people",
        "declared": transfer.declared.get("records"),
        "listed": read,
        "imported": counts.get("new", 0) + counts.get("known", 0),
        "merged": counts.get("known", 0),
        "existing": counts.get("left_out", 0) + counts.get("repeated", 0),
        "skipped": _refusal_reasons(sheet),
        "adds_up": read == sum(counts.get(outcome, 0) for outcome in ROW_OUTCOMES),
    }
    return {"sums": [people, *map(_activity_line, imported_activities.count_by_kind(sheet))]}


def _refusal_reasons(sheet: Spreadsheet) -> list[tuple[str, int]]:
    rows = ImportedRow.objects.filter(spreadsheet=sheet, outcome="refused")
    counted = rows.values_list("problem").annotate(count=Count("pk")).order_by("-count")
    return [(reason_text(reason), count) for reason, count in counted]


def _activity_line(totals: imported_activities.ActivityTotals) -> dict[str, Any]:
    skipped = (("nobody", totals.nobody), ("not_taken", totals.not_taken))
    return {
        "label": KIND_LABELS[totals.kind],
        "listed": totals.listed,
        "imported": totals.joined,
        "existing": totals.before,
        "declared": None,
        "skipped": [
            (imported_activities.UNLINKED_REASONS[reason], count)
            for reason, count in skipped
            if count
        ],
        "adds_up": totals.is_balanced,
    }
