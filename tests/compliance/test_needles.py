"""A pattern is tried only where its own words stand, and never misses what it would have found."""

import re
from string import ascii_letters

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.compliance import carrier_rules, lint
from rooftree.compliance.needles import Detector, plain

HANDFULS = [HealthCheck.filter_too_much, HealthCheck.too_slow]  # rules that ask for much
DETECTORS = {
    **{one.id: one.detect for one in lint.PATTERNS},
    "criterion": lint.CRITERION,
    "declined": lint.DECLINED,
    "shortener": carrier_rules.SHORTENER,
}


@pytest.mark.parametrize("name", DETECTORS)
def test_whatever_a_rule_matches_has_its_words(name: str) -> None:
    detector = DETECTORS[name]

    @settings(max_examples=20, deadline=None, suppress_health_check=HANDFULS)
    @given(st.from_regex(detector.pattern))
    def finds(text: str) -> None:
        found = detector.search(text, plain(text))
        assert found is not None
        assert found[0] == detector.pattern.search(text)[0]

    finds()


def test_a_text_without_the_words_is_not_searched() -> None:
    detector = Detector.of(r"\b(skip|miss)\b.{0,15}\bpayments?\b")
    text = "Skip two payments"
    assert detector.search(text, plain(text))
    assert detector.search(text, "") is None


def test_whatever_passes_for_a_letter_is_that_letter_when_words_are_looked_for() -> None:
    every = "".join(map(chr, range(0x110000)))
    for letter in ascii_letters:
        alike = re.findall(letter, every, re.IGNORECASE)
        assert {plain(one) for one in alike} == {letter.lower()}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"a+b?", [{"a"}]),
        (r"\bcash\b out", [{"cash out"}]),
        (r"(red|blue|)x", [{"x"}]),
        (r"(red|blue) ?house", [{"house"}, {"red", "blue"}]),
        (r"(?!never)(?=soon)\d*é", []),
    ],
)
def test_only_what_every_match_has_is_asked_for(pattern: str, words: list[set[str]]) -> None:
    assert [set(group) for group in Detector.of(pattern).groups] == words
