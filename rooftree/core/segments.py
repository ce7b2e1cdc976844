"""How many segments a carrier makes of a text, and so what it costs (3GPP TS 23.038)."""

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
DOUBLE = frozenset("\f^{}\\[~]|€")  # of the extension table: two units each
ALONE = {"GSM-7": 160, "UCS-2": 70}  # units of a text that is one segment
JOINED = {"GSM-7": 153, "UCS-2": 67}  # of each segment when there are several


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A text as carriers count it."""

    segments: int
    units: int  # septets, or 16-bit units
    encoding: str  # GSM-7, or UCS-2 where one letter is not in that
    odd: str  # the letters that are not, each once, in order

    @property
    def room(self) -> int:
        """Units that still fit before another segment is paid."""
        return self.segments * self._each - self.units

    @property
    def _each(self) -> int:
        return (ALONE if self.segments <= 1 else JOINED)[self.encoding]


def length(text: str) -> Length:
    """It is what a text comes to. A letter of two units is never torn between segments."""
    odd = "".join(dict.fromkeys(one for one in text if one not in BASIC | DOUBLE))
    encoding = "UCS-2" if odd else "GSM-7"
    widths = [_width(one, encoding) for one in text]
    units = sum(widths)
    if units <= ALONE[encoding]:
        return Length(segments=1 if text else 0, units=units, encoding=encoding, odd=odd)
    segments, filled = 1, 0
    for width in widths:
        if filled + width > JOINED[encoding]:
            segments, filled = segments + 1, 0
        filled += width
    return Length(segments=segments, units=units, encoding=encoding, odd=odd)


def _width(letter: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if letter in DOUBLE else 1
    return 2 if ord(letter) > 0xFFFF else 1
