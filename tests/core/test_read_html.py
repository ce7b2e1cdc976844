"""HTML as people see it, from hostile pages too."""

import pytest

from rooftree.core.read_html import parse_html


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one</p>two<br>three", "one\ntwo\nthree"),
        ("<p>a&#1;b</p>c&#2;d<br>\x01e", "ab\ncd\ne"),
        ("<script>x</script>&#3;tail\x0b<p>q\x1f</p>", "tailq"),
        ("<!-- a\x01 -->&#4;kept", "kept"),
    ],
)
def test_page_is_read_without_hidden_parts_and_control_characters(page, text):
    assert parse_html(page).text_content().strip() == text


def test_page_without_text_is_none():
    assert parse_html("") is None
