"""What happened to people in another system: kept, and joined to the leads they became.

It is shown, and open tasks are done here from now on; nothing of it was sent, said or tried
by us, and so it is never counted as that.
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
DEFAULT_TASK_DELAY = timedelta(days=1)  # until when a task is due that named no time
UNLINKED_REASONS = {  # an entry that has no lead
    "nobody": "It is about nobody, or about a record that is no lead",
    "not_taken": "Its person did not come in",
}
IS_LINKED = Q(lead__isnull=False)
type OwnedActivity = tuple[PastActivity, str]  # and its owner, as a word


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTotals:
    """What became of all things of one kind."""

    kind: ActivityKind
    listed: int  # by the other system
    joined: int  # to leads
    before: int  # were here already, or were listed twice
    nobody: int
    not_taken: int

    @property
    def is_balanced(self) -> bool:
        return self.listed == self.joined + self.before + self.nobody + self.not_taken


def store_activities(
    sheet: Spreadsheet, entries: Iterable[OwnedActivity], *, at: datetime
) -> Counter[str]:
    """Store what a page told; of each kind how many were there already."""
    rows = [_build_activity(sheet, one, by, at) for one, by in entries]
    fresh = insert_new_rows(rows)
    return Counter(row.kind for row in rows if row.pk not in fresh)


def _build_activity(
    sheet: Spreadsheet, one: PastActivity, by: str, at: datetime
) -> ImportedActivity:
    return ImportedActivity(
        id=uuid7_at(at),
        sheet=sheet,
        source=sheet.source,
        kind=one.kind.value,
        key=one.external_id[:200],
        about=[who[:255] for who in one.record_keys if who],
        at=one.at,
        title=_redact_text(one.title)[:300],
        text=_redact_text(one.text),
        direction=one.direction,
        owner_id=one.owner_id[:80],
        by=by[:200],
        due_at=one.due_at,
        is_open=one.is_open,
    )


def link_next_batch(sheet: Spreadsheet, *, at: datetime) -> bool:
    """Join the next entries to their leads; False when none is left. In a transaction."""
    rows = ImportedActivity.objects.filter(sheet=sheet, lead=None, why="").order_by("id")
    entries = list(rows[:BATCH_SIZE])
    if not entries:
        return False
    _link_to_leads(sheet, entries, _leads_by_record_key(sheet, entries), at)
    return True


def link_earlier_activities(sheet: Spreadsheet, touches: Iterable[Touch], *, at: datetime) -> None:
    """Join what an earlier reading told of people who come in only now. In a transaction."""
    leads = {who: touch.lead_id for touch in touches for who in _record_keys(touch)}
    others = Spreadsheet.objects.filter(source=sheet.source_id).exclude(pk=sheet.pk)
    rows = ImportedActivity.objects.filter(sheet__in=others, lead=None, why="not_taken")
    _link_to_leads(sheet, list(rows.filter(about__overlap=sorted(leads))), leads, at)


def count_by_kind(sheet: Spreadsheet) -> list[ActivityTotals]:
    """By kind: how many its pages held, and what became of each."""
    held, before = sheet.transfer.listed, sheet.transfer.before
    rows = ImportedActivity.objects.filter(sheet=sheet).values("kind", "why", is_joined=IS_LINKED)
    kept: Counter[tuple[str, str]] = Counter()
    for row in rows.annotate(count=Count("pk")).order_by():
        kept[row["kind"], "joined" if row["is_joined"] else row["why"]] += row["count"]
    return [
        ActivityTotals(
            kind=kind,
            listed=held[kind.value],
            joined=kept[kind.value, "joined"],
            before=before.get(kind.value, 0),
            nobody=kept[kind.value, "nobody"],
            not_taken=kept[kind.value, "not_taken"],
        )
        for kind in ActivityKind
        if held.get(kind.value)
    ]


def _record_keys(touch: Touch) -> set[str]:
    """How an entry may name the record somebody came in by."""
    ids = touch.inquiry.get("vendor_ids") or {}
    return {touch.vendor_lead_id, *(f"{name}={who}" for name, who in ids.items())} - {""}


def _link_to_leads(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity], leads: Mapping[str, UUID], at: datetime
) -> None:
    for entry in entries:
        lead_id = next((leads[who] for who in entry.about if who in leads), None)
        entry.lead_id, entry.why = (
            lead_id,
            "" if lead_id else "not_taken" if entry.about else "nobody",
        )
    ImportedActivity.objects.bulk_update(entries, ["lead", "why"])
    _create_open_tasks(sheet, [entry for entry in entries if entry.lead_id and entry.is_open], at)


def _leads_by_record_key(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity]
) -> dict[str, UUID]:
    """By what an entry may say it is about, the lead of that record, this import's or another's."""
    said = {who for entry in entries for who in entry.about}
    plain = {who for who in said if "=" not in who}
    touches = Touch.objects.filter(source=sheet.source)
    found = dict(touches.filter(vendor_lead_id__in=plain).values_list("vendor_lead_id", "lead_id"))
    for name in {who.partition("=")[0] for who in said - plain}:
        wanted = {who.partition("=")[2] for who in said if who.startswith(f"{name}=")}
        column = f"inquiry__vendor_ids__{name}"
        mine = touches.filter(
            delivery__in=ImportedRow.objects.filter(spreadsheet=sheet).values("delivery"),
            **{f"{column}__in": sorted(wanted)},
        )
        found |= {f"{name}={who}": lead for who, lead in mine.values_list(column, "lead_id")}
    return found


def _create_open_tasks(
    sheet: Spreadsheet, entries: Sequence[ImportedActivity], at: datetime
) -> None:
    officers: dict[str, str] = sheet.transfer.officers
    ids = set(filter(None, officers.values()))
    users = dict(LoanOfficer.objects.filter(pk__in=ids).values_list("pk", "user_id"))
    by_owner = {owner: users[UUID(one)] for owner, one in officers.items() if one}
    lead_tasks.import_tasks(
        [
            lead_tasks.ImportedTask(
                lead_id=entry.lead_id,
                user_id=by_owner.get(entry.owner_id),
                idempotency_key=f"imported:{sheet.pk}:{entry.pk}",
                title=entry.title or entry.text or "A task without a title",
                due_at=entry.due_at or at + DEFAULT_TASK_DELAY,
            )
            for entry in entries
            if entry.lead_id
        ],
        at=at,
    )


def _redact_text(text: str) -> str:
    return redact_numbers(clean_text(text, keep_lines=True))[0]
