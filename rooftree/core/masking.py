"""Numbers that may not be kept: social security, taxpayer, card and bank numbers.

`mask` blots them out of raw bytes in place, so that the delivery stays parseable and
as long as it was. `redact` replaces them in free text. Dates, phones, ZIP codes, loan
numbers and vendor ids stay. Both find the numbers again in what `mask` has written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_D = r"[\d*]"  # a digit, or one that was masked before
_SEP = r"(?:[ .+-]|\u00a0|[\u2010-\u2015])"
# No longer number, word, id or path runs into it; an escape of JSON or a form does not count.
_LEFT = r"(?:(?<![\w*.-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
_RIGHT = rf"(?![\w*])(?!-{_D}|-\w)(?!\.{_D})"
# What may stand between a label and its number: `">`, `": "`, `=`, ` val="`, ` is `, ` no. `
_GAP = r"(?:[^\w*]|\b(?:is|no|num|number|val|value|my|the|string)\b){1,24}?"
_NINE = rf"{_D}{{3}}(?:{_SEP}|%20)?{_D}{{2}}(?:{_SEP}|%20)?{_D}{{4}}"
_SSN_LABEL = (
    r"(?:ssn|itin|s\.s\.n|social[ _+-]?security|socialsec|tax[ _+-]?(?:payer)?[ _+-]?id"
    r"(?:entifier|entification)?|social)"
    r"(?:[ _+-]?(?:number|num|no))?"
)
_BANK_LABEL = (
    r"(?<!loan[ _+-])(?<!loan)(?:bank[ _+-]?acc(?:oun)?t|acc(?:oun)?t[ _+-]?(?:number|num|no|#)"
    r"|checking|savings|routing|\baba|iban)(?:[ _+-]?(?:acc(?:oun)?t|number|num|no)){0,2}"
)

_SSN_SHAPE = re.compile(
    rf"{_LEFT}{_D}{{3}}({_SEP}|%20|%2D){_D}{{2}}\1{_D}{{4}}{_RIGHT}", re.IGNORECASE
)
_SSN_LABELED = re.compile(rf"{_SSN_LABEL}(?:[b-z]\w{{0,8}})?{_GAP}({_NINE}){_RIGHT}", re.IGNORECASE)
_CARD_SEP = r"([ +-]|%20)"
_CARD = re.compile(
    rf"{_LEFT}(?:{_D}{{4}}{_CARD_SEP}{_D}{{4}}\1{_D}{{4}}\1{_D}{{1,7}}"
    rf"|{_D}{{4}}{_CARD_SEP}{_D}{{6}}\2{_D}{{4,5}}|{_D}{{13,19}}){_RIGHT}"
)
_BANK_LABELED = re.compile(
    rf"{_BANK_LABEL}{_GAP}({_D}(?:[ +-]?{_D}){{5,16}}){_RIGHT}", re.IGNORECASE
)
# Cheap looks first: nearly every delivery holds none of these.
_SSN_HINTS = ("ssn", "s.s.n", "itin", "social", "tax")
_BANK_HINTS = ("acc", "checking", "savings", "routing", "aba", "iban")
_SSN_HINT = re.compile(r"[\d*]{3}[^\w*]{1,2}(?:20|2D)?[\d*]{2}[^\w*]{1,2}(?:20|2D)?[\d*]{4}", re.I)
_CARD_HINT = re.compile(r"(?:[\d*][ +-]?(?:%20)?){13}")
_ID_KEY = re.compile(
    r"(?:id|uid|guid|key|number|num|no|ref|reference|token|clid)"
    r"[\"']?\s*(?:val(?:ue)?)?[\"']?\s*(?::|=|>)\s*[\"']?$",
    re.IGNORECASE,
)
_CARD_KEY = re.compile(r"card|pan\b", re.IGNORECASE)
_ESCAPED = re.compile(
    r"\\u00(3[0-9]|2[0d])|&#(4[5789]|5[0-7]|32);|&#x(3[0-9]|2[0d]);|%(3[0-9]|2[d0])", re.IGNORECASE
)


class SensitiveKind(StrEnum):
    """The kind of number; the value is what stands in redacted text."""

    SSN = "ssn"
    CARD = "card"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskResult:
    body: bytes
    kinds: frozenset[SensitiveKind]


def mask_numbers(body: bytes) -> MaskResult:
    """It is `body` with every number that may not be kept blotted out in place.

    A digit becomes `*`; in a bare JSON number it becomes 9, so that the document
    still parses. Masking twice changes nothing. A number hidden behind escapes of
    JSON, XML or a form is first written plainly, and only then is the length kept no more.
    """
    text, encoding, mark = _decode_body(body)
    is_json = text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
    plainly = _ESCAPED.sub(_unescape, text)
    spans = _find_spans(text, lone_ids=True)
    if plainly != text and len(hidden := _find_spans(plainly, lone_ids=True)) > len(spans):
        text, spans = plainly, hidden
    if not spans:
        return MaskResult(body=body, kinds=frozenset())
    masked = _mask_spans(text, spans, is_json=is_json)
    return MaskResult(
        body=mark + masked.encode(encoding, "surrogateescape"),
        kinds=frozenset(kind for _, _, kind in spans),
    )


def redact_numbers(text: str) -> tuple[str, frozenset[SensitiveKind]]:
    """It is free text with `[redacted ssn]`, `[redacted card]`, `[redacted account]`."""
    spans = _find_spans(text, lone_ids=False)
    for start, end, kind in reversed(spans):
        text = f"{text[:start]}[redacted {kind}]{text[end:]}"
    return text, frozenset(kind for _, _, kind in spans)


def _decode_body(body: bytes) -> tuple[str, str, bytes]:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            try:
                return body[2:].decode(encoding), encoding, mark
            except UnicodeDecodeError:
                break
    return body.decode("utf-8", "surrogateescape"), "utf-8", b""


def _unescape(found: re.Match[str]) -> str:
    hexadecimal = found[1] or found[3] or found[4]
    return chr(int(hexadecimal, 16)) if hexadecimal else chr(int(found[2]))


def _find_spans(text: str, *, lone_ids: bool) -> list[tuple[int, int, SensitiveKind]]:
    """Where the numbers stand, in order and apart from each other.

    `lone_ids` says the text is a whole document, where a bare run of digits under an
    id's key is that id.
    """
    found: list[tuple[int, int, SensitiveKind]] = []
    lowered = text.lower()
    if any(label in lowered for label in _SSN_HINTS):
        found += _match_spans(_SSN_LABELED, text, SensitiveKind.SSN, lambda _: True)
    if any(label in lowered for label in _BANK_HINTS):
        found += _match_spans(_BANK_LABELED, text, SensitiveKind.ACCOUNT, lambda _: True)
    if _SSN_HINT.search(text):
        found += _match_spans(_SSN_SHAPE, text, SensitiveKind.SSN, _looks_like_ssn)
    if _CARD_HINT.search(text):
        found += _match_spans(
            _CARD, text, SensitiveKind.CARD, lambda one: _looks_like_card(one, lone_ids=lone_ids)
        )
    apart: list[tuple[int, int, SensitiveKind]] = []
    for start, end, kind in sorted(found, key=lambda span: span[:2]):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end, kind))
    return apart


def _match_spans(
    shape: re.Pattern[str], text: str, kind: SensitiveKind, is_one: Callable[[re.Match[str]], bool]
) -> list[tuple[int, int, SensitiveKind]]:
    group = 1 if kind is SensitiveKind.ACCOUNT or shape is _SSN_LABELED else 0
    return [(*match.span(group), kind) for match in shape.finditer(text) if is_one(match)]


def _looks_like_ssn(one: re.Match[str]) -> bool:
    digits = re.sub(r"%20|%2D|[^\d*]", "", one[0], flags=re.IGNORECASE)
    return digits.count("*") in (0, 9)


def _looks_like_card(one: re.Match[str], *, lone_ids: bool) -> bool:
    """Luhn, a known issuer, and not the bare value of an id's key."""
    digits = re.sub(r"%20|\D", "", one[0])
    before = one.string[max(0, one.start() - 60) : one.start()]
    is_bare = one[0].isdigit() or set(one[0]) == {"*"}
    if lone_ids and is_bare and _ID_KEY.search(before) and not _CARD_KEY.search(before):
        return False
    if "*" in one[0]:
        return not digits and 13 <= one[0].count("*") <= 19
    return digits[0] in "3456" and _passes_luhn(digits) and len(set(digits)) > 1


def _passes_luhn(digits: str) -> bool:
    doubled = (
        sum(divmod(int(d) * 2, 10)) if at % 2 else int(d) for at, d in enumerate(digits[::-1])
    )
    return sum(doubled) % 10 == 0


def _mask_spans(text: str, spans: list[tuple[int, int, SensitiveKind]], *, is_json: bool) -> str:
    parts, last = [], 0
    for start, end, _ in spans:
        number = text[start:end]
        bare = is_json and number.isdigit() and _is_json_number(text, start, end)
        parts += [text[last:start], _mask_digits(number, "9" if bare else "*")]
        last = end
    return "".join([*parts, text[last:]])


def _mask_digits(number: str, sign: str) -> str:
    """A percent escape between the digits keeps its own."""
    return re.sub(r"(%20|%2D)|\d", lambda one: one[1] or sign, number, flags=re.IGNORECASE)


def _is_json_number(text: str, start: int, end: int) -> bool:
    before = text[:start].removesuffix("-").rstrip()
    return before[-1:] in (":", ",", "[") and text[end:].lstrip()[:1] in (
        ",",
        "]",
        "}",
    )
