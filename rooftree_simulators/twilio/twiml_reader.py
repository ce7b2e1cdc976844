"""TwiML documents as we answer them."""

from xml.etree.ElementTree import Element, ParseError, fromstring


class InvalidTwiml(ValueError):
    """The answer is not a TwiML document. The text says why."""


def parse_twiml(document: bytes) -> Element:
    """The `Response` element. Raises `NotTwiml`."""
    if b"<!DOCTYPE" in document:
        raise InvalidTwiml("a document type is not allowed")
    try:
        root = fromstring(document)  # noqa: S314
    except ParseError as problem:
        raise InvalidTwiml(f"the document cannot be parsed: {problem}") from problem
    if root.tag != "Response":
        raise InvalidTwiml(f"the root is {root.tag}, not Response")
    return root


def read_number(element: Element, attribute: str, default: float) -> float:
    """A numeric attribute. Raises `NotTwiml` for text."""
    text = element.get(attribute)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError as problem:
        raise InvalidTwiml(f"{attribute}={text} is not a number") from problem
