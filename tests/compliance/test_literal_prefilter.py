"""Patterns are tried only where their literal words occur, and miss nothing."""

import re
from string import ascii_letters

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.compliance.gate import carrier_rules
from rooftree.compliance.wording_rules import wording_check
from rooftree.compliance.wording_rules.literal_prefilter import Detector, Vocabulary, fold_letters

HANDFULS = [HealthCheck.filter_too_much, HealthCheck.too_slow]  # rules that ask for much
DETECTORS = {
    **{variant.id: variant.detect for variant in wording_check.WORDING_RULES},
    "criterion": wording_check.CRITERION_DETECTOR,
    "declined": wording_check.DENIAL_DETECTOR,
    "shortener": carrier_rules.SHORTENER_DETECTOR,
}


ALL = Vocabulary(DETECTORS.values())


@pytest.mark.parametrize("name", DETECTORS)
def test_detector_finds_the_same_first_match_as_its_pattern(name: str) -> None:
    detector = DETECTORS[name]
    pattern = re.compile(
        "|".join(way.pattern.pattern for way in detector.alternatives), re.IGNORECASE
    )

    @settings(max_examples=20, deadline=None, suppress_health_check=HANDFULS)
    @given(st.lists(st.from_regex(pattern), min_size=1, max_size=2).map("".join))
    def finds(text: str) -> None:
        for variant in (text, text[1:], text.upper()):
            expected, match = (
                pattern.search(variant),
                detector.search(variant, ALL.words_in(variant)),
            )
            assert (match and match.span()) == (expected and expected.span())

    finds()


def test_text_without_the_words_is_not_searched() -> None:
    detector = Detector.from_pattern(r"\b(skip|miss)\b.{0,15}\bpayments?\b")
    text = "Skip two payments"
    assert detector.search(text, Vocabulary([detector]).words_in(text))
    assert detector.search(text, frozenset({"skip"})) is None


def test_first_match_of_several_alternatives_is_returned() -> None:
    detector = Detector.from_pattern(r"\bloan[a-z]*|[|]|\ba \w+|\bfixed")
    for text in ("A fixed loan", "fixed | a loan", "A loan", "loans | a"):
        expected = re.search(r"\bloan[a-z]*|[|]|\ba \w+|\bfixed", text, re.IGNORECASE)
        match = detector.search(text, Vocabulary([detector]).words_in(text))
        assert (match[0], match.start()) == (expected[0], expected.start())


def test_lone_surrogate_is_ignored() -> None:
    assert Vocabulary([Detector.from_pattern("loan")]).words_in("\ud83d a LOAN \U0001f3e1") == {
        "loan"
    }


def test_folding_covers_every_letter_that_ignorecase_matches() -> None:
    every = "".join(map(chr, range(0x110000)))
    for letter in ascii_letters:
        alike = re.findall(letter, every, re.IGNORECASE)
        assert {fold_letters(variant) for variant in alike} == {letter.lower()}


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        (r"a+b?", [[{"a"}]]),
        (r"\bcash\b out", [[{"cash out"}]]),
        (r"(red|blue|)x", [[{"redx", "bluex", "x"}]]),
        (r"(red|blue) ?house", [[{"redhouse", "red house", "bluehouse", "blue house"}]]),
        (r"ye(ar|es)\d{2}s?loan", [[{"year", "yees"}, {"loan", "sloan"}]]),
        (r"(?!never)(?=soon)\d*é", [[]]),
        (r"one|(two|2)\|[|)]x", [[{"one"}], [{"two|", "2|"}, {"x"}]]),
        (r"([a-z]no|yes) sir", [[{"no", "yes"}, {" sir"}]]),
        (r"a|(one|two|six){2}", [[{"a"}], [{"one", "two", "six"}]]),
    ],
)
def test_required_words_are_in_every_match(pattern: str, ways: list[list[set[str]]]) -> None:
    assert [
        [set(group) for group in way.groups] for way in Detector.from_pattern(pattern).alternatives
    ] == ways


def test_group_with_too_many_words_is_split() -> None:
    (way,) = Detector.from_pattern(r"(one|two|six|ten)" * 4).alternatives
    assert [len(group) for group in way.groups] == [64, 4]
