"""Appointments with borrowers, at an hour that can be kept, with a reminder to the officer."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from rooftree.compliance.gate import next_calling_time
from rooftree.compliance.rule_changes import approved_changes
from rooftree.leads import appointments, contact_points, lead_tasks
from rooftree.leads.appointments import AppointmentDetails, InvalidAppointment
from rooftree.leads.models import Lead, Task
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.tasks.live_updates import publish_update

AGREED_HOUR = timedelta(minutes=15)  # around a callback the borrower asked for
# An outcome logged from this long before a phone appointment on is that call's.
KEPT_WINDOW = timedelta(minutes=30)


def book_appointment(
    details: AppointmentDetails, *, lead: Lead, by: User, at: datetime
) -> tuple[Task, bool]:
    """Book or move the lead's appointment; return it, and True if it is new.

    Raises `InvalidAppointment` for a phone appointment at an hour when the borrower can't be
    called, unless they asked for a callback at that hour.
    """
    if details.meeting == "phone":
        _check_calling_hour(details.starts_at, lead)
    appointment, is_new = appointments.book_appointment(details, lead_id=lead.pk, by=by.pk, at=at)
    publish_update("lead", lead=str(lead.pk))
    return appointment, is_new


def first_calling_time(lead: Lead, when: datetime) -> datetime:
    """Return `when`, or the time after it when calls to the borrower open; law, not the gate."""
    phone = next(iter(contact_points.usable_phones(lead.person)), None)
    opening = next_calling_time.next_opening(
        phone.e164 if phone else "",
        lead.property_state,
        lead.property_zip,
        approved_changes.load_approved_changes(),
        at=when,
    )
    return opening if opening and opening > when else when


def _check_calling_hour(starts_at: datetime, lead: Lead) -> None:
    opening = first_calling_time(lead, starts_at)
    agreed = Task.objects.filter(
        lead=lead,
        kind=lead_tasks.CALL_BACK,
        done_at=None,
        canceled_at=None,
        due_at__range=(starts_at - AGREED_HOUR, starts_at + AGREED_HOUR),
    )
    if opening == starts_at or agreed.exists():
        return
    name = lead.person.first_name or "the borrower"
    clock = f"{opening:%I:%M %p}".lstrip("0")
    raise InvalidAppointment(
        f"Calls to {name} open {opening:%a} {clock} their time. Choose a time from then on. "
        "If they asked for an earlier call, log a callback instead.",
        field="starts_at",
    )


def follow_call(*, lead_id: UUID, is_reached: bool, closing: str, by: User, at: datetime) -> None:
    """Finish a phone appointment that this call kept; an outcome that ends the lead cancels any.

    `closing` is that outcome, "" for others.
    """
    if closing:
        lead_tasks.cancel_tasks_of_kind(
            lead_id=lead_id, kind=appointments.APPOINTMENT, because=closing, at=at
        )
        return
    appointment = appointments.open_appointment(lead_id) if is_reached else None
    if appointment and appointment.meeting == "phone" and appointment.due_at <= at + KEPT_WINDOW:
        lead_tasks.finish_task(task_id=appointment.pk, by=by.pk, at=at)


def send_due_reminders(*, at: datetime) -> int:
    """Remind officers of appointments that begin soon, once each; return how many notices.

    Nothing goes to the borrower.
    """
    with transaction.atomic():
        sent = 0
        for appointment in appointments.claim_due_reminders(at=at):
            officer = appointment.lead.officer
            if officer is None:
                continue
            local = appointment.due_at.astimezone(ZoneInfo(officer.zone))
            clock = f"{local:%I:%M %p}".lstrip("0")
            sent += staff_notices.notify_user(
                user_id=officer.user_id,
                kind="appointment",
                idempotency_key=f"appointment:{appointment.pk}:{appointment.due_at:%Y%m%d%H%M}",
                text=f"{appointment.lead.person.short_name}: "
                f"{appointment.title.lower()} at {clock}.",
                link=f"/leads/{appointment.lead_id}/",
                at=at,
            )
    return sent
