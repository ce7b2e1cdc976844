"""A call or a chat as part of its touch: how it went, what was said, and what was taken from it."""

from typing import Any

from rooftree.leads.models import Touch
from rooftree.reporting.timeline.timeline_entry import Explanation, Fact, Quote

SPEAKER_LABELS = {"consumer": "They", "agent": "We", "bot": "The chat", "system": "Note"}
MAX_QUOTE_LENGTH = 6_000  # characters of a conversation that are shown
EXTRACTED_FIELDS = {"line_of.name": "Name", "line_of.phone": "Phone", "line_of.email": "E-mail"}


def conversation_quote(touch: Touch) -> Quote | None:
    """The conversation, a line for each thing said; None where nobody wrote it down."""
    spoken = _interaction(touch).get("transcript") or []
    lines = (
        f"{SPEAKER_LABELS.get(one.get('role'), 'They')}: {one.get('text', '')}" for one in spoken
    )
    text = "\n".join(lines)
    if not text:
        return None
    return Quote(text=text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH]}…")


def call_summary(touch: Touch) -> str:
    """How a call went, in words; "" for anything else."""
    talk = _interaction(touch)
    if talk.get("kind") != "call":
        return ""
    answered = talk.get("answered")
    fate = "that was answered" if answered else "nobody answered" if answered is False else ""
    words = f"A call {fate}".strip()
    if talk.get("voicemail"):
        words = "A call that ended in a voicemail"
    seconds = talk.get("duration_s")
    if seconds and talk.get("answered"):
        words += f", {seconds // 60}:{seconds % 60:02d} minutes"
    return f"{words}, recorded" if talk.get("recording_url") else words


def extraction_sources(touch: Touch) -> Explanation | None:
    """Which line each detail was taken from, where it was taken from free words."""
    extras = touch.inquiry.get("extras", {})
    facts = tuple(
        Fact(label=label, words=f"from line {extras[key]}")
        for key, label in EXTRACTED_FIELDS.items()
        if key in extras
    )
    if not facts:
        return None
    return Explanation(
        question="Where this comes from",
        sentence="Taken from their own words. Confirm it with them.",
        facts=facts,
    )


def _interaction(touch: Touch) -> dict[str, Any]:
    found: dict[str, Any] = touch.inquiry.get("interaction") or {}
    return found
