"""Making one person of two records that staff found to be the same human.

Leads stay apart, each with its credits, costs and owner: only whose they are changes. What
moved is written down row by row, and `split` puts it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.leads.models import (
    ContactAttempt,
    Email,
    Lead,
    Person,
    PersonMerge,
    Phone,
    Touch,
)
from rooftree.ledger.write_events import write_event

MERGE_REASONS = {
    "said": "They said so",
    "spoken": "The officer spoke with them",
    "papers": "Their papers show it",
    "mistyped": "A name or number was mistyped",
}
LEAD_TABLES: tuple[type[models.Model], ...] = (Touch, ContactAttempt, Verdict)  # go with their lead
PERSON_TABLES: tuple[type[models.Model], ...] = (Lead, *LEAD_TABLES, Consent, Revocation)


class CannotMerge(Exception):
    """These two cannot be made one person. The text is fit to show."""


@dataclass(slots=True)
class _MergeChanges:
    """What a merge does to rows, as it is kept."""

    moved: dict[str, list[str]] = field(default_factory=dict)
    columns: list[list[Any]] = field(default_factory=list)  # table, id, column, was, became

    def move_rows(self, rows: models.QuerySet[Any], *, to: Person) -> None:
        table = rows.model._meta.db_table
        ids = list(rows.values_list("pk", flat=True))
        rows.model.objects.filter(pk__in=ids).update(person=to)
        self.moved.setdefault(table, []).extend(str(row) for row in ids)

    def change_column(self, row: models.Model, column: str, became: object) -> None:
        was = getattr(row, column)
        type(row)._default_manager.filter(pk=row.pk).update(**{column: became})
        self.columns.append(
            [row._meta.db_table, str(row.pk), column, column_to_json(was), column_to_json(became)]
        )


def merge_people(
    *, kept_id: UUID, gone_id: UUID, reason: str, by: UUID | None, at: datetime, evidence: str = ""
) -> PersonMerge:
    """Make `gone` a part of `kept`, whose name and language stay. Asked twice it is the same.

    A stop of either is now a stop of both, a number that was wrong for either is wrong. Consents
    stay with the number they were given for. Raises `CannotMerge`.

    Args:
        reason: a key of `REASONS`.
        evidence: what spoke for it, as it was shown.
    """
    if reason not in MERGE_REASONS:
        raise CannotMerge("Say why they are one person.")
    with transaction.atomic():
        kept, gone = _lock_pair(kept_id, gone_id)
        done = PersonMerge.objects.filter(kept=kept, gone=gone, split_at=None).first()
        if done:
            return done
        _check_mergeable(kept, gone)
        moves = _MergeChanges()
        stops = Revocation.objects.filter(person=kept).order_by("pk").values_list("pk", flat=True)
        stood = [str(stop) for stop in stops]
        for table in PERSON_TABLES:
            moves.move_rows(table._default_manager.filter(person=gone), to=kept)
        _move_numbers(kept, gone, moves)
        _move_addresses(kept, gone, moves)
        for part in Person.objects.filter(merged_into=gone):
            moves.change_column(part, "merged_into_id", kept.pk)
        for lead in Lead.objects.filter(co_borrower=gone):
            moves.change_column(lead, "co_borrower_id", kept.pk)
        moves.change_column(kept, "compared_at", None)  # with others: it has more in common with them now
        Person.objects.filter(pk=gone.pk).update(merged_into=kept)
        made = PersonMerge.objects.create(
            kept=kept,
            gone=gone,
            reason=reason,
            evidence=evidence[:200],
            moved=moves.moved,
            changed={"columns": moves.columns, "stops_of_kept": stood},
            by_id=by,
            at=at,
        )
        _record_events(made, "capture.person.merged", by=by, at=at, reason=reason)
    return made


def column_to_json(value: object) -> Any:
    """A column's value as it is kept in JSON."""
    return value.isoformat() if isinstance(value, datetime) else _uuid_to_text(value)


def lock_people(*people: Person) -> None:
    """Hold all numbers and addresses of these people, and their leads, until we commit."""
    rows = person_lookup.with_contacts(
        Person.objects.filter(pk__in=[person.pk for person in people])
    )
    whole = [(list(row.phones.all()), list(row.emails.all())) for row in rows]
    theirs = person_matching.Identity(
        phones=frozenset(phone.e164 for phones, _ in whole for phone in phones),
        emails=frozenset(email.key for _, emails in whole for email in emails),
    )
    person_lookup.lock_match_keys(person_lookup.contact_match_keys(theirs))
    list(
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .filter(person__in=people)
        .order_by("pk")
        .values_list("pk")
    )


def _uuid_to_text(value: object) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _lock_pair(kept_id: UUID, gone_id: UUID) -> tuple[Person, Person]:
    """Both, locked in one order, with all that intake and replies decide by."""
    if kept_id == gone_id:
        raise CannotMerge("This is one person already.")
    lock_people(*Person.objects.filter(pk__in=[kept_id, gone_id]))
    rows = Person.objects.select_for_update().filter(pk__in=[kept_id, gone_id]).order_by("pk")
    found = {row.pk: row for row in rows}
    if len(found) < 2:
        raise CannotMerge("One of them is not on file.")
    return found[kept_id], found[gone_id]


def _check_mergeable(kept: Person, gone: Person) -> None:
    for one in (kept, gone):
        if one.merged_into_id:
            raise CannotMerge(f"{one.name} is part of another person already.")
    kinds = set(Lead.objects.filter(person__in=[kept, gone]).values_list("is_test", flat=True))
    if len(kinds) > 1:
        raise CannotMerge("One of them is a test; tests are kept apart from people.")
    pair = (kept, gone)
    if Lead.objects.filter(person__in=pair, co_borrower__in=pair).exists():
        raise CannotMerge(
            "They apply together: borrower and co-borrower of one loan are two people."
        )


def _move_numbers(kept: Person, gone: Person, moves: _MergeChanges) -> None:
    """Numbers both have stay where they are; one that was unlinked for either is for both."""
    ours = {phone.e164: phone for phone in kept.phones.all()}
    has_primary = any(one.is_primary and not one.unlinked_at for one in ours.values())
    theirs = list(gone.phones.all())
    for phone in theirs:
        mine = ours.get(phone.e164)
        if mine and phone.unlinked_at and not mine.unlinked_at:
            moves.change_column(mine, "unlinked_at", phone.unlinked_at)
        if not mine and phone.is_primary and has_primary:
            moves.change_column(phone, "is_primary", became=False)
    moves.move_rows(Phone.objects.filter(pk__in=_ids_not_in(theirs, ours, "e164")), to=kept)


def _move_addresses(kept: Person, gone: Person, moves: _MergeChanges) -> None:
    ours = {email.key: email for email in kept.emails.all()}
    has_primary = any(one.is_primary and not one.bounced_at for one in ours.values())
    theirs = list(gone.emails.all())
    for email in theirs:
        mine = ours.get(email.key)
        if mine and email.bounced_at and not mine.bounced_at:
            moves.change_column(mine, "bounced_at", email.bounced_at)
        if not mine and email.is_primary and has_primary:
            moves.change_column(email, "is_primary", became=False)
    moves.move_rows(Email.objects.filter(pk__in=_ids_not_in(theirs, ours, "key")), to=kept)


def _ids_not_in(theirs: Sequence[Any], ours: dict[str, Any], name: str) -> list[UUID]:
    return [one.pk for one in theirs if getattr(one, name) not in ours]


def _record_events(
    made: PersonMerge, kind: str, *, by: UUID | None, at: datetime, reason: str
) -> None:
    for person_id, other in ((made.kept_id, made.gone_id), (made.gone_id, made.kept_id)):
        write_event(
            kind,
            at=at,
            actor=f"user:{by}" if by else "system:merge",
            person_id=person_id,
            other=other,
            merge=made.pk,
            kept=made.kept_id,
            reason=reason,
            moved={name: len(ids) for name, ids in made.moved.items() if ids},
        )
