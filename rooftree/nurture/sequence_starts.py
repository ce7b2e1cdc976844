"""Find the leads whose sequence begins by itself: new, quiet, at a milestone, or fitting.

A sweep reads rows, not events, so nothing is lost by a restart, and each occasion is remembered
with its enrollment, so nothing begins twice.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import CharField, Exists, F, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.lead_facts import leads_that_fit
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.nurture.sequence_plan import DEFAULT_PRIORITY, Plan
from rooftree.outreach.models import Message

type Candidates = Iterable[tuple[UUID, str]]  # leads, and the occasion for each
MAX_AT_ONCE = 200  # leads enrolled for one sequence in one sweep
CATCH_UP = timedelta(days=3)  # an occasion that long ago still counts, after a pause or an outage
COLD_WINDOW = timedelta(days=30)  # a lead that went quiet longer ago is left to the segments


def enroll_due_leads(*, at: datetime) -> int:
    """Enroll the leads whose sequence begins now; return how many. Safe to repeat."""
    enrolled = 0
    for start, find_candidates in FINDERS.items():
        for sequence, plan in sequence_enrollment.list_starting(start, at):
            for lead_id, occasion in find_candidates(sequence, plan, at):
                enrolled += bool(
                    sequence_enrollment.enroll_lead(
                        lead_id=lead_id, key=sequence.key, at=at, occasion=occasion
                    )
                )
    return enrolled


def count_fitting_leads(plan: Plan, *, at: datetime) -> int:
    """Return how many leads fit the audience of a sequence now."""
    return _fitting_leads(plan, at).count()


def _fitting_leads(plan: Plan, at: datetime) -> QuerySet[Lead]:
    rows = Lead.objects.filter(leads_that_fit(plan.audience, at), state__in=plan.stages)
    if "talked" in plan.ends_on:
        rows = rows.filter(first_conversation_at=None)
    return rows.filter(is_test=False)


def _ready_leads(sequence: Sequence, plan: Plan, at: datetime) -> QuerySet[Lead]:
    """Return the leads that fit and are on no sequence that goes first."""
    running = Enrollment.objects.filter(lead__person=OuterRef("person"), ended_at=None)
    lower = Q(sequence__rules__priority__lt=plan.priority)
    if plan.priority > DEFAULT_PRIORITY:
        lower |= Q(sequence__rules__priority__isnull=True)
    return _fitting_leads(plan, at).exclude(Exists(running.exclude(lower)))


def _without_occasion(
    rows: QuerySet[Lead], sequence: Sequence, occasion: str
) -> list[tuple[UUID, str]]:
    key = Concat(
        Value(f"{sequence.key}:"), Cast(OuterRef("pk"), CharField()), Value(f":{occasion}")
    )
    ids = rows.exclude(Exists(Enrollment.objects.filter(idempotency_key=key)))
    return [(pk, occasion) for pk in ids.order_by("pk").values_list("pk", flat=True)[:MAX_AT_ONCE]]


def _find_cold(sequence: Sequence, plan: Plan, at: datetime) -> Candidates:
    quiet_since = at - timedelta(days=plan.start_days)
    heard = Message.objects.filter(lead=OuterRef("pk"), direction="in", created_at__gt=quiet_since)
    rows = _ready_leads(sequence, plan, at).filter(
        last_inquiry_at__lte=quiet_since, last_inquiry_at__gt=quiet_since - COLD_WINDOW
    )
    return _without_occasion(rows.exclude(Exists(heard)), sequence, "cold")


def _find_milestones(sequence: Sequence, plan: Plan, at: datetime) -> Candidates:
    since = max(at - CATCH_UP, _first_live_at(sequence))
    reached = Milestone.objects.filter(
        code=plan.milestone, recorded_at__gte=since, recorded_at__lte=at, is_return=False
    )
    return _of_loans(
        Loan.objects.filter(pk__in=reached.values("loan")), sequence, plan, at, plan.milestone
    )


def _find_funded_days(sequence: Sequence, plan: Plan, at: datetime) -> Candidates:
    last = (at - timedelta(days=plan.start_days)).date()
    loans = Loan.objects.filter(funded_date__lte=last, funded_date__gt=last - CATCH_UP)
    return _of_loans(loans, sequence, plan, at, f"funded{plan.start_days}")


def _of_loans(
    loans: QuerySet[Loan], sequence: Sequence, plan: Plan, at: datetime, occasion: str
) -> Candidates:
    """Return the leads of loans for which this sequence has not begun on this occasion."""
    ready = _ready_leads(sequence, plan, at)
    loans = loans.filter(lead__in=ready, final_outcome="").order_by("pk")
    prefix = Concat(Value(f"{sequence.key}:"), Cast(OuterRef("lead"), CharField()), Value(":"))
    key = Concat(prefix, Cast(OuterRef("pk"), CharField()), Value(f":{occasion}"))
    new = loans.exclude(Exists(Enrollment.objects.filter(idempotency_key=key)))
    return [
        (lead_id, f"{loan_id}:{occasion}")
        for loan_id, lead_id in new.values_list("pk", F("lead_id"))[:MAX_AT_ONCE]
    ]


def _first_live_at(sequence: Sequence) -> datetime:
    """Return when the sequence was first live: what happened before is not its occasion."""
    first = Sequence.objects.filter(key=sequence.key).aggregate(first=Min("from_at"))["first"]
    return first or sequence.written_at


FINDERS: Mapping[str, Callable[[Sequence, Plan, datetime], Candidates]] = {
    "lead_created": lambda sequence, plan, at: _without_occasion(
        _ready_leads(sequence, plan, at).filter(
            created_at__gte=max(at - CATCH_UP, _first_live_at(sequence)), created_at__lte=at
        ),
        sequence,
        "created",
    ),
    "milestone": _find_milestones,
    "funded_date": _find_funded_days,
    "gone_cold": _find_cold,
    "segment": lambda sequence, plan, at: _without_occasion(
        _ready_leads(sequence, plan, at), sequence, "fits"
    ),
}
