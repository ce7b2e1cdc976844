"""Words that a pattern cannot do without: where none of them stands, it need not be tried.

Of forty wording rules a message of ours has the words of two, and to look for the words of all
costs less than to try one. The words are derived from the patterns themselves, so they cannot
fall behind them; a pattern from which none follows is always tried.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined]  # the one reader of patterns
from typing import Any, Self

from ahocorasick_rs import AhoCorasick

# What `re.IGNORECASE` takes for a letter of ASCII, and `str.lower` does not.
ASCII_FOLDS = {
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}": "i",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER LONG S}": "s",
}
# What matters where ways part: an escaped letter, a class of letters, groups and choices.
PATTERN_TOKEN = re.compile(r"\\.|\[\^?(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)


type WordGroup = frozenset[str]  # words of which one must be there
type PatternPart = tuple[Any, Any]  # of a pattern, as its reader gives it: what it is, and of what

EMPTY_WORD: WordGroup = frozenset({""})
MAX_GROUP_WORDS = 64  # words in a group that is put together of parts


@dataclass(frozen=True, slots=True)
class PatternAlternative:
    """A pattern without regard to case, and the groups of words that whatever it matches has."""

    pattern: re.Pattern[str]
    groups: tuple[WordGroup, ...]

    @classmethod
    def from_pattern(cls, pattern: str) -> Self:
        groups = _required_groups(_parser.parse(pattern, re.IGNORECASE))
        return cls(re.compile(pattern, re.IGNORECASE), tuple(groups))

    def can_match(self, words: frozenset[str]) -> bool:
        """Of each group there is a word."""
        for group in self.groups:  # noqa: SIM110 (half as long as all() with a generator)
            if words.isdisjoint(group):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Detector:
    """A pattern as the ways it can match, of which each has words of its own."""

    ways: tuple[PatternAlternative, ...]

    @classmethod
    def from_pattern(cls, pattern: str) -> Self:
        return cls(tuple(map(PatternAlternative.from_pattern, _split_alternatives(pattern))))

    def search(self, text: str, words: frozenset[str]) -> re.Match[str] | None:
        """As `re.Pattern.search`; `words` are those of a vocabulary that the text holds."""
        first = None
        for way in self.ways:
            found = way.pattern.search(text) if way.can_match(words) else None
            if found is not None and (first is None or found.start() < first.start()):
                first = found
        return first


class Vocabulary:
    """The words of many patterns, all looked for in one pass over a text."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        groups = (group for detector in detectors for way in detector.ways for group in way.groups)
        self._describe_verdict = AhoCorasick(
            sorted(frozenset().union(*groups)), store_patterns=True
        )

    def words_in(self, text: str) -> frozenset[str]:
        """They are the words that the text holds, in whatever case."""
        return frozenset(
            self._describe_verdict.find_matches_as_strings(fold_letters(text), overlapping=True)
        )


def fold_letters(text: str) -> str:
    """It is the text in letters that words can be looked for in, whatever their case."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()  # half a letter is none
        for unusual, letter in ASCII_FOLDS.items():
            text = text.replace(unusual, letter)
    return text.lower()


def _split_alternatives(pattern: str) -> list[str]:
    depth, begins, ways = 0, 0, []
    for part in PATTERN_TOKEN.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if part[0] == "|" and not depth:
            ways.append(pattern[begins : part.start()])
            begins = part.end()
    return [*ways, pattern[begins:]]


def _required_groups(parts: Iterable[PatternPart]) -> list[WordGroup]:
    """They are the words of what can be spelled out in a row, and of the parts between."""
    found, run = [], EMPTY_WORD
    for part in parts:
        said = _literal_words(part)
        if said is None:
            found += [run, *_nested_groups(*part)]
            run = EMPTY_WORD
        elif len(run) * len(said) > MAX_GROUP_WORDS:
            found.append(run)
            run = said
        else:
            run = _concatenate_words(run, said)
    return [group for group in (*found, run) if all(group)]


def _literal_words(part: PatternPart) -> WordGroup | None:
    """They are all words that the part can stand for, where those are few."""
    kind, value = part
    if kind is _constants.LITERAL:
        return frozenset({chr(value).lower()}) if value < 128 else None
    if kind is _constants.AT:  # a place takes no letters
        return EMPTY_WORD
    if kind is _constants.SUBPATTERN:
        return _sequence_words(value[3])
    if kind is _constants.BRANCH:
        ways = [_sequence_words(way) for way in value[1]]
        return None if None in ways else frozenset().union(*ways)  # type: ignore[arg-type]
    if kind is _constants.MAX_REPEAT and value[:2] == (0, 1):
        said = _sequence_words(value[2])
        return None if said is None else said | EMPTY_WORD
    return None


def _sequence_words(parts: Iterable[PatternPart]) -> WordGroup | None:
    run = EMPTY_WORD
    for part in parts:
        said = _literal_words(part)
        if said is None or len(run) * len(said) > MAX_GROUP_WORDS:
            return None
        run = _concatenate_words(run, said)
    return run


def _concatenate_words(run: WordGroup, said: WordGroup) -> WordGroup:
    return frozenset(first + last for first in run for last in said)


def _nested_groups(kind: Any, value: Any) -> list[WordGroup]:
    """Of a choice the union of what each way needs most; of other parts all that they need."""
    if kind is _constants.BRANCH:
        ways = [
            max(_required_groups(way), key=_shortest_length, default=EMPTY_WORD) for way in value[1]
        ]
        return [frozenset().union(*ways)]
    if kind is _constants.SUBPATTERN:
        return _required_groups(value[3])
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and value[0]:
        return _required_groups(value[2])
    return []


def _shortest_length(group: WordGroup) -> int:
    return min(map(len, group))
