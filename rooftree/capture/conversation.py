"""What was said on a call or in a chat: by whom, and how the consumer can be reached.

Only contact details are taken from free words. What somebody seems to want is for a
person to hear and to confirm.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers

from rooftree.capture.consent import CAME_TO_US
from rooftree.capture.normalise import emails, person, phones, squashed, text
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.compliance.optout import Meaning, classify
from rooftree.core import read_html
from rooftree.core.masking import redact
from rooftree.core.names import clean_text
from rooftree.leads.canonical import Email, Interaction, Phone, Suppression, Utterance
from rooftree.leads.vocabulary import (
    Direction,
    InteractionKind,
    PhoneType,
    Precision,
    Speaker,
)

LONGEST = 4_000  # characters of one utterance
MOST = 500  # utterances of one conversation
_SPEAKERS = {
    Speaker.CONSUMER: "visitor caller customer consumer client user contact lead borrower guest",
    Speaker.AGENT: "agent operator representative rep admin staff officer teammate loanofficer",
    Speaker.BOT: "bot assistant chatbot virtualassistant ivr automated",
    Speaker.SYSTEM: "system note event",
}
_BY_WORD = {word: role for role, words in _SPEAKERS.items() for word in words.split()}
_LABEL = re.compile(r"(?:(?<=^)|(?<=\n)|(?<=[.!?…]\s))\s*(Agent|Caller|Customer|Rep|Bot):\s*")
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORD = r"[^\W\d_][\w'’.-]*"
_NAMED = (
    re.compile(rf"\b(?i:my name is|my name's|me llamo|mi nombre es)\s+((?:{_WORD}[ ]?){{1,4}})"),
    re.compile(r"\b(?i:i am|i'm|i’m|this is|soy)\s+((?:[A-ZÀ-Þ][\w'’-]+[ ]?){2,4})"),
)
_NOT_NAMES = frozenset(
    {"and", "y", "i", "i'm", "from", "de", "here", "aquí", "with", "con", "my", "mi", "but", "pero"}
    | {"looking", "interested", "at", "en", "on", "the", "a", "an", "not", "calling", "just"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a consumer can be reached, by their own words."""

    name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()


def plain_of(page: Any) -> str:
    """It is the text of a chat's HTML, with its line ends."""
    written = as_text(page)[: LONGEST * 10]
    if "<" not in written and "&" not in written:
        return written
    tree = read_html.tree_of(written)
    return "" if tree is None else str(tree.text_content()).replace("\u00a0", " ").strip()


def utterance(text: Any, role: Speaker, notes: Notes, at: datetime | None = None) -> Utterance:
    """One thing said, without the numbers that may not be kept."""
    words, secrets = redact(clean_text(as_text(text), keep_lines=True)[:LONGEST])
    notes.warn_of(secrets)
    return Utterance(at=at, role=role, text=words)


def speaker(written: Any) -> Speaker:
    """Who a label names. A name alone is one of ours: a consumer's words are never guessed."""
    words = as_text(written).split()
    known = (_BY_WORD.get(squashed(word)) for word in words)
    return next((role for role in known if role), Speaker.AGENT)


def labelled(text: Any, notes: Notes) -> tuple[Utterance, ...]:
    """It is a transcript in one text, as "Agent: … Caller: …"; without labels nobody's."""
    parts = _LABEL.split(as_text(text)[: LONGEST * MOST])
    opening = [(Speaker.SYSTEM, parts[0])] if parts[0].strip() else []
    pairs = [(speaker(label), said) for label, said in zip(parts[1::2], parts[2::2], strict=True)]
    said = [utterance(words, role, notes) for role, words in (opening + pairs)[:MOST]]
    return tuple(one for one in said if one.text)


def said_of(
    spoken: Sequence[Utterance],
    notes: Notes,
    *,
    name: str | None = None,
    written: Iterable[tuple[Any, PhoneType]] = (),
    addresses: Iterable[Any] = (),
) -> Said:
    """How to reach the consumer: what the sender knows, else their own words.

    Which line a detail was taken from is kept under `line_of.name`, `line_of.phone`,
    `line_of.email`; the first line is 1.
    """
    numbers, mail = phones(written, notes), emails(addresses, notes)
    lines = [(nth, one.text) for nth, one in enumerate(spoken, 1) if one.role is Speaker.CONSUMER]
    return Said(
        name=name or _first("name", lines, _name_in, notes),
        phones=numbers
        or phones([(_first("phone", lines, _phone_in, notes), PhoneType.UNKNOWN)], notes),
        emails=mail or emails([_first("email", lines, _email_in, notes)], notes),
    )


def of_chat(
    spoken: Sequence[Utterance], who: Fields, began: datetime | None, notes: Notes
) -> dict[str, Any]:
    """What a chat of a visitor amounts to, as parts of an inquiry.

    Args:
        who: what the sender knows of them: `name`, `phone`, `email`.
    """
    said = said_of(
        spoken,
        notes,
        name=text(who.get("name")),
        written=[(who.get("phone"), PhoneType.UNKNOWN)],
        addresses=[who.get("email")],
    )
    return {
        "submitted_at": began,
        "submitted_at_precision": Precision.SECOND if began else None,
        "borrower": person(None, None, notes, full=said.name),
        "phones": said.phones,
        "emails": said.emails,
        "suppression": refused_in(spoken),
        "consent": CAME_TO_US,
        "interaction": Interaction(
            kind=InteractionKind.CHAT,
            direction=Direction.INBOUND,
            started_at=began,
            transcript=tuple(spoken),
        ),
    }


def refused_in(spoken: Iterable[Utterance]) -> Suppression | None:
    """It is the wish to be left alone, in any language the rules of texts know."""
    for one in spoken:
        if one.role is Speaker.CONSUMER and classify(one.text).meaning is Meaning.REVOKE:
            return Suppression(
                do_not_call=True,
                do_not_text=True,
                do_not_email=True,
                reason="asked_in_conversation",
            )
    return None


def _first(what: str, lines: Sequence[tuple[int, str]], look: Any, notes: Notes) -> str | None:
    for nth, words in lines:
        if found := look(words):
            notes.warn(f"{what}_from_text")
            notes.keep(f"line_of.{what}", nth)
            return str(found)
    return None


def _phone_in(words: str) -> str | None:
    found = next(iter(phonenumbers.PhoneNumberMatcher(words, "US")), None)
    return found.raw_string if found else None


def _email_in(words: str) -> str | None:
    found = _EMAIL.search(words)
    return found[0].rstrip(".") if found else None


def _name_in(words: str) -> str | None:
    for shape in _NAMED:
        if found := shape.search(words):
            parts: list[str] = []
            for part in found[1].split():
                if part.lower() in _NOT_NAMES:
                    break
                parts.append(part.rstrip(".,"))
            if parts:
                return " ".join(parts)
    return None
