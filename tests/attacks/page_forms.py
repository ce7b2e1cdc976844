"""Read the forms of a page: where they post to, and their fields with the values shown."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class PageForm:
    """One form of a page."""

    address: str
    method: str  # get or post
    fields: dict[str, str] = field(default_factory=dict)


class FormReader(HTMLParser):
    """Collects the forms of a page; a choice has its selected or first value."""

    def __init__(self, page: str, address: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._address = address
        self._form: PageForm | None = None
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name, value = values.get("name"), values.get("value") or ""
        if tag == "form":
            target = values.get("action") or values.get("hx-post") or self._address
            method = values.get("method") or ("post" if "hx-post" in values else "get")
            self._form = PageForm(target, method.lower())
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "option":
            if self._select and ("selected" in values or not self._form.fields[self._select]):
                self._form.fields[self._select] = value
        elif name and name != "csrfmiddlewaretoken":
            is_choice = values.get("type") in ("checkbox", "radio")
            if name not in self._form.fields or (is_choice and "checked" in values):
                self._form.fields[name] = (value or "on") if is_choice else value
            self._select = name if tag == "select" else self._select

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
