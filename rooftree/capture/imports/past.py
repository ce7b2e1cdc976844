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

from rooftree.capture.crm_shapes import Happened, Past
from rooftree.capture.imports.models import PastEntry
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.core.masking import redact
from rooftree.core.names import clean_text
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import to_do
from rooftree.leads.models import Touch
from rooftree.org.insert import insert_all_once
from rooftree.org.models import LoanOfficer

TOGETHER = 500  # entries of one transaction
NO_TIME = timedelta(days=1)  # until when a task is due that named no time
WHY = {  # an entry that has no lead
    "nobody": "It is about nobody, or about a record that is no lead",
    "not_taken": "Its person did not come in",
}
IS_JOINED = Q(lead__isnull=False)
type Named = tuple[Happened, str]  # and its owner, as a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What became of all things of one kind."""

    kind: Past
    listed: int  # by the other system
    joined: int  # to leads
    before: int  # were here already, or were listed twice
    nobody: int
    not_taken: int

    @property
    def adds_up(self) -> bool:
        return self.listed == self.joined + self.before + self.nobody + self.not_taken


def keep(sheet: Spreadsheet, entries: Iterable[Named], *, at: datetime) -> Counter[str]:
    """Store what a page told; of each kind how many were there already."""
    rows = [_entry(sheet, one, by, at) for one, by in entries]
    fresh = insert_all_once(rows)
    return Counter(one.kind for one in rows if one.pk not in fresh)


def _entry(sheet: Spreadsheet, one: Happened, by: str, at: datetime) -> PastEntry:
    return PastEntry(
        id=uuid7_at(at),
        sheet=sheet,
        source=sheet.source,
        kind=one.kind.value,
        key=one.key[:200],
        about=[who[:255] for who in one.about if who],
        at=one.at,
        title=_kept(one.title)[:300],
        text=_kept(one.text),
        direction=one.direction,
        owner_id=one.owner_id[:80],
        by=by[:200],
        due_at=one.due_at,
        is_open=one.is_open,
    )


def join_some(sheet: Spreadsheet, *, at: datetime) -> bool:
    """Join the next entries to their leads; False when none is left. In a transaction."""
    rows = PastEntry.objects.filter(sheet=sheet, lead=None, why="").order_by("id")
    entries = list(rows[:TOGETHER])
    if not entries:
        return False
    _join(sheet, entries, _leads_of(sheet, entries), at)
    return True


def join_earlier(sheet: Spreadsheet, touches: Iterable[Touch], *, at: datetime) -> None:
    """Join what an earlier reading told of people who come in only now. In a transaction."""
    leads = {who: one.lead_id for one in touches for who in _called(one)}
    others = Spreadsheet.objects.filter(source=sheet.source_id).exclude(pk=sheet.pk)
    rows = PastEntry.objects.filter(sheet__in=others, lead=None, why="not_taken")
    _join(sheet, list(rows.filter(about__overlap=sorted(leads))), leads, at)


def counted(sheet: Spreadsheet) -> list[Sum]:
    """By kind: how many its pages held, and what became of each."""
    held, before = sheet.transfer.listed, sheet.transfer.before
    rows = PastEntry.objects.filter(sheet=sheet).values("kind", "why", is_joined=IS_JOINED)
    kept: Counter[tuple[str, str]] = Counter()
    for one in rows.annotate(count=Count("pk")).order_by():
        kept[one["kind"], "joined" if one["is_joined"] else one["why"]] += one["count"]
    return [
        Sum(
            kind=kind,
            listed=held[kind.value],
            joined=kept[kind.value, "joined"],
            before=before.get(kind.value, 0),
            nobody=kept[kind.value, "nobody"],
            not_taken=kept[kind.value, "not_taken"],
        )
        for kind in Past
        if held.get(kind.value)
    ]


def _called(touch: Touch) -> set[str]:
    """How an entry may name the record somebody came in by."""
    ids = touch.inquiry.get("vendor_ids") or {}
    return {touch.vendor_lead_id, *(f"{name}={who}" for name, who in ids.items())} - {""}


def _join(
    sheet: Spreadsheet, entries: Sequence[PastEntry], leads: Mapping[str, UUID], at: datetime
) -> None:
    for one in entries:
        lead_id = next((leads[who] for who in one.about if who in leads), None)
        one.lead_id, one.why = lead_id, "" if lead_id else "not_taken" if one.about else "nobody"
    PastEntry.objects.bulk_update(entries, ["lead", "why"])
    _as_tasks(sheet, [one for one in entries if one.lead_id and one.is_open], at)


def _leads_of(sheet: Spreadsheet, entries: Sequence[PastEntry]) -> dict[str, UUID]:
    """By what an entry may say it is about, the lead of that record, this import's or another's."""
    said = {who for one in entries for who in one.about}
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


def _as_tasks(sheet: Spreadsheet, entries: Sequence[PastEntry], at: datetime) -> None:
    officers: dict[str, str] = sheet.transfer.officers
    ids = set(filter(None, officers.values()))
    users = dict(LoanOfficer.objects.filter(pk__in=ids).values_list("pk", "user_id"))
    by_owner = {owner: users[UUID(one)] for owner, one in officers.items() if one}
    to_do.bring(
        [
            to_do.Brought(
                lead_id=one.lead_id,
                user_id=by_owner.get(one.owner_id),
                cause=f"imported:{sheet.pk}:{one.pk}",
                title=one.title or one.text or "A task without a title",
                due_at=one.due_at or at + NO_TIME,
            )
            for one in entries
            if one.lead_id
        ],
        at=at,
    )


def _kept(text: str) -> str:
    return redact(clean_text(text, keep_lines=True))[0]
