"""Undo a merge of two people: every row that the merge moved is moved back."""

from datetime import datetime
from uuid import UUID

from django.db import models, transaction

from rooftree.capture.identity import merge_people
from rooftree.compliance.models import Consent, Revocation
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Email, Lead, Person, PersonMerge, Phone, Touch
from rooftree.ledger.write_events import write_event

SPLIT_REASONS = {
    "said": "The borrower said so",
    "spoken": "The loan officer spoke with them",
    "papers": "Their documents show it",
    "slip": "Merged by mistake",
}
ALL_TABLES: tuple[type[models.Model], ...] = (*merge_people.PERSON_TABLES, Phone, Email, Person)
TABLES_BY_NAME = {table._meta.db_table: table for table in ALL_TABLES}


class CannotSplit(Exception):
    """The merge cannot be undone now; the text is shown to staff."""


def split_people(*, merge_id: UUID, reason: str, by: UUID | None, at: datetime) -> PersonMerge:
    """Undo a merge; safe to repeat.

    Every moved row is moved back. Rows added since stay with their lead: they move back with a
    lead that moves back, and a new lead stays with the person it was added to. A revocation made
    while they were one person applies to both, since nobody can tell which of them made it.
    Raises `CannotSplit`.

    Args:
        reason: a key of `SPLIT_REASONS`.
    """
    if reason not in SPLIT_REASONS:
        raise CannotSplit("Say why they are two people.")
    with transaction.atomic():
        merge = _lock_merge(merge_id)
        if merge.split_at is not None:
            return merge
        _check_splittable(merge)
        _restore_moved_rows(merge)
        _move_later_rows(merge)
        _copy_revocations(merge, at)
        Person.objects.filter(pk=merge.merged_id).update(merged_into=None)
        PersonMerge.objects.filter(pk=merge.pk).update(
            split_at=at, split_by_id=by, split_reason=reason
        )
        for person_id, other in (
            (merge.survivor_id, merge.merged_id),
            (merge.merged_id, merge.survivor_id),
        ):
            write_event(
                "capture.person.split",
                at=at,
                actor=f"user:{by}" if by else "system:split",
                person_id=person_id,
                other=other,
                merge=merge.pk,
                reason=reason,
            )
    merge.refresh_from_db()
    return merge


def _lock_merge(merge_id: UUID) -> PersonMerge:
    merge = PersonMerge.objects.select_related("survivor", "merged").get(pk=merge_id)
    merge_people.lock_people(merge.survivor, merge.merged)
    list(
        Person.objects.select_for_update()
        .filter(pk__in=[merge.survivor_id, merge.merged_id])
        .order_by("pk")
        .values_list("pk")
    )
    rows = PersonMerge.objects.select_for_update(of=("self",)).select_related("survivor", "merged")
    return rows.get(pk=merge_id)


def _check_splittable(merge: PersonMerge) -> None:
    """Require that the latest merge is undone first: it can depend on the earlier one."""
    if merge.survivor.merged_into_id:
        raise CannotSplit(
            f"{merge.survivor.name} is now merged into another person. Split that first."
        )
    later_merges = PersonMerge.objects.filter(
        survivor=merge.survivor_id, split_at=None, pk__gt=merge.pk
    )
    if newest := later_merges.select_related("merged").order_by("pk").last():
        raise CannotSplit(f"{newest.merged.name} was merged later. Split that first.")


def _restore_moved_rows(merge: PersonMerge) -> None:
    for table, ids in merge.moved.items():
        rows = TABLES_BY_NAME[table]._default_manager.filter(pk__in=ids, person=merge.survivor_id)
        rows.update(person=merge.merged_id)
    for table, key, column, old, new in merge.changed["columns"]:
        unchanged = TABLES_BY_NAME[table]._default_manager.filter(pk=key, **{column: new})
        unchanged.update(**{column: old})


def _move_later_rows(merge: PersonMerge) -> None:
    """Move rows added to the returning leads since the merge, together with those leads."""
    leads = Lead.objects.filter(pk__in=merge.moved.get("lead", []), person=merge.merged_id)
    later_touches = Touch.objects.filter(lead__in=leads, person=merge.survivor_id)
    touch_ids = list(later_touches.values_list("pk", flat=True))
    for table in merge_people.LEAD_TABLES:
        rows = table._default_manager.filter(lead__in=leads, person=merge.survivor_id)
        rows.update(person=merge.merged_id)
    for touch_id in touch_ids:
        consents = Consent.objects.filter(
            person=merge.survivor_id, idempotency_key__startswith=f"touch:{touch_id}:"
        )
        addresses = list(consents.values_list("address", flat=True))
        consents.update(person=merge.merged_id)
        for address in addresses:
            _give_contact_back(address, merge)


def _give_contact_back(address: str, merge: PersonMerge) -> None:
    """Give a phone or email that was stated on a returning lead to the lead's person as well."""
    column, table = ("key", Email) if "@" in address else ("e164", Phone)
    rows: models.QuerySet[Phone | Email] = table._default_manager.filter(**{column: address})
    kept_row = rows.filter(person=merge.survivor_id).first()
    if kept_row is None or rows.filter(person=merge.merged_id).exists():
        return
    is_shared = Consent.objects.filter(person=merge.survivor_id, address=address).exists()
    if not is_shared and kept_row.given_at >= merge.at:
        rows.filter(pk=kept_row.pk).update(person=merge.merged_id)
        return
    kept_row.pk, kept_row.person_id, kept_row._state.adding = (
        uuid7_at(kept_row.given_at),
        merge.merged_id,
        True,
    )
    kept_row.save(force_insert=True)


def _copy_revocations(merge: PersonMerge, at: datetime) -> None:
    """Copy revocations made while they were one person, as either of them can have made it."""
    known_stops = {*merge.changed["stops_of_kept"], *merge.moved.get("revocation", [])}
    stops = Revocation.objects.filter(person=merge.survivor_id, ended_at=None)
    for stop in stops.exclude(pk__in=known_stops).order_by("at", "pk"):
        copy = Revocation(
            id=uuid7_at(at),
            person_id=merge.merged_id,
            address=stop.address,
            kind=stop.kind,
            media=stop.media,
            borrower_words=stop.borrower_words,
            origin=stop.origin,
            reply_to_purpose=stop.reply_to_purpose,
            at=stop.at,
            recorded_at=at,
            idempotency_key=f"split:{merge.pk}:{stop.pk}",
        )
        copy.save(force_insert=True)
        write_event(
            "compliance.permission.revoked",
            at=at,
            actor="system:split",
            person_id=merge.merged_id,
            revocation=copy.pk,
            what=stop.kind,
            media=stop.media,
            copy_of=stop.pk,
        )
