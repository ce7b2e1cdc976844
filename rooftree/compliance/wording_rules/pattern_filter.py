"""Tell in one pass which wording patterns a text can match, so that the others are not searched.

RE2 looks for all patterns at once, in time linear in the text. Its answer can include patterns
that don't match, and never omits one that does: each pattern is widened where RE2 knows less than
`re`. The match itself is found by `re`.
"""

import re
from collections.abc import Mapping

import re2

# What RE2 reads in the place of a piece of a pattern. It has no look-around, and its \b, \d and \w
# know ASCII only.
WIDER_PIECES = {r"\b": "", r"\d": r"\p{Nd}", r"\w": r"[\pL\pN_]", "(?=": "(?:"}
PIECE = re.compile(
    r"\\.|\(\?="
    # A negative look-ahead or any look-behind, with at most two levels of groups in it.
    r"|\(\?(?:!|<[=!])(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)",
    re.DOTALL,
)
# Characters that `re` treats as a space, or as an ASCII letter of another case, and RE2 doesn't.
TEXT_FOLDS = {
    **{code: " " for code in range(0x3001) if chr(code).isspace() and chr(code) not in " \n"},
    **{ord(letter): "i" for letter in "\u0130\u0131"},  # I with a dot above, i without a dot
}
ALWAYS_MATCHES = ""


class PatternFilter:
    """Several named patterns that ignore case, compiled into one."""

    def __init__(self, patterns: Mapping[str, re.Pattern[str]]) -> None:
        options = re2.Options()
        options.case_sensitive = False
        self._names = tuple(patterns)
        self._set = re2.Set.SearchSet(options)
        self._set.Add(ALWAYS_MATCHES)
        for pattern in patterns.values():
            self._set.Add(widen_pattern(pattern.pattern))
        self._set.Compile()

    def find_candidates(self, text: str) -> frozenset[str]:
        """Return the names of the patterns that the text can match."""
        indexes = self._set.Match(text.translate(TEXT_FOLDS).encode(errors="replace"))
        if not indexes:  # RE2 ran out of memory: the first pattern matches every text
            return frozenset(self._names)
        return frozenset(self._names[index - 1] for index in indexes if index)


def widen_pattern(pattern: str) -> str:
    """Return a pattern for RE2 that matches wherever `pattern` does, and perhaps elsewhere.

    A look-ahead becomes a part of the match, so it must end its alternative.
    """

    def widen_piece(match: re.Match[str]) -> str:
        piece = match[0]
        return WIDER_PIECES.get(piece, piece if piece.startswith("\\") else "")

    return PIECE.sub(widen_piece, pattern)
