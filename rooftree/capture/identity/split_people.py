"""Taking two people apart again whom staff had made one: all that had moved goes back."""

from datetime import datetime
from uuid import UUID

from django.db import models, transaction

from rooftree.capture.identity import merge_people
from rooftree.compliance.models import Consent, Revocation
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Email, Lead, Person, PersonMerge, Phone, Touch
from rooftree.ledger.write_events import write_event

SPLIT_REASONS = {
    "said": "They said so",
    "spoken": "The officer spoke with them",
    "papers": "Their papers show it",
    "slip": "Merged by mistake",
}
ALL_TABLES: tuple[type[models.Model], ...] = (*merge_people.PERSON_TABLES, Phone, Email, Person)
TABLES_BY_NAME = {all_table._meta.db_table: all_table for all_table in ALL_TABLES}


class CannotSplit(Exception):
    """These two cannot be taken apart now. The text is fit to show."""


def split_people(*, merge_id: UUID, reason: str, by: UUID | None, at: datetime) -> PersonMerge:
    """Undo a merge. Asked twice it is done once.

    Every row that had moved goes back as it was. What came since stays with its lead: what
    arrived on a lead that goes back goes with it, a new lead stays with the person it came to.
    A stop that was said while they were one holds for both from now on, whoever said it.
    Raises `CannotSplit`.

    Args:
        reason: a key of `REASONS`.
    """
    if reason not in SPLIT_REASONS:
        raise CannotSplit("Say why they are two people.")
    with transaction.atomic():
        made = _lock_merge(merge_id)
        if made.split_at is not None:
            return made
        _check_splittable(made)
        _restore_moved_rows(made)
        _move_later_rows(made)
        _copy_revocations(made, at)
        Person.objects.filter(pk=made.gone_id).update(merged_into=None)
        PersonMerge.objects.filter(pk=made.pk).update(
            split_at=at, split_by_id=by, split_reason=reason
        )
        for person_id, other in ((made.kept_id, made.gone_id), (made.gone_id, made.kept_id)):
            write_event(
                "capture.person.split",
                at=at,
                actor=f"user:{by}" if by else "system:split",
                person_id=person_id,
                other=other,
                merge=made.pk,
                reason=reason,
            )
    made.refresh_from_db()
    return made


def _lock_merge(merge_id: UUID) -> PersonMerge:
    made = PersonMerge.objects.select_related("kept", "gone").get(pk=merge_id)
    merge_people.lock_people(made.kept, made.gone)
    list(
        Person.objects.select_for_update()
        .filter(pk__in=[made.kept_id, made.gone_id])
        .order_by("pk")
        .values_list("pk")
    )
    rows = PersonMerge.objects.select_for_update(of=("self",)).select_related("kept", "gone")
    return rows.get(pk=merge_id)


def _check_splittable(made: PersonMerge) -> None:
    """The last merge is undone first: what it moved may rest on the earlier one."""
    if made.kept.merged_into_id:
        raise CannotSplit(f"{made.kept.name} is part of another person now; split that first.")
    later = PersonMerge.objects.filter(kept=made.kept_id, split_at=None, pk__gt=made.pk)
    if newest := later.select_related("gone").order_by("pk").last():
        raise CannotSplit(f"{newest.gone.name} was merged later; split that first.")


def _restore_moved_rows(made: PersonMerge) -> None:
    for table, ids in made.moved.items():
        rows = TABLES_BY_NAME[table]._default_manager.filter(pk__in=ids, person=made.kept_id)
        rows.update(person=made.gone_id)
    for table, key, column, was, became in made.changed["columns"]:
        still = TABLES_BY_NAME[table]._default_manager.filter(pk=key, **{column: became})
        still.update(**{column: was})


def _move_later_rows(made: PersonMerge) -> None:
    """What came to the leads that go back since they were moved: it goes with them."""
    leads = Lead.objects.filter(pk__in=made.moved.get("lead", []), person=made.gone_id)
    since = Touch.objects.filter(lead__in=leads, person=made.kept_id)
    touches = list(since.values_list("pk", flat=True))
    for table in merge_people.LEAD_TABLES:
        rows = table._default_manager.filter(lead__in=leads, person=made.kept_id)
        rows.update(person=made.gone_id)
    for touch_id in touches:
        given = Consent.objects.filter(person=made.kept_id, cause__startswith=f"touch:{touch_id}:")
        addresses = list(given.values_list("address", flat=True))
        given.update(person=made.gone_id)
        for address in addresses:
            _give_contact_back(address, made)


def _give_contact_back(address: str, made: PersonMerge) -> None:
    """A number or address that was given on a lead which goes back belongs there too."""
    column, table = ("key", Email) if "@" in address else ("e164", Phone)
    rows: models.QuerySet[Phone | Email] = table._default_manager.filter(**{column: address})
    ours = rows.filter(person=made.kept_id).first()
    if ours is None or rows.filter(person=made.gone_id).exists():
        return
    is_shared = Consent.objects.filter(person=made.kept_id, address=address).exists()
    if not is_shared and ours.given_at >= made.at:
        rows.filter(pk=ours.pk).update(person=made.gone_id)
        return
    ours.pk, ours.person_id, ours._state.adding = uuid7_at(ours.given_at), made.gone_id, True
    ours.save(force_insert=True)


def _copy_revocations(made: PersonMerge, at: datetime) -> None:
    """What was taken back while they were one: nobody can say any more who of them it was."""
    stood = {*made.changed["stops_of_kept"], *made.moved.get("revocation", [])}
    since = Revocation.objects.filter(person=made.kept_id, ended_at=None)
    for stop in since.exclude(pk__in=stood).order_by("at", "pk"):
        doubled = Revocation(
            id=uuid7_at(at),
            person_id=made.gone_id,
            address=stop.address,
            kind=stop.kind,
            media=stop.media,
            words=stop.words,
            origin=stop.origin,
            reply_to_purpose=stop.reply_to_purpose,
            at=stop.at,
            recorded_at=at,
            cause=f"split:{made.pk}:{stop.pk}",
        )
        doubled.save(force_insert=True)
        write_event(
            "compliance.permission.revoked",
            at=at,
            actor="system:split",
            person_id=made.gone_id,
            revocation=doubled.pk,
            what=stop.kind,
            media=stop.media,
            copy_of=stop.pk,
        )
