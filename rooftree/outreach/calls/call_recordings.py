"""Call recording: only after the notice was heard, and never after an objection (REC-01).

The strictest state of either party applies, and nobody's location is certain, so every
borrower hears the whole notice before anything is recorded. The audio stays at the carrier;
we store a reference to it with the call.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from rooftree.compliance.gate import call_rules
from rooftree.compliance.gate.reason_sentences import ruling_sentence
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import OutcomeUnknown, RequestRejected, RetryLater, VendorError
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.current_company import current_company
from rooftree.org.models import Company, User
from rooftree.outreach.media import twiml
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.media.carrier_types import CarrierReceipt, CarrierRecording
from rooftree.outreach.models import CallRecording
from rooftree.outreach.wording import message_templates

log = logging.getLogger(__name__)
# Caller, company and purpose come first: the seconds of DIS-01 run while this plays.
OUTBOUND_INTRO = {
    "en": "This is a call from {caller} of {brand} about {kind}.",
    "es": "Le llama {caller} de {brand} sobre {kind}.",
}
INBOUND_INTRO = {"en": "Thank you for calling {brand}.", "es": "Gracias por llamar a {brand}."}
NOTICES = {
    "en": "This call may be recorded. To opt out of recording, press any key.",
    "es": "Esta llamada puede ser grabada. Pulse cualquier tecla si no lo desea.",
}
OFFICER_NOTICE = "This call is recorded unless the borrower objects."
OBJECTION_NOTICE = "The borrower opted out. This call is not recorded."
BATCH_SIZE = 20
LEASE = timedelta(minutes=1)  # for one carrier request; then its outcome is looked up
MAX_CALL_LENGTH = timedelta(hours=4)  # the carrier ends longer calls
RETRY_AFTER = timedelta(hours=1)  # after the carrier refused to erase a recording


class NoActiveRecording(Exception):
    """No call with this lead is being recorded. The text can be shown to staff."""


def switch_recording(*, is_on: bool, by: User, at: datetime) -> None:
    """Turn recording of calls through our carrier on or off. Safe to repeat."""
    with transaction.atomic():
        companies = Company.objects.filter(records_calls_from__isnull=is_on)
        if companies.update(records_calls_from=at if is_on else None):
            kind = "compliance.recording.on" if is_on else "compliance.recording.off"
            write_event(kind, at=at, actor=f"user:{by.pk}")


def plan_recording(attempt: ContactAttempt, *, at: datetime) -> CallRecording | None:
    """Create the recording of a new call with its notice; None if calls are not recorded."""
    if not Company.objects.filter(records_calls_from__lte=at).exists():
        return None
    language = message_templates.language_for(attempt.person.language)
    notice = build_notice_text(attempt, language)
    return CallRecording.objects.get_or_create(
        attempt=attempt, defaults={"id": uuid7_at(at), "notice": notice, "language": language}
    )[0]


def build_notice_text(attempt: ContactAttempt, language: str) -> str:
    """Return the spoken notice: the caller and purpose (or our name), then the recording notice."""
    kinds = message_templates.LOAN_PHRASES[language]
    intro = (INBOUND_INTRO if attempt.direction == "in" else OUTBOUND_INTRO)[language].format(
        caller=attempt.by.name if attempt.by else "",
        brand=current_company().brand,
        kind=kinds.get(attempt.lead.purpose, kinds[""]),
    )
    return f"{intro} {NOTICES[language]}"


def callback_url(recording: CallRecording, step: str) -> str:
    """Return the URL the carrier calls at a step: notice, told, officer or status."""
    return f"{settings.PUBLIC_URL}/in/twilio/recording/{recording.pk}/{step}/"


def notice_markup(recording: CallRecording) -> str:
    """Return the markup that plays the notice to the borrower, then continues at `told`."""
    return twiml.play_notice(
        recording.notice, action_url=callback_url(recording, "told"), language=recording.language
    )


def on_notice_played(
    *, recording_id: UUID, call_id: str, digits: str, at: datetime
) -> CallRecording:
    """Record that the notice ended, or that the borrower objected by pressing a key.

    An outbound call continues at once and its recording is due. The recording of an inbound
    call is due only when the officer answers.
    """
    with transaction.atomic():
        recording = _lock_recording(recording_id)
        if recording.notice_played_at is None:
            recording.notice_played_at, recording.call_id = at, call_id[:120]
            write_event(
                "outreach.recording.told", at=at, actor="carrier", **_event_fields(recording)
            )
        if digits:
            _apply_objection(recording, None, at)
        if (
            recording.attempt
            and recording.attempt.direction == "out"
            and recording.requested_at is None
        ):
            recording.due_at = at
        recording.save()
    return recording


def on_officer_answered(*, recording_id: UUID, at: datetime) -> CallRecording:
    """Make the recording of an inbound call due: the officer answered."""
    with transaction.atomic():
        recording = _lock_recording(recording_id)
        if recording.requested_at is None:
            recording.due_at = at
            recording.save(update_fields=["due_at"])
    return recording


def officer_notice_markup(recording: CallRecording) -> str:
    """Return the markup the officer hears before being connected to the caller."""
    return twiml.say_and_continue(OBJECTION_NOTICE if recording.objected_at else OFFICER_NOTICE)


def record_objection(lead: Lead, *, by: User, at: datetime) -> CallRecording:
    """Record that the borrower told `by` not to record the call. Raises `NoActiveRecording`."""
    with transaction.atomic():
        rows = CallRecording.objects.select_for_update(of=("self",)).select_related("attempt")
        of_lead = rows.filter(attempt__lead=lead, objected_at=None).order_by("-attempt__at")
        recording = next((row for row in of_lead if is_running(row, at=at)), None)
        if recording is None:
            raise NoActiveRecording("No call with this borrower is being recorded.")
        _apply_objection(recording, by, at)
        recording.save()
    return recording


def is_running(recording: CallRecording, *, at: datetime) -> bool:
    """Return True if the call is being recorded or is about to be."""
    is_recent = recording.attempt is not None and recording.attempt.at > at - MAX_CALL_LENGTH
    is_over = recording.objected_at or recording.ended_at or recording.problem
    return is_recent and not is_over and bool(recording.requested_at or recording.due_at)


def overdue_erasures(*, before: datetime) -> QuerySet[CallRecording]:
    """Return recordings due for deletion before a time that the carrier still holds."""
    return CallRecording.objects.filter(erase_from__lt=before, erased_at=None).order_by(
        "erase_from"
    )


def on_recording_ended(
    form: Mapping[str, str], *, recording_id: UUID, at: datetime
) -> CallRecording:
    """Store the carrier's recording from a verified callback. Safe to repeat."""
    ended: CarrierRecording | None = get_carrier().module.parse_recording(form)
    with transaction.atomic():
        recording = _lock_recording(recording_id)
        if ended and recording.ended_at is None:
            _store_carrier_recording(recording, ended, at)
    return recording


def process_due_recordings(*, at: datetime) -> int:
    """Start, look up and erase due recordings at the carrier; return how many.

    Do not call in a transaction.
    """
    with transaction.atomic():
        due = CallRecording.objects.select_for_update(of=("self",), skip_locked=True)
        rows = due.select_related("attempt").filter(due_at__lte=at).order_by("due_at", "pk")
        claimed = [(_claim_recording(row, at), row) for row in rows[:BATCH_SIZE]]
    for action, recording in claimed:
        action(recording, at)
    return len(claimed)


def _claim_recording(
    recording: CallRecording, at: datetime
) -> Callable[[CallRecording, datetime], None]:
    """Lease a due recording; return the action to take. Checks the rule before a recording."""
    recording.due_at = at + LEASE
    action = _erase_recording if recording.erase_from else _look_up_recording
    if recording.requested_at is None and not recording.erase_from:
        ruling = call_rules.check_recording(
            was_told=recording.notice_played_at is not None,
            has_objected=recording.objected_at is not None,
        )
        if ruling.decision is Decision.ALLOW:
            recording.requested_at, recording.carrier, action = (
                at,
                get_carrier().name,
                _start_recording,
            )
        else:
            recording.due_at, recording.problem, action = (
                None,
                ruling_sentence(ruling, None),
                _do_nothing,
            )
    recording.save(update_fields=["requested_at", "carrier", "due_at", "problem"])
    return action


def _do_nothing(recording: CallRecording, at: datetime) -> None:
    """Do nothing: the rule forbids recording this call."""


def _start_recording(recording: CallRecording, at: datetime) -> None:
    try:
        receipt = get_carrier().start_recording(
            call_id=recording.call_id, status_callback=callback_url(recording, "status")
        )
    except OutcomeUnknown:
        return  # looked up when the lease ends
    except RetryLater as problem:
        rows = CallRecording.objects.filter(pk=recording.pk, ended_at=None)
        rows.update(
            requested_at=None, due_at=at + timedelta(seconds=problem.retry_after_seconds or 2)
        )
    except VendorError as problem:
        _record_not_started(recording, str(problem))
    else:
        _record_started(recording, receipt, at)


def _record_started(recording: CallRecording, receipt: CarrierReceipt, at: datetime) -> None:
    """Record the start, unless an objection or the end of the call came first."""
    with transaction.atomic():
        current = _lock_recording(recording.pk)
        current.carrier_id = current.carrier_id or receipt.carrier_id
        if current.erase_from:
            current.due_at, current.erased_at = at, None
        elif current.ended_at is None:
            current.due_at = at + MAX_CALL_LENGTH
        current.save(update_fields=["carrier_id", "due_at", "erased_at"])
        write_event("outreach.recording.begun", at=at, **_event_fields(current))


def _record_not_started(recording: CallRecording, problem: str) -> None:
    rows = CallRecording.objects.filter(pk=recording.pk, carrier_id="")
    rows.filter(erase_from=None).update(due_at=None, problem=problem[:300])


def _look_up_recording(recording: CallRecording, at: datetime) -> None:
    """Look up a recording with an unknown outcome, or whose end is long overdue."""
    try:
        recordings = get_carrier().list_recordings(call_id=recording.call_id)
    except VendorError as problem:  # retried when the lease ends
        log.warning("the recording %s could not be looked up: %s", recording.pk, problem)
        return
    if not recordings:
        _record_not_started(recording, "The carrier has no recording of it.")
    elif recordings[0].is_over:
        with transaction.atomic():
            current = _lock_recording(recording.pk)
            if current.ended_at is None:
                _store_carrier_recording(current, recordings[0], at)
    else:
        CallRecording.objects.filter(pk=recording.pk, ended_at=None).update(
            carrier_id=recordings[0].carrier_id, due_at=at + RETRY_AFTER
        )


def _erase_recording(recording: CallRecording, at: datetime) -> None:
    """Stop a recording and have the carrier delete it.

    Repeats after the lease if the recording could have started in the meantime.
    """
    if recording.requested_at:
        try:
            get_carrier().erase_recordings(call_id=recording.call_id)
        except VendorError as problem:
            wait = LEASE if isinstance(problem, RetryLater | RequestRejected) else RETRY_AFTER
            rows = CallRecording.objects.filter(pk=recording.pk)
            rows.update(due_at=at + wait, problem=str(problem)[:300])
            return
        if not recording.carrier_id and at - recording.requested_at < LEASE:
            return
    with transaction.atomic():
        current = _lock_recording(recording.pk)
        if current.attempt is None:
            current.delete()
            return
        if current.carrier_id == recording.carrier_id:
            current.due_at, current.erased_at, current.problem = None, at, ""
            current.save(update_fields=["due_at", "erased_at", "problem"])
        write_event("outreach.recording.erased", at=at, **_event_fields(current))


def _apply_objection(recording: CallRecording, by: User | None, at: datetime) -> None:
    if recording.objected_at:
        return
    recording.objected_at, recording.objected_by = at, by
    if recording.requested_at:
        recording.erase_from, recording.due_at = at, at
    actor = f"user:{by.pk}" if by else "borrower"
    write_event("outreach.recording.objected", at=at, actor=actor, **_event_fields(recording))


def _store_carrier_recording(
    recording: CallRecording, ended: CarrierRecording, at: datetime
) -> None:
    is_gone = recording.erased_at is not None and recording.carrier_id == ended.carrier_id
    recording.carrier_id, recording.seconds, recording.ended_at = (
        ended.carrier_id,
        ended.seconds,
        at,
    )
    recording.problem = "" if ended.seconds is not None else "The recording has no sound."
    recording.due_at = at if recording.erase_from and not is_gone else None
    recording.erased_at = recording.erased_at if is_gone else None
    recording.save()
    write_event("outreach.recording.ended", at=at, actor="carrier", **_event_fields(recording))


def _event_fields(recording: CallRecording) -> dict[str, Any]:
    """Return the ledger fields of a recording."""
    attempt = recording.attempt
    if attempt is None:
        return {"recording": recording.pk}
    return {
        "lead_id": attempt.lead_id,
        "person_id": attempt.person_id,
        "attempt": attempt.pk,
        "recording": recording.pk,
    }


def _lock_recording(recording_id: UUID) -> CallRecording:
    """Lock and return a recording. Raises `CallRecording.DoesNotExist`."""
    rows = CallRecording.objects.select_for_update(of=("self",)).select_related("attempt")
    return rows.get(pk=recording_id)
