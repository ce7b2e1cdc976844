"""The path language finds a value or nothing; it never raises and never executes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.parsing.value_paths import (
    MAX_LEAVES,
    BadPath,
    find_value,
    format_path,
    list_leaves,
    parse_path,
)

SENT = {
    "lead": {"borrower": [{"phone": "1", "mail": "a@b.c"}, {"phone": "2"}], "id": "X"},
    "Home Phone": "3",
    "lead[who][cell]": "4",
    "a.b": "5",
}
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
TREES = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        PLAIN,
        lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part),
        max_leaves=12,
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lead.borrower[0].phone", "1"),
        ("lead.borrower[1].phone", "2"),
        ("lead.borrower.phone", "1"),  # a name on a list means its first item
        ("lead[0].id[0]", "X"),  # the first item of a single value is that value
        ('["Home Phone"]', "3"),
        ("Home Phone", "3"),
        ("lead[who][cell]", "4"),  # as web forms write it
        ("a.b", "5"),  # a key that looks like a path
        ("lead.borrower[2].phone", None),
        ("lead.id.more", None),
        ("lead.__class__", None),
        ("lead.borrower.__len__", None),
    ],
)
def test_path_finds_value_or_nothing(path, value):
    assert find_value(SENT, path)[1] == value


@pytest.mark.parametrize(
    "path", ["", "  ", ".lead", "lead..id", "lead[", 'lead["x', "a" * 201, "a." * 21 + "a", "lead]"]
)
def test_invalid_path_is_rejected_in_words(path):
    with pytest.raises(BadPath) as refusal:
        parse_path(path)
    assert str(refusal.value).endswith((".", "phone."))


@given(tree=TREES, path=st.text(max_size=30))
def test_any_path_in_any_value_never_raises(tree, path):
    place, value = find_value(tree, path)

    assert place or value is None


@given(tree=TREES)
def test_every_leaf_is_found_by_its_path(tree):
    for steps, value in list_leaves(tree):
        path = format_path(steps)
        is_plain = all(
            isinstance(step, int) or (step.strip() == step and step and '"' not in step)
            for step in steps
        )
        if is_plain and path not in tree and len(path) <= 200 and value is not None:
            assert find_value(tree, path)[1] == value or isinstance(value, dict | list)


def test_huge_delivery_is_searched_only_to_limit():
    assert len(list(list_leaves({"rows": [{"a": n} for n in range(5_000)]}))) == MAX_LEAVES
