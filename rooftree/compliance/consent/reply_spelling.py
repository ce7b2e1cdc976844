"""A borrower's reply as the patterns read it: folded, put right, nothing but words."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

OPT_OUT_DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "optout.yaml").read_text(encoding="utf-8")
)
CURLY_QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"'})
# Written apart, as in "S T O P": three single letters or more.
SPACED_LETTERS = re.compile(r"\b(?:\w ){2,}\w\b")
REPEATED_LETTERS = re.compile(r"(\w)\1{2,}")
DOUBLED_LETTERS = re.compile(r"(\w)\1")
DIGIT_LETTERS = str.maketrans("01345", "oieas")
CORRECTIONS: dict[str, str] = OPT_OUT_DATA["spelled"]
FUZZY_WORDS, REAL_WORDS = tuple(OPT_OUT_DATA["near"]), frozenset(OPT_OUT_DATA["real"])
STOP_SIGNS = str.maketrans(dict.fromkeys(OPT_OUT_DATA["emoji"]["stop"], " stop "))


def fold_text(text: str) -> str:
    """It is the text in small letters: no emoji, accents, marks or punctuation but the apostrophe.

    A stop sign is read as the word.
    """
    plain = (
        unicodedata.normalize("NFKC", text).translate(STOP_SIGNS).translate(CURLY_QUOTES).casefold()
    )
    kept = "".join(
        character if character.isalnum() or character in "' " else _replace_sign(character)
        for character in unicodedata.normalize("NFD", plain)
    )
    words = " ".join(one.strip("'") for one in kept.split())
    joined = SPACED_LETTERS.sub(lambda match: match[0].replace(" ", ""), words)
    return " ".join(joined.split())


def _replace_sign(character: str) -> str:
    """Marks and zero-width characters vanish; other signs part words."""
    return "" if unicodedata.category(character) in ("Mn", "Cf") else " "


def correct_spelling(words: str, keywords: frozenset[str]) -> str:
    """They are folded words with common misspellings and abbreviations mended."""
    return " ".join(_correct_token(one, keywords) for one in words.split())


def _correct_token(token: str, keywords: frozenset[str]) -> str:
    if token in keywords:
        return token
    short = REPEATED_LETTERS.sub(r"\1", token)
    for one in (short, DOUBLED_LETTERS.sub(r"\1", short), short.translate(DIGIT_LETTERS)):
        if one in keywords:
            return one
        if one in CORRECTIONS:
            return CORRECTIONS[one]
    if _is_unsubscribe(short):
        return "unsubscribe"
    return _near_word(short) or short


def _near_word(token: str) -> str | None:
    """It is the word that this one misses by one slip, when it begins alike."""
    if len(token) < 6 or token in REAL_WORDS:
        return None
    alike = (
        fuzzy_word
        for fuzzy_word in FUZZY_WORDS
        if fuzzy_word[0] == token[0] and abs(len(fuzzy_word) - len(token)) <= 1
    )
    return next((one for one in alike if _edit_distance(token, one) == 1), None)


def _is_unsubscribe(token: str) -> bool:
    """Three slips at most in the longest word that we must not miss."""
    if not token.startswith(("un", "us", "nu")) or not 8 <= len(token) <= 13:
        return False
    return min(_edit_distance(token, "unsubscribe"), _edit_distance(token, "unsubscribed")) <= 3


def _edit_distance(one: str, other: str) -> int:
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
