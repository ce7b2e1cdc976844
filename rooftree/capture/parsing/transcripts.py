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

from rooftree.capture.parsing.consent_evidence import INBOUND_CONSENT
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    email_addresses,
    phone_numbers,
    short_text,
    squash_word,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.compliance.consent.reply_classifier import ReplyMeaning, classify_reply
from rooftree.core import read_html
from rooftree.core.masking import redact_numbers
from rooftree.core.person_names import clean_text
from rooftree.leads.canonical import Email, Interaction, Phone, Suppression, Utterance
from rooftree.leads.vocabulary import (
    Direction,
    InteractionKind,
    PhoneType,
    Precision,
    Speaker,
)

MAX_UTTERANCE_LENGTH = 4_000  # characters of one utterance
MAX_UTTERANCES = 500  # utterances of one conversation
_SPEAKERS = {
    Speaker.CONSUMER: "visitor caller customer consumer client user contact lead borrower guest",
    Speaker.AGENT: "agent operator representative rep admin staff officer teammate loanofficer",
    Speaker.BOT: "bot assistant chatbot virtualassistant ivr automated",
    Speaker.SYSTEM: "system note event",
}
_ROLE_BY_WORD = {word: role for role, words in _SPEAKERS.items() for word in words.split()}
_LABEL = re.compile(r"(?:(?<=^)|(?<=\n)|(?<=[.!?…]\s))\s*(Agent|Caller|Customer|Rep|Bot):\s*")
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORD = r"[^\W\d_][\w'’.-]*"
_NAME_PATTERNS = (
    re.compile(rf"\b(?i:my name is|my name's|me llamo|mi nombre es)\s+((?:{_WORD}[ ]?){{1,4}})"),
    re.compile(r"\b(?i:i am|i'm|i’m|this is|soy)\s+((?:[A-ZÀ-Þ][\w'’-]+[ ]?){2,4})"),
)
_NOT_NAMES = frozenset(
    {"and", "y", "i", "i'm", "from", "de", "here", "aquí", "with", "con", "my", "mi", "but", "pero"}
    | {"looking", "interested", "at", "en", "on", "the", "a", "an", "not", "calling", "just"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerContact:
    """How a consumer can be reached, by their own words."""

    name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()


def chat_html_to_text(page: Any) -> str:
    """It is the text of a chat's HTML, with its line ends."""
    written = as_text(page)[: MAX_UTTERANCE_LENGTH * 10]
    if "<" not in written and "&" not in written:
        return written
    tree = read_html.parse_html(written)
    return "" if tree is None else str(tree.text_content()).replace("\u00a0", " ").strip()


def build_utterance(
    text: Any, role: Speaker, notes: ReadingNotes, at: datetime | None = None
) -> Utterance:
    """One thing said, without the numbers that may not be kept."""
    words, secrets = redact_numbers(
        clean_text(as_text(text), keep_lines=True)[:MAX_UTTERANCE_LENGTH]
    )
    notes.warn_of_secrets(secrets)
    return Utterance(at=at, role=role, text=words)


def speaker_role(written: Any) -> Speaker:
    """Who a label names. A name alone is one of ours: a consumer's words are never guessed."""
    words = as_text(written).split()
    known = (_ROLE_BY_WORD.get(squash_word(word)) for word in words)
    return next((role for role in known if role), Speaker.AGENT)


def split_transcript(text: Any, notes: ReadingNotes) -> tuple[Utterance, ...]:
    """It is a transcript in one text, as "Agent: … Caller: …"; without labels nobody's."""
    parts = _LABEL.split(as_text(text)[: MAX_UTTERANCE_LENGTH * MAX_UTTERANCES])
    opening = [(Speaker.SYSTEM, parts[0])] if parts[0].strip() else []
    pairs = [
        (speaker_role(label), said) for label, said in zip(parts[1::2], parts[2::2], strict=True)
    ]
    said = [
        build_utterance(words, role, notes) for role, words in (opening + pairs)[:MAX_UTTERANCES]
    ]
    return tuple(one for one in said if one.text)


def find_consumer_contact(
    spoken: Sequence[Utterance],
    notes: ReadingNotes,
    *,
    name: str | None = None,
    written: Iterable[tuple[Any, PhoneType]] = (),
    addresses: Iterable[Any] = (),
) -> ConsumerContact:
    """How to reach the consumer: what the sender knows, else their own words.

    Which line a detail was taken from is kept under `line_of.name`, `line_of.phone`,
    `line_of.email`; the first line is 1.
    """
    numbers, mail = phone_numbers(written, notes), email_addresses(addresses, notes)
    lines = [(nth, one.text) for nth, one in enumerate(spoken, 1) if one.role is Speaker.CONSUMER]
    return ConsumerContact(
        name=name or _first_match("name", lines, _find_name, notes),
        phones=numbers
        or phone_numbers(
            [(_first_match("phone", lines, _find_phone, notes), PhoneType.UNKNOWN)], notes
        ),
        emails=mail or email_addresses([_first_match("email", lines, _find_email, notes)], notes),
    )


def chat_inquiry_parts(
    spoken: Sequence[Utterance], who: Fields, began: datetime | None, notes: ReadingNotes
) -> dict[str, Any]:
    """What a chat of a visitor amounts to, as parts of an inquiry.

    Args:
        who: what the sender knows of them: `name`, `phone`, `email`.
    """
    said = find_consumer_contact(
        spoken,
        notes,
        name=short_text(who.get("name")),
        written=[(who.get("phone"), PhoneType.UNKNOWN)],
        addresses=[who.get("email")],
    )
    return {
        "submitted_at": began,
        "submitted_at_precision": Precision.SECOND if began else None,
        "borrower": borrower_name(None, None, notes, full=said.name),
        "phones": said.phones,
        "emails": said.emails,
        "suppression": find_opt_out(spoken),
        "consent": INBOUND_CONSENT,
        "interaction": Interaction(
            kind=InteractionKind.CHAT,
            direction=Direction.INBOUND,
            started_at=began,
            transcript=tuple(spoken),
        ),
    }


def find_opt_out(spoken: Iterable[Utterance]) -> Suppression | None:
    """It is the wish to be left alone, in any language the rules of texts know."""
    for utterance in spoken:
        if (
            utterance.role is Speaker.CONSUMER
            and classify_reply(utterance.text).meaning is ReplyMeaning.REVOKE
        ):
            return Suppression(
                do_not_call=True,
                do_not_text=True,
                do_not_email=True,
                reason="asked_in_conversation",
            )
    return None


def _first_match(
    what: str, lines: Sequence[tuple[int, str]], look: Any, notes: ReadingNotes
) -> str | None:
    for nth, words in lines:
        if found := look(words):
            notes.warn(f"{what}_from_text")
            notes.keep(f"line_of.{what}", nth)
            return str(found)
    return None


def _find_phone(words: str) -> str | None:
    found = next(iter(phonenumbers.PhoneNumberMatcher(words, "US")), None)
    return found.raw_string if found else None


def _find_email(words: str) -> str | None:
    found = _EMAIL.search(words)
    return found[0].rstrip(".") if found else None


def _find_name(words: str) -> str | None:
    for shape in _NAME_PATTERNS:
        if found := shape.search(words):
            parts: list[str] = []
            for part in found[1].split():
                if part.lower() in _NOT_NAMES:
                    break
                parts.append(part.rstrip(".,"))
            if parts:
                return " ".join(parts)
    return None
