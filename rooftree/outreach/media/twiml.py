"""What a call or an inbound text does next, in Twilio's markup."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

CONTENT_TYPE = "text/xml; charset=utf-8"
INVALID_XML_CHARACTERS = re.compile(
    "[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)
VOICES = {"en": "en-US", "es": "es-US"}


def empty_response() -> str:
    """Do nothing: the answer to an inbound text that we reply to elsewhere."""
    return _to_xml(Element("Response"))


def ask_officer_for_key(
    said: str, *, action_url: str, goodbye: str, language: str = "en", seconds: int = 8
) -> str:
    """Tell the officer who it is, and wait for a key; what was pressed goes to `action_url`.

    Without a key the officer hears `goodbye` and the call ends, so that a
    voicemail box never takes a lead.
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
    _add_say(gather, said, language)
    _add_say(response, goodbye, language)
    SubElement(response, "Hangup")
    return _to_xml(response)


def play_notice(said: str, *, action_url: str, language: str, seconds: int = 1) -> str:
    """Say something to its end, then go on at `action_url` with the key that was pressed, if any.

    Every key is one, the number sign too.
    """
    response = Element("Response")
    how = {
        "input": "dtmf",
        "numDigits": "1",
        "finishOnKey": "",
        "timeout": str(seconds),
        "actionOnEmptyResult": "true",
        "action": action_url,
        "method": "POST",
    }
    _add_say(SubElement(response, "Gather", how), said, language)
    return _to_xml(response)


def say_and_continue(said: str) -> str:
    """Say one thing, in English, and let the call go on."""
    response = Element("Response")
    _add_say(response, said, "en")
    return _to_xml(response)


def connect_call(
    to: str, *, caller_id: str, action_url: str = "", said: str = "", first_url: str = ""
) -> str:
    """Connect the call to `to` (E.164), shown as coming from `caller_id`, a number of ours.

    Args:
        first_url: the markup that whoever answers hears before the two are connected.
    """
    response = Element("Response")
    if said:
        _add_say(response, said, "en")
    how = {"callerId": caller_id, "timeout": "25", "answerOnBridge": "true"}
    if action_url:
        how |= {"action": action_url, "method": "POST"}
    before = {"url": first_url, "method": "POST"} if first_url else {}
    SubElement(SubElement(response, "Dial", how), "Number", before).text = to
    return _to_xml(response)


def say_and_hang_up(said: str, *, language: str = "en") -> str:
    """Say one thing and hang up."""
    response = Element("Response")
    _add_say(response, said, language)
    SubElement(response, "Hangup")
    return _to_xml(response)


def _add_say(parent: Element, said: str, language: str) -> None:
    SubElement(parent, "Say", {"language": VOICES.get(language, "en-US")}).text = said


def _to_xml(response: Element) -> str:
    body = INVALID_XML_CHARACTERS.sub("", tostring(response, encoding="unicode"))
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'
