"""Clean and split people's names; the capitalization stays as they wrote it."""

import re
import unicodedata
from dataclasses import dataclass

SUFFIXES = ("JR", "SR", "II", "III", "IV", "V")
_PLACEHOLDERS = frozenset(
    {"-", "--", ".", "n/a", "unknown", "undefined", "(none)", "-none-", "[unknown]"}
)
_LINE_CONTROLS = "\t\n\r"
# Invisible characters that reverse or hide the text beside them. Joiners, which scripts and
# emoji need, are not among them.
_INVISIBLE_CHARS = frozenset(
    map(
        chr,
        [0x200B, 0xFEFF, *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)],
    )
)
_JOINT_NAME = re.compile(r"\s(?:&|\+|and|y)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A name split into its parts."""

    first: str | None = None
    middle: str | None = None
    last: str | None = None
    suffix: str | None = None  # one of SUFFIXES
    is_joint: bool = False  # the name of two people


def clean_text(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` in NFC without control characters and surrounding whitespace.

    Also removes lone surrogates, which no database and no message can carry, and characters
    that reverse a line's direction or have no width. Emoji and every script stay.
    `keep_lines` keeps tabs and line ends.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    kept_controls = _LINE_CONTROLS if keep_lines else ""
    spaced = text if keep_lines else re.sub(r"[\t\n\r\x0b\x0c]+", " ", text)
    whole = "".join(
        c
        for c in spaced
        if c in kept_controls
        or (c not in _INVISIBLE_CHARS and unicodedata.category(c) not in ("Cc", "Cs"))
    )
    return unicodedata.normalize("NFC", whole).strip()


def repair_mojibake(text: str) -> str:
    """Repair UTF-8 that was decoded as Windows-1252; return any other text unchanged.

    Repairs only when decoding succeeds and shortens the text, so that no correct name changes.
    """
    if text.isascii():
        return text
    try:
        repaired = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text
    return repaired if len(repaired) < len(text) else text


def clean_name_part(text: str) -> str | None:
    """Return one cleaned part of a name; None for a placeholder such as "n/a"."""
    name = clean_text(text)
    return None if not name or name.lower() in _PLACEHOLDERS else name


def has_markup(name: str) -> bool:
    """Return True if the name contains HTML, which must never be merged raw into an email."""
    return "<" in name or ">" in name


def split_suffix(last: str) -> tuple[str, str | None]:
    """Return the last name without its suffix, and the suffix if it is one of SUFFIXES."""
    body, _, tail = last.rpartition(" ")
    word = tail.rstrip(".").upper()
    if body and word in SUFFIXES:
        return body.rstrip(" ,"), word
    return last, None


def split_full_name(text: str) -> PersonName:
    """Split a full name: "Last, First", "First Middle Last Jr", "Ana & Luis Lugo"."""
    name = clean_name_part(text)
    if name is None:
        return PersonName()
    whole, suffix = split_suffix(name)
    if _JOINT_NAME.search(whole):
        first, _, last = whole.rpartition(" ")
        return PersonName(first=first, last=last, suffix=suffix, is_joint=True)
    before, comma, after = whole.partition(",")
    if comma and before.strip() and after.strip():
        return PersonName(first=after.strip(), last=before.strip(), suffix=suffix)
    words = _split_words(whole)
    if len(words) == 1:
        return PersonName(first=words[0], suffix=suffix)
    middle = " ".join(words[1:-1]) or None
    return PersonName(first=words[0], middle=middle, last=words[-1], suffix=suffix)


def _split_words(whole: str) -> list[str]:
    """Split a name into words; a symbol (an emoji, a dash) stays with the next word."""
    words: list[str] = []
    signs = ""
    for word in whole.split():
        if not any(c.isalpha() for c in word):
            signs += f"{word} "
            continue
        words.append(signs + word)
        signs = ""
    if signs:
        words.append(words.pop() + " " + signs.strip() if words else signs.strip())
    return words
