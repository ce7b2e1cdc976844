"""Format times for evidence files: in the company's zone, in UTC, and in a place's zone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.reason_sentences import zone_name
from rooftree.core.us_states import STATES

PLACE_ORIGINS = {
    "area_code": "by area code",
    "residence": "at home",
    "property": "at the property",
    "stated": "as the borrower stated",
}


class CompanyClock:
    """Formatter of ISO 8601 times in the company's zone, with UTC."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    @property
    def name(self) -> str:
        return f"{zone_name(self.zone)} time ({self.zone.key})"

    def format_day(self, text: str) -> str:
        return f"{self._to_local(text):%b} {self._to_local(text).day}, {self._to_local(text):%Y}"

    def format_time(self, text: str) -> str:
        """Format a time as `5:07:02 PM EST`."""
        return f"{self._to_local(text):%I:%M:%S %p %Z}".lstrip("0")

    def format_moment(self, text: str | None) -> str:
        return (
            f"{self.format_day(text)}, {self.format_time(text)}" if text else "at an unknown time"
        )

    def format_utc(self, text: str) -> str:
        return f"{datetime.fromisoformat(text):%H:%M:%S} UTC"

    def format_at_place(self, text: str, place: Mapping[str, Any]) -> str:
        """Format the local time at a place, as `9:00 AM Pacific in California (by area code)`."""
        zone = ZoneInfo(place["zone"])
        local_time = f"{datetime.fromisoformat(text).astimezone(zone):%I:%M %p}".lstrip("0")
        state = STATES.get(place["state"], place["state"])
        origin = PLACE_ORIGINS.get(place["kind"], place["kind"])
        return f"{local_time} {zone_name(zone)} in {state} ({origin})"

    def _to_local(self, text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone(self.zone)
