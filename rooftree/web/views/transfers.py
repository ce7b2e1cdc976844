"""Moving from another system: connect it, read it, and what its import shows besides."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.crms import SYSTEMS
from rooftree.capture.imports import mapping, past, transfer
from rooftree.capture.imports.models import Transfer
from rooftree.capture.imports.stage import BadFile
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.source_credentials import missing_of
from rooftree.leads.models import Source
from rooftree.web.answers import moved, refused
from rooftree.web.page import must, staff
from rooftree.web.views.sources import why

PLURALS = {
    "record": "people",
    "note": "notes",
    "task": "tasks",
    "call": "calls",
    "email": "e-mails",
    "text": "texts",
    "meeting": "meetings",
}
BECAME = ("new", "known", "left_out", "repeated", "refused")
PEOPLE = {  # of a dry run's counts: words, icon, tone
    "with_phone": ("Have a phone number", "phone", ""),
    "with_email": ("Have an e-mail address", "mail", ""),
    "do_not_call": ("Asked not to be called", "ban", "late"),
    "do_not_text": ("Asked not to be texted", "ban", "late"),
    "do_not_email": ("Opted out of e-mail", "ban", "late"),
}


@staff("GET", "POST")
def systems(request: HttpRequest) -> HttpResponse:
    """Every system we can ask, with what is connected; a POST begins to read one."""
    must(request.user, "edit_sources")
    here = reverse("import_systems")
    if request.method == "GET":
        return render(request, "imports/systems.html", {"systems": _systems()})
    try:
        source_id = UUID(request.POST.get("source", ""))
        sheet = transfer.begin(source_id=source_id, by=request.user, at=request.at)
    except (ValueError, Source.DoesNotExist):
        return refused(request, "Choose a system to read.", back_to=here)
    except BadFile as bad:
        return refused(request, str(bad), back_to=here)
    return moved(request, "It is being read", to=reverse("import", args=[sheet.pk]))


def chosen(typed: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Whose leads are whose and what stages become, as a form said it; {} where it says neither."""
    found: dict[str, dict[str, str]] = {"owners": {}, "stages": {}}
    for part, values in found.items():
        nth = 0
        while f"{part}-{nth}" in typed:
            values[typed[f"{part}-{nth}"]] = typed.get(f"{part}-{nth}-is", "")
            nth += 1
    return found if any(found.values()) else {}


def shown(sheet: Spreadsheet) -> dict[str, Any]:
    """What the page of an import shows besides, if it is read out of another system."""
    people = sheet.findings.get("people", {})
    common = {
        "people": [
            {"said": said, "icon": icon, "tone": tone, "count": people[key]}
            for key, (said, icon, tone) in PEOPLE.items()
            if people.get(key)
        ],
        "unknown": people.get("consent_unknown", 0),
        "asking": {key: people.get(f"ask_{key}", 0) for key in ("by_email", "by_call", "never")},
    }
    row = transfer.of(sheet)
    if row is None:
        return common
    return common | {
        "transfer": row,
        "system": SYSTEMS[sheet.source.adapter].NAME,
        "so_far": _so_far(row),
        **(_mapped(row, sheet) if sheet.state in ("columns", "checked") else {}),
        **(_reconciled(row, sheet) if sheet.state in ("done", "undoing") else {}),
    }


def _systems() -> list[dict[str, Any]]:
    connected: dict[str, list[dict[str, Any]]] = {key: [] for key in SYSTEMS}
    for one in Source.objects.filter(adapter__in=SYSTEMS, paused_at=None).order_by("name"):
        newest = Spreadsheet.objects.filter(source=one).exclude(transfer=None).order_by("-number")
        row = {"source": one, "missing": missing_of(one), "sheet": newest.first()}
        connected[one.adapter].append(row)
    return [
        {"key": key, "name": system.NAME, "mend": system.MEND, "sources": connected[key]}
        for key, system in SYSTEMS.items()
    ]


def _so_far(row: Transfer) -> list[dict[str, Any]]:
    names = ["records", *past.Past]
    listed = {name: row.listed.get(name, 0) for name in names}
    return [
        {"said": PLURALS[name.removesuffix("s")], "count": count, "of": row.declared.get(name)}
        for name, count in listed.items()
        if count
    ]


def _mapped(row: Transfer, sheet: Spreadsheet) -> dict[str, Any]:
    held = mapping.held_by(row, sheet.findings.get("owners", {}))
    stages = [
        {"name": name, "count": count, "becomes": row.stages.get(name, "new")}
        for name, count in sheet.findings.get("stages", {}).items()
    ]
    for stage in stages:
        stage["said"] = mapping.STAGES[stage["becomes"]]
    return {
        "held": held,
        "unmatched": mapping.unmatched(held),
        "officers": mapping.officers(),
        "stages": stages,
        "stage_choices": mapping.STAGES,
    }


def _reconciled(row: Transfer, sheet: Spreadsheet) -> dict[str, Any]:
    """Theirs against ours, a line for each kind; every line must add up."""
    counts, read = sheet.counts, row.listed.get("records", 0)
    people = {
        "said": "people",
        "declared": row.declared.get("records"),
        "listed": read,
        "taken": counts.get("new", 0) + counts.get("known", 0),
        "merged": counts.get("known", 0),
        "before": counts.get("left_out", 0) + counts.get("repeated", 0),
        "refused": _reasons(sheet),
        "adds_up": read == sum(counts.get(word, 0) for word in BECAME),
    }
    return {"sums": [people, *map(_line, past.counted(sheet))]}


def _reasons(sheet: Spreadsheet) -> list[tuple[str, int]]:
    rows = ImportedRow.objects.filter(spreadsheet=sheet, became="refused")
    counted = rows.values_list("why").annotate(count=Count("pk")).order_by("-count")
    return [(why(reason), count) for reason, count in counted]


def _line(one: past.Sum) -> dict[str, Any]:
    parts = (("nobody", one.nobody), ("not_taken", one.not_taken))
    return {
        "said": PLURALS[one.kind],
        "listed": one.listed,
        "taken": one.joined,
        "before": one.before,
        "declared": None,
        "refused": [(past.WHY[word], count) for word, count in parts if count],
        "adds_up": one.adds_up,
    }
