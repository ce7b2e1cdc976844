"""A borrower calls one of our numbers: put through to their officer; a missed call is a promise."""

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
from rooftree.outreach.messages.sender_identity import outbound_number
from rooftree.outreach.models import CallRecording, Message
from rooftree.outreach.wording import message_templates

MISSED_CALL_NOTICE = {
    "en": "We are sorry, nobody can take your call right now. We will call you back.",
    "es": "Lo sentimos, nadie puede atenderle en este momento. Le devolveremos la llamada.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundCall:
    """One call that came in, and what the caller hears."""

    markup: str
    attempt: ContactAttempt | None = None  # None: nobody on file has this number
    is_news: bool = False  # the carrier did not tell us before


def answer_call(*, sender: str, called: str, call_id: str, at: datetime) -> InboundCall:
    """Put the caller through to their officer, or to the company's main line.

    Where calls are recorded, somebody we know hears that first.
    """
    lead = find_lead_by_number(sender)
    if lead is None:
        return InboundCall(markup=_build_connect_markup(None))
    attempt, is_news = store_call(lead, sender=sender, called=called, call_id=call_id, at=at)
    planned = call_recordings.plan_recording(attempt, at=at)
    markup = call_recordings.notice_markup(planned) if planned else _build_connect_markup(lead)
    return InboundCall(markup=markup, attempt=attempt, is_news=is_news)


def continue_after_notice(recording: CallRecording) -> str:
    """The notice is over; a caller is put through now, somebody we called is on the line."""
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
    """What became of it. A call nobody took is answered by a text, where one is lawful.

    Args:
        seconds: how long it lasted; None when the carrier did not say.
    """
    talked = dial_status == "completed"
    result = "spoken" if talked else "missed"
    lasted = seconds if talked else 0
    with transaction.atomic():
        waits = ContactAttempt.objects.filter(cause=_idempotency_key(call_id))
        waits.filter(seconds=None).update(seconds=lasted)
        is_news = bool(waits.filter(result="").update(result=result))
        attempt = waits.select_related("lead__person", "lead__officer__user").first()
        if attempt:
            call_record_check.mark_complete(attempt, at=at)
        if attempt and is_news:
            write_event(
                "outreach.call_in.ended", at=at, lead_id=attempt.lead_id, attempt=attempt.pk,
                result=result,
            )  # fmt: skip
        if attempt and is_news and talked:
            Lead.objects.filter(pk=attempt.lead_id, first_talk_at=None).update(first_talk_at=at)
    language = message_templates.language_for(attempt.lead.person.language) if attempt else "en"
    markup = (
        twiml.empty_response()
        if talked
        else twiml.say_and_hang_up(MISSED_CALL_NOTICE[language], language=language)
    )
    return InboundCall(markup=markup, attempt=attempt, is_news=is_news)


def queue_missed_call_text(attempt: ContactAttempt, *, at: datetime) -> list[Message]:
    """Put the text about a missed call in line; whether it may go is the gate's to say.

    It informs about a call they made, and sells nothing (16 CFR 310.4 does not
    reach it; 47 CFR 64.1200(a)(1) does, so it needs their consent to texts).
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
    """Whose phone rings for a caller: their officer's, else the company's main line."""
    return _number_for_lead(find_lead_by_number(sender))


def _number_for_lead(lead: Lead | None) -> str:
    officer = lead.officer if lead else None
    is_there = officer is not None and officer.terminated_at is None
    return officer.phone if officer and is_there else Company.objects.get().phone


def store_call(
    lead: Lead, *, sender: str, called: str, call_id: str, at: datetime
) -> tuple[ContactAttempt, bool]:
    """The call as an attempt of theirs to reach us, and whether it is news. Kept once.

    Args:
        called: the number of ours that it came in on; "" when nobody said.
    """
    attempt = ContactAttempt(
        id=uuid7_at(at),
        cause=_idempotency_key(call_id),
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
            return ContactAttempt.objects.get(cause=attempt.cause), False
        signal = Signal(id=uuid7_at(at), lead=lead, kind="called", cause=attempt.cause, at=at)
        insert_row_if_new(signal)
        write_event(
            "outreach.call_in.began", at=at, actor="borrower", lead_id=lead.pk,
            person_id=lead.person_id, attempt=attempt.pk,
        )  # fmt: skip
    return attempt, True


def _idempotency_key(call_id: str) -> str:
    return f"call_in:{call_id[:64]}"
