"""What a person's reply means: stop, wrong person, help, start, or something to read.

The safe error is to stop, then to hold. The order and the law's words come
from rules.yaml; the house's own, in English and Spanish, from optout.yaml.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rooftree.compliance.consent.reply_spelling import (
    CURLY_QUOTES,
    OPT_OUT_DATA,
    correct_spelling,
    fold_text,
)
from rooftree.compliance.gate.rulebook import RULE_DATA


class ReplyMeaning(StrEnum):
    REVOKE = "revoke"
    WRONG_PERSON = "wrong_person"
    HOLD = "hold"
    HELP = "help"
    OPTIN = "optin"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifiedReply:
    """A message, what it means, and the words that decided."""

    text: str
    meaning: ReplyMeaning
    matched_words: str | None


type Patterns = tuple[re.Pattern[str], ...]
OPT_OUT_RULES: dict[str, Any] = RULE_DATA["optout"]
SHORT_MESSAGE_RULE: dict[str, Any] = OPT_OUT_RULES["short_message_rule"]
STOP_KEYWORDS = frozenset(
    fold_text(word)
    for word in (*OPT_OUT_RULES["per_se_keywords"], *OPT_OUT_RULES["extra_keywords"])
)
ONE_WORD_STOP_KEYWORDS = frozenset(word for word in STOP_KEYWORDS if " " not in word)
FILLER_WORDS = frozenset(SHORT_MESSAGE_RULE["other_words_allowed"]) | {
    "por", "favor", "gracias", "ya", "mensajes", "a", "los", "el", "yes", "just", "the", "hey"
}  # fmt: skip
POLITE_WORDS = frozenset({"please", "thanks", "thank", "you", "me", "por", "favor", "now"})
HELP_KEYWORDS = frozenset(word.casefold() for word in OPT_OUT_RULES["help_keywords"])
OPT_IN_KEYWORDS = frozenset(
    word.casefold() for word in (*OPT_OUT_RULES["optin_keywords"], "SI", "COMENZAR")
)
CAPITAL_STOP = re.compile(r"\bSTOP\b")  # in capitals within an ordinary sentence
BOUNDED_GAP = ".{0,200}"  # how far `.*` reaches: a letter is read in a time like its length
RUDE_SIGNS = frozenset(OPT_OUT_DATA["emoji"]["hold"])


def _compile_patterns(sources: list[str]) -> Patterns:
    found = []
    for source in sources:
        for name, words in OPT_OUT_DATA["words"].items():
            source = source.replace(f"{{{name}}}", words)
        found.append(re.compile(source.replace(".*", BOUNDED_GAP)))
    return tuple(found)


SHORT_STOP_PATTERNS = _compile_patterns(OPT_OUT_DATA["short"])
STOP_PATTERNS = _compile_patterns([*OPT_OUT_RULES["free_text_patterns"], *OPT_OUT_DATA["revoke"]])
WRONG_PERSON_PATTERNS = _compile_patterns(OPT_OUT_DATA["wrong_person"])
WRONG_NAME_PATTERNS = _compile_patterns(OPT_OUT_DATA["wrong_name"])
HOLD_PATTERNS = _compile_patterns(OPT_OUT_DATA["hold"])
BENIGN_PATTERNS = _compile_patterns([*OPT_OUT_RULES["benign_phrases"], *OPT_OUT_DATA["benign"]])


def classify_reply(text: str) -> ClassifiedReply:
    """It is what one inbound message means, and the words that say so."""
    words = correct_spelling(fold_text(text), ONE_WORD_STOP_KEYWORDS)
    meaning, matched = _match_keyword(words) or _match_sentence(text, words)
    return ClassifiedReply(text=text, meaning=meaning, matched_words=matched)


def _match_keyword(words: str) -> tuple[ReplyMeaning, str] | None:
    """The keywords by themselves, or with nothing but politeness around them."""
    if words in STOP_KEYWORDS:
        return ReplyMeaning.REVOKE, words
    for vocabulary, meaning in (
        (HELP_KEYWORDS, ReplyMeaning.HELP),
        (OPT_IN_KEYWORDS, ReplyMeaning.OPTIN),
    ):
        if words in vocabulary:
            return meaning, words
    bare = [one for one in words.split() if one not in POLITE_WORDS]
    if len(bare) == 1 and bare[0] in HELP_KEYWORDS:
        return ReplyMeaning.HELP, bare[0]
    glued = words.replace(" ", "")
    if glued in ONE_WORD_STOP_KEYWORDS:
        return ReplyMeaning.REVOKE, words
    return None


def _match_sentence(text: str, words: str) -> tuple[ReplyMeaning, str | None]:
    wrong = _first_match(WRONG_PERSON_PATTERNS, words) or _first_match(
        WRONG_NAME_PATTERNS, text.translate(CURLY_QUOTES)
    )
    if wrong:
        return ReplyMeaning.WRONG_PERSON, wrong
    stop = (
        _match_short_stop(words)
        or _full_match(SHORT_STOP_PATTERNS, words)
        or _first_match(STOP_PATTERNS, words)
        or _match_capital_stop(text)
    )
    if stop:
        return ReplyMeaning.REVOKE, stop
    for phrase in BENIGN_PATTERNS:
        words = phrase.sub(" ", words)
    held = _first_match(HOLD_PATTERNS, words) or next(
        (one for one in text if one in RUDE_SIGNS), None
    )
    return (ReplyMeaning.HOLD, held) if held else (ReplyMeaning.NONE, None)


def _first_match(patterns: Patterns, words: str) -> str | None:
    match = next((found for pattern in patterns if (found := pattern.search(words))), None)
    return match[0].strip() if match else None


def _full_match(patterns: Patterns, words: str) -> str | None:
    return words if any(pattern.fullmatch(words) for pattern in patterns) else None


def _match_capital_stop(text: str) -> str | None:
    is_sentence = any(character.islower() for character in text)
    return "STOP" if is_sentence and CAPITAL_STOP.search(text) else None


def _match_short_stop(words: str) -> str | None:
    """It is the keyword of a message of up to four words that are else only politeness."""
    parts = words.split()
    if len(parts) > SHORT_MESSAGE_RULE["max_words"]:
        return None
    for keyword in sorted(STOP_KEYWORDS, key=len, reverse=True):
        wanted = keyword.split()
        for start in range(len(parts) - len(wanted) + 1):
            others = parts[:start] + parts[start + len(wanted) :]
            if parts[start : start + len(wanted)] == wanted and all(
                other in FILLER_WORDS or other in ONE_WORD_STOP_KEYWORDS for other in others
            ):
                return keyword
    return None
