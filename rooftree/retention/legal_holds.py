"""Legal holds: placing, lifting and scope. A hold wins over every retention clock and request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import query_rows
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.retention.models import LegalHold

MIN_REASON_LENGTH = 10  # characters of a reason

# SQL condition: hold `h` covers records of `o.people`. A record whose people are unknown stays
# while any hold is in force. Unlinked numbers and addresses count too.
HOLD_COVERS_SQL = """(cardinality(o.people) = 0
    or exists (select from person w
        where (w.id = any(o.people) or w.merged_into_id = any(o.people)) and (
            w.id = h.person_id
            or (h.address <> '' and (
                exists (select from phone p where p.person_id = w.id and p.e164 = h.address)
                or exists (select from email e where e.person_id = w.id and e.key = h.address)
                or exists (select from consent c where c.person_id = w.id and c.address = h.address)
            ))
            or (h.person_id is null and h.address = '' and exists (
                select from touch t where t.person_id = w.id
                   and (h.source_id is null or t.source_id = h.source_id)
                   and (h.from_date is null or t.at >= h.from_date)
                   and (h.until_date is null or t.at < h.until_date))))))"""
IS_HELD_SQL = f"exists (select from legal_hold h where h.lifted_at is null and {HOLD_COVERS_SQL})"
ACTIVE_HOLDS_SQL = f"""
select h.id from legal_hold h cross join (select %s::uuid[] as people) o
 where h.lifted_at is null and {HOLD_COVERS_SQL}
"""  # noqa: S608


class BadHold(Exception):
    """The hold is incomplete or already lifted. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldScope:
    """The scope of a hold: a person, a number or address, or a source and an arrival period."""

    person_id: UUID | None = None
    address: str = ""  # E.164 or email key
    source_id: UUID | None = None
    from_date: date | None = None
    until_date: date | None = None  # exclusive


def place_hold(scope: HoldScope, *, matter: str, why: str, by: User, at: datetime) -> LegalHold:
    """Keep all records in scope from now until the hold is lifted. Raises `BadHold`.

    A purge that is running finishes its current slice; the next slice sees the hold.
    """
    matter, why = matter.strip()[:120], why.strip()[:400]
    if not matter or len(why) < MIN_REASON_LENGTH:
        raise BadHold("Enter the matter and a short reason.")
    has_period = bool(scope.from_date and scope.until_date)
    if not (scope.person_id or scope.address or scope.source_id or has_period):
        raise BadHold("Enter a number, an email address, a source, or a start and end date.")
    if scope.from_date and scope.until_date and scope.from_date >= scope.until_date:
        raise BadHold("The end date must be after the start date.")
    with transaction.atomic():
        hold = LegalHold.objects.create(
            id=uuid7_at(at), matter=matter, reason=why, person_id=scope.person_id,
            address=scope.address, source_id=scope.source_id, from_date=scope.from_date,
            until_date=scope.until_date, placed_by=by, placed_at=at,
        )  # fmt: skip
        write_event(
            "compliance.hold.placed", at=at, actor=f"user:{by.pk}", hold=hold.pk,
            person_id=scope.person_id, source=scope.source_id,
        )  # fmt: skip
    return hold


def lift_hold(*, hold_id: UUID, because: str, by: User, at: datetime) -> None:
    """Lift a hold; retention clocks apply to its records again. Raises `BadHold`."""
    because = because.strip()[:400]
    if len(because) < MIN_REASON_LENGTH:
        raise BadHold("Enter a short reason for lifting the hold.")
    with transaction.atomic():
        active = LegalHold.objects.filter(pk=hold_id, lifted_at=None)
        if not active.update(lifted_by=by, lifted_at=at, lift_reason=because):
            raise BadHold("This hold is already lifted.")
        write_event("compliance.hold.lifted", at=at, actor=f"user:{by.pk}", hold=hold_id)


def active_holds(people: Sequence[UUID]) -> list[LegalHold]:
    """Return the holds in force on these people's records."""
    if not people:
        return []
    hold_ids = [row[0] for row in query_rows(ACTIVE_HOLDS_SQL, [list(people)])]
    return list(LegalHold.objects.filter(pk__in=hold_ids).select_related("placed_by", "source"))
