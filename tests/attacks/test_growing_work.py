"""Work that grows faster than its input: one message must not hold the server.

Each function runs on an input of n and of 4n; linear work takes 4 times the processor time and
quadratic work 16 times. The best of three runs is compared, so a busy machine changes nothing.
"""

import time
from collections.abc import Callable

import pytest
from liquid.exceptions import LiquidError

from rooftree.compliance.gate.required_disclosures import extract_nmls_ids
from rooftree.core.log_formatting import _MAIL
from rooftree.core.masking import mask_numbers, redact_numbers
from rooftree.outreach.wording.bounded_liquid import parse_liquid

SIZE = 20_000  # characters of the smaller input
MAX_GROWTH = 9  # times as much work for four times the input

HOSTILE = {
    "spaces before numbers": (mask_numbers, b'[ "ssn", ' + b"  123456789, "),
    "many numbers in JSON": (mask_numbers, b'{"ssn":123456789},'),
    "many numbers in text": (redact_numbers, "ssn 123-45-6789 "),
    "digits between loose marks": (redact_numbers, "1 - / "),
    "digits before no label": (redact_numbers, "ssn 900123456 is my "),
    "zero-width spaces": (redact_numbers, "ssn 9\u200b0\u200b"),
    "many labels": (redact_numbers, "account "),
    "spaces after NMLS": (extract_nmls_ids, "NMLS" + " " * 200),
    "long word in a log line": (lambda text: _MAIL.sub("", text), "a"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_with_the_input(name):
    run, piece = HOSTILE[name]
    small = piece * (SIZE // len(piece))

    assert processor_time(run, small * 4) < MAX_GROWTH * processor_time(run, small)


def test_one_run_of_spaces_is_linear():
    small = "NMLS" + " " * SIZE

    growth = processor_time(extract_nmls_ids, small + " " * SIZE * 3)
    assert growth < MAX_GROWTH * max(processor_time(extract_nmls_ids, small), 0.0005)


@pytest.mark.parametrize(
    "template",
    [
        "{{ (1..5) | join }}",
        "{% if true %}{% assign x = (1..9999999999) | size %}{% endif %}",
        "{% if (1..99999999999) contains 'x' %}{% endif %}",
        "{{ 'aaaaaaaaaa' " + "| replace: 'a', 'aaaaaaaaaaaaaaaaaaaa' " * 9 + "}}",
        "{{ 99999 " + "| times: 99999 " * 40 + "}}",
        "{% assign x = 99999 %}" + "{% assign x = x | times: x %}" * 40,
    ],
)  # fmt: skip
def test_template_cannot_ask_for_unbounded_work(template):
    with pytest.raises(LiquidError, match=r"range|too large"):
        parse_liquid(template).render()


def test_bounded_template_still_renders():
    assert (
        parse_liquid("Hi {{ name | capitalize }}{% if name %}!{% endif %}").render(name="ben")
        == "Hi Ben!"
    )


def processor_time(run: Callable, text) -> float:
    times = []
    for _ in range(3):
        before = time.process_time()
        run(text)
        times.append(time.process_time() - before)
    return min(times)
