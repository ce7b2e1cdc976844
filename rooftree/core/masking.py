"""Mask numbers that must not be stored: social security, taxpayer, card and bank numbers.

`mask_numbers` masks them in raw bytes in place, so that the delivery stays parseable and keeps
its length. `redact_numbers` replaces them in free text. Dates, phones, ZIP codes, loan numbers
and vendor ids stay. Both also recognize numbers that `mask_numbers` has masked before.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

_D = r"[\d*]"  # a digit, or one that was masked before
_DASH = r"[\u2010-\u2015-]"
# Between groups of digits: a space, or a mark with or without spaces. JSON can escape a slash.
_SEP = rf"(?:[ +]?\\?(?:[./+]|{_DASH})[ +]?|[ +\u00a0]|%20|%2D|%2F)"
_LOOSE_SEP = rf"(?:[ ._/+\u00a0]|{_DASH}|%20|%2D|%2F){{0,3}}"  # after a label, between any digits
# Not part of a longer number, word, id or path; an escape of JSON or a form does not count.
_LEFT = r"(?:(?<![\w*.-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
_RIGHT = rf"(?![\w*])(?!-{_D}|-\w)(?!\.{_D})"
# Text between a label and its number: `">`, `": "`, `=`, ` val="`, ` is `, ` no. `, and the signs
# of JSON in a form field: `%22%3A%22`.
_GAP = r"(?:%[0-9A-Fa-f]{2}|[^\w*]|\b(?:is|no|num|number|val|value|my|the|string)\b){1,24}?"
_NINE = rf"{_D}(?:{_LOOSE_SEP}{_D}){{8}}"
_SSN_LABEL = (
    r"(?:ssn|itin|\btin\b|s\.s\.n|\bss[ _+-]?(?:#|no\b|num)"
    r"|social[ _+-]?security|socialsec|tax[ _+-]?(?:payer)?[ _+-]?id"
    r"(?:entifier|entification)?|social)"
    r"(?:[ _+-]?(?:number|num|no))?"
)
_BANK_LABEL = (
    r"(?<!loan[ _+-])(?<!loan)(?:bank[ _+-]?acc(?:oun)?t|acc(?:oun)?t[ _+-]?(?:number|num|no|#)"
    r"|checking|savings|routing|\baba|iban)(?:[ _+-]?(?:acc(?:oun)?t|number|num|no)){0,2}"
)

_SSN_SHAPE = re.compile(rf"{_LEFT}{_D}{{3}}({_SEP}){_D}{{2}}\1{_D}{{4}}{_RIGHT}", re.IGNORECASE)
_SSN_LABELED = re.compile(rf"{_SSN_LABEL}(?:[b-z]\w{{0,8}})?{_GAP}({_NINE}){_RIGHT}", re.IGNORECASE)
_SSN_BEFORE_LABEL = re.compile(
    rf"{_LEFT}({_NINE}){_RIGHT}(?:[ +,]|%20|\b(?:is|my|the)\b){{1,8}}{_SSN_LABEL}", re.IGNORECASE
)
_CARD_SEP = rf"({_SEP}|_)"
_CARD = re.compile(
    rf"{_LEFT}(?:{_D}{{4}}{_CARD_SEP}{_D}{{4}}\1{_D}{{4}}\1{_D}{{1,7}}"
    rf"|{_D}{{4}}{_CARD_SEP}{_D}{{6}}\2{_D}{{4,5}}|{_D}{{13,19}}"
    rf"|{_D}([ .+-]){_D}(?:\3{_D}){{11,17}}){_RIGHT}",
    re.IGNORECASE,
)
# Neither a date nor, with its one dot, an amount.
_BANK_LABELED = re.compile(
    rf"{_BANK_LABEL}{_GAP}(?!\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}\b)"
    rf"({_D}(?:[ +/_-]?{_D}){{5,16}}|{_D}{{1,8}}(?:\.{_D}{{1,8}}){{2,4}}){_RIGHT}",
    re.IGNORECASE,
)
# Cheap checks first: nearly every delivery contains none of these.
_SSN_HINTS = ("ssn", "s.s.n", "tin", "social", "tax", "ss#", "ss no", "ss num", "ss #", "ss_n")
_BANK_HINTS = ("acc", "checking", "savings", "routing", "aba", "iban")
_SSN_HINT = re.compile(
    r"[\d*]{3}[^\w*]{1,4}(?:20|2D|2F)?[\d*]{2}[^\w*]{1,4}(?:20|2D|2F)?[\d*]{4}", re.IGNORECASE
)
_CARD_HINT = re.compile(rf"(?:[\d*]{_LOOSE_SEP}){{13}}", re.IGNORECASE)
_ID_KEY = re.compile(
    r"(?:id|uid|guid|key|number|num|no|ref|reference|token|clid)"
    r"[\"']?\s*(?:val(?:ue)?)?[\"']?\s*(?::|=|>)\s*[\"']?$",
    re.IGNORECASE,
)
_CARD_KEY = re.compile(r"card|pan\b", re.IGNORECASE)
_ESCAPED = re.compile(
    r"\\u00(3[0-9]|2[0df])|&#(4[5789]|5[0-7]|32);|&#x(3[0-9]|2[0df]);|%(3[0-9ad]|2[03d-f])"
    r"|\\u(ff1[0-9]|200[b-f]|201[0-5]|2060|feff|00a[0d])"
    r"|%E2%80%(?:8[B-F]|9[0-5])|%E2%81%A0|%EF%BB%BF|%EF%BC%9[0-9]|%C2%A[0D]",
    re.IGNORECASE,
)
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


class SensitiveKind(StrEnum):
    """The kind of number; the value is the word in the redacted text."""

    SSN = "ssn"
    CARD = "card"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskResult:
    """The masked bytes and the kinds of numbers found in them."""

    body: bytes
    kinds: frozenset[SensitiveKind]


def mask_numbers(body: bytes) -> MaskResult:
    """Mask every sensitive number in `body` in place.

    A digit becomes `*`; in a bare JSON number it becomes 9, so that the document still parses.
    Masking twice changes nothing. A number hidden behind escapes of JSON, XML or a form is first
    unescaped; only then does the length change.
    """
    text, encoding, mark = _decode_body(body)
    is_json = text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
    unescaped = _ESCAPED.sub(_unescape, text)
    spans = _find_spans(text, lone_ids=True)
    if unescaped != text and len(hidden := _find_spans(unescaped, lone_ids=True)) > len(spans):
        text, spans = unescaped, hidden
    if not spans:
        return MaskResult(body=body, kinds=frozenset())
    masked = _mask_spans(text, spans, is_json=is_json)
    return MaskResult(
        body=mark + masked.encode(encoding, "surrogateescape"),
        kinds=frozenset(kind for _, _, kind in spans),
    )


def redact_numbers(text: str) -> tuple[str, frozenset[SensitiveKind]]:
    """Replace numbers in free text with `[redacted ssn]`, `[redacted card]`, `[redacted account]`.

    Returns the text and the kinds of numbers that were replaced.
    """
    spans = _find_spans(text, lone_ids=False)
    parts, last = [], 0
    for start, end, kind in spans:
        parts += [text[last:start], f"[redacted {kind}]"]
        last = end
    return "".join([*parts, text[last:]]), frozenset(kind for _, _, kind in spans)


def _unescape(match: re.Match[str]) -> str:
    if match[2]:
        return chr(int(match[2]))
    code = match[1] or match[3] or match[4] or match[5]
    return chr(int(code, 16)) if code else unquote(match[0])


def _decode_body(body: bytes) -> tuple[str, str, bytes]:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            try:
                return body[2:].decode(encoding), encoding, mark
            except UnicodeDecodeError:
                break
    return body.decode("utf-8", "surrogateescape"), "utf-8", b""


def _find_spans(text: str, *, lone_ids: bool) -> list[tuple[int, int, SensitiveKind]]:
    """Find the spans of sensitive numbers, in order and without overlaps.

    `lone_ids` says the text is a whole document, in which a bare run of digits under an
    id's key is that id.
    """
    if _INVISIBLE.isdisjoint(text):
        return _find_visible_spans(text, lone_ids=lone_ids)
    places = [place for place, char in enumerate(text) if char not in _INVISIBLE]
    visible = "".join(text[place] for place in places)
    return [
        (places[start], places[end - 1] + 1, kind)
        for start, end, kind in _find_visible_spans(visible, lone_ids=lone_ids)
    ]


def _find_visible_spans(text: str, *, lone_ids: bool) -> list[tuple[int, int, SensitiveKind]]:
    spans: list[tuple[int, int, SensitiveKind]] = []
    lowered = text.lower()
    if any(label in lowered for label in _SSN_HINTS):
        spans += _match_spans(_SSN_LABELED, text, SensitiveKind.SSN, lambda _: True)
        spans += _match_spans(_SSN_BEFORE_LABEL, text, SensitiveKind.SSN, lambda _: True)
    if any(label in lowered for label in _BANK_HINTS):
        spans += _match_spans(_BANK_LABELED, text, SensitiveKind.ACCOUNT, lambda _: True)
    if _SSN_HINT.search(text):
        # All nine digits are masked, or none: `%20` and `%2D` are escapes, not digits.
        spans += _match_spans(
            _SSN_SHAPE, text, SensitiveKind.SSN, lambda match: match[0].count("*") in (0, 9)
        )
    if _CARD_HINT.search(text):
        spans += _match_spans(
            _CARD,
            text,
            SensitiveKind.CARD,
            lambda match: _looks_like_card(match, lone_ids=lone_ids),
        )
    separate: list[tuple[int, int, SensitiveKind]] = []
    for start, end, kind in sorted(spans, key=lambda span: span[:2]):
        if not separate or start >= separate[-1][1]:
            separate.append((start, end, kind))
    return separate


def _match_spans(
    shape: re.Pattern[str],
    text: str,
    kind: SensitiveKind,
    is_sensitive: Callable[[re.Match[str]], bool],
) -> list[tuple[int, int, SensitiveKind]]:
    group = 1 if shape in (_BANK_LABELED, _SSN_LABELED, _SSN_BEFORE_LABEL) else 0
    return [(*match.span(group), kind) for match in shape.finditer(text) if is_sensitive(match)]


def _looks_like_card(match: re.Match[str], *, lone_ids: bool) -> bool:
    """Return True if Luhn and the issuer fit, and this is not the bare value of an id's key."""
    digits = re.sub(r"%2[0DF]|\D", "", match[0], flags=re.IGNORECASE)
    before = match.string[max(0, match.start() - 60) : match.start()]
    is_bare = match[0].isdigit() or set(match[0]) == {"*"}
    if lone_ids and is_bare and _ID_KEY.search(before) and not _CARD_KEY.search(before):
        return False
    if "*" in match[0]:
        return not digits and 13 <= match[0].count("*") <= 19
    return digits[0] in "3456" and _passes_luhn(digits) and len(set(digits)) > 1


def _passes_luhn(digits: str) -> bool:
    doubled = (
        sum(divmod(int(digit) * 2, 10)) if place % 2 else int(digit)
        for place, digit in enumerate(digits[::-1])
    )
    return sum(doubled) % 10 == 0


def _mask_spans(text: str, spans: list[tuple[int, int, SensitiveKind]], *, is_json: bool) -> str:
    parts, last = [], 0
    for start, end, _ in spans:
        number = text[start:end]
        is_bare = is_json and number.isdigit() and _is_json_number(text, start, end)
        mask = "9" if is_bare else "*"
        # A percent escape between the digits keeps its own.
        masked = re.sub(
            r"(%2[0DF])|\d",
            lambda match, mask=mask: match[1] or mask,  # type: ignore[misc]
            number,
            flags=re.IGNORECASE,
        )
        parts += [text[last:start], masked]
        last = end
    return "".join([*parts, text[last:]])


def _is_json_number(text: str, start: int, end: int) -> bool:
    """Return True for a bare number of a JSON document; reads only the spaces around it."""
    if text[start - 1 : start] == "-":
        start -= 1
    while text[start - 1 : start].isspace():
        start -= 1
    while text[end : end + 1].isspace():
        end += 1
    return text[start - 1 : start] in (":", ",", "[") and text[end : end + 1] in (",", "]", "}")
