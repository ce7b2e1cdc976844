"""Reading of the TwiML documents that the product answers."""

from xml.etree.ElementTree import Element, ParseError, fromstring


class InvalidTwiml(ValueError):
    """The answer is not a TwiML document. The text gives the reason."""


def parse_twiml(document: bytes) -> Element:
    """Parse a document and return its `Response` element. Raises `InvalidTwiml`."""
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
    """Read a numeric attribute. Raises `InvalidTwiml` for text."""
    text = element.get(attribute)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError as problem:
        raise InvalidTwiml(f"{attribute}={text} is not a number") from problem
