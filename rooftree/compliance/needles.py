"""Words that a pattern cannot do without: where none of them stands, it need not be tried.

Looking for a word costs a fiftieth of trying a pattern, and of forty wording rules a message
of ours has the words of six. The words are derived from the pattern itself, so they cannot
fall behind it; a pattern from which none follows is always tried.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined]  # the one reader of patterns
from typing import Any, Self

# What `re.IGNORECASE` takes for a letter of ASCII, and `str.lower` does not.
LETTERS = str.maketrans({"\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}": "i",
                         "\N{LATIN SMALL LETTER DOTLESS I}": "i",
                         "\N{LATIN SMALL LETTER LONG S}": "s"})  # fmt: skip


def plain(text: str) -> str:
    """It is the text as `Detector.search` looks for words in it."""
    return (text if text.isascii() else text.translate(LETTERS)).lower()


type Group = frozenset[str]  # words of which one must be there


@dataclass(frozen=True, slots=True)
class Detector:
    """A pattern without regard to case, and the groups of words that whatever it matches has."""

    pattern: re.Pattern[str]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, pattern: str) -> Self:
        parsed = _parser.parse(pattern, re.IGNORECASE)
        groups = sorted(_groups(parsed), key=_shortest, reverse=True)
        return cls(re.compile(pattern, re.IGNORECASE), tuple(groups))

    def search(self, text: str, low: str) -> re.Match[str] | None:
        """As `re.Pattern.search`; `low` is the plain text, or a longer one that holds it."""
        for group in self.groups:
            if not _holds(low, group):
                return None
        return self.pattern.search(text)


def _holds(low: str, group: Group) -> bool:
    for word in group:  # noqa: SIM110 (half as long as any() with a generator)
        if word in low:
            return True
    return False


def _groups(parts: Iterable[tuple[Any, Any]]) -> list[Group]:
    found, run = [], ""
    for kind, value in (*parts, (None, None)):
        if kind is _constants.LITERAL and value < 128:
            run += chr(value).lower()
        elif kind is not _constants.AT:  # a place takes no letters: the word goes on behind it
            found += [frozenset({run}), *_within(kind, value)]
            run = ""
    return [group for group in found if all(group)]


def _within(kind: Any, value: Any) -> list[Group]:
    """Of a choice the union of what each way needs most; of other parts all that they need."""
    if kind is _constants.BRANCH:
        ways = [max(_groups(way), key=_shortest, default=frozenset({""})) for way in value[1]]
        return [frozenset().union(*ways)]
    if kind is _constants.SUBPATTERN:
        return _groups(value[3])
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and value[0]:
        return _groups(value[2])
    return []


def _shortest(group: Group) -> int:
    return min(map(len, group))
