"""How many segments a carrier makes of a text, and so what it costs (3GPP TS 23.038)."""

from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # of the extension table: two units each
SINGLE_SEGMENT_UNITS = {"GSM-7": 160, "UCS-2": 70}  # units of a text that is one segment
MULTI_SEGMENT_UNITS = {"GSM-7": 153, "UCS-2": 67}  # of each segment when there are several


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLength:
    """A text as carriers count it."""

    segments: int
    units: int  # septets, or 16-bit units
    encoding: str  # GSM-7, or UCS-2 where one letter is not in that
    non_gsm_chars: str  # the letters that are not, each once, in order

    @property
    def remaining_units(self) -> int:
        """Units that still fit before another segment is paid."""
        return self.segments * self._units_per_segment - self.units

    @property
    def _units_per_segment(self) -> int:
        return (SINGLE_SEGMENT_UNITS if self.segments <= 1 else MULTI_SEGMENT_UNITS)[self.encoding]


def measure_text(text: str) -> TextLength:
    """It is what a text comes to. A letter of two units is never torn between segments."""
    odd = "".join(dict.fromkeys(one for one in text if one not in GSM_BASIC | GSM_EXTENDED))
    encoding = "UCS-2" if odd else "GSM-7"
    widths = [_char_units(one, encoding) for one in text]
    units = sum(widths)
    if units <= SINGLE_SEGMENT_UNITS[encoding]:
        return TextLength(
            segments=1 if text else 0, units=units, encoding=encoding, non_gsm_chars=odd
        )
    segments, filled = 1, 0
    for width in widths:
        if filled + width > MULTI_SEGMENT_UNITS[encoding]:
            segments, filled = segments + 1, 0
        filled += width
    return TextLength(segments=segments, units=units, encoding=encoding, non_gsm_chars=odd)


def _char_units(letter: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if letter in GSM_EXTENDED else 1
    return 2 if ord(letter) > 0xFFFF else 1
