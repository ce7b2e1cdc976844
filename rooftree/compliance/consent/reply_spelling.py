"""Normalization of a borrower's reply before pattern matching: plain words, spelling corrected."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

OPT_OUT_DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "optout.yaml").read_text(encoding="utf-8")
)
CURLY_QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"'})
# Three or more single letters with spaces between, as in "S T O P".
SPACED_LETTERS = re.compile(r"\b(?:\w ){2,}\w\b")
REPEATED_LETTERS = re.compile(r"(\w)\1{2,}")
DOUBLED_LETTERS = re.compile(r"(\w)\1")
DIGIT_LETTERS = str.maketrans("01345", "oieas")
CORRECTIONS: dict[str, str] = OPT_OUT_DATA["spelled"]
FUZZY_WORDS, REAL_WORDS = tuple(OPT_OUT_DATA["near"]), frozenset(OPT_OUT_DATA["real"])
STOP_SIGNS = str.maketrans(dict.fromkeys(OPT_OUT_DATA["emoji"]["stop"], " stop "))


def fold_text(text: str) -> str:
    """Return the text as lowercase words: no emoji, accents or punctuation except apostrophes.

    A stop-sign emoji becomes the word "stop". Accents and zero-width characters vanish; other
    signs separate words.
    """
    plain = (
        unicodedata.normalize("NFKC", text).translate(STOP_SIGNS).translate(CURLY_QUOTES).casefold()
    )
    letters = "".join(
        character if character.isalnum() or character in "' " else " "
        for character in unicodedata.normalize("NFD", plain)
        if unicodedata.category(character) not in ("Mn", "Cf")
    )
    words = " ".join(word.strip("'") for word in letters.split())
    joined = SPACED_LETTERS.sub(lambda match: match[0].replace(" ", ""), words)
    return " ".join(joined.split())


def correct_spelling(words: str, keywords: frozenset[str]) -> str:
    """Correct common misspellings and abbreviations in folded words."""
    return " ".join(_correct_token(word, keywords) for word in words.split())


def _correct_token(token: str, keywords: frozenset[str]) -> str:
    if token in keywords:
        return token
    short = REPEATED_LETTERS.sub(r"\1", token)
    for spelling in (short, DOUBLED_LETTERS.sub(r"\1", short), short.translate(DIGIT_LETTERS)):
        if spelling in keywords:
            return spelling
        if spelling in CORRECTIONS:
            return CORRECTIONS[spelling]
    # The longest word that must not be missed can have up to three typos.
    if short.startswith(("un", "us", "nu")) and 8 <= len(short) <= 13:
        targets = ("unsubscribe", "unsubscribed")
        if min(_edit_distance(short, target) for target in targets) <= 3:
            return "unsubscribe"
    return _near_word(short) or short


def _near_word(token: str) -> str | None:
    """Return the known word that starts alike and differs by one edit, or None."""
    if len(token) < 6 or token in REAL_WORDS or token in FUZZY_WORDS:
        return None
    candidates = (
        fuzzy_word
        for fuzzy_word in FUZZY_WORDS
        if fuzzy_word[0] == token[0] and abs(len(fuzzy_word) - len(token)) <= 1
    )
    return next((word for word in candidates if _edit_distance(token, word) == 1), None)


def _edit_distance(word: str, other: str) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(word, 1):
        before, row[0] = row[0], count
        for place, other_letter in enumerate(other, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != other_letter)),
            )
    return row[-1]
