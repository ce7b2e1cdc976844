"""Texts as carriers count and bill them (3GPP TS 23.038)."""

import pytest

from rooftree.core.sms_segments import measure_text


@pytest.mark.parametrize(
    ("text", "segments", "units", "encoding"),
    [
        ("", 0, 0, "GSM-7"),
        ("a" * 160, 1, 160, "GSM-7"),
        ("a" * 161, 2, 161, "GSM-7"),
        ("a" * 306, 2, 306, "GSM-7"),
        ("a" * 307, 3, 307, "GSM-7"),
        ("é" * 160, 1, 160, "GSM-7"),
        ("á" * 70, 1, 70, "UCS-2"),  # of the Spanish characters, GSM-7 has only é, ñ, ü, ¿ and ¡
        ("á" * 71, 2, 71, "UCS-2"),
        ("ñ¿¡ü" * 40, 1, 160, "GSM-7"),
        ("€" * 80, 1, 160, "GSM-7"),  # two units each
        ("a" + "€" * 80, 2, 161, "GSM-7"),
        (
            "a" * 152 + "€" + "a" * 8,
            2,
            162,
            "GSM-7",
        ),  # not split: the second segment begins with it
        ("😀" * 35, 1, 70, "UCS-2"),
        ("😀" * 36, 2, 72, "UCS-2"),
        ("😀" * 67, 3, 134, "UCS-2"),  # 33 in each of two, one more
    ],
)
def test_text_is_measured_as_carriers_bill_it(text, segments, units, encoding):
    length = measure_text(text)

    assert (length.segments, length.units, length.encoding) == (segments, units, encoding)


def test_characters_that_force_ucs2_are_listed_once():
    assert measure_text("It’s á “test” á").non_gsm_chars == "’á“”"


@pytest.mark.parametrize(("size", "room"), [(150, 10), (160, 0), (161, 145), (0, 0)])
def test_remaining_units_before_the_next_segment(size, room):
    assert measure_text("a" * size).remaining_units == room
