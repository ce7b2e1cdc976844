"""A borrower's reply as the patterns read it: folded, put right, nothing but words."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

WORDS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "optout.yaml").read_text(encoding="utf-8")
)
CURLY = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"'})
# Written apart, as in "S T O P": three single letters or more.
SPACED = re.compile(r"\b(?:\w ){2,}\w\b")
DRAWN_OUT = re.compile(r"(\w)\1{2,}")
DOUBLED = re.compile(r"(\w)\1")
DIGITS = str.maketrans("01345", "oieas")
SPELLED: dict[str, str] = WORDS["spelled"]
NEAR, REAL = tuple(WORDS["near"]), frozenset(WORDS["real"])
STOP_SIGNS = str.maketrans(dict.fromkeys(WORDS["emoji"]["stop"], " stop "))


def folded(text: str) -> str:
    """It is the text in small letters: no emoji, accents, marks or punctuation but the apostrophe.

    A stop sign is read as the word.
    """
    plain = unicodedata.normalize("NFKC", text).translate(STOP_SIGNS).translate(CURLY).casefold()
    kept = "".join(
        character if character.isalnum() or character in "' " else _gap(character)
        for character in unicodedata.normalize("NFD", plain)
    )
    words = " ".join(one.strip("'") for one in kept.split())
    joined = SPACED.sub(lambda match: match[0].replace(" ", ""), words)
    return " ".join(joined.split())


def _gap(character: str) -> str:
    """Marks and zero-width characters vanish; other signs part words."""
    return "" if unicodedata.category(character) in ("Mn", "Cf") else " "


def put_right(words: str, keywords: frozenset[str]) -> str:
    """They are folded words with common misspellings and abbreviations mended."""
    return " ".join(_mended(one, keywords) for one in words.split())


def _mended(token: str, keywords: frozenset[str]) -> str:
    if token in keywords:
        return token
    short = DRAWN_OUT.sub(r"\1", token)
    for one in (short, DOUBLED.sub(r"\1", short), short.translate(DIGITS)):
        if one in keywords:
            return one
        if one in SPELLED:
            return SPELLED[one]
    if _is_unsubscribe(short):
        return "unsubscribe"
    return _near(short) or short


def _near(token: str) -> str | None:
    """It is the word that this one misses by one slip, when it begins alike."""
    if len(token) < 6 or token in REAL:
        return None
    alike = (one for one in NEAR if one[0] == token[0] and abs(len(one) - len(token)) <= 1)
    return next((one for one in alike if _slips(token, one) == 1), None)


def _is_unsubscribe(token: str) -> bool:
    """Three slips at most in the longest word that we must not miss."""
    if not token.startswith(("un", "us", "nu")) or not 8 <= len(token) <= 13:
        return False
    return min(_slips(token, "unsubscribe"), _slips(token, "unsubscribed")) <= 3


def _slips(one: str, other: str) -> int:
    """It is the edit distance."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(one, 1):
        before, row[0] = row[0], count
        for place, wanted in enumerate(other, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != wanted)),
            )
    return row[-1]
