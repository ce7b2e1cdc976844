"""Twilio markup (TwiML) for the next step of a call or inbound text."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

CONTENT_TYPE = "text/xml; charset=utf-8"
INVALID_XML_CHARACTERS = re.compile(
    "[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)
VOICES = {"en": "en-US", "es": "es-US"}


def empty_response() -> str:
    """Return markup that does nothing, for an inbound text answered elsewhere."""
    return _to_xml(Element("Response"))


def ask_officer_for_key(
    text: str, *, action_url: str, goodbye: str, language: str = "en", seconds: int = 8
) -> str:
    """Return markup that describes the lead and waits for a key, which goes to `action_url`.

    Without a key the officer hears `goodbye` and the call ends, so a voicemail box never takes
    a lead.

    Args:
        seconds: how long to wait for a key.
    """
    response = Element("Response")
    gather = SubElement(
        response,
        "Gather",
        {
            "input": "dtmf",
            "numDigits": "1",
            "timeout": str(seconds),
            "action": action_url,
            "method": "POST",
        },
    )
    _add_say(gather, text, language)
    _add_say(response, goodbye, language)
    SubElement(response, "Hangup")
    return _to_xml(response)


def play_notice(text: str, *, action_url: str, language: str, seconds: int = 1) -> str:
    """Return markup that says a notice, then continues at `action_url` with the pressed key.

    Every key counts, the pound key included.
    """
    response = Element("Response")
    attributes = {
        "input": "dtmf",
        "numDigits": "1",
        "finishOnKey": "",
        "timeout": str(seconds),
        "actionOnEmptyResult": "true",
        "action": action_url,
        "method": "POST",
    }
    _add_say(SubElement(response, "Gather", attributes), text, language)
    return _to_xml(response)


def say_and_continue(text: str) -> str:
    """Return markup that says a sentence in English and lets the call continue."""
    response = Element("Response")
    _add_say(response, text, "en")
    return _to_xml(response)


def connect_call(
    to: str, *, caller_id: str, action_url: str = "", text: str = "", first_url: str = ""
) -> str:
    """Return markup that connects the call to `to` (E.164), showing our number `caller_id`.

    Args:
        text: said to the first party before dialing; "" for nothing.
        first_url: URL of the markup played to the answering party before both are connected.
    """
    response = Element("Response")
    if text:
        _add_say(response, text, "en")
    attributes = {"callerId": caller_id, "timeout": "25", "answerOnBridge": "true"}
    if action_url:
        attributes |= {"action": action_url, "method": "POST"}
    number_attributes = {"url": first_url, "method": "POST"} if first_url else {}
    SubElement(SubElement(response, "Dial", attributes), "Number", number_attributes).text = to
    return _to_xml(response)


def say_and_hang_up(text: str, *, language: str = "en") -> str:
    """Return markup that says a sentence and hangs up."""
    response = Element("Response")
    _add_say(response, text, language)
    SubElement(response, "Hangup")
    return _to_xml(response)


def _add_say(parent: Element, text: str, language: str) -> None:
    SubElement(parent, "Say", {"language": VOICES.get(language, "en-US")}).text = text


def _to_xml(response: Element) -> str:
    body = INVALID_XML_CHARACTERS.sub("", tostring(response, encoding="unicode"))
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'
