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
LETTERS = {
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}": "i",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER LONG S}": "s",
}
# What matters where ways part: an escaped letter, a class of letters, groups and choices.
PART = re.compile(r"\\.|\[\^?(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)


type Group = frozenset[str]  # words of which one must be there
type Part = tuple[Any, Any]  # of a pattern, as its reader gives it: what it is, and of what

NOTHING: Group = frozenset({""})
FEW = 64  # words in a group that is put together of parts


@dataclass(frozen=True, slots=True)
class Way:
    """A pattern without regard to case, and the groups of words that whatever it matches has."""

    pattern: re.Pattern[str]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, pattern: str) -> Self:
        groups = _groups(_parser.parse(pattern, re.IGNORECASE))
        return cls(re.compile(pattern, re.IGNORECASE), tuple(groups))

    def may_match(self, words: frozenset[str]) -> bool:
        """Of each group there is a word."""
        for group in self.groups:  # noqa: SIM110 (half as long as all() with a generator)
            if words.isdisjoint(group):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Detector:
    """A pattern as the ways it can match, of which each has words of its own."""

    ways: tuple[Way, ...]

    @classmethod
    def of(cls, pattern: str) -> Self:
        return cls(tuple(map(Way.of, _ways(pattern))))

    def search(self, text: str, words: frozenset[str]) -> re.Match[str] | None:
        """As `re.Pattern.search`; `words` are those of a vocabulary that the text holds."""
        first = None
        for way in self.ways:
            found = way.pattern.search(text) if way.may_match(words) else None
            if found is not None and (first is None or found.start() < first.start()):
                first = found
        return first


class Vocabulary:
    """The words of many patterns, all looked for in one pass over a text."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        groups = (group for one in detectors for way in one.ways for group in way.groups)
        self._words = AhoCorasick(sorted(frozenset().union(*groups)), store_patterns=True)

    def held(self, text: str) -> frozenset[str]:
        """They are the words that the text holds, in whatever case."""
        return frozenset(self._words.find_matches_as_strings(plain(text), overlapping=True))


def plain(text: str) -> str:
    """It is the text in letters that words can be looked for in, whatever their case."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()  # half a letter is none
        for unusual, letter in LETTERS.items():
            text = text.replace(unusual, letter)
    return text.lower()


def _ways(pattern: str) -> list[str]:
    depth, begins, ways = 0, 0, []
    for part in PART.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if part[0] == "|" and not depth:
            ways.append(pattern[begins : part.start()])
            begins = part.end()
    return [*ways, pattern[begins:]]


def _groups(parts: Iterable[Part]) -> list[Group]:
    """They are the words of what can be spelled out in a row, and of the parts between."""
    found, run = [], NOTHING
    for part in parts:
        said = _spelled(part)
        if said is None:
            found += [run, *_within(*part)]
            run = NOTHING
        elif len(run) * len(said) > FEW:
            found.append(run)
            run = said
        else:
            run = _joined(run, said)
    return [group for group in (*found, run) if all(group)]


def _spelled(part: Part) -> Group | None:
    """They are all words that the part can stand for, where those are few."""
    kind, value = part
    if kind is _constants.LITERAL:
        return frozenset({chr(value).lower()}) if value < 128 else None
    if kind is _constants.AT:  # a place takes no letters
        return NOTHING
    if kind is _constants.SUBPATTERN:
        return _row(value[3])
    if kind is _constants.BRANCH:
        ways = [_row(way) for way in value[1]]
        return None if None in ways else frozenset().union(*ways)  # type: ignore[arg-type]
    if kind is _constants.MAX_REPEAT and value[:2] == (0, 1):
        said = _row(value[2])
        return None if said is None else said | NOTHING
    return None


def _row(parts: Iterable[Part]) -> Group | None:
    run = NOTHING
    for part in parts:
        said = _spelled(part)
        if said is None or len(run) * len(said) > FEW:
            return None
        run = _joined(run, said)
    return run


def _joined(run: Group, said: Group) -> Group:
    return frozenset(first + last for first in run for last in said)


def _within(kind: Any, value: Any) -> list[Group]:
    """Of a choice the union of what each way needs most; of other parts all that they need."""
    if kind is _constants.BRANCH:
        ways = [max(_groups(way), key=_shortest, default=NOTHING) for way in value[1]]
        return [frozenset().union(*ways)]
    if kind is _constants.SUBPATTERN:
        return _groups(value[3])
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and value[0]:
        return _groups(value[2])
    return []


def _shortest(group: Group) -> int:
    return min(map(len, group))
