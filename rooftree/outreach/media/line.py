"""The carrier this installation is set to use, with its credentials."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings

from rooftree.outreach.media import CARRIERS
from rooftree.outreach.media.shapes import Accepted, Recorded, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One carrier, ready to use."""

    name: str
    module: ModuleType
    settings: Any

    def send_text(
        self, *, to: str, sender: str, body: str, status_callback: str, reference: str
    ) -> Accepted:
        """See `media.twilio.send_text`."""
        sent: Accepted = self.module.send_text(
            self.settings,
            to=to,
            sender=sender,
            body=body,
            status_callback=status_callback,
            reference=reference,
        )
        return sent

    def find_text(self, *, to: str, sender: str, body: str, since: datetime) -> Accepted | None:
        """See `media.twilio.find_text`."""
        found: Accepted | None = self.module.find_text(
            self.settings, to=to, sender=sender, body=body, since=since
        )
        return found

    def place_call(self, *, to: str, sender: str, url: str, status_callback: str) -> Accepted:
        """See `media.twilio.place_call`."""
        placed: Accepted = self.module.place_call(
            self.settings, to=to, sender=sender, url=url, status_callback=status_callback
        )
        return placed

    def end_of_call(self, *, call_id: str) -> Status | None:
        """See `media.twilio.end_of_call`."""
        told: Status | None = self.module.end_of_call(self.settings, call_id=call_id)
        return told

    def start_recording(self, *, call_id: str, status_callback: str) -> Accepted:
        """See `media.twilio.start_recording`."""
        begun: Accepted = self.module.start_recording(
            self.settings, call_id=call_id, status_callback=status_callback
        )
        return begun

    def recordings_of(self, *, call_id: str) -> list[Recorded]:
        """See `media.twilio.recordings_of`."""
        held: list[Recorded] = self.module.recordings_of(self.settings, call_id=call_id)
        return held

    def erase_recordings(self, *, call_id: str) -> None:
        """See `media.twilio.erase_recordings`."""
        self.module.erase_recordings(self.settings, call_id=call_id)


@cache
def line() -> Line:
    """The carrier named in the settings."""
    module = import_module(CARRIERS[settings.CARRIER])
    if settings.CARRIER == "console":
        return Line(name="console", module=module, settings=module.Settings())
    account = module.Settings(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        secret=settings.TWILIO_AUTH_TOKEN,
        base_url=settings.TWILIO_BASE_URL,
    )
    return Line(name="twilio", module=module, settings=account)
