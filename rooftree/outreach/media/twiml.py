"""Twilio markup (TwiML) for the next step of a call or inbound text."""

import re

from twilio.twiml.voice_response import Gather, VoiceResponse

CONTENT_TYPE = "text/xml; charset=utf-8"
INVALID_XML_CHARACTERS = re.compile(
    "[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)
VOICES = {"en": "en-US", "es": "es-US"}


def empty_response() -> str:
    """Return markup that does nothing, for an inbound text answered elsewhere."""
    return str(VoiceResponse())


def ask_officer_for_key(
    text: str, *, action_url: str, goodbye: str, language: str = "en", seconds: int = 8
) -> str:
    """Return markup that describes the lead and waits for a key, which goes to `action_url`.

    Without a key the officer hears `goodbye` and the call ends, so a voicemail box never takes
    a lead.

    Args:
        seconds: how long to wait for a key.
    """
    response = VoiceResponse()
    gather = response.gather(
        input="dtmf", num_digits=1, timeout=seconds, action=action_url, method="POST"
    )
    _add_say(gather, text, language)
    _add_say(response, goodbye, language)
    response.hangup()
    return str(response)


def play_notice(text: str, *, action_url: str, language: str, seconds: int = 1) -> str:
    """Return markup that says a notice, then continues at `action_url` with the pressed key.

    Every key counts, the pound key included.
    """
    response = VoiceResponse()
    gather = response.gather(
        input="dtmf",
        num_digits=1,
        finish_on_key="",
        timeout=seconds,
        action_on_empty_result=True,
        action=action_url,
        method="POST",
    )
    _add_say(gather, text, language)
    return str(response)


def say_and_continue(text: str) -> str:
    """Return markup that says a sentence in English and lets the call continue."""
    response = VoiceResponse()
    _add_say(response, text, "en")
    return str(response)


def connect_call(
    to: str, *, caller_id: str, action_url: str = "", text: str = "", first_url: str = ""
) -> str:
    """Return markup that connects the call to `to` (E.164), showing our number `caller_id`.

    Args:
        text: said to the first party before dialing; "" for nothing.
        first_url: URL of the markup played to the answering party before both are connected.
    """
    response = VoiceResponse()
    if text:
        _add_say(response, text, "en")
    dial = response.dial(
        caller_id=caller_id,
        timeout=25,
        answer_on_bridge=True,
        action=action_url or None,
        method="POST" if action_url else None,
    )
    dial.number(to, url=first_url or None, method="POST" if first_url else None)
    return str(response)


def say_and_hang_up(text: str, *, language: str = "en") -> str:
    """Return markup that says a sentence and hangs up."""
    response = VoiceResponse()
    _add_say(response, text, language)
    response.hangup()
    return str(response)


def _add_say(parent: VoiceResponse | Gather, text: str, language: str) -> None:
    text = INVALID_XML_CHARACTERS.sub("", text)
    parent.say(text, language=VOICES.get(language, "en-US"))
