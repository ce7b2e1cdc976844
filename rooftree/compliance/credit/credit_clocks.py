"""Disclosure deadlines (credit clocks): opened by events, with reminders, closed with proof."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from rooftree.compliance.credit import clock_due_dates
from rooftree.compliance.credit.clock_due_dates import CLOCK_KINDS
from rooftree.compliance.models import CreditClock
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Loan
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day, company_zone
from rooftree.org import staff_notices
from rooftree.org.models import User

TASK_PREFIX = "clock:"  # of a task's kind; such a task closes with its clock
CLOCK_OUTCOMES = {  # how a clock ends, as staff read it
    "sent": "The notice was sent",
    "approved": "Approval was sent",
    "counteroffer": "A counteroffer was made",
    "incomplete": "A notice of incompleteness was sent",
    "accepted": "The counteroffer was accepted",
    "withdrawn": "Applicant withdrew: no notice is due",
    "no_reply": "No reply arrived: no further notice is due",
    "completed": "Applicant completed it: a decision is due",
    "denied": "Denied before the due date: no Loan Estimate is due",
    "mistaken": "It was not an application",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClock:
    """A clock to open, once per idempotency key."""

    lead: Lead
    kind: str
    began_on: date
    sentence: str
    idempotency_key: str
    due_on: date | None = None  # set when a notice, not the law, gives the day
    loan: Loan | None = None
    evidence: Sequence[dict[str, Any]] = field(default=())


def start_clock(new_clock: NewClock, *, at: datetime) -> CreditClock | None:
    """Open a clock with its task and notices to staff; return None if it was opened before.

    A running clock keeps its due date: a later event never moves it back.
    """
    kind, zone = new_clock.kind, company_zone()
    due = new_clock.due_on or clock_due_dates.legal_due_date(kind, new_clock.began_on)
    clock = CreditClock(
        id=uuid7_at(at),
        lead=new_clock.lead,
        loan=new_clock.loan,
        kind=kind,
        began_on=new_clock.began_on,
        due_on=due,
        due_at=clock_due_dates.due_time(clock_due_dates.house_due_date(due), zone),
        sentence=new_clock.sentence[:500],
        evidence=list(new_clock.evidence),
        owner=_least_busy_owner(),
        alarm_at=clock_due_dates.next_reminder_at(kind, new_clock.began_on, due, at=at, zone=zone),
        opened_at=at,
        outcome="",
        proof={},
        idempotency_key=new_clock.idempotency_key,
    )
    with transaction.atomic():
        if not insert_row_if_new(clock):
            return None
        labels = CLOCK_KINDS[kind]
        task = lead_tasks.SystemTask(
            kind=_task_kind(kind),
            title=f"{labels.task} by {due:%b} {due.day}",
            due_at=clock.due_at,
            role=labels.role,
        )
        lead_tasks.add_or_update_task(task, lead_id=new_clock.lead.pk, at=at)
        _notify_people(
            clock, f"{labels.title} due by {due:%b} {due.day}: {clock.sentence}", "opened", at
        )
        write_event(
            "compliance.clock.opened", at=at, lead_id=new_clock.lead.pk, clock=clock.pk, of=kind,
            due_on=due.isoformat(), cause=new_clock.idempotency_key,
        )  # fmt: skip
    return clock


def close_clock(
    clock: CreditClock, *, outcome: str, proof: dict[str, Any], by: User | None, at: datetime
) -> bool:
    """Close a clock with its proof; return False if it was already closed."""
    with transaction.atomic():
        open_clock = CreditClock.objects.filter(pk=clock.pk, closed_at=None)
        if not open_clock.update(
            closed_at=at, outcome=outcome, closed_by=by, proof=proof, alarm_at=None
        ):
            return False
        if by:
            lead_tasks.finish_tasks_of_kind(
                lead_id=clock.lead_id, kind=_task_kind(clock.kind), by=by.pk, at=at
            )
        else:
            because = CLOCK_OUTCOMES[outcome]
            lead_tasks.cancel_tasks_of_kind(
                lead_id=clock.lead_id, kind=_task_kind(clock.kind), because=because, at=at
            )
        write_event(
            "compliance.clock.closed", at=at, actor=f"user:{by.pk}" if by else "system:clocks",
            lead_id=clock.lead_id, clock=clock.pk, of=clock.kind, outcome=outcome,
            reference=proof.get("reference"),
        )  # fmt: skip
    return True


def running_clocks(lead_id: UUID, *kinds: str) -> list[CreditClock]:
    """Return a lead's open clocks, soonest first; only of the given kinds if any are given."""
    rows = CreditClock.objects.filter(lead_id=lead_id, closed_at=None)
    return list((rows.filter(kind__in=kinds) if kinds else rows).order_by("due_at", "id"))


def send_due_reminders(*, at: datetime, limit: int = 100) -> int:
    """Send all due reminders; return how many. Several workers can run this at the same time."""
    sent = 0
    while sent < limit:
        with transaction.atomic():
            due = CreditClock.objects.filter(closed_at=None, alarm_at__lte=at).order_by("alarm_at")
            clock = due.select_for_update(of=("self",), skip_locked=True).first()
            if clock is None:
                break
            _send_reminder(clock, at)
        sent += 1
    return sent


def _send_reminder(clock: CreditClock, at: datetime) -> None:
    title, today = CLOCK_KINDS[clock.kind].title, company_day(at)
    days_left = (clock.due_on - today).days
    is_late = days_left < 0
    if is_late:
        status = f"{title} has been overdue since {clock.due_on:%b} {clock.due_on.day}"
    elif days_left == 0:
        status = f"{title} is due today"
    else:
        status = f"{title} is due in {days_left} day{'s' * (days_left > 1)}"
    _notify_people(clock, f"{status}: {clock.sentence}", today.isoformat(), at, escalates=is_late)
    next_reminder = clock_due_dates.next_reminder_at(
        clock.kind, clock.began_on, clock.due_on, at=at, zone=company_zone()
    )
    CreditClock.objects.filter(pk=clock.pk).update(alarm_at=next_reminder)


def _notify_people(
    clock: CreditClock, text: str, occasion: str, at: datetime, *, escalates: bool = False
) -> None:
    """Notify the lead's officer and the clock's owner; if overdue, also their supervisors."""
    lead = Lead.objects.select_related("officer__branch", "person").get(pk=clock.lead_id)
    people = {lead.officer.user_id} if lead.officer else set()
    people |= {clock.owner_id} if clock.owner_id else set()
    if escalates:
        people |= set(_supervisors(lead).values_list("pk", flat=True))
    for user_id in people:
        staff_notices.notify_user(
            user_id=user_id,
            kind="clock",
            idempotency_key=f"clock:{clock.pk}:{occasion}",
            text=f"{lead.person.short_name}: {text}",
            link=f"/compliance/clocks/{clock.pk}/",
            at=at,
        )


def _supervisors(lead: Lead) -> QuerySet[User]:
    """Select all compliance users and the managers of the officer's branch and its parents."""
    supervisors = User.objects.with_role("compliance")
    if lead.officer:
        branch_ids = [branch_id for branch_id in lead.officer.branch.path.split("/") if branch_id]
        is_above = Q(branch_id__in=branch_ids) | Q(branch=None)
        supervisors |= User.objects.with_role("manager").filter(is_above)
    return supervisors


def _least_busy_owner() -> User | None:
    """Return the compliance user with the fewest open clocks; an administrator if there is none."""
    people = User.objects.with_role("compliance").filter(branch=None)
    open_counts = dict(
        CreditClock.objects.filter(closed_at=None, owner__in=people)
        .values_list("owner")
        .annotate(Count("id"))
    )
    owner = min(people.order_by("pk"), key=lambda user: open_counts.get(user.pk, 0), default=None)
    return owner or next(iter(staff_notices.alarm_users(None)), None)


def _task_kind(kind: str) -> str:
    return f"{TASK_PREFIX}{kind}"
