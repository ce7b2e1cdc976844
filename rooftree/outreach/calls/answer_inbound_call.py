"""Borrower calls to our numbers: connect to their officer, record the end, text a missed call."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.leads.models import ContactAttempt, Lead, Signal
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company
from rooftree.outreach.calls import call_record_check, call_recordings
from rooftree.outreach.inbound.store_inbound_text import find_lead_by_number
from rooftree.outreach.media import twiml
from rooftree.outreach.messages import automatic_messages
from rooftree.outreach.messages.plan_messages import outbound_number
from rooftree.outreach.models import CallRecording, Message
from rooftree.outreach.wording import message_templates

MISSED_CALL_NOTICE = {
    "en": "Sorry, no one can take your call right now. We will call you back.",
    "es": "Lo sentimos, no podemos atender su llamada en este momento. Le devolveremos la llamada.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundCall:
    """One inbound call, and the markup the caller hears."""

    markup: str
    attempt: ContactAttempt | None = None  # None: the number is not on file
    is_news: bool = False  # False: the carrier repeats itself


def answer_call(*, sender: str, called: str, call_id: str, at: datetime) -> InboundCall:
    """Connect the caller to their officer, or to the company's main line.

    If calls are recorded, a known caller hears the recording notice first.
    """
    lead = find_lead_by_number(sender)
    if lead is None:
        return InboundCall(markup=_build_connect_markup(None))
    attempt, is_news = store_call(lead, sender=sender, called=called, call_id=call_id, at=at)
    recording = call_recordings.plan_recording(attempt, at=at)
    markup = call_recordings.notice_markup(recording) if recording else _build_connect_markup(lead)
    return InboundCall(markup=markup, attempt=attempt, is_news=is_news)


def continue_after_notice(recording: CallRecording) -> str:
    """Return the markup after the notice: connect a caller, or continue an outbound call."""
    attempt = recording.attempt
    if attempt is None or attempt.direction == "out":
        return twiml.empty_response()
    return _build_connect_markup(attempt.lead, call_recordings.callback_url(recording, "officer"))


def _build_connect_markup(lead: Lead | None, first_url: str = "") -> str:
    return twiml.connect_call(
        _number_for_lead(lead),
        caller_id=outbound_number(),
        action_url=f"{settings.PUBLIC_URL}/in/twilio/call/after/",
        first_url=first_url,
    )


def record_call_end(
    *, call_id: str, dial_status: str, seconds: int | None, at: datetime
) -> InboundCall:
    """Record the result of an inbound call, once; return what the caller hears.

    Args:
        seconds: the length of the call; None if the carrier doesn't say.
    """
    talked = dial_status == "completed"
    result = "spoken" if talked else "missed"
    with transaction.atomic():
        rows = ContactAttempt.objects.filter(idempotency_key=_idempotency_key(call_id))
        rows.filter(seconds=None).update(seconds=seconds if talked else 0)
        is_news = bool(rows.filter(result="").update(result=result))
        attempt = rows.select_related("lead__person", "lead__officer__user").first()
        if attempt:
            call_record_check.mark_complete(attempt, at=at)
        if attempt and is_news:
            write_event(
                "outreach.call_in.ended", at=at, lead_id=attempt.lead_id, attempt=attempt.pk,
                result=result,
            )  # fmt: skip
        if attempt and is_news and talked:
            Lead.objects.filter(pk=attempt.lead_id, first_conversation_at=None).update(
                first_conversation_at=at
            )
    language = message_templates.language_for(attempt.lead.person.language) if attempt else "en"
    markup = (
        twiml.empty_response()
        if talked
        else twiml.say_and_hang_up(MISSED_CALL_NOTICE[language], language=language)
    )
    return InboundCall(markup=markup, attempt=attempt, is_news=is_news)


def queue_missed_call_text(attempt: ContactAttempt, *, at: datetime) -> list[Message]:
    """Queue the text about a missed call; the gate decides whether it is sent.

    It informs about a call they made and sells nothing: 16 CFR 310.4 does not apply, but
    47 CFR 64.1200(a)(1) does, so it needs their consent to texts.
    """
    return automatic_messages.queue_template(
        lead=attempt.lead,
        key="missed_call",
        cause=f"missed:{attempt.pk}",
        media=["text"],
        purpose="informational",
        at=at,
    )


def forwarding_number(sender: str) -> str:
    """Return the number that rings for a caller: their officer's, or the company's main line."""
    return _number_for_lead(find_lead_by_number(sender))


def _number_for_lead(lead: Lead | None) -> str:
    officer = lead.officer if lead else None
    if officer is not None and officer.terminated_at is None:
        return officer.phone
    return Company.objects.get().phone


def store_call(
    lead: Lead, *, sender: str, called: str, call_id: str, at: datetime
) -> tuple[ContactAttempt, bool]:
    """Store an inbound call as a contact attempt, once; return it and whether it is new.

    Args:
        called: our number that was called; "" if unknown.
    """
    attempt = ContactAttempt(
        id=uuid7_at(at),
        idempotency_key=_idempotency_key(call_id),
        lead=lead,
        person_id=lead.person_id,
        medium="call",
        direction="in",
        address=sender,
        our_number=called[:20],
        at=at,
    )
    with transaction.atomic():
        if not insert_row_if_new(attempt):
            return ContactAttempt.objects.get(idempotency_key=attempt.idempotency_key), False
        signal = Signal(
            id=uuid7_at(at),
            lead=lead,
            kind="called",
            idempotency_key=attempt.idempotency_key,
            at=at,
        )
        insert_row_if_new(signal)
        write_event(
            "outreach.call_in.began", at=at, actor="borrower", lead_id=lead.pk,
            person_id=lead.person_id, attempt=attempt.pk,
        )  # fmt: skip
    return attempt, True


def _idempotency_key(call_id: str) -> str:
    return f"call_in:{call_id[:64]}"
