"""CSV cells that a spreadsheet shows and never runs."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from rooftree.core.spreadsheet_csv import escape_cell, render_csv


@given(st.text(max_size=20))
def test_escaped_cell_is_never_a_formula_and_loses_no_text(text):
    cell = escape_cell(text)

    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text or cell == text


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5))
def test_csv_file_reads_back_as_written(rows):
    text, number = render_csv(("one", "two"), rows)
    parsed = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    assert number == len(rows)
    assert parsed == [["one", "two"], *[[escape_cell(a), escape_cell(b)] for a, b in rows]]
