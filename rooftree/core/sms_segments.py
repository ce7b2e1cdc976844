"""Count the segments a carrier splits a text into, which set its price (3GPP TS 23.038)."""

from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # from the extension table: two units each
SINGLE_SEGMENT_UNITS = {"GSM-7": 160, "UCS-2": 70}  # units that fit in a single-segment text
MULTI_SEGMENT_UNITS = {"GSM-7": 153, "UCS-2": 67}  # units in each segment of a longer text


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLength:
    """The length of a text, as carriers count it."""

    segments: int
    units: int  # septets, or 16-bit units
    encoding: str  # GSM-7, or UCS-2 when any character is outside GSM-7
    non_gsm_chars: str  # characters outside GSM-7, each once, in order

    @property
    def remaining_units(self) -> int:
        """Units that still fit before another segment is billed."""
        limits = SINGLE_SEGMENT_UNITS if self.segments <= 1 else MULTI_SEGMENT_UNITS
        return self.segments * limits[self.encoding] - self.units


def measure_text(text: str) -> TextLength:
    """Return the length of a text. A two-unit character is never split between segments."""
    gsm_chars = GSM_BASIC | GSM_EXTENDED
    non_gsm_chars = "".join(dict.fromkeys(char for char in text if char not in gsm_chars))
    encoding = "UCS-2" if non_gsm_chars else "GSM-7"
    if non_gsm_chars:
        widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    else:
        widths = [2 if char in GSM_EXTENDED else 1 for char in text]
    units = sum(widths)
    if units <= SINGLE_SEGMENT_UNITS[encoding]:
        return TextLength(
            segments=1 if text else 0,
            units=units,
            encoding=encoding,
            non_gsm_chars=non_gsm_chars,
        )
    segments, filled = 1, 0
    for width in widths:
        if filled + width > MULTI_SEGMENT_UNITS[encoding]:
            segments, filled = segments + 1, 0
        filled += width
    return TextLength(
        segments=segments, units=units, encoding=encoding, non_gsm_chars=non_gsm_chars
    )
