"""Changing a rule: written by one of compliance, approved by another, withdrawn the same way.

A change counts from its date on and is never edited: another value is another change, and what
was approved ends by a change that withdraws it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.db.transaction import atomic

from rooftree.compliance import rule_items
from rooftree.compliance.amending import in_force, standing
from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.amending.value_words import place_name
from rooftree.compliance.facts import Amendment
from rooftree.compliance.law import Changes
from rooftree.compliance.rule_items import Item
from rooftree.core.refusal import WrongField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.money.company_day import company_day
from rooftree.org import notices
from rooftree.org.models import User

LONGEST = timedelta(days=730)  # that a change may lie ahead: a slip in the year is no plan
CITE, WHY, COUNSEL = 300, 300, 200  # characters
_MUTEX = 7_205  # advisory lock of every change of the rules


class BadChange(WrongField):
    """A change that cannot be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """From when on a change counts, and why."""

    from_date: date
    cite: str
    why: str
    counsel: str = ""  # the document in which counsel allowed what is looser than it came


def propose(
    *, place: str, item: str, value: Any, grounds: Grounds, by: User, at: datetime
) -> RuleChange:
    """Write a change down, to be approved by somebody else. Raises `BadChange`."""
    _check(grounds, at)
    changes = standing.now()
    now = in_force.value(place, item, grounds.from_date, changes)
    _check_bounds(now.item, value)
    if _is_same(now.item, now.value, value):
        raise BadChange("", f"It says that already: {now.words}.")
    came = rule_items.shipped(place, item, grounds.from_date)
    draft = RuleChange(
        place=place, item=item, value=json.dumps(value, sort_keys=True),
        is_looser=now.item.is_looser(came, value),
    )  # fmt: skip
    return _written(draft, grounds, by, at)


def propose_withdrawal(
    *, change: RuleChange, grounds: Grounds, by: User, at: datetime
) -> RuleChange:
    """Write down that a change ends on a day, by approval too. Raises `BadChange`."""
    if change.approved_at is None or change.withdraws_id is not None:
        raise BadChange("", "Only a change that was approved can be withdrawn.")
    if change.withdrawals.filter(approved_at__isnull=False).exists():
        raise BadChange("", "It is withdrawn already.")
    _check(grounds, at)
    draft = RuleChange(place=change.place, item=change.item, value="", withdraws=change)
    after = in_force.value(
        draft.place, draft.item, grounds.from_date, with_one(standing.now(), draft, grounds)
    )
    draft.is_looser = after.is_looser
    return _written(draft, grounds, by, at)


def approve(*, change_id: UUID, by: User, at: datetime) -> RuleChange:
    """A second person puts it in force from its day on; twice is no error. Raises `BadChange`."""
    with atomic():
        _hold()
        one = RuleChange.objects.select_for_update().get(pk=change_id)
        if one.written_by_id == by.pk:
            raise BadChange("", "Somebody else than who wrote it approves it.")
        if not one.is_waiting:
            return _decided_so(one, one.approved_by_id == by.pk)
        if one.from_date < company_day(at):
            raise BadChange("", "Its day is over: write it anew, from a day to come.")
        one.approved_by, one.approved_at = by, at
        one.save(update_fields=["approved_by", "approved_at"])
        _note("approved", one, by, at)
        _tell([one.written_by], one, f"{by.name} approved rule change {one.number}.", at)
    return one


def drop(*, change_id: UUID, reason: str, by: User, at: datetime) -> RuleChange:
    """It is not approved and never will be; its author takes it back the same way."""
    if not (reason := _line(reason, WHY)):
        raise BadChange("reason", "Say why; it is kept beside the change.")
    with atomic():
        _hold()
        one = RuleChange.objects.select_for_update().get(pk=change_id)
        if not one.is_waiting:
            return _decided_so(one, one.dropped_by_id == by.pk)
        one.dropped_by, one.dropped_at, one.dropped_because = by, at, reason
        one.save(update_fields=["dropped_by", "dropped_at", "dropped_because"])
        _note("dropped", one, by, at)
        if one.written_by_id != by.pk:
            said = f"{by.name} did not approve rule change {one.number}: {reason}"
            _tell([one.written_by], one, said, at)
    return one


def keep_dry_run(*, change_id: UUID, found: dict[str, Any], at: datetime) -> bool:
    """What it would move, beside a change that nobody decided yet."""
    rows = RuleChange.objects.filter(pk=change_id, approved_at=None, dropped_at=None)
    return bool(rows.update(dry_run=found, tried_at=at))


def with_one(changes: Changes, draft: RuleChange, grounds: Grounds) -> Changes:
    """The changes as they would be with this one approved."""
    if draft.withdraws is None:
        made = Amendment(
            number=draft.number, place=draft.place, item=draft.item, value=draft.value,
            from_date=grounds.from_date, until_date=None, cite=grounds.cite,
        )  # fmt: skip
        return (*changes, made)
    ended, until = draft.withdraws.number, grounds.from_date
    return tuple(replace(one, until_date=until) if one.number == ended else one for one in changes)


def grounds_of(change: RuleChange) -> Grounds:
    """From when on it counts and why, of a change that is written down."""
    return Grounds(
        from_date=change.from_date, cite=change.cite, why=change.why, counsel=change.counsel
    )


def approvers() -> Iterable[User]:
    """Compliance of the whole company, by name."""
    rows = User.objects.filter(is_active=True, role="compliance", branch=None)
    return rows.order_by("name", "pk")


def _is_same(item: Item, was: Any, now: Any) -> bool:
    """It says the same, in whatever order."""
    if item.kind in ("caps", "holidays", "dates"):
        return not (item.is_looser(was, now) or item.is_looser(now, was))
    return bool(was == now)


def _check(grounds: Grounds, at: datetime) -> None:
    today = company_day(at)
    if grounds.from_date < today:
        raise BadChange("from_date", "A change counts from today on at the earliest.")
    if grounds.from_date > today + LONGEST:
        raise BadChange("from_date", "This is more than two years away; look at the year.")
    if not _line(grounds.cite, CITE):
        raise BadChange("cite", "Name the law, order or document that it rests on.")
    if not _line(grounds.why, WHY):
        raise BadChange("why", "Say why; it is shown beside the value for good.")


def _check_bounds(item: Item, value: Any) -> None:
    if item.kind == "number" and not item.least <= value <= item.most:
        raise BadChange("value", f"A whole number from {item.least:,} to {item.most:,}.")


def _written(draft: RuleChange, grounds: Grounds, by: User, at: datetime) -> RuleChange:
    counsel = _line(grounds.counsel, COUNSEL)
    if draft.is_looser and not counsel:
        raise BadChange(
            "counsel",
            "This lets through what the rules as they came stop. Name the document in which "
            "counsel says that it is lawful.",
        )
    with atomic():
        _hold()
        rows = RuleChange.objects.filter(place=draft.place, item=draft.item)
        if waiting := rows.filter(approved_at=None, dropped_at=None).first():
            raise BadChange("", f"Change {waiting.number} of this value waits; decide it first.")
        newest = RuleChange.objects.aggregate(last=Max("number"))["last"] or 0
        draft.id, draft.number, draft.counsel = uuid7_at(at), newest + 1, counsel
        draft.from_date = grounds.from_date
        draft.cite, draft.why = _line(grounds.cite, CITE), _line(grounds.why, WHY)
        draft.written_by, draft.written_at = by, at
        draft.save(force_insert=True)
        _note("written", draft, by, at)
        label = rule_items.items_of(draft.place)[draft.item].label
        said = f"{by.name} asks you to approve rule change {draft.number}: "
        others = [one for one in approvers() if one.pk != by.pk]
        _tell(others, draft, f"{said}{place_name(draft.place)}, {label}", at)
    return draft


def _decided_so(one: RuleChange, is_same: bool) -> RuleChange:
    """The same press again; of two people who decide at once the second hears of the first."""
    if is_same:
        return one
    raise BadChange("", "Somebody has decided about it already.")


def _hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])


def _note(what: str, one: RuleChange, by: User, at: datetime) -> None:
    write(
        f"compliance.rule_change.{what}", at=at, actor=f"user:{by.pk}", change=one.pk,
        number=one.number, place=one.place, item=one.item, value=one.value,
        from_date=str(one.from_date), is_looser=one.is_looser or None,
        why=one.dropped_because or one.why,
        withdraws=one.withdraws.number if one.withdraws else None,
    )  # fmt: skip


def _tell(users: Iterable[User], one: RuleChange, text: str, at: datetime) -> None:
    link, state = f"/compliance/rules/changes/{one.pk}/", "written" if one.is_waiting else "decided"
    cause = f"rule_change:{one.pk}:{state}"
    notices.tell_each(users, kind="rule_change", cause=cause, text=text, link=link, at=at)


def _line(typed: str, longest: int) -> str:
    return " ".join(typed.replace("\x00", "").split())[:longest]
