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
    "held": ("on hold", EntryMark.HOLD),
    "blocked": ("not sent", EntryMark.LATE),
    "review": ("needs review", EntryMark.HOLD),
    "claimed": ("being sent", EntryMark.ACCENT),
    "sent": ("sent", EntryMark.ACCENT),
    "delivered": ("delivered", EntryMark.ACCENT),
    "failed": ("could not be delivered", EntryMark.LATE),
    "uncertain": ("may have been sent. We’re checking; it won’t be sent twice", EntryMark.LATE),
    "cancelled": ("not sent", EntryMark.SYSTEM),
    "shadow": ("decided, not sent", EntryMark.SYSTEM),
}
# The verdict that explains each state. In any other state a later event does, not the verdict.
DECISION_BY_STATE = {
    "held": "defer",
    "blocked": "block",
    "review": "require",
    "claimed": "allow",
    "sent": "allow",
    "delivered": "allow",
    "uncertain": "allow",
}
QUESTIONS = {
    "claimed": "Why might this be sent?",
    "uncertain": "Why might this be sent?",
    "sent": "Why was this sent?",
    "delivered": "Why was this sent?",
    "shadow": "What would have happened?",
    "failed": "Why wasn’t this delivered?",
}
CANCEL_REASONS = {  # a cause as other rooms store it: as a sentence
    "replied": "The borrower replied first.",
    "called": "The borrower called first.",
    "spoken": "A loan officer spoke with the borrower first.",
    "call_back": "A loan officer agreed on a callback first.",
    "not_interested": "The borrower isn’t interested.",
    "told_no": "The borrower was told they don’t qualify.",
    "told no": "The borrower was told they don’t qualify.",
    "wrong_number": "The number belongs to someone else.",
    "bad_number": "The number is not in service.",
    "handed off": "The lead was handed off to the LOS first.",
    "closed": "The lead was closed.",
    "file ended": "The loan file ended.",
}
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
        body=_state_reason(message) or (WAITS_FOR_MORNING if is_for_later else ""),
        quote=quote,
        explanation=_verdict_explanation(message),
    )


def _state_reason(message: Message) -> str:
    """Return why a message is not sent, or is uncertain, as a sentence; "" for a sent one."""
    if message.state in ("sent", "delivered"):
        return ""
    if message.state == "cancelled":
        return CANCEL_REASONS.get(message.problem, message.problem)
    return message.problem


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
    # In shadow mode the verdict says what would have happened, whatever it is.
    is_verdict_reason = message.state == "shadow" or verdict.decision == DECISION_BY_STATE.get(
        message.state
    )
    if not is_verdict_reason:  # its rules say nothing about what happened afterwards
        facts = facts[:1] + [fact for fact in facts if fact.label in ("Template", "Segments")]
    return Explanation(
        question=QUESTIONS.get(message.state, "Why wasn’t this sent?"),
        sentence=verdict.sentence
        if is_verdict_reason
        else _state_reason(message) or "It’s scheduled. Rules are checked again before it’s sent.",
        facts=tuple(facts),
        verdict_id=verdict.pk,
    )
