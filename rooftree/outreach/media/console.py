"""A carrier for laptops: it writes one line to the log and accepts at once."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rooftree.core.failures import Refused
from rooftree.outreach.media.shapes import Accepted, Fate, Inbound, Recorded, Status

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Nothing to set."""


def send_text(
    settings: Settings, *, to: str, sender: str, body: str, status_callback: str, reference: str
) -> Accepted:
    """Log that a text would go; the same reference gives the same id."""
    log.info("text %s to %s, %d characters", reference, _masked(to), len(body))
    return Accepted(carrier_id=_id("text", reference), fate=Fate.DELIVERED, segments=1)


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> Accepted | None:
    """None: this carrier never leaves a send in doubt."""
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> Accepted:
    """Log that a call would be made."""
    log.info("call to %s for %d s", _masked(to), seconds)
    return Accepted(carrier_id=_id("call", f"{to} {url}"), fate=Fate.SENT)


def end_of_call(settings: Settings, *, call_id: str) -> Status | None:
    """None: nobody was connected."""
    return None


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> Accepted:
    """Refuse: nobody talks on this carrier."""
    raise Refused("This carrier connects nobody.")


def recordings_of(settings: Settings, *, call_id: str) -> list[Recorded]:
    """None."""
    return []


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """There is nothing to erase."""


def parse_recording(form: Mapping[str, str]) -> Recorded | None:
    """None: this carrier calls nobody back."""
    return None


def parse_status(form: Mapping[str, str]) -> Status | None:
    """None: this carrier calls nobody back."""
    return None


def parse_inbound(form: Mapping[str, str]) -> Inbound | None:
    """None: nothing comes in this way."""
    return None


def _masked(number: str) -> str:
    return f"…{number[-4:]}" if len(number) > 4 else "…"


def _id(kind: str, text: str) -> str:
    return f"console-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
