"""A message as an entry of the timeline: what became of it, its words, why it was sent or not."""

from datetime import timedelta

from rooftree.compliance.models import Verdict
from rooftree.outreach.models import Message
from rooftree.reporting.timeline.timeline_entry import (
    EntryGroup,
    EntryMark,
    Explanation,
    Fact,
    Quote,
    TimelineEntry,
)

MEDIUM_NAMES = {"text": "Text", "email": "E-mail", "voicemail": "Voicemail", "call": "Call"}
STATE_TITLES = {
    "waiting": ("waits to be sent", EntryMark.SYSTEM),
    "held": ("held", EntryMark.HOLD),
    "blocked": ("not sent", EntryMark.LATE),
    "review": ("waits for a person to decide", EntryMark.HOLD),
    "claimed": ("is going out", EntryMark.ACCENT),
    "sent": ("sent", EntryMark.ACCENT),
    "delivered": ("delivered", EntryMark.ACCENT),
    "failed": ("could not be delivered", EntryMark.LATE),
    "uncertain": ("may have gone out: it is being looked up, and not sent twice", EntryMark.LATE),
    "cancelled": ("not sent", EntryMark.SYSTEM),
}
UNSENT_STATES = {"blocked", "held", "review", "cancelled", "waiting", "failed"}
UNCERTAIN_STATES = {"claimed", "uncertain"}
WAITS_FOR_MORNING = "It is to wake nobody: it goes in their morning, and the gate is asked then."


def message_entry(message: Message) -> TimelineEntry:
    """One message, theirs or ours. Reads nothing: verdict, template and people are loaded."""
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
            title="They wrote",
            detail=f"by {name.lower()}",
            quote=quote,
        )
    fate, mark = STATE_TITLES.get(message.state, (message.state, EntryMark.SYSTEM))
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
        title=f"{name} {fate}",
        detail=_sender_text(message),
        body=message.problem or (WAITS_FOR_MORNING if _waits_for_morning(message) else ""),
        quote=quote,
        explanation=_verdict_explanation(message),
    )


def _waits_for_morning(message: Message) -> bool:
    """It was planned for later, and nothing was decided about it yet."""
    later = message.due_at and message.due_at > message.created_at + timedelta(minutes=5)
    return message.state == "waiting" and not message.attempts and bool(later)


def _sender_text(message: Message) -> str:
    if message.by:
        return f"written by {message.by.name}"
    if message.officer:
        return f"by itself, in {message.officer.user.name.split()[0]}’s name"
    return "by itself"


def _verdict_explanation(message: Message) -> Explanation | None:
    verdict = message.verdict
    if verdict is None:
        return None
    facts = [Fact(label="Rules checked", words=f"{len(verdict.results)}")]
    facts += [
        Fact(label=str(result.get("cite") or result.get("id")), words=str(result.get("reason")))
        for result in _objecting_results(verdict)
    ]
    if message.template:
        edition = f"{message.template.key.replace('_', ' ')}, version {message.template.version}"
        facts.append(Fact(label="Template", words=edition))
    if message.segments:
        facts.append(Fact(label="Segments", words=str(message.segments)))
    question = "Why not?" if message.state in UNSENT_STATES else "Why was this sent?"
    return Explanation(
        question="Why might it go?" if message.state in UNCERTAIN_STATES else question,
        sentence=verdict.sentence,
        facts=tuple(facts),
        verdict_id=verdict.pk,
    )


def _objecting_results(verdict: Verdict) -> list[dict[str, object]]:
    return [result for result in verdict.results if result.get("decision") != "allow"][:6]
