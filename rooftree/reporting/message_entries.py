"""A message as an entry of the timeline: what became of it, its words, why it was sent or not."""

from datetime import timedelta

from rooftree.compliance.models import Verdict
from rooftree.outreach.models import Message
from rooftree.reporting.timeline import Entry, Fact, Group, Mark, Quote, Why

NAMES = {"text": "Text", "email": "E-mail", "voicemail": "Voicemail", "call": "Call"}
FATES = {
    "waiting": ("waits to be sent", Mark.SYSTEM),
    "held": ("held", Mark.HOLD),
    "blocked": ("not sent", Mark.LATE),
    "review": ("waits for a person to decide", Mark.HOLD),
    "claimed": ("is going out", Mark.ACCENT),
    "sent": ("sent", Mark.ACCENT),
    "delivered": ("delivered", Mark.ACCENT),
    "failed": ("could not be delivered", Mark.LATE),
    "uncertain": ("may have gone out: it is being looked up, and not sent twice", Mark.LATE),
    "cancelled": ("not sent", Mark.SYSTEM),
}
UNSENT = {"blocked", "held", "review", "cancelled", "waiting", "failed"}
UNKNOWN = {"claimed", "uncertain"}
BY_DAY = "It is to wake nobody: it goes in their morning, and the gate is asked then."


def of_message(message: Message) -> Entry:
    """One message, theirs or ours. Reads nothing: verdict, template and people are loaded."""
    name = NAMES.get(message.medium, message.medium)
    quote = Quote(
        text=message.body if message.medium == "email" else message.words,
        is_ours=message.direction == "out",
        language=message.language,
        subject=message.subject,
    )
    if message.direction == "in":
        return Entry(
            key=f"message:{message.pk}",
            at=message.created_at,
            group=Group.MESSAGES,
            icon="chat" if message.medium == "text" else "mail",
            mark=Mark.PERSON,
            title="They wrote",
            rest=f"by {name.lower()}",
            quote=quote,
        )
    fate, mark = FATES.get(message.state, (message.state, Mark.SYSTEM))
    return Entry(
        key=f"message:{message.pk}",
        at=message.sent_at or message.created_at,
        group=Group.MESSAGES,
        icon={Mark.HOLD: "moon", Mark.LATE: "warn"}.get(
            mark, "text" if message.medium == "text" else "mail"
        )
        if message.state != "blocked"
        else "ban",
        mark=mark,
        title=f"{name} {fate}",
        rest=_sender(message),
        body=message.problem or (BY_DAY if _waits_for_day(message) else ""),
        quote=quote,
        why=_why(message),
    )


def _waits_for_day(message: Message) -> bool:
    """It was planned for later, and nothing was decided about it yet."""
    later = message.due_at and message.due_at > message.created_at + timedelta(minutes=5)
    return message.state == "waiting" and not message.attempts and bool(later)


def _sender(message: Message) -> str:
    if message.by:
        return f"written by {message.by.name}"
    if message.officer:
        return f"by itself, in {message.officer.user.name.split()[0]}’s name"
    return "by itself"


def _why(message: Message) -> Why | None:
    verdict = message.verdict
    if verdict is None:
        return None
    facts = [Fact(label="Rules checked", words=f"{len(verdict.results)}")]
    facts += [
        Fact(label=str(result.get("cite") or result.get("id")), words=str(result.get("reason")))
        for result in _against(verdict)
    ]
    if message.template:
        edition = f"{message.template.key.replace('_', ' ')}, version {message.template.version}"
        facts.append(Fact(label="Template", words=edition))
    if message.segments:
        facts.append(Fact(label="Segments", words=str(message.segments)))
    question = "Why not?" if message.state in UNSENT else "Why was this sent?"
    return Why(
        question="Why might it go?" if message.state in UNKNOWN else question,
        sentence=verdict.sentence,
        facts=tuple(facts),
        verdict_id=verdict.pk,
    )


def _against(verdict: Verdict) -> list[dict[str, object]]:
    return [result for result in verdict.results if result.get("decision") != "allow"][:6]
