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

from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.facts import Amendment
from rooftree.compliance.rule_changes import approved_changes, effective_values, rule_items
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.compliance.rule_changes.rule_items import RuleItem
from rooftree.compliance.rule_changes.value_wording import place_name
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org import staff_notices
from rooftree.org.models import User

MAX_LEAD_TIME = timedelta(days=730)  # that a change may lie ahead: a slip in the year is no plan
MAX_CITE_LENGTH, MAX_WHY_LENGTH, MAX_COUNSEL_LENGTH = 300, 300, 200  # characters
_LOCK_KEY = 7_205  # advisory lock of every change of the rules


class BadChange(InvalidField):
    """A change that cannot be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGrounds:
    """From when on a change counts, and why."""

    from_date: date
    cite: str
    why: str
    counsel: str = ""  # the document in which counsel allowed what is looser than it came


def propose_change(
    *, place: str, item: str, value: Any, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """Write a change down, to be approved by somebody else. Raises `BadChange`."""
    _validate_grounds(grounds, at)
    changes = approved_changes.load_approved_changes()
    now = effective_values.effective_value(place, item, grounds.from_date, changes)
    _validate_bounds(now.item, value)
    if _is_same_value(now.item, now.value, value):
        raise BadChange("", f"It says that already: {now.formatted_value}.")
    came = rule_items.shipped_value(place, item, grounds.from_date)
    draft = RuleChange(
        place=place, item=item, value=json.dumps(value, sort_keys=True),
        is_looser=now.item.is_looser(came, value),
    )  # fmt: skip
    return _store_draft(draft, grounds, by, at)


def propose_withdrawal(
    *, change: RuleChange, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """Write down that a change ends on a day, by approval too. Raises `BadChange`."""
    if change.approved_at is None or change.withdraws_id is not None:
        raise BadChange("", "Only a change that was approved can be withdrawn.")
    if change.withdrawals.filter(approved_at__isnull=False).exists():
        raise BadChange("", "It is withdrawn already.")
    _validate_grounds(grounds, at)
    draft = RuleChange(place=change.place, item=change.item, value="", withdraws=change)
    after = effective_values.effective_value(
        draft.place,
        draft.item,
        grounds.from_date,
        changes_with_draft(approved_changes.load_approved_changes(), draft, grounds),
    )
    draft.is_looser = after.is_looser
    return _store_draft(draft, grounds, by, at)


def approve_change(*, change_id: UUID, by: User, at: datetime) -> RuleChange:
    """A second person puts it in force from its day on; twice is no error. Raises `BadChange`."""
    with atomic():
        _lock_changes()
        one = RuleChange.objects.select_for_update().get(pk=change_id)
        if one.written_by_id == by.pk:
            raise BadChange("", "Somebody else than who wrote it approves it.")
        if not one.is_waiting:
            return _resolve_repeat_decision(one, one.approved_by_id == by.pk)
        if one.from_date < company_day(at):
            raise BadChange("", "Its day is over: write it anew, from a day to come.")
        one.approved_by, one.approved_at = by, at
        one.save(update_fields=["approved_by", "approved_at"])
        _write_event("approved", one, by, at)
        _notify_users([one.written_by], one, f"{by.name} approved rule change {one.number}.", at)
    return one


def drop_change(*, change_id: UUID, reason: str, by: User, at: datetime) -> RuleChange:
    """It is not approved and never will be; its author takes it back the same way."""
    if not (reason := _clean_line(reason, MAX_WHY_LENGTH)):
        raise BadChange("reason", "Say why; it is kept beside the change.")
    with atomic():
        _lock_changes()
        one = RuleChange.objects.select_for_update().get(pk=change_id)
        if not one.is_waiting:
            return _resolve_repeat_decision(one, one.dropped_by_id == by.pk)
        one.dropped_by, one.dropped_at, one.dropped_because = by, at, reason
        one.save(update_fields=["dropped_by", "dropped_at", "dropped_because"])
        _write_event("dropped", one, by, at)
        if one.written_by_id != by.pk:
            said = f"{by.name} did not approve rule change {one.number}: {reason}"
            _notify_users([one.written_by], one, said, at)
    return one


def store_dry_run(*, change_id: UUID, found: dict[str, Any], at: datetime) -> bool:
    """What it would move, beside a change that nobody decided yet."""
    rows = RuleChange.objects.filter(pk=change_id, approved_at=None, dropped_at=None)
    return bool(rows.update(dry_run=found, tried_at=at))


def changes_with_draft(changes: Changes, draft: RuleChange, grounds: ChangeGrounds) -> Changes:
    """The changes as they would be with this one approved."""
    if draft.withdraws is None:
        made = Amendment(
            number=draft.number, place=draft.place, item=draft.item, value=draft.value,
            from_date=grounds.from_date, until_date=None, cite=grounds.cite,
        )  # fmt: skip
        return (*changes, made)
    ended, until = draft.withdraws.number, grounds.from_date
    return tuple(
        replace(change, until_date=until) if change.number == ended else change
        for change in changes
    )


def change_grounds(change: RuleChange) -> ChangeGrounds:
    """From when on it counts and why, of a change that is written down."""
    return ChangeGrounds(
        from_date=change.from_date, cite=change.cite, why=change.why, counsel=change.counsel
    )


def approvers() -> Iterable[User]:
    """Compliance of the whole company, by name."""
    rows = User.objects.filter(is_active=True, role="compliance", branch=None)
    return rows.order_by("name", "pk")


def _is_same_value(item: RuleItem, was: Any, now: Any) -> bool:
    """It says the same, in whatever order."""
    if item.kind in ("caps", "holidays", "dates"):
        return not (item.is_looser(was, now) or item.is_looser(now, was))
    return bool(was == now)


def _validate_grounds(grounds: ChangeGrounds, at: datetime) -> None:
    today = company_day(at)
    if grounds.from_date < today:
        raise BadChange("from_date", "A change counts from today on at the earliest.")
    if grounds.from_date > today + MAX_LEAD_TIME:
        raise BadChange("from_date", "This is more than two years away; look at the year.")
    if not _clean_line(grounds.cite, MAX_CITE_LENGTH):
        raise BadChange("cite", "Name the law, order or document that it rests on.")
    if not _clean_line(grounds.why, MAX_WHY_LENGTH):
        raise BadChange("why", "Say why; it is shown beside the value for good.")


def _validate_bounds(item: RuleItem, value: Any) -> None:
    if item.kind == "number" and not item.least <= value <= item.most:
        raise BadChange("value", f"A whole number from {item.least:,} to {item.most:,}.")


def _store_draft(draft: RuleChange, grounds: ChangeGrounds, by: User, at: datetime) -> RuleChange:
    counsel = _clean_line(grounds.counsel, MAX_COUNSEL_LENGTH)
    if draft.is_looser and not counsel:
        raise BadChange(
            "counsel",
            "This lets through what the rules as they came stop. Name the document in which "
            "counsel says that it is lawful.",
        )
    with atomic():
        _lock_changes()
        rows = RuleChange.objects.filter(place=draft.place, item=draft.item)
        if waiting := rows.filter(approved_at=None, dropped_at=None).first():
            raise BadChange("", f"Change {waiting.number} of this value waits; decide it first.")
        newest = RuleChange.objects.aggregate(last=Max("number"))["last"] or 0
        draft.id, draft.number, draft.counsel = uuid7_at(at), newest + 1, counsel
        draft.from_date = grounds.from_date
        draft.cite, draft.why = (
            _clean_line(grounds.cite, MAX_CITE_LENGTH),
            _clean_line(grounds.why, MAX_WHY_LENGTH),
        )
        draft.written_by, draft.written_at = by, at
        draft.save(force_insert=True)
        _write_event("written", draft, by, at)
        label = rule_items.place_items(draft.place)[draft.item].label
        said = f"{by.name} asks you to approve rule change {draft.number}: "
        others = [approver for approver in approvers() if approver.pk != by.pk]
        _notify_users(others, draft, f"{said}{place_name(draft.place)}, {label}", at)
    return draft


def _resolve_repeat_decision(one: RuleChange, is_same: bool) -> RuleChange:
    """The same press again; of two people who decide at once the second hears of the first."""
    if is_same:
        return one
    raise BadChange("", "Somebody has decided about it already.")


def _lock_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def _write_event(what: str, one: RuleChange, by: User, at: datetime) -> None:
    write_event(
        f"compliance.rule_change.{what}", at=at, actor=f"user:{by.pk}", change=one.pk,
        number=one.number, place=one.place, item=one.item, value=one.value,
        from_date=str(one.from_date), is_looser=one.is_looser or None,
        why=one.dropped_because or one.why,
        withdraws=one.withdraws.number if one.withdraws else None,
    )  # fmt: skip


def _notify_users(users: Iterable[User], one: RuleChange, text: str, at: datetime) -> None:
    link, state = f"/compliance/rules/changes/{one.pk}/", "written" if one.is_waiting else "decided"
    cause = f"rule_change:{one.pk}:{state}"
    staff_notices.notify_users(users, kind="rule_change", cause=cause, text=text, link=link, at=at)


def _clean_line(typed: str, longest: int) -> str:
    return " ".join(typed.replace("\x00", "").split())[:longest]
