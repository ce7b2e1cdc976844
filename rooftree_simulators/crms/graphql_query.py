"""GraphQL, as monday.com takes it: parse one operation, and show only the fields it selects.

After spec.graphql.org: fields with aliases, arguments and variables, inline fragments. Named
fragments and directives are refused by name.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from rooftree_simulators.vendor_base import Json

_TOKEN = re.compile(
    r'\s*(?:#[^\n]*\s*)*("(?:[^"\\]|\\.)*"|\.\.\.|-?\d+(?:\.\d+)?|\$?[A-Za-z_]\w*|[{}()\[\]:!=,@])?'
)


class ParseError(ValueError):
    """The text is no operation that can be run here."""


class UnknownField(ValueError):
    """A selected field doesn't exist on its type."""


@dataclass(slots=True, kw_only=True)
class Selection:
    """One selected field, with its arguments and what is selected below it."""

    name: str
    alias: str
    arguments: Json = field(default_factory=dict)
    fields: list["Selection"] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Operation:
    """A query or a mutation."""

    kind: str
    fields: list[Selection]


def parse_operation(text: str, variables: Json) -> Operation:
    """Parse an operation. Raises `ParseError`."""
    parser = _Parser(text, variables)
    operation = parser.read_operation()
    if parser.peek():
        raise ParseError(f"unexpected {parser.peek()}")
    return operation


def select_fields(content: Any, fields: list[Selection], kind: str) -> Any:
    """Return content with the selected fields only. Raises `UnknownField`."""
    if isinstance(content, list):
        return [select_fields(each, fields, kind) for each in content]
    if not isinstance(content, dict):
        return content
    shown: Json = {}
    for selection in fields:
        if selection.name not in content and selection.name != "__typename":
            raise UnknownField(f"Field '{selection.name}' doesn't exist on type '{kind}'")
        value = content.get(selection.name, kind)
        if "ids" in selection.arguments and isinstance(value, list):
            wanted = {str(key) for key in as_list(selection.arguments["ids"])}
            value = [row for row in value if str(row.get("id")) in wanted]
        if isinstance(value, list) and isinstance(selection.arguments.get("limit"), int):
            value = value[: selection.arguments["limit"]]
        below = selection.name.removesuffix("s").replace("_", " ").title().replace(" ", "")
        shown[selection.alias] = select_fields(value, selection.fields, below)
    return shown


def as_list(value: Any) -> list[Any]:
    """Return a list; a single value is a list of itself, as in GraphQL."""
    return value if isinstance(value, list) else [] if value is None else [value]


class _Parser:
    def __init__(self, text: str, variables: Json) -> None:
        self.tokens, self.place, self.variables = _split_tokens(text), 0, variables

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        is_next = self.peek() == token
        self.place += is_next
        return is_next

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise ParseError(f"expected {token}, not {self.peek() or 'the end'}")

    def read_name(self) -> str:
        token = self.peek()
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise ParseError(f"expected a name, not {token or 'the end'}")
        self.place += 1
        return token

    def read_operation(self) -> Operation:
        kind = "query"
        if self.peek() != "{":
            kind = self.read_name()
            if kind not in ("query", "mutation"):
                raise ParseError(f"{kind} isn't supported")
            if self.peek() not in ("{", "("):
                self.read_name()
            while self.peek() not in ("{", ""):  # the variables' types aren't checked
                self.place += 1
        return Operation(kind=kind, fields=self._read_fields())

    def _read_fields(self) -> list[Selection]:
        self.expect("{")
        fields: list[Selection] = []
        while not self.take("}"):
            if self.take("..."):
                self.expect("on")
                self.read_name()
                fields += self._read_fields()
            elif not self.take(","):
                fields.append(self._read_field())
        return fields

    def _read_field(self) -> Selection:
        alias = name = self.read_name()
        if self.take(":"):
            name = self.read_name()
        arguments: Json = {}
        if self.take("("):
            while not self.take(")"):
                key = self.read_name()
                self.expect(":")
                arguments[key] = self._read_value()
                self.take(",")
        fields = self._read_fields() if self.peek() == "{" else []
        return Selection(name=name, alias=alias, arguments=arguments, fields=fields)

    def _read_value(self) -> Any:
        word = self.peek()
        self.place += 1
        if word == "[":
            return self._read_list()
        if word == "{":
            return self._read_object()
        if word.startswith("$"):
            return self.variables.get(word[1:])
        if word.startswith('"'):
            return json.loads(word)
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        if not re.fullmatch(r"-?\d+\.\d+|[A-Za-z_]\w*", word):
            raise ParseError(f"expected a value, not {word or 'the end'}")
        return word

    def _read_list(self) -> list[Any]:
        values: list[Any] = []
        while not self.take("]"):
            values.append(self._read_value())
            self.take(",")
        return values

    def _read_object(self) -> Json:
        content: Json = {}
        while not self.take("}"):
            key = self.read_name()
            self.expect(":")
            content[key] = self._read_value()
            self.take(",")
        return content


def _split_tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place:
            raise ParseError(f"unexpected {text[place : place + 10]}")
        if match[1]:
            tokens.append(match[1])
        place = match.end()
    return tokens
