"""Splits one phone field into its numbers: "813-555-0142 (cell) / work 650-253-0000"."""

import re
from itertools import islice

from phonenumbers import Leniency, PhoneNumberMatcher

from rooftree.core.phone_numbers import PhoneNumber, is_rounded_number, parse_phone_number
from rooftree.leads.vocabulary import PhoneType

_MAX_TEXT_LENGTH = 200  # a longer text is no phone field
MAX_NUMBERS = 5
_TYPE_ENDING = re.compile(r"\d\s?([mhw])$", re.IGNORECASE)  # LeadConduit: 5125550121m
_TYPE_WORDS = {
    **dict.fromkeys(("m", "c", "cell", "cellular", "cellphone", "mobile", "celular", "movil",
                     "móvil"), PhoneType.MOBILE),
    **dict.fromkeys(("h", "home", "house", "casa"), PhoneType.HOME),
    **dict.fromkeys(("w", "o", "b", "work", "office", "business", "trabajo"), PhoneType.WORK),
}  # fmt: skip
# Words beside a number that say nothing about whose it is or whether it may be called.
_PLAIN_TEXT = (
    "and or y o p ph phone phones tel telephone telefono teléfono number no num best primary main"
    " preferred alt alternate other secondary second first day daytime evening"
)
_KNOWN_WORDS = frozenset(_PLAIN_TEXT.split()) | _TYPE_WORDS.keys() | {"fax"}
_WORD = re.compile(r"[^\W\d_]+")
_SEPARATOR = re.compile(r"[/,;|&\n]")
_DECIMALS = re.compile(r"(?<=\d{7})\.0{1,2}(?!\d)")  # of numbers that a spreadsheet stored
_REFUSAL = re.compile(
    r"\b(?:do ?n[o']t|not|never|no (?:calls?|texts?|phone)|stop|wrong|disconnected)\b",
    re.IGNORECASE,
)
type TypedNumber = tuple[PhoneType, PhoneNumber, str]  # the third: the text of the number


def split_phone_field(raw: str, kind: PhoneType) -> tuple[list[TypedNumber], str | None]:
    """Return the numbers of one field, in order, and a warning code or None.

    A field that can't be read, or that says not to use its number, gives one invalid number. A
    word beside a number must be a type or an ordinary label: "(wife)" could be someone else's
    number, so that field is left to a person. Fax numbers are dropped.
    """
    unusable = (kind, PhoneNumber(country="US"), raw)
    if _REFUSAL.search(raw):
        return [unusable], "phone_not_to_use"
    ending = _TYPE_ENDING.search(raw)
    if ending and (number := parse_phone_number(raw[: -len(ending[1])])).is_valid:
        return [(_TYPE_WORDS[ending[1].lower()], number, raw)], None
    digits = sum(character.isdigit() for character in raw)
    needs_search = len(raw) <= _MAX_TEXT_LENGTH and (digits > 15 or bool(_WORD.search(raw)))
    labeled_numbers = _find_labeled_numbers(raw) if needs_search else []
    if not labeled_numbers:
        number = parse_phone_number(raw)
        return [(kind, number, raw)], "phone_rounded" if is_rounded_number(raw) else None
    numbers = [
        (_TYPE_WORDS.get(label, kind), parse_phone_number(text), text)
        for label, text in labeled_numbers
        if label != "fax"
    ]
    if not all(number.is_valid for _, number, _ in numbers):
        return [unusable], None
    return (numbers, None) if numbers else ([unusable], "phone_not_to_use")


def _find_labeled_numbers(raw: str) -> list[tuple[str, str]]:
    """Find the numbers, each with the type that stands before or behind it, or "".

    Returns [] where a word or a digit belongs to none of them.
    """
    text = _DECIMALS.sub("", raw)
    matches = list(
        islice(PhoneNumberMatcher(text, "US", leniency=Leniency.POSSIBLE), MAX_NUMBERS + 1)
    )
    if not matches or len(matches) > MAX_NUMBERS:
        return []
    starts = [match.start for match in matches] + [len(text)]
    ends = [0, *(match.end for match in matches)]
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    words = {word for gap in gaps for word in _WORD.findall(gap.lower())}
    if any(character.isdigit() for gap in gaps for character in gap) or words - _KNOWN_WORDS:
        return []
    labels_come_first = bool(_find_type(gaps[0]))
    labels = [_find_type(gaps[0])] + [""] * (len(matches) - 1)
    for position, gap in enumerate(gaps[1:]):
        behind, before = _split_gap(gap, labels_come_first=labels_come_first)
        labels[position] = labels[position] or behind
        if position + 1 < len(labels):
            labels[position + 1] = before
    return [(label, match.raw_string) for label, match in zip(labels, matches, strict=True)]


def _split_gap(gap: str, *, labels_come_first: bool) -> tuple[str, str]:
    """Return the type of the number before a gap, and that of the number behind it."""
    if separator := _SEPARATOR.search(gap):
        return _find_type(gap[: separator.start()]), _find_type(gap[separator.end() :])
    label = _find_type(gap)
    return ("", label) if labels_come_first else (label, "")


def _find_type(text: str) -> str:
    words = _WORD.findall(text.lower())
    return next((word for word in words if word in _TYPE_WORDS or word == "fax"), "")
