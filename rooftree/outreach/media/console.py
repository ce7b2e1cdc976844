"""Carrier for development: logs one line and accepts everything at once."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rooftree.core.vendor_errors import RequestRejected
from rooftree.outreach.media.carrier_types import (
    CarrierReceipt,
    CarrierRecording,
    DeliveryStatus,
    InboundContact,
    StatusCallback,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """No settings."""


def send_text(
    settings: Settings, *, to: str, sender: str, body: str, status_callback: str, reference: str
) -> CarrierReceipt:
    """Log a text instead of sending it; the same reference returns the same id."""
    log.info("text %s to %s, %d characters", reference, _mask_number(to), len(body))
    return CarrierReceipt(
        carrier_id=_fake_id("text", reference), status=DeliveryStatus.DELIVERED, segments=1
    )


def find_text(
    settings: Settings, *, to: str, sender: str, body: str, since: datetime
) -> CarrierReceipt | None:
    """Return None: this carrier never leaves an outcome unknown."""
    return None


def place_call(
    settings: Settings, *, to: str, sender: str, url: str, status_callback: str, seconds: int = 20
) -> CarrierReceipt:
    """Log a call instead of placing it."""
    log.info("call to %s for %d s", _mask_number(to), seconds)
    return CarrierReceipt(carrier_id=_fake_id("call", f"{to} {url}"), status=DeliveryStatus.SENT)


def find_call_end(settings: Settings, *, call_id: str) -> StatusCallback | None:
    """Return None: no call was connected."""
    return None


def start_recording(settings: Settings, *, call_id: str, status_callback: str) -> CarrierReceipt:
    """Refuse to record: this carrier connects no calls."""
    raise RequestRejected("The console carrier does not connect calls.")


def list_recordings(settings: Settings, *, call_id: str) -> list[CarrierRecording]:
    """Return an empty list: nothing is recorded."""
    return []


def erase_recordings(settings: Settings, *, call_id: str) -> None:
    """Do nothing: there are no recordings."""


def parse_recording(form: Mapping[str, str]) -> CarrierRecording | None:
    """Return None: this carrier sends no callbacks."""
    return None


def parse_status(form: Mapping[str, str]) -> StatusCallback | None:
    """Return None: this carrier sends no callbacks."""
    return None


def parse_inbound(form: Mapping[str, str]) -> InboundContact | None:
    """Return None: nothing arrives through this carrier."""
    return None


def _mask_number(number: str) -> str:
    return f"…{number[-4:]}" if len(number) > 4 else "…"


def _fake_id(kind: str, text: str) -> str:
    return f"console-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
