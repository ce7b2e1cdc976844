"""The carrier of an installation that has none yet: nothing is sent, and nothing is lost.

A text stays due and an officer's call fails with a sentence, until Setup connects a carrier. No
call or text exists to ask about, as with the console.
"""

from typing import Any, NoReturn

from rooftree.core.vendor_errors import Misconfigured
from rooftree.outreach.media.console import (
    Settings,
    erase_recordings,
    find_call_end,
    find_text,
    list_recordings,
    parse_inbound,
    parse_recording,
    parse_status,
)

__all__ = [
    "Settings",
    "erase_recordings",
    "find_call_end",
    "find_text",
    "list_recordings",
    "parse_inbound",
    "parse_recording",
    "parse_status",
    "place_call",
    "send_text",
    "start_recording",
]


def send_text(settings: Settings, **_: Any) -> NoReturn:
    """Raise `Misconfigured`: the text waits."""
    raise Misconfigured("No carrier is connected. An administrator can connect one in Setup.")


place_call = start_recording = send_text  # no phone rings, and there is nothing to record
