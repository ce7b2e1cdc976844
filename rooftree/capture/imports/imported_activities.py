"""Activities of people in another system, stored and linked to the leads they became.

They are shown on the lead, and open tasks continue here. We sent and said none of it, so it
never counts as our contact.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q

from rooftree.capture.crms.crm_pages import ActivityKind, PastActivity
from rooftree.capture.imports.models import ImportedActivity
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.core.masking import redact_numbers
from rooftree.core.person_names import clean_text
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads import lead_tasks
from rooftree.leads.models import Touch
from rooftree.org.models import LoanOfficer

BATCH_SIZE = 500  # entries of one transaction
DEFAULT_TASK_DELAY = timedelta(days=1)  # due time of a task that named none
UNLINKED_REASONS = {  # of an activity without a lead
    "nobody": "Not linked to a lead record",
    "not_taken": "Its lead wasn't imported",
}
IS_LINKED = Q(lead__isnull=False)
type OwnedActivity = tuple[PastActivity, str]  # with its owner's name


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTotals:
    """The outcome of all activities of one kind."""

    kind: ActivityKind
    listed: int  # by the other system
    joined: int  # to leads
    before: int  # stored before, or listed twice
    nobody: int
    not_taken: int

    @property
    def is_balanced(self) -> bool:
        return self.listed == self.joined + self.before + self.nobody + self.not_taken


def store_activities(
    sheet: Spreadsheet, entries: Iterable[OwnedActivity], *, at: datetime
) -> Counter[str]:
    """Store a page's activities; return by kind how many were stored before."""
    rows = [_build_activity(sheet, activity, by, at) for activity, by in entries]
    inserted = insert_new_rows(rows)
    return Counter(row.kind for row in rows if row.pk not in inserted)


def _build_activity(
    sheet: Spreadsheet, activity: PastActivity, by: str, at: datetime
) -> ImportedActivity:
    return ImportedActivity(
        id=uuid7_at(at),
        sheet=sheet,
        source=sheet.source,
        kind=activity.kind.value,
        key=activity.external_id[:200],
        subject=[key[:255] for key in activity.record_keys if key],
        at=activity.at,
        title=_redact_text(activity.title)[:300],
        text=_redact_text(activity.text),
        direction=activity.direction,
        owner_id=activity.owner_id[:80],
        by=by[:200],
        due_at=activity.due_at,
        is_open=activity.is_open,
    )


def link_next_batch(sheet: Spreadsheet, *, at: datetime) -> bool:
    """Link the next activities to their leads, in a transaction; return False if none is left."""
    rows = ImportedActivity.objects.filter(sheet=sheet, lead=None, problem="").order_by("id")
    entries = list(rows[:BATCH_SIZE])
    if not entries:
        return False
    _link_to_leads(sheet, entries, _leads_by_record_key(sheet, entries), at)
    return True


def link_earlier_activities(sheet: Spreadsheet, touches: Iterable[Touch], *, at: datetime) -> None:
    """Link activities of earlier imports to people who arrive only now, in a transaction."""
    leads: dict[str, UUID] = {}
    for touch in touches:
        ids = touch.inquiry.get("vendor_ids") or {}
        keys = {touch.vendor_lead_id, *(f"{name}={value}" for name, value in ids.items())}
        leads |= dict.fromkeys(keys - {""}, touch.lead_id)
    others = Spreadsheet.objects.filter(source=sheet.source_id).exclude(pk=sheet.pk)
    rows = ImportedActivity.objects.filter(sheet__in=others, lead=None, problem="not_taken")
    _link_to_leads(sheet, list(rows.filter(subject__overlap=sorted(leads))), leads, at)


def count_by_kind(sheet: Spreadsheet) -> list[ActivityTotals]:
    """Count the activities of a CRM import by kind and by outcome."""
    listed, before = sheet.transfer.listed, sheet.transfer.before
    rows = ImportedActivity.objects.filter(sheet=sheet).values(
        "kind", "problem", is_joined=IS_LINKED
    )
    kept: Counter[tuple[str, str]] = Counter()
    for row in rows.annotate(count=Count("pk")).order_by():
        kept[row["kind"], "joined" if row["is_joined"] else row["problem"]] += row["count"]
    return [
        ActivityTotals(
            kind=kind,
            listed=listed[kind.value],
            joined=kept[kind.value, "joined"],
            before=before.get(kind.value, 0),
            nobody=kept[kind.value, "nobody"],
            not_taken=kept[kind.value, "not_taken"],
        )
        for kind in ActivityKind
        if listed.get(kind.value)
    ]


def _link_to_leads(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity], leads: Mapping[str, UUID], at: datetime
) -> None:
    for entry in entries:
        lead_id = next((leads[key] for key in entry.subject if key in leads), None)
        entry.lead_id = lead_id
        entry.problem = "" if lead_id else "not_taken" if entry.subject else "nobody"
    ImportedActivity.objects.bulk_update(entries, ["lead", "problem"])
    _create_open_tasks(sheet, [entry for entry in entries if entry.lead_id and entry.is_open], at)


def _leads_by_record_key(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity]
) -> dict[str, UUID]:
    """Find the leads of the records that activities are about, by record key.

    A vendor's lead id matches leads of any import of the source; other ids only this import's.
    """
    keys = {key for entry in entries for key in entry.subject}
    vendor_lead_ids = {key for key in keys if "=" not in key}
    touches = Touch.objects.filter(source=sheet.source)
    leads = dict(
        touches.filter(vendor_lead_id__in=vendor_lead_ids).values_list("vendor_lead_id", "lead_id")
    )
    for name in {key.partition("=")[0] for key in keys - vendor_lead_ids}:
        wanted = {key.partition("=")[2] for key in keys if key.startswith(f"{name}=")}
        column = f"inquiry__vendor_ids__{name}"
        imported_touches = touches.filter(
            delivery__in=ImportedRow.objects.filter(spreadsheet=sheet).values("delivery"),
            **{f"{column}__in": sorted(wanted)},
        )
        leads |= {
            f"{name}={value}": lead
            for value, lead in imported_touches.values_list(column, "lead_id")
        }
    return leads


def _create_open_tasks(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity], at: datetime
) -> None:
    officers: dict[str, str] = sheet.transfer.officers
    ids = set(filter(None, officers.values()))
    users = dict(LoanOfficer.objects.filter(pk__in=ids).values_list("pk", "user_id"))
    by_owner = {
        owner: users[UUID(officer_id)] for owner, officer_id in officers.items() if officer_id
    }
    lead_tasks.import_tasks(
        [
            lead_tasks.ImportedTask(
                lead_id=entry.lead_id,
                user_id=by_owner.get(entry.owner_id),
                idempotency_key=f"imported:{sheet.pk}:{entry.pk}",
                title=entry.title or entry.text or "Untitled task",
                due_at=entry.due_at or at + DEFAULT_TASK_DELAY,
            )
            for entry in entries
            if entry.lead_id
        ],
        at=at,
    )


def _redact_text(text: str) -> str:
    return redact_numbers(clean_text(text, keep_lines=True))[0]
