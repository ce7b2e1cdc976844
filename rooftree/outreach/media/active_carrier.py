"""The carrier in use, with its credentials."""

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Any

from rooftree.org.carrier_account import account_in_force
from rooftree.outreach.media import CARRIERS
from rooftree.outreach.media.carrier_types import CarrierReceipt, CarrierRecording, StatusCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One carrier with its settings. The methods call the carrier module."""

    name: str
    module: ModuleType
    settings: Any

    def send_text(
        self, *, to: str, sender: str, body: str, status_callback: str, reference: str
    ) -> CarrierReceipt:
        """Send a text; see `twilio.send_text`."""
        receipt: CarrierReceipt = self.module.send_text(
            self.settings,
            to=to,
            sender=sender,
            body=body,
            status_callback=status_callback,
            reference=reference,
        )
        return receipt

    def find_text(
        self, *, to: str, sender: str, body: str, since: datetime
    ) -> CarrierReceipt | None:
        """Find a text sent earlier; see `twilio.find_text`."""
        receipt: CarrierReceipt | None = self.module.find_text(
            self.settings, to=to, sender=sender, body=body, since=since
        )
        return receipt

    def place_call(self, *, to: str, sender: str, url: str, status_callback: str) -> CarrierReceipt:
        """Place a call; see `twilio.place_call`."""
        receipt: CarrierReceipt = self.module.place_call(
            self.settings, to=to, sender=sender, url=url, status_callback=status_callback
        )
        return receipt

    def find_call_end(self, *, call_id: str) -> StatusCallback | None:
        """Look up how a connected call ended; see `twilio.find_call_end`."""
        status: StatusCallback | None = self.module.find_call_end(self.settings, call_id=call_id)
        return status

    def start_recording(self, *, call_id: str, status_callback: str) -> CarrierReceipt:
        """Start recording a call; see `twilio.start_recording`."""
        receipt: CarrierReceipt = self.module.start_recording(
            self.settings, call_id=call_id, status_callback=status_callback
        )
        return receipt

    def list_recordings(self, *, call_id: str) -> list[CarrierRecording]:
        """List the recordings of a call; see `twilio.list_recordings`."""
        recordings: list[CarrierRecording] = self.module.list_recordings(
            self.settings, call_id=call_id
        )
        return recordings

    def erase_recordings(self, *, call_id: str) -> None:
        """Erase the recordings of a call; see `twilio.erase_recordings`."""
        self.module.erase_recordings(self.settings, call_id=call_id)


def get_carrier() -> Carrier:
    """Return the carrier in force. It can read the database: call it outside of vendor threads."""
    account = account_in_force()
    module = import_module(CARRIERS[account.carrier])
    if account.carrier in {"console", "none"}:
        return Carrier(name=account.carrier, module=module, settings=module.Settings())
    settings = module.Settings(
        account_sid=account.account_sid, secret=account.auth_token, base_url=account.base_url
    )
    return Carrier(name=account.carrier, module=module, settings=settings)
