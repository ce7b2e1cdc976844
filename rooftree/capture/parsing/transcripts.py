"""Transcripts of calls and chats: speakers, contact details and opt-outs.

Only contact details and opt-outs are extracted from free text. A loan officer confirms what
the borrower wants.
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
    """A consumer's name, phones and emails from a conversation."""

    name: str | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()


def chat_html_to_text(page: Any) -> str:
    """Return the text of a chat's HTML, with its line breaks."""
    html = as_text(page)[: MAX_UTTERANCE_LENGTH * 10]
    if "<" not in html and "&" not in html:
        return html
    tree = read_html.parse_html(html)
    return "" if tree is None else str(tree.text_content()).replace("\u00a0", " ").strip()


def build_utterance(
    text: Any, role: Speaker, notes: ReadingNotes, at: datetime | None = None
) -> Utterance:
    """Build one utterance, with numbers we must not store redacted."""
    words, secrets = redact_numbers(
        clean_text(as_text(text), keep_lines=True)[:MAX_UTTERANCE_LENGTH]
    )
    notes.warn_of_secrets(secrets)
    return Utterance(at=at, role=role, text=words)


def speaker_role(label: Any) -> Speaker:
    """Map a label to a speaker role. A bare name counts as our agent, never as the consumer."""
    words = as_text(label).split()
    roles = (_ROLE_BY_WORD.get(squash_word(word)) for word in words)
    return next((role for role in roles if role), Speaker.AGENT)


def split_transcript(text: Any, notes: ReadingNotes) -> tuple[Utterance, ...]:
    """Split a transcript such as "Agent: … Caller: …"; unlabeled text gets the system role."""
    parts = _LABEL.split(as_text(text)[: MAX_UTTERANCE_LENGTH * MAX_UTTERANCES])
    opening = [(Speaker.SYSTEM, parts[0])] if parts[0].strip() else []
    pairs = [
        (speaker_role(label), speech)
        for label, speech in zip(parts[1::2], parts[2::2], strict=True)
    ]
    utterances = [
        build_utterance(words, role, notes) for role, words in (opening + pairs)[:MAX_UTTERANCES]
    ]
    return tuple(utterance for utterance in utterances if utterance.text)


def find_consumer_contact(
    utterances: Sequence[Utterance],
    notes: ReadingNotes,
    *,
    name: str | None = None,
    phones: Iterable[tuple[Any, PhoneType]] = (),
    emails: Iterable[Any] = (),
) -> ConsumerContact:
    """Collect the consumer's contact details: from the sender, else from the consumer's own words.

    The line number a detail was found on (the first is 1) is kept under `line_of.name`,
    `line_of.phone`, `line_of.email`.
    """
    known_phones, known_emails = phone_numbers(phones, notes), email_addresses(emails, notes)
    lines = [
        (nth, utterance.text)
        for nth, utterance in enumerate(utterances, 1)
        if utterance.role is Speaker.CONSUMER
    ]
    return ConsumerContact(
        name=name or _first_match("name", lines, _find_name, notes),
        phones=known_phones
        or phone_numbers(
            [(_first_match("phone", lines, _find_phone, notes), PhoneType.UNKNOWN)], notes
        ),
        emails=known_emails
        or email_addresses([_first_match("email", lines, _find_email, notes)], notes),
    )


def chat_inquiry_parts(
    utterances: Sequence[Utterance],
    visitor: Fields,
    started_at: datetime | None,
    notes: ReadingNotes,
) -> dict[str, Any]:
    """Return the `CanonicalLead` fields of a visitor's chat.

    Args:
        visitor: details the sender has: `name`, `phone`, `email`.
    """
    contact = find_consumer_contact(
        utterances,
        notes,
        name=short_text(visitor.get("name")),
        phones=[(visitor.get("phone"), PhoneType.UNKNOWN)],
        emails=[visitor.get("email")],
    )
    return {
        "submitted_at": started_at,
        "submitted_at_precision": Precision.SECOND if started_at else None,
        "borrower": borrower_name(None, None, notes, full=contact.name),
        "phones": contact.phones,
        "emails": contact.emails,
        "suppression": find_opt_out(utterances),
        "consent": INBOUND_CONSENT,
        "interaction": Interaction(
            kind=InteractionKind.CHAT,
            direction=Direction.INBOUND,
            started_at=started_at,
            transcript=tuple(utterances),
        ),
    }


def find_opt_out(utterances: Iterable[Utterance]) -> Suppression | None:
    """Detect an opt-out by the consumer, in any language the reply classifier knows."""
    for utterance in utterances:
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
    detail: str, lines: Sequence[tuple[int, str]], find: Any, notes: ReadingNotes
) -> str | None:
    for nth, text in lines:
        if value := find(text):
            notes.warn(f"{detail}_from_text")
            notes.keep_extra(f"line_of.{detail}", nth)
            return str(value)
    return None


def _find_phone(text: str) -> str | None:
    match = next(iter(phonenumbers.PhoneNumberMatcher(text, "US")), None)
    return match.raw_string if match else None


def _find_email(text: str) -> str | None:
    match = _EMAIL.search(text)
    return match[0].rstrip(".") if match else None


def _find_name(text: str) -> str | None:
    for pattern in _NAME_PATTERNS:
        if match := pattern.search(text):
            parts: list[str] = []
            for part in match[1].split():
                if part.lower() in _NOT_NAMES:
                    break
                parts.append(part.rstrip(".,"))
            if parts:
                return " ".join(parts)
    return None
