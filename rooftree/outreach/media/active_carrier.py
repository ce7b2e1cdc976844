"""The carrier this installation is set to use, with its credentials."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings

from rooftree.outreach.media import CARRIERS
from rooftree.outreach.media.carrier_types import CarrierReceipt, CarrierRecording, StatusCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One carrier, ready to use."""

    name: str
    module: ModuleType
    settings: Any

    def send_text(
        self, *, to: str, sender: str, body: str, status_callback: str, reference: str
    ) -> CarrierReceipt:
        """See `media.twilio.send_text`."""
        sent: CarrierReceipt = self.module.send_text(
            self.settings,
            to=to,
            sender=sender,
            body=body,
            status_callback=status_callback,
            reference=reference,
        )
        return sent

    def find_text(
        self, *, to: str, sender: str, body: str, since: datetime
    ) -> CarrierReceipt | None:
        """See `media.twilio.find_text`."""
        found: CarrierReceipt | None = self.module.find_text(
            self.settings, to=to, sender=sender, body=body, since=since
        )
        return found

    def place_call(self, *, to: str, sender: str, url: str, status_callback: str) -> CarrierReceipt:
        """See `media.twilio.place_call`."""
        placed: CarrierReceipt = self.module.place_call(
            self.settings, to=to, sender=sender, url=url, status_callback=status_callback
        )
        return placed

    def find_call_end(self, *, call_id: str) -> StatusCallback | None:
        """See `media.twilio.find_call_end`."""
        told: StatusCallback | None = self.module.find_call_end(self.settings, call_id=call_id)
        return told

    def start_recording(self, *, call_id: str, status_callback: str) -> CarrierReceipt:
        """See `media.twilio.start_recording`."""
        begun: CarrierReceipt = self.module.start_recording(
            self.settings, call_id=call_id, status_callback=status_callback
        )
        return begun

    def list_recordings(self, *, call_id: str) -> list[CarrierRecording]:
        """See `media.twilio.list_recordings`."""
        held: list[CarrierRecording] = self.module.list_recordings(self.settings, call_id=call_id)
        return held

    def erase_recordings(self, *, call_id: str) -> None:
        """See `media.twilio.erase_recordings`."""
        self.module.erase_recordings(self.settings, call_id=call_id)


@cache
def get_carrier() -> Carrier:
    """The carrier named in the settings."""
    module = import_module(CARRIERS[settings.CARRIER])
    if settings.CARRIER == "console":
        return Carrier(name="console", module=module, settings=module.Settings())
    account = module.Settings(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        secret=settings.TWILIO_AUTH_TOKEN,
        base_url=settings.TWILIO_BASE_URL,
    )
    return Carrier(name="twilio", module=module, settings=account)
