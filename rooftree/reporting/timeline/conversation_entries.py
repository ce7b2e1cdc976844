"""Texts for the call or chat of a touch: summary, transcript and the details taken from it."""

from typing import Any

from rooftree.leads.models import Touch
from rooftree.reporting.timeline.timeline_entry import Explanation, Fact, Quote

SPEAKER_LABELS = {"consumer": "Borrower", "agent": "Agent", "bot": "Chatbot", "system": "Note"}
MAX_QUOTE_LENGTH = 6_000  # characters of a conversation to show
EXTRACTED_FIELDS = {"line_of.name": "Name", "line_of.phone": "Phone", "line_of.email": "Email"}


def conversation_quote(touch: Touch) -> Quote | None:
    """Return the transcript, one line per turn; None if there is no transcript."""
    turns = _interaction(touch).get("transcript") or []
    lines = (
        f"{SPEAKER_LABELS.get(turn.get('role'), 'Borrower')}: {turn.get('text', '')}"
        for turn in turns
    )
    text = "\n".join(lines)
    if not text:
        return None
    return Quote(text=text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH]}…")


def call_summary(touch: Touch) -> str:
    """Summarize a call; return "" for other kinds of touch."""
    call = _interaction(touch)
    if call.get("kind") != "call":
        return ""
    is_answered = call.get("answered")
    summary = "Answered call" if is_answered else "Missed call" if is_answered is False else "Call"
    if call.get("voicemail"):
        summary = "Call with voicemail"
    seconds = call.get("duration_s")
    if seconds and is_answered:
        summary += f", {seconds // 60}:{seconds % 60:02d} minutes"
    return f"{summary}, recorded" if call.get("recording_url") else summary


def extraction_sources(touch: Touch) -> Explanation | None:
    """Explain which transcript line each detail was taken from; None if none was."""
    extras = touch.inquiry.get("extras", {})
    facts = tuple(
        Fact(label=label, words=f"from line {extras[key]}")
        for key, label in EXTRACTED_FIELDS.items()
        if key in extras
    )
    if not facts:
        return None
    return Explanation(
        question="Where are these details from?",
        sentence="Taken from the borrower’s own words. Confirm them with the borrower.",
        facts=facts,
    )


def _interaction(touch: Touch) -> dict[str, Any]:
    interaction: dict[str, Any] = touch.inquiry.get("interaction") or {}
    return interaction
