"""What follows when an officer calls a borrower, or answers the call about an offer."""

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
    "on_inbound_call_answered",
    "recording_notice",
    "record_recording_objection",
    "on_officer_pressed",
    "on_recording_event",
    "start_call",
    "on_officer_call_status",
    "process_recordings",
    "on_notice_played",
]
LOOKUP_BATCH = 20  # calls at a time
FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def start_call(*, lead_id: UUID, by: User, at: datetime) -> DialedCall:
    """A member of staff calls the borrower now; answers with what to dial.

    Its outcome is `attempts.record`. Raises `CannotCall` with the gate's
    sentence, whose verdict is kept.
    """
    with transaction.atomic():
        begun = dial_borrower.begin_call(lead_id=lead_id, by=by, at=at)
        if isinstance(begun, DialedCall) and begun.is_new:
            rollup_deltas.count_attempt(begun.attempt.lead)
            publish_update("lead", lead=str(lead_id))
    if not isinstance(begun, DialedCall):
        raise CannotCall(begun.sentence)
    return begun


def on_officer_answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up; what they hear."""
    return officer_calls.on_officer_answered(ring_id=ring_id, at=at)


def on_officer_pressed(*, ring_id: UUID, digits: str, at: datetime) -> str:
    """The officer pressed a key; what they hear. Taking the lead moves its sums with it."""
    with transaction.atomic():
        done = officer_calls.on_key_pressed(ring_id=ring_id, digits=digits, at=at)
        if done.ownership:
            taken = done.ownership
            staff_notices.dismiss_for_officer(
                officer_id=taken.officer_id, cause=f"offer:{taken.offer_id}", at=at
            )
            lead = Lead.objects.get(pk=taken.lead_id)
            rollup_deltas.recount_lead(lead)
            rollup_deltas.count_attempt(lead)
            publish_update("offer", lead=str(lead.pk))
    return done.markup


def on_borrower_call_ended(
    *, ring_id: UUID, dial_status: str, seconds: int | None = None, at: datetime
) -> None:
    """The connected call is over."""
    with transaction.atomic():
        lead_id = officer_calls.on_borrower_call_ended(
            ring_id=ring_id, dial_status=dial_status, seconds=seconds, at=at
        )
        if lead_id:
            lead = Lead.objects.get(pk=lead_id)
            rollup_deltas.count_attempt(lead)
            rescore_lead(lead_id=lead.pk, because="called", at=at)
            publish_update("lead", lead=str(lead.pk))
            publish_update("offer", lead=str(lead.pk))  # its opening words leave the officer's page


def on_inbound_call(*, sender: str, called: str = "", call_id: str, at: datetime) -> str:
    """A borrower calls one of our numbers; what the caller hears. Their sequence ends."""
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
    """That call is over. A missed one becomes a promise, and its officer hears of it."""
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


def _follow_missed_call(attempt: ContactAttempt, at: datetime) -> None:
    lead = attempt.lead
    due = response_deadline.callable_deadline_of_lead(lead, by=at + RESPONSE_TIME, at=at)
    Lead.objects.filter(pk=lead.pk).update(promise_at=due)
    if answer_inbound_call.queue_missed_call_text(attempt, at=at):
        send_messages.enqueue()
    if lead.officer:
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="called",
            idempotency_key=attempt.cause,
            text=f"{lead.person.first_name or 'A borrower'} called, and nobody could answer.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )


def on_officer_call_status(*, ring_id: UUID, carrier_status: str, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    if carrier_status in FINAL_STATUSES:
        officer_calls.on_officer_call_ended(ring_id=ring_id, at=at)


def recording_notice(*, recording_id: UUID) -> str:
    """A borrower we called picked up; what they hear before they are connected."""
    return call_recordings.notice_markup(CallRecording.objects.get(pk=recording_id))


def on_notice_played(*, recording_id: UUID, call_id: str, digits: str, at: datetime) -> str:
    """They heard that the call is recorded; how it goes on."""
    with transaction.atomic():
        one = call_recordings.on_notice_played(
            recording_id=recording_id, call_id=call_id, digits=digits, at=at
        )
        _announce_recording(one)
    return answer_inbound_call.continue_after_notice(one)


def on_inbound_call_answered(*, recording_id: UUID, at: datetime) -> str:
    """The officer answered a call that came in, whose caller was told; what the officer hears."""
    with transaction.atomic():
        one = call_recordings.on_officer_answered(recording_id=recording_id, at=at)
        _announce_recording(one)
    return call_recordings.officer_notice_markup(one)


def on_recording_event(form: Mapping[str, str], *, recording_id: UUID, at: datetime) -> None:
    """The carrier tells what became of a recording."""
    with transaction.atomic():
        one = call_recordings.on_recording_ended(form, recording_id=recording_id, at=at)
        _announce_recording(one)


def record_recording_objection(*, lead: Lead, by: User, at: datetime) -> None:
    """They said that they do not want to be recorded. Raises `NothingToStop`."""
    with transaction.atomic():
        _announce_recording(call_recordings.record_objection(lead, by=by, at=at))


def look_up_call_ends(*, at: datetime) -> None:
    """Ask the carrier how calls ended of which nobody told us."""
    for attempt in call_record_check.calls_without_length(at=at)[:LOOKUP_BATCH]:
        kind, _, key = attempt.cause.partition(":")
        rung = Ring.objects.filter(pk=key).first() if kind == "ring" else None
        told = carrier_callbacks.fetch_call_end(rung.carrier_id if rung else key)
        if told is None:
            continue
        if rung:
            on_borrower_call_ended(
                ring_id=rung.pk, dial_status=told.raw_status, seconds=told.duration_seconds, at=at
            )
        else:
            on_inbound_call_ended(
                call_id=key, dial_status=told.raw_status, seconds=told.duration_seconds, at=at
            )


def _announce_recording(one: CallRecording) -> None:
    if one.due_at:
        process_recordings.enqueue()
    if one.attempt:
        publish_update("lead", lead=str(one.attempt.lead_id))


@task(queue_name="now", priority=60)
def process_recordings() -> None:
    """Begin, look up and erase what is due at the carrier."""
    complete_waiting_duplicates(process_recordings)
    process_due_recordings(at=clock.now())


def process_due_recordings(*, at: datetime) -> None:
    """The same, by whoever comes by."""
    while call_recordings.process_due_recordings(at=at) == call_recordings.BATCH_SIZE:
        pass
