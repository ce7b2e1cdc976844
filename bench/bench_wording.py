"""Wording patterns: time per new message with the filter, against searching for every pattern.

The messages are the default templates with made-up words in the place of each merge field. Text
made of the rules' own trigger words is the worst case; its time per character must not grow.
"""

import random
import re
import sys
import time
from collections.abc import Callable, Sequence

from measurements import parse_options, report_results
from temp_installation import ROOT

SIZES = {
    "messages": (2_000, "messages, each a new text"),
    "characters": (100_000, "characters of the worst text"),
}
LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
LETTERS = "abcdefghijklmnopqrstuvwxyzáéíóúñ"


def main() -> None:
    """Search new messages and the worst text for all patterns, both ways."""
    options = parse_options(__doc__, **SIZES)
    sys.path.insert(0, str(ROOT))
    source = random.Random(1)  # noqa: S311 (sample texts)
    messages = _make_messages(source, options.messages)
    worst = _make_worst_text(source, options.characters)

    from rooftree.compliance.wording_rules import wording_check

    patterns = wording_check.PATTERNS

    def search_all(text: str) -> set[str]:
        return {name for name, pattern in patterns.items() if pattern.search(text)}

    def search_candidates(text: str) -> set[str]:
        candidates = wording_check.PATTERN_FILTER.find_candidates(text)
        return {name for name in candidates if patterns[name].search(text)}

    for message in messages[:200]:
        if search_all(message) != search_candidates(message):
            raise RuntimeError(f"The filter changed the result for {message!r}.")
    floor = _seconds_per_text(search_all, messages)
    seconds = _seconds_per_text(search_candidates, messages)
    find = wording_check.PATTERN_FILTER.find_candidates
    part = worst[: len(worst) // 10]
    report_results(
        options,
        "wording",
        us_a_message=round(seconds * 1e6),
        floor_us_a_message=round(floor * 1e6),
        ratio_to_floor=round(seconds / floor, 3),
        worst_us_a_character=round(_seconds_per_text(find, [worst]) / len(worst) * 1e6, 2),
        worst_tenth_us_a_character=round(_seconds_per_text(find, [part]) / len(part) * 1e6, 2),
    )


def _seconds_per_text(search: Callable[[str], object], texts: Sequence[str]) -> float:
    began = time.process_time()
    for text in texts:
        search(text)
    return (time.process_time() - began) / len(texts)


def _make_messages(source: random.Random, count: int) -> list[str]:
    """Return different messages: the default templates with made-up words."""
    from rooftree.outreach.wording.default_templates import DEFAULT_TEMPLATES

    def made_up_word(_: re.Match[str]) -> str:
        return "".join(source.choices(LETTERS, k=source.randint(3, 9))).title()

    bodies = [template.body for template in DEFAULT_TEMPLATES]
    return [LIQUID.sub(made_up_word, source.choice(bodies)) for _ in range(count)]


def _make_worst_text(source: random.Random, length: int) -> str:
    """Return text of the words that the rules' examples of blocked wording have."""
    from rooftree.compliance.wording_rules.wording_check import WORDING_DATA

    words = sorted(
        {
            word
            for pattern in WORDING_DATA["patterns"]
            for text in pattern["blocked"]
            for word in text.split()
        }
    )
    return " ".join(source.choices(words, k=length))[:length]


if __name__ == "__main__":
    main()
