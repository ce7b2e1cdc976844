"""What a person's reply means: stop, wrong person, help, start, or something to read.

The safe error is to stop, then to hold. The order and the law's words come
from rules.yaml; the house's own, in English and Spanish, from optout.yaml.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rooftree.compliance.rulebook import DATA
from rooftree.compliance.spelling import CURLY, WORDS, folded, put_right


class Meaning(StrEnum):
    REVOKE = "revoke"
    WRONG_PERSON = "wrong_person"
    HOLD = "hold"
    HELP = "help"
    OPTIN = "optin"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A message, what it means, and the words that decided."""

    text: str
    meaning: Meaning
    matched: str | None


type Patterns = tuple[re.Pattern[str], ...]
RULES: dict[str, Any] = DATA["optout"]
SHORT: dict[str, Any] = RULES["short_message_rule"]
KEYWORDS = frozenset(folded(word) for word in (*RULES["per_se_keywords"], *RULES["extra_keywords"]))
SINGLE = frozenset(word for word in KEYWORDS if " " not in word)
FILLER = frozenset(SHORT["other_words_allowed"]) | {
    "por", "favor", "gracias", "ya", "mensajes", "a", "los", "el", "yes", "just", "the", "hey"
}  # fmt: skip
POLITE = frozenset({"please", "thanks", "thank", "you", "me", "por", "favor", "now"})
HELP_ONLY = frozenset(word.casefold() for word in RULES["help_keywords"])
OPTIN_ONLY = frozenset(word.casefold() for word in (*RULES["optin_keywords"], "SI", "COMENZAR"))
SHOUTED = re.compile(r"\bSTOP\b")  # in capitals within an ordinary sentence
NEARBY = ".{0,200}"  # how far `.*` reaches: a letter is read in a time like its length
RUDE_SIGNS = frozenset(WORDS["emoji"]["hold"])


def _compiled(sources: list[str]) -> Patterns:
    found = []
    for source in sources:
        for name, words in WORDS["words"].items():
            source = source.replace(f"{{{name}}}", words)
        found.append(re.compile(source.replace(".*", NEARBY)))
    return tuple(found)


ALONE = _compiled(WORDS["short"])
STOPS = _compiled([*RULES["free_text_patterns"], *WORDS["revoke"]])
WRONG = _compiled(WORDS["wrong_person"])
WRONG_NAME = _compiled(WORDS["wrong_name"])
HOLDS = _compiled(WORDS["hold"])
BENIGN = _compiled([*RULES["benign_phrases"], *WORDS["benign"]])


def classify(text: str) -> Reading:
    """It is what one inbound message means, and the words that say so."""
    words = put_right(folded(text), SINGLE)
    meaning, matched = _of_one_word(words) or _of_a_sentence(text, words)
    return Reading(text=text, meaning=meaning, matched=matched)


def _of_one_word(words: str) -> tuple[Meaning, str] | None:
    """The keywords by themselves, or with nothing but politeness around them."""
    if words in KEYWORDS:
        return Meaning.REVOKE, words
    for vocabulary, meaning in ((HELP_ONLY, Meaning.HELP), (OPTIN_ONLY, Meaning.OPTIN)):
        if words in vocabulary:
            return meaning, words
    bare = [one for one in words.split() if one not in POLITE]
    if len(bare) == 1 and bare[0] in HELP_ONLY:
        return Meaning.HELP, bare[0]
    glued = words.replace(" ", "")
    if glued in SINGLE:
        return Meaning.REVOKE, words
    return None


def _of_a_sentence(text: str, words: str) -> tuple[Meaning, str | None]:
    wrong = _first(WRONG, words) or _first(WRONG_NAME, text.translate(CURLY))
    if wrong:
        return Meaning.WRONG_PERSON, wrong
    stop = _short_stop(words) or _whole(ALONE, words) or _first(STOPS, words) or _shouted(text)
    if stop:
        return Meaning.REVOKE, stop
    for phrase in BENIGN:
        words = phrase.sub(" ", words)
    held = _first(HOLDS, words) or next((one for one in text if one in RUDE_SIGNS), None)
    return (Meaning.HOLD, held) if held else (Meaning.NONE, None)


def _first(patterns: Patterns, words: str) -> str | None:
    match = next((found for one in patterns if (found := one.search(words))), None)
    return match[0].strip() if match else None


def _whole(patterns: Patterns, words: str) -> str | None:
    return words if any(one.fullmatch(words) for one in patterns) else None


def _shouted(text: str) -> str | None:
    is_sentence = any(character.islower() for character in text)
    return "STOP" if is_sentence and SHOUTED.search(text) else None


def _short_stop(words: str) -> str | None:
    """It is the keyword of a message of up to four words that are else only politeness."""
    parts = words.split()
    if len(parts) > SHORT["max_words"]:
        return None
    for keyword in sorted(KEYWORDS, key=len, reverse=True):
        wanted = keyword.split()
        for start in range(len(parts) - len(wanted) + 1):
            others = parts[:start] + parts[start + len(wanted) :]
            if parts[start : start + len(wanted)] == wanted and all(
                one in FILLER or one in SINGLE for one in others
            ):
                return keyword
    return None
