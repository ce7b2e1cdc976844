"""Cells that people open in a spreadsheet: shown, never run."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.spreadsheet_csv import escape_cell, render_csv


@given(st.text(max_size=20))
def test_no_cell_runs_as_a_formula_and_none_loses_a_letter(said):
    shown = escape_cell(said)

    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown.removeprefix("'") == said or shown == said


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5))
def test_the_file_reads_back_as_it_was_written(rows):
    text, number = render_csv(("one", "two"), rows)
    back = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    assert number == len(rows)
    assert back == [["one", "two"], *[[escape_cell(a), escape_cell(b)] for a, b in rows]]
