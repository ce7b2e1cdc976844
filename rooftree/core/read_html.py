"""Parse HTML as people see it: without hidden parts, with line breaks where the screen has them."""

import re
from typing import Any

from lxml import html as markup
from lxml.etree import LxmlError

_HIDDEN_ELEMENTS = "//script|//style|//head"
_LINE_BREAK_ELEMENTS = "//br|//p|//div|//tr|//li"
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
# HTML can hold these, also as `&#1;`, but lxml refuses to write them.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse_html(
    page: str, *, without: str = _HIDDEN_ELEMENTS, joins_lines: bool = False
) -> Any | None:
    """Parse a page or a fragment into a tree; return None when it cannot be parsed.

    Args:
        without: the elements to leave out, as XPath.
        joins_lines: join the lines of the source, which mail programs wrap, as a screen does.
    """
    try:
        tree: Any = markup.document_fromstring(
            page.encode(), parser=markup.HTMLParser(encoding="utf-8")
        )
    except (LxmlError, ValueError):
        return None
    joins_lines = bool(joins_lines and tree.xpath(_LINE_BREAK_ELEMENTS) and not tree.xpath("//pre"))
    for element in tree.iter():
        if element.tail:
            element.tail = _clean_text(element.tail, joins_lines=joins_lines)
        if isinstance(element.tag, str) and element.text:
            element.text = _clean_text(element.text, joins_lines=joins_lines)
    for hidden in tree.xpath(without):
        hidden.drop_tree()
    for element in tree.xpath(_LINE_BREAK_ELEMENTS):
        element.tail = f"\n{element.tail or ''}"
    return tree


def _clean_text(text: str, *, joins_lines: bool) -> str:
    clean = _CONTROL_CHARACTERS.sub("", text)
    return _WHITE_SPACE.sub(" ", clean) if joins_lines else clean
