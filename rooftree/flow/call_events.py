"""The steps that follow calls: an officer calls, a borrower calls, a recording changes."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import clock
from rooftree.flow.lead_offers import RESPONSE_TIME
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads import snooze
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.nurture import sequence_enrollment
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.calls import (
    answer_inbound_call,
    call_record_check,
    call_recordings,
    dial_borrower,
    officer_calls,
)
from rooftree.outreach.calls.call_recordings import NoActiveRecording
from rooftree.outreach.calls.dial_borrower import CannotCall, DialedCall
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import CallRecording, Ring
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import response_deadline
from rooftree.scoring.rescore_leads import rescore_lead
from rooftree.tasks.dedupe import complete_waiting_duplicates
from rooftree.tasks.live_updates import publish_update

__all__ = [
    "CannotCall",
    "NoActiveRecording",
    "on_borrower_call_ended",
    "on_officer_answered",
    "on_inbound_call",
    "on_inbound_call_ended",
    "record_unanswered_call",
    "on_inbound_call_answered",
    "build_recording_notice",
    "record_recording_objection",
    "on_officer_pressed",
    "on_recording_event",
    "start_call",
    "on_officer_call_status",
    "process_recordings",
    "on_notice_played",
]
LOOKUP_BATCH = 20  # calls per run
UNANSWERED_STATUSES = frozenset({"busy", "failed", "no-answer", "canceled"})
FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def start_call(*, lead_id: UUID, by: User, at: datetime) -> DialedCall:
    """Start a call from staff to a borrower; return the number to dial.

    The outcome is recorded with `call_outcomes.record_outcome`. Raises `CannotCall` with
    the gate's sentence; the verdict is stored.
    """
    with transaction.atomic():
        call = dial_borrower.begin_call(lead_id=lead_id, by=by, at=at)
        if isinstance(call, DialedCall) and call.is_new:
            rollup_deltas.count_attempt(call.attempt.lead)
            publish_update("lead", lead=str(lead_id))
    if not isinstance(call, DialedCall):
        raise CannotCall(call.sentence)
    return call


def on_officer_answered(*, ring_id: UUID, at: datetime) -> str:
    """Handle an officer picking up; return the markup they hear."""
    return officer_calls.on_officer_answered(ring_id=ring_id, at=at)


def on_officer_pressed(*, ring_id: UUID, digits: str, at: datetime) -> str:
    """Handle a key pressed by an officer; return the markup they hear.

    If the officer takes the lead, its reporting totals move to that officer.
    """
    with transaction.atomic():
        result = officer_calls.on_key_pressed(ring_id=ring_id, digits=digits, at=at)
        if result.ownership:
            ownership = result.ownership
            staff_notices.dismiss_for_officer(
                officer_id=ownership.officer_id, cause=f"offer:{ownership.offer_id}", at=at
            )
            lead = Lead.objects.get(pk=ownership.lead_id)
            rollup_deltas.recount_lead(lead)
            rollup_deltas.count_attempt(lead)
            publish_update("offer", lead=str(lead.pk))
    return result.markup


def on_borrower_call_ended(
    *, ring_id: UUID, dial_status: str, seconds: int | None = None, at: datetime
) -> None:
    """Handle the end of a call that connected an officer with a borrower."""
    with transaction.atomic():
        lead_id = officer_calls.on_borrower_call_ended(
            ring_id=ring_id, dial_status=dial_status, seconds=seconds, at=at
        )
        if lead_id:
            lead = Lead.objects.get(pk=lead_id)
            rollup_deltas.count_attempt(lead)
            rescore_lead(lead_id=lead.pk, because="called", at=at)
            publish_update("lead", lead=str(lead.pk))
            publish_update(
                "offer", lead=str(lead.pk)
            )  # removes the call script from the officer's page


def on_inbound_call(*, sender: str, called: str = "", call_id: str, at: datetime) -> str:
    """Answer a borrower's call and end their sequence; return the markup the caller hears."""
    with transaction.atomic():
        call = answer_inbound_call.answer_call(sender=sender, called=called, call_id=call_id, at=at)
        if call.attempt and call.is_news:
            lead_id = call.attempt.lead_id
            sequence_enrollment.stop_sequence(lead_id=lead_id, because="called", at=at)
            snooze.wake_lead(lead_id=lead_id, because="called", at=at)
            cancel_messages.cancel_overtaken(lead_id=lead_id, because="called", at=at)
            rescore_lead(lead_id=lead_id, because="called", at=at)
            publish_update("lead", lead=str(lead_id))
    return call.markup


def on_inbound_call_ended(
    *, call_id: str, dial_status: str, seconds: int | None = None, at: datetime
) -> str:
    """Handle the end of a borrower's call; return the markup the caller hears.

    A missed call sets a deadline to call back and notifies the lead's officer.
    """
    with transaction.atomic():
        call = answer_inbound_call.record_call_end(
            call_id=call_id, dial_status=dial_status, seconds=seconds, at=at
        )
        if call.attempt and call.is_news:
            if call.attempt.result == "missed":
                _follow_missed_call(call.attempt, at)
            rollup_deltas.count_attempt(Lead.objects.get(pk=call.attempt.lead_id))
            publish_update("lead", lead=str(call.attempt.lead_id))
    return call.markup


def record_unanswered_call(
    *, sender: str, called: str, call_id: str, status: str, at: datetime
) -> None:
    """Record a borrower's call that nobody answered, even if we were down when it came in."""
    with transaction.atomic():
        on_inbound_call(sender=sender, called=called, call_id=call_id, at=at)
        on_inbound_call_ended(call_id=call_id, dial_status=status, at=at)


def _follow_missed_call(attempt: ContactAttempt, at: datetime) -> None:
    lead = attempt.lead
    due = response_deadline.callable_deadline_of_lead(lead, by=at + RESPONSE_TIME, at=at)
    Lead.objects.filter(pk=lead.pk).update(response_due_at=due)
    if answer_inbound_call.queue_missed_call_text(attempt, at=at):
        send_messages.enqueue()
    if lead.officer:
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="called",
            idempotency_key=attempt.idempotency_key,
            text=f"{lead.person.short_name} called, and no one could answer.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )


def on_officer_call_status(*, ring_id: UUID, carrier_status: str, at: datetime) -> None:
    """Handle the end of a call to an officer, whatever its result."""
    if carrier_status in FINAL_STATUSES:
        officer_calls.on_officer_call_ended(ring_id=ring_id, at=at)


def build_recording_notice(*, recording_id: UUID) -> str:
    """Return the markup a called borrower hears before they are connected."""
    return call_recordings.notice_markup(CallRecording.objects.get(pk=recording_id))


def on_notice_played(*, recording_id: UUID, call_id: str, digits: str, at: datetime) -> str:
    """Handle a played recording notice; return the markup that continues the call."""
    with transaction.atomic():
        recording = call_recordings.on_notice_played(
            recording_id=recording_id, call_id=call_id, digits=digits, at=at
        )
        _announce_recording(recording)
    return answer_inbound_call.continue_after_notice(recording)


def on_inbound_call_answered(*, recording_id: UUID, at: datetime) -> str:
    """Handle an officer answering an inbound call; return the markup the officer hears.

    The caller has heard the recording notice by then.
    """
    with transaction.atomic():
        recording = call_recordings.on_officer_answered(recording_id=recording_id, at=at)
        _announce_recording(recording)
    return call_recordings.officer_notice_markup(recording)


def on_recording_event(form: Mapping[str, str], *, recording_id: UUID, at: datetime) -> None:
    """Handle the carrier's report about a recording."""
    with transaction.atomic():
        recording = call_recordings.on_recording_ended(form, recording_id=recording_id, at=at)
        _announce_recording(recording)


def record_recording_objection(*, lead: Lead, by: User, at: datetime) -> None:
    """Record that the borrower objects to being recorded. Raises `NoActiveRecording`."""
    with transaction.atomic():
        _announce_recording(call_recordings.record_objection(lead, by=by, at=at))


def look_up_call_ends(*, at: datetime) -> None:
    """Look up the ends of calls at the carrier when no callback reported them."""
    for attempt in call_record_check.calls_without_length(at=at)[:LOOKUP_BATCH]:
        kind, _, key = attempt.idempotency_key.partition(":")
        ring = Ring.objects.filter(pk=key).first() if kind == "ring" else None
        call_end = carrier_callbacks.fetch_call_end(ring.carrier_id if ring else key)
        if call_end is None:
            continue
        status, seconds = call_end.raw_status, call_end.duration_seconds
        if ring:
            on_borrower_call_ended(ring_id=ring.pk, dial_status=status, seconds=seconds, at=at)
        else:
            on_inbound_call_ended(call_id=key, dial_status=status, seconds=seconds, at=at)


def _announce_recording(recording: CallRecording) -> None:
    if recording.due_at:
        process_recordings.enqueue()
    if recording.attempt:
        publish_update("lead", lead=str(recording.attempt.lead_id))


@task(queue_name="now", priority=60)
def process_recordings() -> None:
    """Start, look up and erase the recordings that are due at the carrier."""
    complete_waiting_duplicates(process_recordings)
    process_due_recordings(at=clock.now())


def process_due_recordings(*, at: datetime) -> None:
    """Start, look up and erase due recordings now, in the calling process."""
    while call_recordings.process_due_recordings(at=at) == call_recordings.BATCH_SIZE:
        pass
