"""What a person's reply means: stop, wrong person, help, start, or something to read.

The safe error is to stop. Order and words come from rules.yaml; Spanish
patterns beyond it are the house's own.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rooftree.compliance.rulebook import DATA


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


RULES: dict[str, Any] = DATA["optout"]
SHORT: dict[str, Any] = RULES["short_message_rule"]
CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})
# Written apart, as in "S T O P": three single letters or more.
SPACED = re.compile(r"\b(?:\w ){2,}\w\b")
HOUSE_SPANISH = (
    r"\b(no quiero|no deseo) (mas |recibir |que me )?(mas )?"
    r"(mensajes|llamadas|textos|correos|llamen|llame|escriban|escriba|contacten|molesten)\b",
    r"\bno me (llamen?|llames|escriban?|escribas|manden?|mandes|contacten?|molesten?|molestes|"
    r"envien?|envies|texteen?|textees|vuelvan? a)\b",
    r"\b(deje|dejen|deja|pare|paren|para) de (llamar|escribir|mandar|enviar|molestar|textear|"
    r"contactar)",
    r"\b(quite|quiten|quitame|saqueme|saquenme|borre|borren|borrame|elimine|eliminen|eliminame|"
    r"retire|retiren|retireme)(me|nme)?\b.{0,20}\b(lista|numero|mi)\b",
    r"\b(quitenme|quiteme|borrenme|borreme|eliminenme|elimineme|saquenme|saqueme|denme de baja|"
    r"deme de baja|darme de baja|dar de baja|cancelar suscripcion)\b",
    r"\bdejenme? en paz\b|\bdejame en paz\b|\bya no (quiero|deseo|me)\b",
    r"\b(no mas|ni un) (mensajes|mensaje|llamadas|textos)\b",
)
HOUSE_ENGLISH = (
    r"\bopt (me|us|my number) out\b|\bplease stop\b|\bstop please\b",
    r"\b(no more|enough) (texts?|messages?|calls?|emails?)\b",
    r"\b(delete|erase|remove|lose|block) (my|this|me|our) ?(number|info|information|contact|name)?"
    r"\b.{0,30}\b(list|number|info|system|database|contact)",
    r"\b(remove|delete|take) (my|this) (number|name|info)\b",
    r"\b(stop|quit) (bothering|harassing|spamming|sending|reaching|all|these|the|it|this)\b",
    r"\bi (do not|don't|dont) want (any|your|these|to (be|get|receive|hear)|you to)\b",
    r"\b(dont|do not|don't) (ever )?(bother|write|send|txt|text|call|msg|message|contact|email)\b",
    r"\b(do not|don't|dont) (contact|call|disturb) (me|us|list)\b",
    r"\bi (revoke|withdraw|take back|cancel) (my )?(consent|permission)\b",
    r"\b(go away|f+(uck)? off|piss off|unsuscribe|unsub|cease and desist)\b",
    r"\bput me on (your|the) (do not call|dnc)\b",
)
WRONG = re.compile(
    r"\bwrong (number|person|guy|phone|num)\b|\b(numero|persona) (equivocad[oa]|incorrect[oa])\b"
    r"|\b(equivocado de|se equivoco de|se equivocaron de) (numero|persona)\b"
    r"|\b(i am|i'm|im|this is|it is|it's) not (him|her|the person|the one)\b"
    r"|\b(no|nobody|no one)( (here|by))+ (by |with )?(that|this) name\b"
    r"|\bno (soy|es) (esa|ese|la|el) (persona|senor|senora)?\b|\bno conozco a\b"
    r"|\byou (have|got) the wrong\b|\b(isn't|is not|not) my (loan|application)\b"
)
HELP_ONLY = frozenset(word.casefold() for word in RULES["help_keywords"])
OPTIN_ONLY = frozenset(word.casefold() for word in (*RULES["optin_keywords"], "SI", "COMENZAR"))


def plain(text: str) -> str:
    """It is the text as the patterns read it: folded, no emoji, accents or punctuation."""
    folded = unicodedata.normalize("NFKC", text).translate(CURLY).casefold()
    kept = "".join(
        character if character.isalnum() or character in "' " else _gap(character)
        for character in unicodedata.normalize("NFD", folded)
    )
    words = " ".join(kept.split())
    joined = SPACED.sub(lambda match: match[0].replace(" ", ""), words)
    return " ".join(joined.split())


def _gap(character: str) -> str:
    """Marks and zero-width characters vanish; other signs part words."""
    return "" if unicodedata.category(character) in ("Mn", "Cf") else " "


KEYWORDS = frozenset(plain(word) for word in (*RULES["per_se_keywords"], *RULES["extra_keywords"]))
SINGLE = frozenset(word for word in KEYWORDS if " " not in word)
FILLER = frozenset(SHORT["other_words_allowed"]) | {
    "por", "favor", "gracias", "ya", "mensajes", "a", "los", "el", "yes", "just", "the", "thx", "ty"
}  # fmt: skip
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (*RULES["free_text_patterns"], *HOUSE_SPANISH, *HOUSE_ENGLISH)
)
BENIGN = tuple(re.compile(plain_pattern) for plain_pattern in RULES["benign_phrases"])
INSIDE = re.compile(
    r"\b(stop|stopped|quit|cancel|end|revoke|unsubscribe|remove|opt out|alto|parar|basta|cancelar|"
    r"cancele|cancelen|no mas|arret)\b"
)


def classify(text: str) -> Reading:
    """It is what one inbound message means, and the words that say so."""
    words = plain(text)
    meaning, matched = _meaning(words)
    return Reading(text=text, meaning=meaning, matched=matched)


def _meaning(words: str) -> tuple[Meaning, str | None]:
    if words in KEYWORDS:
        return Meaning.REVOKE, words
    if words in HELP_ONLY:
        return Meaning.HELP, words
    if words in OPTIN_ONLY:
        return Meaning.OPTIN, words
    wrong = WRONG.search(words)
    if wrong:
        return Meaning.WRONG_PERSON, wrong[0]
    short = _short_stop(words)
    if short:
        return Meaning.REVOKE, short
    return _sentence_meaning(words)


def _sentence_meaning(words: str) -> tuple[Meaning, str | None]:
    for pattern in PATTERNS:
        match = pattern.search(words)
        if match:
            return Meaning.REVOKE, match[0]
    rest = words
    for phrase in BENIGN:
        rest = phrase.sub(" ", rest)
    inside = INSIDE.search(rest)
    return (Meaning.HOLD, inside[0]) if inside else (Meaning.NONE, None)


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
