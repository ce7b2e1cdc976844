"""Recording a call: nobody is recorded who was not told, and whoever objects is not (REC-01).

The strictest state of any party rules, and where they are is not sure, so everybody hears
the notice, to its end, before anything is recorded. What the carrier holds is its own;
the reference to it is kept with the call.
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
# Who, for whom and why come first: the seconds of DIS-01 run while this plays.
OUTBOUND_INTRO = {
    "en": "This is a call from {caller} of {brand} about {kind}.",
    "es": "Le llama {caller} de {brand} sobre {kind}.",
}
INBOUND_INTRO = {"en": "Thank you for calling {brand}.", "es": "Gracias por llamar a {brand}."}
NOTICES = {
    "en": "This call may be recorded. Press any key if you do not want that.",
    "es": "Esta llamada puede ser grabada. Pulse cualquier tecla si no lo desea.",
}
OFFICER_NOTICE = "This call is recorded, unless they object."
OBJECTION_NOTICE = "They do not want this call recorded, and it is not."
BATCH_SIZE = 20
LEASE = timedelta(minutes=1)  # for one act at the carrier; then its fate is looked up
MAX_CALL_LENGTH = timedelta(hours=4)  # the carrier ends a call then
RETRY_AFTER = timedelta(hours=1)  # what the carrier refused to erase


class NoActiveRecording(Exception):
    """No recording of this lead runs. The text is fit to show."""


def switch_recording(*, is_on: bool, by: User, at: datetime) -> None:
    """Calls by our carrier are recorded from now on, or no longer. Saying it again is no news."""
    with transaction.atomic():
        held = Company.objects.filter(records_calls_from__isnull=is_on)
        if held.update(records_calls_from=at if is_on else None):
            kind = "compliance.recording.on" if is_on else "compliance.recording.off"
            write_event(kind, at=at, actor=f"user:{by.pk}")


def plan_recording(attempt: ContactAttempt, *, at: datetime) -> CallRecording | None:
    """What a call that begins plays before it is recorded; None where calls are not recorded."""
    if not Company.objects.filter(records_calls_from__lte=at).exists():
        return None
    language = message_templates.language_for(attempt.person.language)
    words = build_notice_text(attempt, language)
    return CallRecording.objects.get_or_create(
        attempt=attempt, defaults={"id": uuid7_at(at), "notice": words, "language": language}
    )[0]


def build_notice_text(attempt: ContactAttempt, language: str) -> str:
    """What a borrower hears of who calls, or whom they reached, and of being recorded."""
    kinds = message_templates.LOAN_PHRASES[language]
    first = (INBOUND_INTRO if attempt.direction == "in" else OUTBOUND_INTRO)[language].format(
        caller=attempt.by.name if attempt.by else "",
        brand=current_company().brand,
        kind=kinds.get(attempt.lead.purpose, kinds[""]),
    )
    return f"{first} {NOTICES[language]}"


def callback_url(recording: CallRecording, step: str) -> str:
    """Where the carrier asks on, or tells: notice, told, officer or status."""
    return f"{settings.PUBLIC_URL}/in/twilio/recording/{recording.pk}/{step}/"


def notice_markup(recording: CallRecording) -> str:
    """The notice as the borrower hears it, and after it wherever `told` leads."""
    return twiml.play_notice(
        recording.notice, action_url=callback_url(recording, "told"), language=recording.language
    )


def on_notice_played(
    *, recording_id: UUID, call_id: str, digits: str, at: datetime
) -> CallRecording:
    """The notice was played to its end, or a key objected in the midst of it.

    A call to them goes on at once and its recording is due; of one that came in the officer
    must answer first.
    """
    with transaction.atomic():
        one = _lock_recording(recording_id)
        if one.told_at is None:
            one.told_at, one.call_id = at, call_id[:120]
            write_event("outreach.recording.told", at=at, actor="carrier", **_event_fields(one))
        if digits:
            _apply_objection(one, None, at)
        if one.attempt and one.attempt.direction == "out" and one.asked_at is None:
            one.due_at = at
        one.save()
    return one


def on_officer_answered(*, recording_id: UUID, at: datetime) -> CallRecording:
    """The officer answered a call that came in: its recording is due."""
    with transaction.atomic():
        one = _lock_recording(recording_id)
        if one.asked_at is None:
            one.due_at = at
            one.save(update_fields=["due_at"])
    return one


def officer_notice_markup(one: CallRecording) -> str:
    """What the officer hears before they are connected with who called."""
    return twiml.say_and_continue(OBJECTION_NOTICE if one.objected_at else OFFICER_NOTICE)


def record_objection(lead: Lead, *, by: User, at: datetime) -> CallRecording:
    """They said to `by` that they do not want to be recorded. Raises `NothingToStop`."""
    with transaction.atomic():
        rows = CallRecording.objects.select_for_update(of=("self",)).select_related("attempt")
        theirs = rows.filter(attempt__lead=lead, objected_at=None).order_by("-attempt__at")
        found = next((row for row in theirs if is_running(row, at=at)), None)
        if found is None:
            raise NoActiveRecording("No call with them is being recorded.")
        _apply_objection(found, by, at)
        found.save()
    return found


def is_running(one: CallRecording, *, at: datetime) -> bool:
    """Whether its call is being recorded, or is about to be."""
    is_of_now = one.attempt is not None and one.attempt.at > at - MAX_CALL_LENGTH
    is_over = one.objected_at or one.ended_at or one.problem
    return is_of_now and not is_over and bool(one.asked_at or one.due_at)


def overdue_erasures(*, before: datetime) -> QuerySet[CallRecording]:
    """Recordings that should have been deleted by then and that the carrier still holds."""
    return CallRecording.objects.filter(erase_from__lt=before, erased_at=None).order_by(
        "erase_from"
    )


def on_recording_ended(
    form: Mapping[str, str], *, recording_id: UUID, at: datetime
) -> CallRecording:
    """A verified callback: what the carrier recorded. Said again it changes nothing."""
    told: CarrierRecording | None = get_carrier().module.parse_recording(form)
    with transaction.atomic():
        one = _lock_recording(recording_id)
        if told and one.ended_at is None:
            _store_carrier_recording(one, told, at)
    return one


def process_due_recordings(*, at: datetime) -> int:
    """Begin, look up and erase what is due at the carrier; how many. Not in a transaction."""
    with transaction.atomic():
        due = CallRecording.objects.select_for_update(of=("self",), skip_locked=True)
        rows = due.select_related("attempt").filter(due_at__lte=at).order_by("due_at", "pk")
        claimed = [(_claim_recording(row, at), row) for row in rows[:BATCH_SIZE]]
    for act, one in claimed:
        act(one, at)
    return len(claimed)


def _claim_recording(one: CallRecording, at: datetime) -> Callable[[CallRecording, datetime], None]:
    """What is to be done about it. The rule is asked before a recording begins."""
    one.due_at = at + LEASE
    act = _erase_recording if one.erase_from else _look_up_recording
    if one.asked_at is None and not one.erase_from:
        ruling = call_rules.check_recording(
            was_told=one.told_at is not None, has_objected=one.objected_at is not None
        )
        if ruling.decision is Decision.ALLOW:
            one.asked_at, one.carrier, act = at, get_carrier().name, _start_recording
        else:
            one.due_at, one.problem, act = None, ruling_sentence(ruling, None), _do_nothing
    one.save(update_fields=["asked_at", "carrier", "due_at", "problem"])
    return act


def _do_nothing(one: CallRecording, at: datetime) -> None:
    """Nothing is recorded."""


def _start_recording(one: CallRecording, at: datetime) -> None:
    try:
        said = get_carrier().start_recording(
            call_id=one.call_id, status_callback=callback_url(one, "status")
        )
    except OutcomeUnknown:
        return  # it is looked up when the lease is over
    except RetryLater as problem:
        begun = CallRecording.objects.filter(pk=one.pk, ended_at=None)
        begun.update(asked_at=None, due_at=at + timedelta(seconds=problem.retry_after_seconds or 2))
    except VendorError as problem:
        _record_not_started(one, str(problem))
    else:
        _record_started(one, said, at)


def _record_started(one: CallRecording, said: CarrierReceipt, at: datetime) -> None:
    """An objection meanwhile, or the end of it, came first: then that is what is to be done."""
    with transaction.atomic():
        now = _lock_recording(one.pk)
        now.carrier_id = now.carrier_id or said.carrier_id
        if now.erase_from:
            now.due_at, now.erased_at = at, None
        elif now.ended_at is None:
            now.due_at = at + MAX_CALL_LENGTH
        now.save(update_fields=["carrier_id", "due_at", "erased_at"])
        write_event("outreach.recording.begun", at=at, **_event_fields(now))


def _record_not_started(one: CallRecording, problem: str) -> None:
    rows = CallRecording.objects.filter(pk=one.pk, carrier_id="")
    rows.filter(erase_from=None).update(due_at=None, problem=problem[:300])


def _look_up_recording(one: CallRecording, at: datetime) -> None:
    """A recording of unknown fate, or one whose end the carrier should have told long ago."""
    try:
        held = get_carrier().list_recordings(call_id=one.call_id)
    except VendorError as problem:  # again when the lease is over
        log.warning("the recording %s could not be looked up: %s", one.pk, problem)
        return
    if not held:
        _record_not_started(one, "The carrier has no recording of it.")
    elif held[0].is_over:
        with transaction.atomic():
            now = _lock_recording(one.pk)
            if now.ended_at is None:
                _store_carrier_recording(now, held[0], at)
    else:
        CallRecording.objects.filter(pk=one.pk, ended_at=None).update(
            carrier_id=held[0].carrier_id, due_at=at + RETRY_AFTER
        )


def _erase_recording(one: CallRecording, at: datetime) -> None:
    """Stop it and have the carrier delete it; once more where it may begin only now."""
    if one.asked_at:
        try:
            get_carrier().erase_recordings(call_id=one.call_id)
        except VendorError as problem:
            wait = LEASE if isinstance(problem, RetryLater | RequestRejected) else RETRY_AFTER
            rows = CallRecording.objects.filter(pk=one.pk)
            rows.update(due_at=at + wait, problem=str(problem)[:300])
            return
        if not one.carrier_id and at - one.asked_at < LEASE:
            return
    with transaction.atomic():
        now = _lock_recording(one.pk)
        if now.attempt is None:
            now.delete()
            return
        if now.carrier_id == one.carrier_id:
            now.due_at, now.erased_at, now.problem = None, at, ""
            now.save(update_fields=["due_at", "erased_at", "problem"])
        write_event("outreach.recording.erased", at=at, **_event_fields(now))


def _apply_objection(one: CallRecording, by: User | None, at: datetime) -> None:
    if one.objected_at:
        return
    one.objected_at, one.objected_by = at, by
    if one.asked_at:
        one.erase_from, one.due_at = at, at
    actor = f"user:{by.pk}" if by else "borrower"
    write_event("outreach.recording.objected", at=at, actor=actor, **_event_fields(one))


def _store_carrier_recording(one: CallRecording, told: CarrierRecording, at: datetime) -> None:
    is_gone = one.erased_at is not None and one.carrier_id == told.carrier_id
    one.carrier_id, one.seconds, one.ended_at = told.carrier_id, told.seconds, at
    one.problem = "" if told.seconds is not None else "Nothing could be heard."
    one.due_at = at if one.erase_from and not is_gone else None
    one.erased_at = one.erased_at if is_gone else None
    one.save()
    write_event("outreach.recording.ended", at=at, actor="carrier", **_event_fields(one))


def _event_fields(one: CallRecording) -> dict[str, Any]:
    """What the ledger names of it."""
    attempt = one.attempt
    if attempt is None:
        return {"recording": one.pk}
    return {
        "lead_id": attempt.lead_id,
        "person_id": attempt.person_id,
        "attempt": attempt.pk,
        "recording": one.pk,
    }


def _lock_recording(recording_id: UUID) -> CallRecording:
    """Raises `CallRecording.DoesNotExist`."""
    rows = CallRecording.objects.select_for_update(of=("self",)).select_related("attempt")
    return rows.get(pk=recording_id)
