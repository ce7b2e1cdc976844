"""The filter of wording patterns misses nothing that a pattern matches."""

import re
from string import ascii_letters

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooftree.compliance.wording_rules import pattern_filter, wording_check
from rooftree.compliance.wording_rules.pattern_filter import PatternFilter, widen_pattern

EVERY_CHARACTER = "".join(map(chr, range(0xD800))) + "".join(map(chr, range(0xE000, 0x20000)))
EXAMPLES = [
    (rule["id"], text)
    for rule in wording_check.WORDING_DATA["patterns"]
    for text in rule["blocked"]
]
UNUSUAL_LETTERS = str.maketrans({"i": "ı", "I": "İ", "s": "ſ", "k": "\N{KELVIN SIGN}", " ": "\xa0"})


def can_match(pattern: str, text: str) -> bool:
    single = PatternFilter({"only": re.compile(pattern, re.IGNORECASE)})
    return bool(single.find_candidates(text))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_filter_keeps_the_rule_of_each_blocked_example(name: str, example: str) -> None:
    pattern = wording_check.PATTERNS[name]
    for text in (example, example.upper(), f"é{example}ñ", example.translate(UNUSUAL_LETTERS)):
        if pattern.search(text):
            assert name in wording_check.PATTERN_FILTER.find_candidates(text)


@pytest.mark.parametrize("name", wording_check.PATTERNS)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_filter_keeps_a_pattern_that_matches(name: str, data: st.DataObject) -> None:
    pattern = wording_check.PATTERNS[name]
    text = data.draw(st.from_regex(pattern))
    if pattern.search(text):
        assert name in wording_check.PATTERN_FILTER.find_candidates(text)


@pytest.mark.parametrize("letter", ascii_letters)
def test_filter_knows_every_letter_that_ignorecase_matches(letter: str) -> None:
    for variant in re.findall(letter, EVERY_CHARACTER, re.IGNORECASE):
        assert can_match(letter, variant)


@pytest.mark.parametrize("piece", [r"\s", r"\d", r"\w", r"[\d,]", r"x?\s"])
def test_filter_knows_every_character_of_a_class(piece: str) -> None:
    single = PatternFilter({"only": re.compile(f"^{piece}$", re.IGNORECASE)})
    characters = [each for each in EVERY_CHARACTER[:0x3100] if re.fullmatch(piece, each)]

    assert [each for each in characters if not single.find_candidates(each)] == []


@pytest.mark.parametrize(
    ("pattern", "wider"),
    [
        (r"\bfixed\b(?=.*\bARM\b)", "fixed(?:.*ARM)"),
        (r"\d\s?%(?!\s*(down|off( of)?))", r"\p{Nd}\s?%"),
        (r"(?<!save )(?<!by )\$\d", r"\$\p{Nd}"),
        (r"\(?!\w+", r"\(?![\pL\pN_]+"),
        (r"(?-i:\b[A-Z]{4,}\b)\\b", r"(?-i:[A-Z]{4,})\\b"),
    ],
)
def test_pattern_is_widened_where_re2_knows_less(pattern: str, wider: str) -> None:
    assert widen_pattern(pattern) == wider


def test_filter_rules_out_what_cannot_match() -> None:
    text = "Hi Ben, this is Carmen from Lindenfield. What time suits you for a call? Reply STOP."

    assert wording_check.PATTERN_FILTER.find_candidates(text) <= {"CT-35"}


def test_filter_without_memory_rules_out_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class ExhaustedSet:
        def Match(self, text: bytes) -> None:
            return None

    patterns = PatternFilter({"a": re.compile("a"), "b": re.compile("b")})
    monkeypatch.setattr(patterns, "_set", ExhaustedSet())

    assert patterns.find_candidates("c") == {"a", "b"}


def test_lone_surrogate_does_not_stop_the_filter() -> None:
    assert can_match("loan", "\ud83d a LOAN \U0001f3e1")


def test_look_around_that_is_not_understood_is_refused() -> None:
    with pytest.raises(pattern_filter.re2.error):
        PatternFilter({"deep": re.compile("a(?!(((b))))")})
