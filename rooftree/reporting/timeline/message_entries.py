"""Timeline entries for messages: state, text, and why each was sent or not."""

from datetime import timedelta

from rooftree.outreach.models import Message
from rooftree.reporting.timeline.timeline_entry import (
    EntryGroup,
    EntryMark,
    Explanation,
    Fact,
    Quote,
    TimelineEntry,
)

MEDIUM_NAMES = {"text": "Text", "email": "Email", "voicemail": "Voicemail", "call": "Call"}
STATE_TITLES = {
    "waiting": ("scheduled", EntryMark.SYSTEM),
    "held": ("held", EntryMark.HOLD),
    "blocked": ("not sent", EntryMark.LATE),
    "review": ("needs review", EntryMark.HOLD),
    "claimed": ("being sent", EntryMark.ACCENT),
    "sent": ("sent", EntryMark.ACCENT),
    "delivered": ("delivered", EntryMark.ACCENT),
    "failed": ("could not be delivered", EntryMark.LATE),
    "uncertain": ("may have been sent. We’re checking; it won’t be sent twice", EntryMark.LATE),
    "cancelled": ("not sent", EntryMark.SYSTEM),
}
UNSENT_STATES = {"blocked", "held", "review", "cancelled", "waiting", "failed"}
UNCERTAIN_STATES = {"claimed", "uncertain"}
MAX_OBJECTIONS = 6  # objecting rules that an explanation lists
WAITS_FOR_MORNING = (
    "Scheduled for the borrower’s morning. Rules are checked again before it’s sent."
)


def message_entry(message: Message) -> TimelineEntry:
    """Build the entry of a message. Runs no query: verdict, template and people are loaded."""
    name = MEDIUM_NAMES.get(message.medium, message.medium)
    quote = Quote(
        text=message.body if message.medium == "email" else message.full_text,
        is_ours=message.direction == "out",
        language=message.language,
        subject=message.subject,
    )
    if message.direction == "in":
        return TimelineEntry(
            key=f"message:{message.pk}",
            at=message.created_at,
            group=EntryGroup.MESSAGES,
            icon="chat" if message.medium == "text" else "mail",
            mark=EntryMark.PERSON,
            title="Borrower wrote",
            detail=f"by {name.lower()}",
            quote=quote,
        )
    state, mark = STATE_TITLES.get(message.state, (message.state, EntryMark.SYSTEM))
    is_planned_later = bool(
        message.due_at and message.due_at > message.created_at + timedelta(minutes=5)
    )
    is_for_later = message.state == "waiting" and not message.attempts and is_planned_later
    return TimelineEntry(
        key=f"message:{message.pk}",
        at=message.sent_at or message.created_at,
        group=EntryGroup.MESSAGES,
        icon={EntryMark.HOLD: "moon", EntryMark.LATE: "warn"}.get(
            mark, "text" if message.medium == "text" else "mail"
        )
        if message.state != "blocked"
        else "ban",
        mark=mark,
        title=f"{name} {state}",
        detail=_sender_text(message),
        body=message.problem or (WAITS_FOR_MORNING if is_for_later else ""),
        quote=quote,
        explanation=_verdict_explanation(message),
    )


def _sender_text(message: Message) -> str:
    if message.by:
        return f"written by {message.by.name}"
    style = "automatically" if message.state in ("sent", "delivered") else "automated message"
    if message.officer:
        return f"{style} as {message.officer.user.name.split()[0]}"
    return style


def _verdict_explanation(message: Message) -> Explanation | None:
    verdict = message.verdict
    if verdict is None:
        return None
    objecting = [result for result in verdict.results if result.get("decision") != "allow"]
    facts = [Fact(label="Rules checked", words=f"{len(verdict.results)}")]
    facts += [
        Fact(label=str(result.get("cite") or result.get("id")), words=str(result.get("reason")))
        for result in objecting[:MAX_OBJECTIONS]
    ]
    if message.template:
        template = f"{message.template.key.replace('_', ' ')}, version {message.template.version}"
        facts.append(Fact(label="Template", words=template))
    if message.segments:
        facts.append(Fact(label="Segments", words=str(message.segments)))
    question = "Why wasn’t this sent?" if message.state in UNSENT_STATES else "Why was this sent?"
    return Explanation(
        question="Why might this be sent?" if message.state in UNCERTAIN_STATES else question,
        sentence=verdict.sentence,
        facts=tuple(facts),
        verdict_id=verdict.pk,
    )
