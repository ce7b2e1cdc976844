"""Literal words that a pattern needs to match, so that most patterns needn't be tried.

A typical message has the words of two of forty wording rules, and finding the words of all rules
costs less than trying one pattern. The words are derived from the patterns, so they can't become
stale. A pattern without literal words is always tried.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined]  # re's own parser
from typing import Any, Self

from ahocorasick_rs import AhoCorasick

# Characters that `re.IGNORECASE` matches with an ASCII letter and `str.lower` doesn't.
ASCII_FOLDS = {
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}": "i",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER LONG S}": "s",
}
# Tokens for splitting at top-level `|`: escapes, character classes, groups, alternation.
PATTERN_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)


type WordGroup = frozenset[str]  # at least one of these words must be in the text
type PatternPart = tuple[Any, Any]  # opcode and argument, from re's parser

EMPTY_WORD: WordGroup = frozenset({""})
MAX_GROUP_WORDS = 64  # words in a group that is combined from parts


@dataclass(frozen=True, slots=True)
class PatternAlternative:
    """One case-insensitive alternative of a pattern, with the word groups that every match has."""

    pattern: re.Pattern[str]
    groups: tuple[WordGroup, ...]

    @classmethod
    def from_pattern(cls, pattern: str) -> Self:
        """Compile a pattern and derive its word groups."""
        groups = _required_groups(_parser.parse(pattern, re.IGNORECASE))
        return cls(re.compile(pattern, re.IGNORECASE), tuple(groups))

    def can_match(self, words: frozenset[str]) -> bool:
        """Return whether `words` has a word of each group."""
        for group in self.groups:  # noqa: SIM110 (half as long as all() with a generator)
            if words.isdisjoint(group):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Detector:
    """A pattern split into alternatives, each with its own word groups."""

    alternatives: tuple[PatternAlternative, ...]

    @classmethod
    def from_pattern(cls, pattern: str) -> Self:
        """Split a pattern at its top-level alternation."""
        return cls(tuple(map(PatternAlternative.from_pattern, _split_alternatives(pattern))))

    def search(self, text: str, words: frozenset[str]) -> re.Match[str] | None:
        """Return the first match, as `re.Pattern.search` does.

        `words` are the words of the text from a `Vocabulary` that includes this detector.
        """
        first = None
        for alternative in self.alternatives:
            match = alternative.pattern.search(text) if alternative.can_match(words) else None
            if match is not None and (first is None or match.start() < first.start()):
                first = match
        return first


class Vocabulary:
    """The words of many patterns, all found in one pass over a text."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        groups = (
            group
            for detector in detectors
            for alternative in detector.alternatives
            for group in alternative.groups
        )
        self._matcher = AhoCorasick(sorted(frozenset().union(*groups)), store_patterns=True)

    def words_in(self, text: str) -> frozenset[str]:
        """Return the words that the text contains, ignoring case."""
        return frozenset(
            self._matcher.find_matches_as_strings(fold_letters(text), overlapping=True)
        )


def fold_letters(text: str) -> str:
    """Fold a text to lower case, including the letters that only `re.IGNORECASE` folds."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()  # drops lone surrogates
        for unusual, letter in ASCII_FOLDS.items():
            text = text.replace(unusual, letter)
    return text.lower()


def _split_alternatives(pattern: str) -> list[str]:
    depth, start, alternatives = 0, 0, []
    for token in PATTERN_TOKEN.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if token[0] == "|" and not depth:
            alternatives.append(pattern[start : token.start()])
            start = token.end()
    return [*alternatives, pattern[start:]]


def _required_groups(parts: Iterable[PatternPart]) -> list[WordGroup]:
    """Return the word groups of each literal run, and of the parts between the runs."""
    groups, run = [], EMPTY_WORD
    for part in parts:
        words = _literal_words(part)
        if words is None:
            groups += [run, *_nested_groups(*part)]
            run = EMPTY_WORD
        elif len(run) * len(words) > MAX_GROUP_WORDS:
            groups.append(run)
            run = words
        else:
            run = _concatenate_words(run, words)
    return [group for group in (*groups, run) if all(group)]


def _literal_words(part: PatternPart) -> WordGroup | None:
    """Return all words that a part can match, or None when they are too many or not literal."""
    kind, value = part
    if kind is _constants.LITERAL:
        return frozenset({chr(value).lower()}) if value < 128 else None
    if kind is _constants.AT:  # a position matches no letters
        return EMPTY_WORD
    if kind is _constants.SUBPATTERN:
        return _sequence_words(value[3])
    if kind is _constants.BRANCH:
        branches = [_sequence_words(branch) for branch in value[1]]
        return None if None in branches else frozenset().union(*branches)  # type: ignore[arg-type]
    if kind is _constants.MAX_REPEAT and value[:2] == (0, 1):
        words = _sequence_words(value[2])
        return None if words is None else words | EMPTY_WORD
    return None


def _sequence_words(parts: Iterable[PatternPart]) -> WordGroup | None:
    run = EMPTY_WORD
    for part in parts:
        words = _literal_words(part)
        if words is None or len(run) * len(words) > MAX_GROUP_WORDS:
            return None
        run = _concatenate_words(run, words)
    return run


def _concatenate_words(starts: WordGroup, ends: WordGroup) -> WordGroup:
    return frozenset(start + end for start in starts for end in ends)


def _nested_groups(kind: Any, value: Any) -> list[WordGroup]:
    """Return the word groups inside a part.

    For an alternation: the union of each branch's most selective group.
    """
    if kind is _constants.BRANCH:
        groups = [
            max(
                _required_groups(branch),
                key=lambda group: min(map(len, group)),
                default=EMPTY_WORD,
            )
            for branch in value[1]
        ]
        return [frozenset().union(*groups)]
    if kind is _constants.SUBPATTERN:
        return _required_groups(value[3])
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and value[0]:
        return _required_groups(value[2])
    return []
