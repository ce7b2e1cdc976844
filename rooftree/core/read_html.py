"""HTML as people see it: what is hidden left out, each line ended where it ends on the screen."""

from typing import Any

from lxml import html as markup
from lxml.etree import LxmlError

_HIDDEN_ELEMENTS = "//script|//style|//head"
_LINE_BREAK_ELEMENTS = "//br|//p|//div|//tr|//li"


def parse_html(page: str, *, without: str = _HIDDEN_ELEMENTS) -> Any | None:
    """It is the tree of a page or a piece of one; None when nothing can be read of it.

    Args:
        without: the elements to leave out, as XPath.
    """
    try:
        tree: Any = markup.document_fromstring(
            page.encode(), parser=markup.HTMLParser(encoding="utf-8")
        )
    except (LxmlError, ValueError):
        return None
    for hidden in tree.xpath(without):
        hidden.drop_tree()
    for ends in tree.xpath(_LINE_BREAK_ELEMENTS):
        ends.tail = f"\n{ends.tail or ''}"
    return tree
