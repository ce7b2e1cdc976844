"""The calendar: which steps of sequences are due on the next days, and for how many people."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.money.company_day import company_day, company_zone
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.nurture.sequence_enrollment import plan_of, switched_off_keys
from rooftree.nurture.step_descriptions import describe_steps
from rooftree.outreach.models import Message
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

DAYS = 28


@staff_view("GET")
def show_calendar(request: StaffRequest) -> HttpResponse:
    """Show the due steps of the next four weeks by day, from the rows of the enrollments."""
    require_permission(request.user, "see_sequences")
    today = company_day(request.at)
    days = _due_by_day(request.at, today)
    context = {
        "weeks": [days[first : first + 7] for first in range(0, DAYS, 7)],
        "total": sum(day["people"] for day in days),
        "held": Message.objects.filter(
            state__in=["waiting", "held"], idempotency_key__startswith="step:"
        ).count(),
        "paused": Enrollment.objects.filter(
            ended_at=None, sequence__key__in=switched_off_keys(paused_only=True)
        ).count(),
    }
    return render(request, "sequences/calendar.html", context)


def _due_by_day(at: datetime, today: date) -> list[dict[str, Any]]:
    zone = company_zone()
    until = datetime.combine(today + timedelta(days=DAYS), time(), zone)
    due = Enrollment.objects.filter(ended_at=None, due_at__lt=until)
    due = due.exclude(sequence__key__in=switched_off_keys(paused_only=True)).order_by()
    rows = due.annotate(day=TruncDate("due_at", tzinfo=zone)).values_list(
        "day", "sequence", "next_step"
    )
    counts: Counter[tuple[date, Any, int]] = Counter()
    for day, sequence_id, number, people in rows.annotate(people=Count("pk")):
        counts[max(day, today), sequence_id, number] += people
    names = {
        (key, step.number - 1): {"step": step, "sequence": sequence}
        for key, sequence in Sequence.objects.in_bulk({key[1] for key in counts}).items()
        for step in describe_steps(plan_of(sequence), ())
    }
    days = [today + timedelta(days=nth) for nth in range(DAYS)]
    lines: dict[date, list[dict[str, Any]]] = {day: [] for day in days}
    for (day, sequence_id, number), people in sorted(counts.items(), key=lambda item: -item[1]):
        lines[day].append({"people": people, **names[sequence_id, number]})
    return [
        {"day": day, "lines": lines[day], "people": sum(line["people"] for line in lines[day])}
        for day in days
    ]
