"""Merge of two person records that staff identified as the same person.

Their leads stay separate, each with its credits, costs and owner; only the leads' person changes.
Every moved row is recorded, and `split_people` moves it back.
"""

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
    "said": "The borrower said so",
    "spoken": "The loan officer spoke with them",
    "papers": "Their documents show it",
    "mistyped": "A name or number was mistyped",
}
# Rows that move together with their lead.
LEAD_TABLES: tuple[type[models.Model], ...] = (Touch, ContactAttempt, Verdict)
PERSON_TABLES: tuple[type[models.Model], ...] = (Lead, *LEAD_TABLES, Consent, Revocation)


class CannotMerge(Exception):
    """The two records cannot be merged; the text is shown to staff."""


@dataclass(slots=True)
class _MergeChanges:
    """The row changes of one merge, recorded so that it can be undone."""

    moved: dict[str, list[str]] = field(default_factory=dict)  # ids by table
    columns: list[list[Any]] = field(default_factory=list)  # table, id, column, old, new

    def move_rows(self, rows: models.QuerySet[Any], *, to: Person) -> None:
        table = rows.model._meta.db_table
        ids = list(rows.values_list("pk", flat=True))
        rows.model.objects.filter(pk__in=ids).update(person=to)
        self.moved.setdefault(table, []).extend(str(pk) for pk in ids)

    def change_column(self, row: models.Model, column: str, new: object) -> None:
        old = getattr(row, column)
        type(row)._default_manager.filter(pk=row.pk).update(**{column: new})
        self.columns.append(
            [row._meta.db_table, str(row.pk), column, column_to_json(old), column_to_json(new)]
        )


def merge_people(
    *,
    survivor_id: UUID,
    duplicate_id: UUID,
    reason: str,
    by: UUID | None,
    at: datetime,
    evidence: str = "",
) -> PersonMerge:
    """Merge a duplicate into the survivor, whose name and language stay; safe to repeat.

    A revocation of either applies to both afterwards, and a phone number that was wrong for
    either is wrong for both. Consents stay with the number they were given for. Raises
    `CannotMerge`.

    Args:
        reason: a key of `MERGE_REASONS`.
        evidence: the evidence of a match, as it was shown to the user.
    """
    if reason not in MERGE_REASONS:
        raise CannotMerge("Say why they are one person.")
    with transaction.atomic():
        survivor, duplicate = _lock_pair(survivor_id, duplicate_id)
        earlier = PersonMerge.objects.filter(
            survivor=survivor, merged=duplicate, split_at=None
        ).first()
        if earlier:
            return earlier
        _check_mergeable(survivor, duplicate)
        changes = _MergeChanges()
        stops = (
            Revocation.objects.filter(person=survivor).order_by("pk").values_list("pk", flat=True)
        )
        stops_of_kept = [str(pk) for pk in stops]
        for table in PERSON_TABLES:
            changes.move_rows(table._default_manager.filter(person=duplicate), to=survivor)
        _move_numbers(survivor, duplicate, changes)
        _move_addresses(survivor, duplicate, changes)
        for absorbed in Person.objects.filter(merged_into=duplicate):
            changes.change_column(absorbed, "merged_into_id", survivor.pk)
        for lead in Lead.objects.filter(co_borrower=duplicate):
            changes.change_column(lead, "co_borrower_id", survivor.pk)
        # Search for duplicates again: the merged person has more phones, emails and names.
        changes.change_column(survivor, "compared_at", None)
        Person.objects.filter(pk=duplicate.pk).update(merged_into=survivor)
        merge = PersonMerge.objects.create(
            survivor=survivor,
            merged=duplicate,
            reason=reason,
            evidence=evidence[:200],
            moved=changes.moved,
            changed={"columns": changes.columns, "stops_of_kept": stops_of_kept},
            by_id=by,
            at=at,
        )
        _record_events(merge, "capture.person.merged", by=by, at=at, reason=reason)
    return merge


def column_to_json(value: object) -> Any:
    """Return a column's value in the form it is stored in JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def lock_people(*people: Person) -> None:
    """Lock these people's phone numbers, email addresses and leads until commit."""
    rows = person_lookup.with_contacts(
        Person.objects.filter(pk__in=[person.pk for person in people])
    )
    contacts = [(list(row.phones.all()), list(row.emails.all())) for row in rows]
    identity = person_matching.Identity(
        phones=frozenset(phone.e164 for phones, _ in contacts for phone in phones),
        emails=frozenset(email.key for _, emails in contacts for email in emails),
    )
    person_lookup.lock_match_keys(person_lookup.contact_match_keys(identity))
    list(
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .filter(person__in=people)
        .order_by("pk")
        .values_list("pk")
    )


def _lock_pair(survivor_id: UUID, duplicate_id: UUID) -> tuple[Person, Person]:
    """Lock both people, in one order, with all rows that intake and replies read."""
    if survivor_id == duplicate_id:
        raise CannotMerge("Choose two different people.")
    lock_people(*Person.objects.filter(pk__in=[survivor_id, duplicate_id]))
    rows = (
        Person.objects.select_for_update().filter(pk__in=[survivor_id, duplicate_id]).order_by("pk")
    )
    people = {row.pk: row for row in rows}
    if len(people) < 2:
        raise CannotMerge("One of the two people is not on file.")
    return people[survivor_id], people[duplicate_id]


def _check_mergeable(survivor: Person, duplicate: Person) -> None:
    for person in (survivor, duplicate):
        if person.merged_into_id:
            raise CannotMerge(f"{person.name} is already merged into another person.")
    pair = (survivor, duplicate)
    if len(set(Lead.objects.filter(person__in=pair).values_list("is_test", flat=True))) > 1:
        raise CannotMerge("One of them is a test. A test can't be merged with a real person.")
    if Lead.objects.filter(person__in=pair, co_borrower__in=pair).exists():
        raise CannotMerge(
            "They apply together: the borrower and co-borrower of a loan are two people."
        )


def _move_numbers(survivor: Person, duplicate: Person, changes: _MergeChanges) -> None:
    """Move the duplicate's phones; a shared phone that was unlinked for either is unlinked."""
    survivor_phones = {phone.e164: phone for phone in survivor.phones.all()}
    has_primary = any(
        phone.is_primary and not phone.unlinked_at for phone in survivor_phones.values()
    )
    to_move = []
    for phone in duplicate.phones.all():
        shared = survivor_phones.get(phone.e164)
        if shared is None:
            to_move.append(phone.pk)
            if phone.is_primary and has_primary:
                changes.change_column(phone, "is_primary", new=False)
        elif phone.unlinked_at and not shared.unlinked_at:
            changes.change_column(shared, "unlinked_at", phone.unlinked_at)
    changes.move_rows(Phone.objects.filter(pk__in=to_move), to=survivor)


def _move_addresses(survivor: Person, duplicate: Person, changes: _MergeChanges) -> None:
    """Move the duplicate's emails; a shared email that bounced for either has bounced."""
    survivor_emails = {email.key: email for email in survivor.emails.all()}
    has_primary = any(
        email.is_primary and not email.bounced_at for email in survivor_emails.values()
    )
    to_move = []
    for email in duplicate.emails.all():
        shared = survivor_emails.get(email.key)
        if shared is None:
            to_move.append(email.pk)
            if email.is_primary and has_primary:
                changes.change_column(email, "is_primary", new=False)
        elif email.bounced_at and not shared.bounced_at:
            changes.change_column(shared, "bounced_at", email.bounced_at)
    changes.move_rows(Email.objects.filter(pk__in=to_move), to=survivor)


def _record_events(
    merge: PersonMerge, kind: str, *, by: UUID | None, at: datetime, reason: str
) -> None:
    for person_id, other in (
        (merge.survivor_id, merge.merged_id),
        (merge.merged_id, merge.survivor_id),
    ):
        write_event(
            kind,
            at=at,
            actor=f"user:{by}" if by else "system:merge",
            person_id=person_id,
            other=other,
            merge=merge.pk,
            kept=merge.survivor_id,
            reason=reason,
            moved={name: len(ids) for name, ids in merge.moved.items() if ids},
        )
