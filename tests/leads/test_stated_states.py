"""The state that a borrower names in a message: full names and clear codes only."""

import pytest

from rooftree.leads.stated_states import find_stated_states


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("I'm in Texas", ["TX"]),
        ("TX", ["TX"]),
        ("the house is in Austin, TX", ["TX"]),
        ("It's in Tulsa, OK 74103", ["OK"]),
        ("we look in Portland, OR.", ["OR"]),
        ("west virginia", ["WV"]),
        ("between Georgia and Florida", ["GA", "FL"]),
    ],
)
def test_state_is_found_in_clear_words(text, codes):
    assert [stated.code for stated in find_stated_states(text)] == codes


@pytest.mark.parametrize(
    "text",
    [
        "ok", "OK", "hi", "HI", "call me", "in or out", "tx", "Sure Dana, OK", "Hi Dana, OK.",
        "I am in, call me or text", "OK CALL ME IN AN HOUR", "On Monday Dana wrote:\n> Texas",
        "> Licensed in Texas",
    ],
)  # fmt: skip
def test_words_are_not_read_as_states(text):
    assert find_stated_states(text) == []


def test_quote_is_the_borrowers_own_line():
    (stated,) = find_stated_states("Thanks for writing.\nThe house is in Texas, near my mom")

    assert stated.quote == "The house is in Texas, near my mom"
