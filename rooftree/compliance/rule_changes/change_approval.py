"""Rule changes: proposed by one compliance user, approved by another, withdrawn the same way.

A change applies from its date on and is never edited: a new value is a new change, and an approved
change ends through another change that withdraws it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.db.transaction import atomic

from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.facts import Amendment
from rooftree.compliance.rule_changes import approved_changes, effective_values, rule_items
from rooftree.compliance.rule_changes.effective_values import EffectiveValue
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.compliance.rule_changes.value_wording import place_name
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org import staff_notices
from rooftree.org.models import User

MAX_LEAD_TIME = timedelta(days=730)  # a later start date is probably a typo in the year
MAX_CITE_LENGTH, MAX_WHY_LENGTH, MAX_COUNSEL_LENGTH = 300, 300, 200  # characters
_LOCK_KEY = 7_205  # advisory lock for all rule changes


class BadChange(InvalidField):
    """The change is invalid. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGrounds:
    """The start date of a change, and the reasons for it."""

    from_date: date
    cite: str
    why: str
    counsel: str = ""  # counsel's document that allows a value looser than the default


def propose_change(
    *, place: str, item: str, value: Any, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """Propose a change, to be approved by a second person. Raises `BadChange`."""
    _validate_grounds(grounds, at)
    changes = approved_changes.load_approved_changes()
    current = effective_values.effective_value(place, item, grounds.from_date, changes)
    _validate_value(current, value)
    default = rule_items.shipped_value(place, item, grounds.from_date)
    draft = RuleChange(
        place=place, item=item, value=json.dumps(value, sort_keys=True),
        is_looser=current.item.is_looser(default, value),
    )  # fmt: skip
    return _store_draft(draft, grounds, by, at)


def propose_withdrawal(
    *, change: RuleChange, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """Propose the end of a change on a day; it needs approval too. Raises `BadChange`."""
    if change.approved_at is None or change.withdraws_id is not None:
        raise BadChange("", "Only an approved change can be withdrawn.")
    if change.withdrawals.filter(approved_at__isnull=False).exists():
        raise BadChange("", "This change is already withdrawn.")
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
    """Put a change in force from its start date. Safe to repeat. Raises `BadChange`."""
    with atomic():
        _lock_changes()
        change = RuleChange.objects.select_for_update().get(pk=change_id)
        if change.written_by_id == by.pk:
            raise BadChange("", "You can’t approve your own change. Ask a second person.")
        if not change.is_waiting:
            return _resolve_repeat_decision(change, change.approved_by_id == by.pk)
        if change.from_date < company_day(at):
            raise BadChange("", "Its start date has passed. Propose it again with a later date.")
        change.approved_by, change.approved_at = by, at
        change.save(update_fields=["approved_by", "approved_at"])
        _write_event("approved", change, by, at)
        text = f"{by.name} approved rule change {change.number}."
        _notify_users([change.written_by], change, text, at)
    return change


def drop_change(*, change_id: UUID, reason: str, by: User, at: datetime) -> RuleChange:
    """Reject a change for good; its author can withdraw it the same way. Raises `BadChange`."""
    if not (reason := _clean_line(reason, MAX_WHY_LENGTH)):
        raise BadChange("reason", "Enter a reason. It is kept with the change.")
    with atomic():
        _lock_changes()
        change = RuleChange.objects.select_for_update().get(pk=change_id)
        if not change.is_waiting:
            return _resolve_repeat_decision(change, change.dropped_by_id == by.pk)
        change.dropped_by, change.dropped_at, change.drop_reason = by, at, reason
        change.save(update_fields=["dropped_by", "dropped_at", "drop_reason"])
        _write_event("dropped", change, by, at)
        if change.written_by_id != by.pk:
            text = f"{by.name} did not approve rule change {change.number}: {reason}"
            _notify_users([change.written_by], change, text, at)
    return change


def store_dry_run(*, change_id: UUID, dry_run: dict[str, Any], at: datetime) -> bool:
    """Store the previewed effects of an undecided change; return False if it was decided."""
    rows = RuleChange.objects.filter(pk=change_id, approved_at=None, dropped_at=None)
    return bool(rows.update(dry_run=dry_run, tried_at=at))


def changes_with_draft(changes: Changes, draft: RuleChange, grounds: ChangeGrounds) -> Changes:
    """Return the changes as they would be with the draft approved."""
    if draft.withdraws is None:
        amendment = Amendment(
            number=draft.number, place=draft.place, item=draft.item, value=draft.value,
            from_date=grounds.from_date, until_date=None, cite=grounds.cite,
        )  # fmt: skip
        return (*changes, amendment)
    withdrawn, until = draft.withdraws.number, grounds.from_date
    return tuple(
        replace(change, until_date=until) if change.number == withdrawn else change
        for change in changes
    )


def change_grounds(change: RuleChange) -> ChangeGrounds:
    """Return the start date and the reasons of a stored change."""
    return ChangeGrounds(
        from_date=change.from_date, cite=change.cite, why=change.reason, counsel=change.counsel
    )


def approvers() -> Iterable[User]:
    """Return the company-wide compliance users by name."""
    rows = User.objects.with_role("compliance").filter(branch=None)
    return rows.order_by("name", "pk")


def _validate_value(current: EffectiveValue, value: Any) -> None:
    """Refuse a number out of bounds and a value that equals the current one in any order."""
    item, was = current.item, current.value
    if item.kind == "number" and not item.least <= value <= item.most:
        raise BadChange("value", f"A whole number from {item.least:,} to {item.most:,}.")
    if item.kind in ("caps", "holidays", "dates"):
        is_same = not (item.is_looser(was, value) or item.is_looser(value, was))
    else:
        is_same = was == value
    if is_same:
        raise BadChange("", f"This is already the value: {current.formatted_value}.")


def _validate_grounds(grounds: ChangeGrounds, at: datetime) -> None:
    today = company_day(at)
    if grounds.from_date < today:
        raise BadChange("from_date", "Choose today or a later day.")
    if grounds.from_date > today + MAX_LEAD_TIME:
        raise BadChange("from_date", "This is more than two years away. Check the year.")
    if not _clean_line(grounds.cite, MAX_CITE_LENGTH):
        raise BadChange("cite", "Name the law, order or document behind the change.")
    if not _clean_line(grounds.why, MAX_WHY_LENGTH):
        raise BadChange("why", "Enter a reason. It is shown with the value permanently.")


def _store_draft(draft: RuleChange, grounds: ChangeGrounds, by: User, at: datetime) -> RuleChange:
    counsel = _clean_line(grounds.counsel, MAX_COUNSEL_LENGTH)
    if draft.is_looser and not counsel:
        raise BadChange(
            "counsel",
            "This allows contact that the default rules stop. Name the document in which "
            "counsel confirms that it is lawful.",
        )
    with atomic():
        _lock_changes()
        rows = RuleChange.objects.filter(place=draft.place, item=draft.item)
        if waiting := rows.filter(approved_at=None, dropped_at=None).first():
            raise BadChange("", f"Decide change {waiting.number} of this value first.")
        newest = RuleChange.objects.aggregate(last=Max("number"))["last"] or 0
        draft.id, draft.number, draft.counsel = uuid7_at(at), newest + 1, counsel
        draft.from_date = grounds.from_date
        draft.cite, draft.reason = (
            _clean_line(grounds.cite, MAX_CITE_LENGTH),
            _clean_line(grounds.why, MAX_WHY_LENGTH),
        )
        draft.written_by, draft.written_at = by, at
        draft.save(force_insert=True)
        _write_event("written", draft, by, at)
        label = rule_items.place_items(draft.place)[draft.item].label
        text = f"{by.name} asks you to approve rule change {draft.number}: "
        others = [approver for approver in approvers() if approver.pk != by.pk]
        _notify_users(others, draft, f"{text}{place_name(draft.place)}, {label}", at)
    return draft


def _resolve_repeat_decision(change: RuleChange, is_same: bool) -> RuleChange:
    """Return the change if the same user repeats the same decision; refuse any other."""
    if is_same:
        return change
    raise BadChange("", "This change is already decided.")


def _lock_changes() -> None:
    execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def _write_event(step: str, change: RuleChange, by: User, at: datetime) -> None:
    write_event(
        f"compliance.rule_change.{step}", at=at, actor=f"user:{by.pk}", change=change.pk,
        number=change.number, place=change.place, item=change.item, value=change.value,
        from_date=str(change.from_date), is_looser=change.is_looser or None,
        why=change.drop_reason or change.reason,
        withdraws=change.withdraws.number if change.withdraws else None,
    )  # fmt: skip


def _notify_users(users: Iterable[User], change: RuleChange, text: str, at: datetime) -> None:
    link = f"/compliance/rules/changes/{change.pk}/"
    cause = f"rule_change:{change.pk}:{'written' if change.is_waiting else 'decided'}"
    staff_notices.notify_users(users, kind="rule_change", cause=cause, text=text, link=link, at=at)


def _clean_line(typed: str, longest: int) -> str:
    return " ".join(typed.replace("\x00", "").split())[:longest]
