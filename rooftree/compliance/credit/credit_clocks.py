"""Credit clocks as rows: opened by what happened, said aloud until closed, closed with proof."""

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

CLOCK_OUTCOMES = {  # how a clock ends, as staff read it
    "sent": "The notice was sent",
    "approved": "Told that it is approved",
    "counteroffer": "A counteroffer was made",
    "incomplete": "A notice of incompleteness was sent",
    "accepted": "The counteroffer was accepted",
    "withdrawn": "They withdrew: no notice is owed",
    "no_reply": "No reply came: no further notice is owed",
    "completed": "They completed it: a decision is due",
    "denied": "Denied before it was due: no estimate is owed",
    "mistaken": "It was no application",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClock:
    """A clock to be opened, once a cause."""

    lead: Lead
    kind: str
    began_on: date
    sentence: str
    idempotency_key: str
    due_on: date | None = None  # where a notice, not the law, gives the day
    loan: Loan | None = None
    evidence: Sequence[dict[str, Any]] = field(default=())


def start_clock(wanted: NewClock, *, at: datetime) -> CreditClock | None:
    """Open a clock, with its task and a word to whom it concerns; None when it was opened before.

    One that still runs keeps its day: what comes later makes nothing due later.
    """
    kind, zone = wanted.kind, company_zone()
    due = wanted.due_on or clock_due_dates.legal_due_date(kind, wanted.began_on)
    clock = CreditClock(
        id=uuid7_at(at),
        lead=wanted.lead,
        loan=wanted.loan,
        kind=kind,
        began_on=wanted.began_on,
        due_on=due,
        due_at=clock_due_dates.due_time(clock_due_dates.house_due_date(due), zone),
        sentence=wanted.sentence[:500],
        evidence=list(wanted.evidence),
        owner=_least_busy_owner(),
        alarm_at=clock_due_dates.next_reminder_at(kind, wanted.began_on, due, at=at, zone=zone),
        opened_at=at,
        closed_as="",
        proof={},
        cause=wanted.idempotency_key,
    )
    with transaction.atomic():
        if not insert_row_if_new(clock):
            return None
        says = CLOCK_KINDS[kind]
        task = lead_tasks.SystemTask(
            kind=_task_kind(kind), title=f"{says.task} by {due:%b} {due.day}", due_at=clock.due_at,
            role=says.role,
        )  # fmt: skip
        lead_tasks.add_or_update_task(task, lead_id=wanted.lead.pk, at=at)
        _notify_people(
            clock, f"{says.title} due by {due:%b} {due.day}: {clock.sentence}", "opened", at
        )
        write_event(
            "compliance.clock.opened", at=at, lead_id=wanted.lead.pk, clock=clock.pk, of=kind,
            due_on=due.isoformat(), cause=wanted.idempotency_key,
        )  # fmt: skip
    return clock


def close_clock(
    clock: CreditClock, *, outcome: str, proof: dict[str, Any], by: User | None, at: datetime
) -> bool:
    """Close a clock with its proof; False when somebody or something closed it before."""
    with transaction.atomic():
        mine = CreditClock.objects.filter(pk=clock.pk, closed_at=None)
        if not mine.update(
            closed_at=at, closed_as=outcome, closed_by=by, proof=proof, alarm_at=None
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
    """The open clocks of a lead, soonest first; of some kinds only, when any are named."""
    rows = CreditClock.objects.filter(lead_id=lead_id, closed_at=None)
    return list((rows.filter(kind__in=kinds) if kinds else rows).order_by("due_at", "id"))


def send_due_reminders(*, at: datetime, limit: int = 100) -> int:
    """Say aloud each clock whose reminder is due; how many. Any number of workers may ask."""
    done = 0
    while done < limit:
        with transaction.atomic():
            due = CreditClock.objects.filter(closed_at=None, alarm_at__lte=at).order_by("alarm_at")
            clock = due.select_for_update(of=("self",), skip_locked=True).first()
            if clock is None:
                break
            _send_reminder(clock, at)
        done += 1
    return done


def _send_reminder(clock: CreditClock, at: datetime) -> None:
    title, today = CLOCK_KINDS[clock.kind].title, company_day(at)
    left = (clock.due_on - today).days
    late = left < 0
    said = f"{title} is overdue since {clock.due_on:%b} {clock.due_on.day}" if late else (
        f"{title} is due today" if left == 0 else f"{title} is due in {left} days"
    )  # fmt: skip
    _notify_people(clock, f"{said}: {clock.sentence}", today.isoformat(), at, escalates=late)
    following = clock_due_dates.next_reminder_at(
        clock.kind, clock.began_on, clock.due_on, at=at, zone=company_zone()
    )
    CreditClock.objects.filter(pk=clock.pk).update(alarm_at=following)


def _notify_people(
    clock: CreditClock, text: str, which: str, at: datetime, *, escalates: bool = False
) -> None:
    """The lead's officer and the clock's owner; of an overdue one also whoever is above them."""
    lead = Lead.objects.select_related("officer__branch").get(pk=clock.lead_id)
    people = {lead.officer.user_id} if lead.officer else set()
    people |= {clock.owner_id} if clock.owner_id else set()
    if escalates:
        people |= set(_supervisors(lead).values_list("pk", flat=True))
    for user_id in people:
        staff_notices.notify_user(
            user_id=user_id, kind="clock", idempotency_key=f"clock:{clock.pk}:{which}", text=text,
            link=f"/compliance/clocks/{clock.pk}/", at=at,
        )  # fmt: skip


def _supervisors(lead: Lead) -> QuerySet[User]:
    """All of compliance, and the managers of the officer's branch and those over it."""
    who = Q(role="compliance")
    if lead.officer:
        over = [one for one in lead.officer.branch.path.split("/") if one]
        who |= Q(role="manager", branch_id__in=over)
    return User.objects.filter(who, is_active=True)


def _least_busy_owner() -> User | None:
    """Who in compliance has the fewest open ones; an administrator where there is nobody."""
    people = User.objects.filter(is_active=True, role="compliance", branch=None)
    counted = dict(
        CreditClock.objects.filter(closed_at=None, owner__in=people)
        .values_list("owner")
        .annotate(Count("id"))
    )
    chosen = min(people.order_by("pk"), key=lambda one: counted.get(one.pk, 0), default=None)
    return chosen or next(iter(staff_notices.alarm_users(None)), None)


def _task_kind(kind: str) -> str:
    return f"clock:{kind}"
