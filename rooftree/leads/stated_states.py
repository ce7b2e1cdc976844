"""Finds the state that a borrower names in a message, for staff to confirm; never filled in."""

import re
from dataclasses import dataclass

from rooftree.core.us_states import STATES

AMBIGUOUS = frozenset({"OK", "HI", "ME", "IN", "OR", "OH"})  # words in capitals, too
MAX_QUOTE = 60
MAX_READ = 1_000  # characters of a message; bounds the work on a hostile one
_CODES = "|".join(STATES)
# The longest name first, so that West Virginia isn't read as Virginia.
_NAMES = {name.lower(): code for code, name in STATES.items()}
_NAME = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_AFTER_CITY = re.compile(
    rf"(?P<where>\b(?:in|near|at|from)\s+)?(?<![A-Za-z.'’-])"
    rf"[A-Z][A-Za-z.'’-]{{1,40}}(?: [A-Z][A-Za-z.'’-]{{1,40}}){{0,5}},\s{{0,9}}"
    rf"(?P<code>{_CODES})(?=\s*(?P<zip>\d{{5}})|\s*[.,;!?)]|\s*$)",
    re.MULTILINE,
)
_WHOLE = re.compile(rf"\W*({_CODES})\W*")
_QUOTED_MAIL = re.compile(r"^\s*(?:>.*|On .+ wrote:[\s\S]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedState:
    """A state that the borrower named, with their words."""

    code: str
    quote: str


def find_stated_states(text: str) -> list[StatedState]:
    """Find the states in a borrower's message: full names, `Austin, TX`, or a code alone.

    A code within running text is a word, as in "ok" or "call me": it is no state.
    """
    words = _QUOTED_MAIL.sub("", text[:MAX_READ]).strip()
    if (whole := _WHOLE.fullmatch(words)) and whole[1] not in AMBIGUOUS:
        return [StatedState(code=whole[1], quote=words[:MAX_QUOTE])]
    found = {
        _NAMES[match[1].lower()]: _quote(words, match.start()) for match in _NAME.finditer(words)
    }
    for match in _AFTER_CITY.finditer(words):
        if match["code"] not in AMBIGUOUS or match["where"] or match["zip"]:
            found.setdefault(match["code"], _quote(words, match.start("code")))
    return [StatedState(code=code, quote=quote) for code, quote in found.items()]


def _quote(text: str, at: int) -> str:
    """Return the sentence around a position, on one line."""
    start = max((text.rfind(mark, 0, at) for mark in ("\n", "! ", "? ")), default=-1) + 1
    line = text[start:].split("\n", 1)[0].strip()
    return line if len(line) <= MAX_QUOTE else f"{line[: MAX_QUOTE - 1]}…"
