"""Classification of borrower replies: stop, wrong person, hold for review, help or start.

When in doubt, stop; next best, hold. Words that look like a stop and are none ("please don't stop
texting", "take my ex off the loan") are taken out first, and the rest is read. The order and the
words of the law come from rules.yaml; the house's own words, in English and Spanish, from
optout.yaml.
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
    """One reply, its meaning, and the words that decided it."""

    text: str
    meaning: ReplyMeaning
    matched_words: str | None

    @property
    def reason(self) -> str:
        """Say in one sentence why the message has this meaning."""
        return REASONS[self.meaning].format(words=self.matched_words)


REASONS = {
    ReplyMeaning.REVOKE: "“{words}” asks us to stop.",
    ReplyMeaning.WRONG_PERSON: "“{words}” says that this is not the borrower's.",
    ReplyMeaning.HOLD: "“{words}” could mean stop, so a person reads it first.",
    ReplyMeaning.HELP: "“{words}” asks who is writing.",
    ReplyMeaning.OPTIN: "“{words}” asks for messages again.",
    ReplyMeaning.NONE: "Nothing in it asks us to stop.",
}

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
BOUNDED_GAP = ".{0,200}"  # the limit of `.*`, so matching time stays linear in the text length
RUDE_SIGNS = frozenset(OPT_OUT_DATA["emoji"]["hold"])


def _compile_patterns(sources: list[str]) -> Patterns:
    patterns = []
    for source in sources:
        for name, words in OPT_OUT_DATA["words"].items():
            source = source.replace(f"{{{name}}}", words)
        patterns.append(re.compile(source.replace(".*", BOUNDED_GAP)))
    return tuple(patterns)


SENTENCE_END = re.compile(r"[.!?;\n]+")
# Takes the place of words that were taken out, so that no pattern reads across the gap.
GAP = " / "
ORDINARY_PATTERNS = _compile_patterns(OPT_OUT_DATA["ordinary"])
LIMIT_PATTERNS = _compile_patterns(OPT_OUT_DATA["limits"])
SHORT_STOP_PATTERNS = _compile_patterns(OPT_OUT_DATA["short"])
STOP_PATTERNS = _compile_patterns([*OPT_OUT_RULES["free_text_patterns"], *OPT_OUT_DATA["revoke"]])
WRONG_PERSON_PATTERNS = _compile_patterns(OPT_OUT_DATA["wrong_person"])
WRONG_NAME_PATTERNS = _compile_patterns(OPT_OUT_DATA["wrong_name"])
HOLD_PATTERNS = _compile_patterns(OPT_OUT_DATA["hold"])
BENIGN_PATTERNS = _compile_patterns([*OPT_OUT_RULES["benign_phrases"], *OPT_OUT_DATA["benign"]])


def classify_reply(text: str) -> ClassifiedReply:
    """Classify one inbound message and return the words that decided it."""
    words = correct_spelling(fold_text(text), ONE_WORD_STOP_KEYWORDS)
    meaning, matched = _match_keyword(words) or _match_sentence(text, words)
    return ClassifiedReply(text=text, meaning=meaning, matched_words=matched)


def _match_keyword(words: str) -> tuple[ReplyMeaning, str] | None:
    """Match keywords that stand alone or with only polite words around them."""
    if words in STOP_KEYWORDS:
        return ReplyMeaning.REVOKE, words
    for vocabulary, meaning in (
        (HELP_KEYWORDS, ReplyMeaning.HELP),
        (OPT_IN_KEYWORDS, ReplyMeaning.OPTIN),
    ):
        if words in vocabulary:
            return meaning, words
    bare_words = [word for word in words.split() if word not in POLITE_WORDS]
    if len(bare_words) == 1 and bare_words[0] in HELP_KEYWORDS:
        return ReplyMeaning.HELP, bare_words[0]
    joined = words.replace(" ", "")
    if joined in ONE_WORD_STOP_KEYWORDS:
        return ReplyMeaning.REVOKE, words
    return None


def _match_sentence(text: str, words: str) -> tuple[ReplyMeaning, str | None]:
    words, _ = _take_out(ORDINARY_PATTERNS, text, words)
    wrong = _first_match(WRONG_PERSON_PATTERNS, words) or _first_match(
        WRONG_NAME_PATTERNS, text.translate(CURLY_QUOTES)
    )
    if wrong:
        return ReplyMeaning.WRONG_PERSON, wrong
    words, limit = _take_out(LIMIT_PATTERNS, text, words)
    if stop := _match_stop(text, words):
        return ReplyMeaning.REVOKE, stop
    for phrase in BENIGN_PATTERNS:
        words = phrase.sub(" ", words)
    doubtful = (
        limit
        or _first_match(HOLD_PATTERNS, words)
        or next((character for character in text if character in RUDE_SIGNS), None)
    )
    return (ReplyMeaning.HOLD, doubtful) if doubtful else (ReplyMeaning.NONE, None)


def _match_stop(text: str, words: str) -> str | None:
    stop = (
        _match_short_stop(words)
        or next((words for short in SHORT_STOP_PATTERNS if short.fullmatch(words)), None)
        or _first_match(STOP_PATTERNS, words)
    )
    is_shouted = CAPITAL_STOP.search(text) and any(character.islower() for character in text)
    return stop or ("STOP" if is_shouted and "stop" in words.split() else None)


def _take_out(patterns: Patterns, text: str, words: str) -> tuple[str, str | None]:
    """Take out what these patterns match inside one sentence; also return the first match.

    "Please don't. Stop!" keeps its stop, because the match must not run across a full stop.
    """
    first = None
    sentences = [
        correct_spelling(fold_text(part), ONE_WORD_STOP_KEYWORDS)
        for part in SENTENCE_END.split(text)
    ]
    for pattern in patterns:
        for sentence in sentences:
            for match in pattern.finditer(sentence):
                phrase = match[0].strip()
                if phrase and phrase in words:
                    words, first = words.replace(phrase, GAP), first or phrase
    return " ".join(words.split()), first


def _first_match(patterns: Patterns, words: str) -> str | None:
    for pattern in patterns:
        if match := pattern.search(words):
            return match[0].strip()
    return None


def _match_short_stop(words: str) -> str | None:
    """Return the stop keyword of a message of up to four words, the rest of them filler words."""
    parts = words.split()
    if len(parts) > SHORT_MESSAGE_RULE["max_words"]:
        return None
    for keyword in sorted(STOP_KEYWORDS, key=len, reverse=True):
        keyword_parts = keyword.split()
        for start in range(len(parts) - len(keyword_parts) + 1):
            end = start + len(keyword_parts)
            others = parts[:start] + parts[end:]
            if parts[start:end] == keyword_parts and all(
                other in FILLER_WORDS or other in ONE_WORD_STOP_KEYWORDS for other in others
            ):
                return keyword
    return None
