"""Patterns whose work grows faster than the text that they read.

Every regular expression of the product is run, as the code runs it, on texts that nearly match it.
The processor time for n and 8n characters is compared: linear work takes 8 times as long, and
quadratic work 64 times. A run that takes `STOP_SECONDS` for some thousand characters is stopped.
"""

import re
import signal
import time
from collections.abc import Callable

from tests.attacks.compiled_patterns import compiled_patterns, hostile_texts

SIZE = 2_000  # characters of the smaller text
LARGER = 8  # times as many characters in the larger text
MAX_GROWTH = 24  # times as much processor time for the larger text
CLOCK_SECONDS = 0.002  # the clock of a busy machine cannot tell shorter runs apart
STOP_SECONDS = 0.4

CAPPED = {  # pattern: why its text is short
    "rooftree.capture.parsing.ad_form_answers._FIELD_BY_PATTERN":
        "guess_question_field reads 200 characters of a question",
}  # fmt: skip


class TooSlow(BaseException):
    """A run took more processor time than it may."""


def test_every_pattern_works_in_linear_time():
    growing = {}
    for compiled in compiled_patterns():
        if compiled.name not in CAPPED and (text := growing_text(compiled.pattern, compiled.run)):
            growing[compiled.name] = text

    assert growing == {}, "\n".join(f"{name}: {text!r}" for name, text in growing.items())


def test_pattern_that_grows_is_found():
    is_growing = {
        source: growing_text(re.compile(source), re.compile(source).findall) is not None
        for source in (r"(a+)+b", r"\w+\.", r"\s*$", r"\d{3}-\d{4}")
    }

    assert list(is_growing.values()) == [True, True, True, False]


def growing_text(pattern: re.Pattern, run: Callable) -> str | bytes | None:
    """Return the beginning of a text on which the pattern's work grows; None if there is none."""
    texts = zip(hostile_texts(pattern, SIZE), hostile_texts(pattern, SIZE * LARGER), strict=True)
    for small, large in texts:
        if run_seconds(run, large) < MAX_GROWTH * CLOCK_SECONDS:
            continue
        before = max(CLOCK_SECONDS, *(run_seconds(run, small) for _ in range(3)))
        after = min(run_seconds(run, large) for _ in range(2))
        if after >= min(STOP_SECONDS, MAX_GROWTH * before):
            return small[:60]
    return None


def run_seconds(run: Callable, text: str | bytes) -> float:
    """Return the processor time of one run, which is stopped after `STOP_SECONDS`."""

    def stop(*_: object) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGVTALRM, stop)
    before = time.thread_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, STOP_SECONDS)
        run(text)
    except TooSlow:
        return STOP_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
    return time.thread_time() - before
