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
_WORDS = {
    "title": "mr mrs ms miss mx dr prof rev sr sra srta señor señora",
    "credential": "md phd cpa esq dds dvm rn jd mba pe",
    # Words that begin a last name: de la Cruz, van der Berg, al Farsi, St. James.
    "particle": """
        de del della di da do dos das du la las los le van von der den ter ten zu zum zur
        bin ibn al el st san santa
    """,
    # Frequent last names that are hardly ever first or middle names. Two of them at the end of a
    # name are two last names: Ana García López, Mary Johnson Smith.
    "last name": """
        smith johnson williams brown jones garcia miller rodriguez martinez hernandez lopez gonzalez
        wilson anderson moore jackson perez thompson white sanchez ramirez robinson walker young
        wright nguyen flores hill green adams nelson baker hall rivera campbell mitchell roberts
        gomez phillips evans turner diaz cruz edwards collins reyes morris morales murphy cook
        rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos cox ward
        richardson watson brooks chavez wood bennett gray mendoza ruiz hughes price alvarez castillo
        sanders patel myers foster jimenez powell jenkins perry sullivan fernandez vargas castro
        romero torres vasquez vazquez herrera medina aguilar guzman munoz mendez salazar soto
        delgado pena rios ortega guerrero estrada sandoval dominguez contreras nunez zapatero
    """,
}
_TITLES, _CREDENTIALS, _PARTICLES, _LAST_NAMES = (
    frozenset(words.split()) for words in _WORDS.values()
)


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
    name = _without_title_and_credentials(name)
    whole, suffix = split_suffix(name)
    if _is_joint(whole):
        first, _, last = whole.rpartition(" ")
        return PersonName(first=first, last=last, suffix=suffix, is_joint=True)
    before, comma, after = whole.partition(",")
    if comma and before.strip() and after.strip():
        last, own_suffix = split_suffix(before.strip())
        return PersonName(first=after.strip(), last=last, suffix=suffix or own_suffix)
    words = _split_words(whole)
    if len(words) == 1:
        is_last = whole != text.strip() and _plain_word(text.split()[0]) in _TITLES
        return PersonName(
            first=None if is_last else words[0], last=words[0] if is_last else None, suffix=suffix
        )
    last_at = _last_name_position(words)
    return PersonName(
        first=words[0] if last_at else None,
        middle=" ".join(words[1:last_at]) or None,
        last=" ".join(words[last_at:]),
        suffix=suffix,
    )


def _plain_word(word: str) -> str:
    """Return a word in lower case without accents and signs, to look it up."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(c for c in decomposed if c.isalpha())


def _without_title_and_credentials(name: str) -> str:
    """Remove a form of address before a name and the letters after it: "Dr. Ana Bell, MD"."""
    body, comma, letters = name.rpartition(",")
    if comma and " " in body.strip() and _plain_word(letters) in _CREDENTIALS:
        name = body.strip()
    title, _, rest = name.partition(" ")
    return rest.strip() if rest and _plain_word(title) in _TITLES else name


def _is_joint(whole: str) -> bool:
    """Tell two people's name from a last name with "y": José Ortega y Gasset."""
    match = _JOINT_NAME.search(whole)
    if match is None:
        return False
    before, after = whole[: match.start()].split(), whole[match.end() :].split()
    return not (match[0].strip().lower() == "y" and len(before) > 1 and len(after) == 1)


def _last_name_position(words: list[str]) -> int:
    """Return where the last name begins: at a particle, or at the first of two last names."""
    plain_words = [_plain_word(word) for word in words]
    if len(words) > 2 and _PARTICLES.issuperset(plain_words[:2]):
        return 0  # a last name alone: de la Cruz
    for position in range(1, len(words) - 1):
        if plain_words[position] in _PARTICLES or plain_words[position + 1] == "y":
            return position
    has_two = len(words) > 2 and _LAST_NAMES.issuperset(plain_words[-2:])
    return len(words) - (2 if has_two else 1)


def _split_words(whole: str) -> list[str]:
    """Split a name into words.

    A symbol such as an emoji stays with the word before it, or with the first word; a lone dash
    or comma is dropped.
    """
    words: list[str] = []
    signs = ""
    for word in whole.split():
        if any(c.isalpha() for c in word):
            words.append(signs + word)
            signs = ""
        elif any(unicodedata.category(c).startswith("S") for c in word):
            if words:
                words[-1] += f" {word}"
            else:
                signs += f"{word} "
    return words or [whole]
