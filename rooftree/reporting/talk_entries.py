"""A call or a chat as part of its touch: how it went, what was said, and what was taken from it."""

from typing import Any

from rooftree.leads.models import Touch
from rooftree.reporting.timeline import Fact, Quote, Why

SAID = {"consumer": "They", "agent": "We", "bot": "The chat", "system": "Note"}
LONGEST = 6_000  # characters of a conversation that are shown
TAKEN = {"line_of.name": "Name", "line_of.phone": "Phone", "line_of.email": "E-mail"}


def quote_of(touch: Touch) -> Quote | None:
    """The conversation, a line for each thing said; None where nobody wrote it down."""
    spoken = _talk(touch).get("transcript") or []
    lines = (f"{SAID.get(one.get('role'), 'They')}: {one.get('text', '')}" for one in spoken)
    text = "\n".join(lines)
    if not text:
        return None
    return Quote(text=text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def summary_of(touch: Touch) -> str:
    """How a call went, in words; "" for anything else."""
    talk = _talk(touch)
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


def taken_from(touch: Touch) -> Why | None:
    """Which line each detail was taken from, where it was taken from free words."""
    extras = touch.inquiry.get("extras", {})
    facts = tuple(
        Fact(label=label, words=f"from line {extras[key]}")
        for key, label in TAKEN.items()
        if key in extras
    )
    if not facts:
        return None
    return Why(
        question="Where this comes from",
        sentence="Taken from their own words. Confirm it with them.",
        facts=facts,
    )


def _talk(touch: Touch) -> dict[str, Any]:
    found: dict[str, Any] = touch.inquiry.get("interaction") or {}
    return found
