"""Warns of promises to borrowers before they are due, and escalates those that are late.

Each stage is a stamp on the promise's row, set while the row is locked. A crash loses nothing:
what is due stays due, and a notice is stored in the transaction of its stamp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import shadow_mode, staff_notices
from rooftree.org.models import LoanOfficer, StaffNotice
from rooftree.routing import promise_sentences, promise_staff, response_deadline, time_off
from rooftree.routing.models import OPEN_PROMISE, Promise, TimeOff

STALE_AFTER = timedelta(days=1)  # older alarms are summed up in one notice for each manager
REPLY_AFTER_OPENING = timedelta(minutes=15)  # house: to answer what came in while off work
BATCH = 200
STAGES = ("due", "late", "escalated", "cover")  # of a promise's notices


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """Data that the stages of one run share."""

    at: datetime
    days_off: dict[UUID, list[TimeOff]]


def watch_promises(*, at: datetime) -> int:
    """Warn of, find late and escalate the promises due for it; return how many were looked at.

    Any number of schedulers can run: rows locked by another are skipped. In shadow mode no
    alarm rings.
    """
    if shadow_mode.is_shadow_on():
        return 0
    is_due = Q(warned_at=None) | Q(breached_at=None, due_at__lte=at) | Q(escalate_at__lte=at)
    with atomic():
        rows = _lock_promises(Q(is_due, escalated_at=None, warn_at__lte=at))
        watch = _begin_watch(rows, at)
        stale = [promise for promise in rows if _advance(promise, watch)]
        _tell_about_stale_promises(stale, at)
    return len(rows)


def cover_absent_officers(*, at: datetime) -> int:
    """Ask the backups of officers on days off to cover what those owe; return how many."""
    if not TimeOff.objects.filter(canceled_at=None, until_date__gte=at.date()).exists():
        return 0
    with atomic():
        rows = _lock_promises(
            Q(backup=None, officer__backup__isnull=False, officer__time_off__canceled_at=None)
            & Q(officer__time_off__from_date__lte=at.date() + timedelta(days=1))
            & Q(officer__time_off__until_date__gte=at.date())
        )
        watch = _begin_watch(rows, at)
        return sum(_cover(promise, watch) for promise in rows)


def clear_alarms(*, at: datetime) -> int:
    """Mark the notices of promises that were kept or canceled as read; return how many ended.

    Alarms about unclaimed leads that somebody owns or tried by now go with them.
    """
    with atomic():
        ended = Promise.objects.exclude(OPEN_PROMISE).filter(warned_at__isnull=False)
        keys = list(ended.filter(cleared_at=None).values_list("pk", flat=True)[:BATCH])
        Promise.objects.filter(pk__in=keys).update(cleared_at=at)
        causes = [f"promise:{key}:{stage}" for key in keys for stage in STAGES]
        staff_notices.dismiss_causes(causes, at=at)
        staff_notices.dismiss_causes(_answered_unclaimed_alarms(), at=at)
    return len(keys)


def late_promises(leads: QuerySet[Lead]) -> QuerySet[Promise]:
    """Return the open promises about some leads that are late and were escalated, oldest first."""
    rows = Promise.objects.filter(OPEN_PROMISE, escalated_at__isnull=False)
    return rows.filter(breached_at__isnull=False, lead__in=leads.values("pk")).order_by(
        "due_at", "id"
    )


def _lock_promises(condition: Q) -> list[Promise]:
    rows = (
        Promise.objects.filter(OPEN_PROMISE & condition)
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("lead__person", "lead__branch", "officer__user", "officer__branch")
        .select_related("officer__backup__user")
        .order_by("due_at", "id")
    )
    return list(rows[:BATCH])


def _begin_watch(rows: Sequence[Promise], at: datetime) -> _Watch:
    officers = [promise.officer for promise in rows if promise.officer]
    backups = [officer.backup for officer in officers if officer.backup]
    days_off = time_off.find_days_off([*officers, *backups], at=at) if officers else {}
    return _Watch(at=at, days_off=days_off)


def _advance(promise: Promise, watch: _Watch) -> bool:
    """Take a promise to the stage it has reached; return True if its alarm is too old to ring."""
    at = watch.at
    if promise.breached_at is None and _postpone_to_working_hours(promise, watch):
        return False
    if promise.warned_at is None:
        Promise.objects.filter(pk=promise.pk).update(warned_at=at)
        if promise.officer and promise.due_at > at:
            _notify_officer(promise, promise.officer, "due", at)
    if promise.due_at <= at and promise.breached_at is None:
        _mark_late(promise, at)
    if promise.escalate_at > at or promise.due_at > at:
        return False
    if opening := _calls_open_later(promise, at):
        wait = promise.escalate_at - promise.due_at
        Promise.objects.filter(pk=promise.pk).update(escalate_at=opening + wait)
        return False
    if promise.due_at < at - STALE_AFTER:
        sentence = promise_sentences.describe_late_promise(promise)
        Promise.objects.filter(pk=promise.pk).update(escalated_at=at, sentence=sentence)
        return True
    _escalate(promise, watch)
    return False


def _mark_late(promise: Promise, at: datetime) -> None:
    Promise.objects.filter(pk=promise.pk).update(breached_at=at)
    promise.breached_at = at  # the sentences below name the day of an old one
    write_event(
        "routing.promise.missed",
        at=at,
        actor="system:promises",
        lead_id=promise.lead_id,
        person_id=promise.lead.person_id,
        promise=promise.pk,
        kind_of=promise.kind,
        officer_id=promise.officer_id,
        due_at=promise.due_at,
    )
    if promise.officer and promise.due_at > at - STALE_AFTER:
        _notify_officer(promise, promise.officer, "late", at)


def _postpone_to_working_hours(promise: Promise, watch: _Watch) -> bool:
    """Move the end of a reply into the officer's hours, unless the backup is at work; or False.

    Only what came in while the officer was off work is moved: an end within the hours stays.
    """
    officer = promise.officer
    if promise.kind != "reply" or officer is None or promise.backup_id:
        return False
    opening = time_off.next_working_time(officer, watch.days_off[officer.pk], at=promise.due_at)
    if opening is None or opening <= promise.due_at:
        return False
    if _available_backup(promise, watch):
        return False
    due_at = opening + REPLY_AFTER_OPENING
    wait = promise.escalate_at - promise.due_at
    Promise.objects.filter(pk=promise.pk).update(
        due_at=due_at,
        warn_at=opening,
        escalate_at=due_at + wait,
        sentence=promise_sentences.describe_postponement(officer, due_at),
    )
    return True


def _calls_open_later(promise: Promise, at: datetime) -> datetime | None:
    """Return when calls to the borrower open, if they are closed now and a call is owed."""
    if promise.kind == "reply":
        return None
    columns = Lead.objects.values_list(*response_deadline.PLACE_COLUMNS)
    return response_deadline.calls_closed_until(*columns.get(pk=promise.lead_id), at=at)


def _available_backup(promise: Promise, watch: _Watch) -> LoanOfficer | None:
    officer = promise.officer
    backup = officer.backup if officer else None
    if backup is None or not promise_staff.can_cover(
        backup, promise.lead, watch.days_off[backup.pk], at=watch.at
    ):
        return None
    return backup


def _escalate(promise: Promise, watch: _Watch) -> None:
    """Ring the alarm: tell the managers, and ask the officer's backup if they are at work."""
    backup = promise.backup or _available_backup(promise, watch)
    managers = promise_staff.managers_of(promise)
    sentence = promise_sentences.describe_escalation(promise, backup, managers)
    Promise.objects.filter(pk=promise.pk).update(
        escalated_at=watch.at, backup=backup, sentence=sentence
    )
    staff_notices.notify_users(
        managers,
        kind="promise_late",
        cause=f"promise:{promise.pk}:escalated",
        text=promise_sentences.alarm_text(promise),
        link=f"/leads/{promise.lead_id}/",
        at=watch.at,
    )
    if backup and promise.backup_id is None:
        _notify_officer(promise, backup, "cover", watch.at)
    write_event(
        "routing.promise.escalated",
        at=watch.at,
        actor="system:promises",
        lead_id=promise.lead_id,
        person_id=promise.lead.person_id,
        promise=promise.pk,
        kind_of=promise.kind,
        officer_id=promise.officer_id,
        backup_id=backup.pk if backup else None,
        user_ids=[user.pk for user in managers],
    )


def _cover(promise: Promise, watch: _Watch) -> bool:
    """Ask the backup of an officer who is off today; return True if the backup can cover."""
    officer, at = promise.officer, watch.at
    if officer is None:
        return False
    off = time_off.current_time_off(officer, watch.days_off[officer.pk], at=at)
    backup = _available_backup(promise, watch) if off else None
    if off is None or backup is None:
        return False
    sentence = promise_sentences.describe_cover(officer, backup, off)
    Promise.objects.filter(pk=promise.pk).update(backup=backup, sentence=sentence)
    _notify_officer(promise, backup, "cover", at)
    write_event(
        "routing.promise.covered",
        at=at,
        actor="system:promises",
        lead_id=promise.lead_id,
        person_id=promise.lead.person_id,
        promise=promise.pk,
        officer_id=officer.pk,
        backup_id=backup.pk,
    )
    return True


def _notify_officer(promise: Promise, officer: LoanOfficer, stage: str, at: datetime) -> None:
    kinds = {"due": "promise_due", "late": "promise_late", "cover": "covering"}
    staff_notices.notify_user(
        user_id=officer.user_id,
        kind=kinds[stage],
        idempotency_key=f"promise:{promise.pk}:{stage}",
        text=promise_sentences.officer_text(promise, officer, stage),
        link=f"/leads/{promise.lead_id}/",
        at=at,
    )


def _tell_about_stale_promises(promises: Sequence[Promise], at: datetime) -> None:
    """Tell each manager once a day how many promises are more than a day late."""
    counts: dict[UUID, int] = {}
    for promise in promises:
        for manager in promise_staff.managers_of(promise):
            counts[manager.pk] = counts.get(manager.pk, 0) + 1
    for user_id, count in counts.items():
        noun = "promise is" if count == 1 else "promises are"
        staff_notices.notify_user(
            user_id=user_id,
            kind="promise_late",
            idempotency_key=f"promises:{at.date()}",
            text=f"{count} {noun} more than a day late. Reassign them or ask their officers.",
            link="/team/promises/",
            at=at,
        )


def _answered_unclaimed_alarms() -> list[str]:
    """Return the causes of unread alarms about leads that aren't unclaimed anymore."""
    unread = StaffNotice.objects.filter(kind="unclaimed", read_at=None)
    causes = {key.split(":")[1]: key for key in unread.values_list("idempotency_key", flat=True)}
    unclaimed = Lead.objects.filter(
        pk__in=causes, officer=None, first_attempt_at=None, retired_at=None,
        state__in=response_deadline.EARLY_STATES,
    )  # fmt: skip
    waiting = {str(key) for key in unclaimed.values_list("pk", flat=True)}
    return [key for lead_id, key in causes.items() if lead_id not in waiting]
