"""Messages typed by staff: signed as the law requires, then sent through `send`."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company, User
from rooftree.outreach.messages import plan_messages, required_actions, send
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent, signature

STOPPED_STATES = ("blocked", "review", "failed", "cancelled", "shadow")
PENDING_STATES = ("waiting", "held", "claimed", "uncertain")  # can still reach the borrower
REPEAT_WINDOW = timedelta(minutes=1)  # the same text within it is a repeated click
MAX_SUBJECT_LENGTH = 300
OPT_OUT = {"en": "Reply STOP to end.", "es": "Responda ALTO para terminar."}


class CannotSend(Exception):
    """The gate or a missing address stops this message. The text can be shown to staff."""


def send_typed_message(
    *, lead_id: UUID, medium: str, body: str, subject: str = "", by: User, at: datetime
) -> Message:
    """Send a message typed by staff, in the name of the lead's officer.

    A message that can only be sent later is held until its `due_at`. The same text sent twice
    within a minute, or while the first can still reach the borrower, is one message. A message
    in review, which its author was told is not sent, is replaced by the next one.

    Raises `CannotSend`, with the gate's or the carrier's sentence, if the message can't be sent,
    failed, or has no address.
    """
    with transaction.atomic():
        # The lead's row is the mutex, so that two clicks at once cannot both create a message.
        lead = (
            Lead.objects.select_for_update(of=("self",), no_key=True)
            .select_related("person", "officer__user")
            .get(pk=lead_id)
        )
        content = _build_content(lead, medium, body, subject, at)
        message = _find_repeat(lead, medium, body, by, at)
        if message is None:
            message = _queue_message(lead, medium, content, by, at)
            _cancel_refused(message, by=by, at=at)
        # A held message that is typed again can be allowed by now.
        Message.objects.filter(pk=message.pk, state="held").update(due_at=at)
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


def _find_repeat(lead: Lead, medium: str, body: str, by: User, at: datetime) -> Message | None:
    typed = body.replace("\x00", "").strip()  # the ending we add can differ by now
    same_start = Message.objects.filter(lead=lead, medium=medium, by=by, body__startswith=typed)
    recent = same_start.filter(created_at__gt=at - REPEAT_WINDOW)
    if repeat := recent.exclude(state__in=STOPPED_STATES).first():
        return repeat
    pending = same_start.filter(state__in=PENDING_STATES)
    return next((row for row in pending if _is_added(row.body.removeprefix(typed))), None)


def _is_added(ending: str) -> bool:
    """Return True for an ending that `_add_signature` adds to typed text."""
    return (
        not ending
        or ending.lstrip() in OPT_OUT.values()
        or ending.startswith("\n")
        and ("NMLS" in ending.strip().partition("\n")[0])
    )


def _cancel_refused(message: Message, *, by: User, at: datetime) -> None:
    """Cancel earlier messages in review, so that releasing one cannot send the text twice."""
    refused = Message.objects.filter(
        lead=message.lead_id,
        medium=message.medium,
        by=by,
        state="review",
        idempotency_key__startswith="typed:",
    )
    for row in refused.exclude(pk=message.pk).select_related("verdict"):
        Message.objects.filter(pk=row.pk, state="review").update(
            state="cancelled", due_at=None, problem=f"{by.name} sent a new message instead."
        )
        write_event(
            "outreach.message.replaced",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=row.lead_id,
            message=row.pk,
            replaced_by=message.pk,
        )
        reason = row.verdict.reason if row.verdict else ""
        others = Message.objects.filter(lead=row.lead_id, state="review", verdict__reason=reason)
        if reason and not others.exclude(pk=message.pk).exists():
            required_actions.finish_task(lead_id=row.lead_id, reason=reason, by=by.pk, at=at)


def _queue_message(
    lead: Lead, medium: str, content: MessageContent, by: User, at: datetime
) -> Message:
    to = plan_messages.address_for(lead, medium)
    if not to:
        raise CannotSend(
            f"No {'phone number' if medium == 'text' else 'email address'} on file yet."
        )
    return send.queue_message(
        lead=lead,
        medium=medium,
        purpose="marketing",  # until the decision, which judges its true purpose
        cause=f"typed:{uuid4()}",
        words=content,
        to=to,
        by=by,
        at=at,
    )


def _add_signature(body: str, medium: str, lead: Lead, at: datetime) -> str:
    """Add required parts to typed text: sender, NMLS IDs, and opt-out in a first text."""
    company, officer = Company.objects.get(), lead.officer
    language = "es" if lead.person.language == "es" else "en"
    text = body.strip()
    required_ids = [company.nmls_id, *([officer.nmls_id] if officer else [])]
    if any(nmls_id not in text for nmls_id in required_ids):
        text += f"\n{signature(company, officer)}"
    earlier = Message.objects.filter(
        person=lead.person, direction="out", medium="text", sent_at__lt=at
    )
    if medium == "text" and not earlier.exists():
        text += f" {OPT_OUT[language]}"
    return text
