"""Appointments with a borrower: by phone, at the office or by video. Each is a task of its lead."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.core.masking import redact_numbers
from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import MEETINGS, Lead, Task
from rooftree.ledger.write_events import write_event

APPOINTMENT = "appointment"  # the task kind; a lead has one open appointment at most
DURATIONS = (15, 30, 45, 60, 90)  # minutes
REMINDER_LEAD = timedelta(minutes=15)  # how long before the appointment staff are reminded
NO_SHOW = "no-show"
MAX_AHEAD = timedelta(days=366)


class InvalidAppointment(UserError):
    """The appointment can't be booked. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentDetails:
    """The terms of an appointment, as agreed with the borrower."""

    meeting: str  # a key of MEETINGS
    starts_at: datetime
    minutes: int
    note: str = ""


def book_appointment(
    details: AppointmentDetails, *, lead_id: UUID, by: UUID, at: datetime
) -> tuple[Task, bool]:
    """Book an appointment, or move the open one; return it, and True if it is new.

    It belongs to the lead's owner, so it goes along when the lead is reassigned.
    """
    _check_details(details, at)
    changes = {
        "title": f"{MEETINGS[details.meeting]} appointment",
        "meeting": details.meeting,
        "due_at": details.starts_at,
        "minutes": details.minutes,
        "note": redact_numbers(" ".join(details.note.replace("\x00", "").split()))[0][:500],
        "reminded_at": None,
    }
    with transaction.atomic():
        Lead.objects.select_for_update(no_key=True).get(pk=lead_id)  # serializes a double submit
        appointment = open_appointment(lead_id)
        is_new = appointment is None
        if appointment is None:
            key = uuid7_at(at)
            appointment = Task.objects.create(
                id=key,
                lead_id=lead_id,
                kind=APPOINTMENT,
                idempotency_key=f"{APPOINTMENT}:{key}",
                created_at=at,
                **changes,
            )
        else:
            Task.objects.filter(pk=appointment.pk).update(**changes)
            appointment.refresh_from_db()
        write_event(
            "leads.appointment.booked" if is_new else "leads.appointment.moved",
            at=at,
            actor=f"user:{by}",
            lead_id=lead_id,
            task=appointment.pk,
            meeting=details.meeting,
            starts_at=details.starts_at,
        )
    return appointment, is_new


def open_appointment(lead_id: UUID) -> Task | None:
    """Return the open appointment of a lead, or None."""
    rows = Task.objects.filter(lead_id=lead_id, kind=APPOINTMENT, done_at=None, canceled_at=None)
    return rows.first()


def claim_due_reminders(*, at: datetime, limit: int = 100) -> list[Task]:
    """Mark the appointments that begin within `REMINDER_LEAD` as reminded, and return them.

    In a transaction. An appointment whose end is past gets no reminder.
    """
    open_rows = Task.objects.filter(done_at=None, canceled_at=None, reminded_at=None)
    due = open_rows.exclude(meeting="").filter(
        due_at__lte=at + REMINDER_LEAD, due_at__gt=at - REMINDER_LEAD
    )
    rows = list(
        due.select_for_update(of=("self",), skip_locked=True)
        .select_related("lead__person", "lead__officer__user")
        .order_by("due_at", "id")[:limit]
    )
    Task.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=at)
    return rows


def _check_details(details: AppointmentDetails, at: datetime) -> None:
    if details.meeting not in MEETINGS:
        raise InvalidAppointment("Choose phone, office or video.", field="meeting")
    if not at < details.starts_at <= at + MAX_AHEAD:
        raise InvalidAppointment("Choose a time within the next year.", field="starts_at")
    if details.minutes not in DURATIONS:
        raise InvalidAppointment("Choose how long it takes.", field="minutes")
