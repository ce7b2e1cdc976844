"""The carrier this installation is set to use, with its credentials."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings

from rooftree.outreach.media import CARRIERS
from rooftree.outreach.media.shapes import Accepted


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
