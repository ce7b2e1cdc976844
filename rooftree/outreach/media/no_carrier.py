"""The carrier of an installation that has none yet: nothing is sent, and nothing is lost.

A text stays due and an officer's call fails with a sentence, until Setup connects a carrier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from rooftree.core.vendor_errors import Misconfigured
from rooftree.outreach.media.carrier_types import (
    CarrierReceipt,
    CarrierRecording,
    InboundContact,
    StatusCallback,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """No settings."""


def send_text(
    settings: Settings, *, to: str, sender: str, body: str, status_callback: str, reference: str
) -> CarrierReceipt:
    """Raise `Misconfigured`: the text waits."""
    _refuse()


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> CarrierReceipt | None:
    """Return None: nothing was sent."""
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> CarrierReceipt:
    """Raise `Misconfigured`: no phone rings."""
    _refuse()


def find_call_end(settings: Settings, *, call_id: str) -> StatusCallback | None:
    """Return None: there are no calls."""
    return None


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> CarrierReceipt:
    """Raise `Misconfigured`."""
    _refuse()


def list_recordings(settings: Settings, *, call_id: str) -> list[CarrierRecording]:
    """Return no recordings."""
    return []


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """Do nothing: there are no recordings."""


def parse_recording(form: Mapping[str, str]) -> CarrierRecording | None:
    """Return None: nobody reports recordings."""
    return None


def parse_status(form: Mapping[str, str]) -> StatusCallback | None:
    """Return None: nobody reports states."""
    return None


def parse_inbound(form: Mapping[str, str]) -> InboundContact | None:
    """Return None: nobody delivers texts or calls."""
    return None


def _refuse() -> NoReturn:
    raise Misconfigured("No carrier is connected. An administrator can connect one in Setup.")
