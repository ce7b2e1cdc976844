"""What staff typed to a borrower: signed as the law wants, then through the one door."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from rooftree.leads.models import Lead
from rooftree.org.models import Company, User
from rooftree.outreach.messages import send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent, signature

STOPPED_STATES = ("blocked", "review", "failed", "cancelled")
REPEAT_WINDOW = timedelta(minutes=1)  # within it the same words are a second press of the button
MAX_SUBJECT_LENGTH = 300
OPT_OUT = {"en": "Reply STOP to end.", "es": "Responda ALTO para terminar."}


class CannotSend(Exception):
    """The gate or a missing address stops this message. The text is fit to show."""


def send_typed_message(
    *, lead_id: UUID, medium: str, body: str, subject: str = "", by: User, at: datetime
) -> Message:
    """Send what a member of staff typed, in the lead's officer's name.

    A message that is lawful only later is held and goes by itself; the row says
    until when. The same words pressed twice within a minute are one message.
    Raises `CannotSend` with the gate's or the carrier's sentence for one that
    may not or did not go, or when there is nowhere to send it.
    """
    with transaction.atomic():
        # The lead's row is the mutex: two presses at once must not both find nothing.
        lead = (
            Lead.objects.select_for_update(of=("self",), no_key=True)
            .select_related("person", "officer__user")
            .get(pk=lead_id)
        )
        words = _build_content(lead, medium, body, subject, at)
        message = _find_repeat_press(lead, medium, body, by, at) or _queue_message(
            lead, medium, words, by, at
        )
    send.deliver_messages([message.pk], at=at)
    message.refresh_from_db()
    if message.state in STOPPED_STATES:
        raise CannotSend(message.problem)
    return message


def _build_content(
    lead: Lead, medium: str, body: str, subject: str, at: datetime
) -> MessageContent:
    return MessageContent(
        body=_add_signature(body.replace("\x00", ""), medium, lead, at),
        subject=" ".join(subject.replace("\x00", "").split())[:MAX_SUBJECT_LENGTH],
        officer=lead.officer,
        language="es" if lead.person.language == "es" else "en",
    )


def _find_repeat_press(
    lead: Lead, medium: str, body: str, by: User, at: datetime
) -> Message | None:
    typed = body.replace("\x00", "").strip()  # what we add to it may differ by now
    same = Message.objects.filter(
        lead=lead, medium=medium, by=by, body__startswith=typed, created_at__gt=at - REPEAT_WINDOW
    )
    return same.exclude(state__in=STOPPED_STATES).first()


def _queue_message(
    lead: Lead, medium: str, words: MessageContent, by: User, at: datetime
) -> Message:
    to = send.address_for(lead, medium)
    if not to:
        raise CannotSend(f"There is no {'number' if medium == 'text' else 'e-mail address'} yet.")
    return send.queue_message(
        lead=lead,
        medium=medium,
        purpose="reply" if _is_reply(lead, at) else "marketing",
        cause=f"typed:{uuid4()}",
        words=words,
        to=to,
        by=by,
        at=at,
    )


def _is_reply(lead: Lead, at: datetime) -> bool:
    """Their own message came in the last 15 minutes (rulebook REQ-01)."""
    return Message.objects.filter(
        lead=lead, direction="in", created_at__gt=at - timedelta(minutes=15)
    ).exists()


def _add_signature(body: str, medium: str, lead: Lead, at: datetime) -> str:
    """The typed words with what the law adds: name, NMLS ID, and the way out of a first text."""
    company, officer = Company.objects.get(), lead.officer
    language = "es" if lead.person.language == "es" else "en"
    words = body.strip()
    owed = [company.nmls_id, *([officer.nmls_id] if officer else [])]
    if any(nmls_id not in words for nmls_id in owed):
        words += f"\n{signature(company, officer)}"
    earlier = Message.objects.filter(
        person=lead.person, direction="out", medium="text", sent_at__lt=at
    )
    if medium == "text" and not earlier.exists():
        words += f" {OPT_OUT[language]}"
    return words
