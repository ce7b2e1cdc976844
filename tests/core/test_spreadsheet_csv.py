"""CSV cells that a spreadsheet shows and never runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.spreadsheet_csv import FORMULA_PREFIXES, escape_cell, render_csv


@given(st.text(max_size=20))
def test_escaped_cell_is_never_a_formula_and_loses_no_text(text):
    cell = escape_cell(text)

    assert not cell.lstrip(" ").startswith(FORMULA_PREFIXES)
    assert cell.removeprefix("'") == text or cell == text


@pytest.mark.parametrize(
    "cell", [" =1", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠x", "-5"]
)
def test_cell_that_libraries_let_through_is_escaped(cell):
    assert escape_cell(cell) == f"'{cell}"


def test_pipe_in_a_note_is_kept():
    assert escape_cell("=a|b") == "'=a|b"


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5))
def test_csv_file_reads_back_as_written(rows):
    text, number = render_csv(("one", "two"), rows)
    parsed = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    assert number == len(rows)
    assert parsed == [["one", "two"], *[[escape_cell(a), escape_cell(b)] for a, b in rows]]
