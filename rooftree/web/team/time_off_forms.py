"""Forms for an officer's pause, and for days off and holidays."""

from datetime import date, datetime, time, timedelta

from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer
from rooftree.routing import time_off
from rooftree.web.shared.staff_forms import StaffForm, choice_field, date_field, text_field

PAUSE_CHOICES = {
    "30": "For 30 minutes",
    "60": "For 1 hour",
    "120": "For 2 hours",
    "day": "Until the next working day",
    "open": "Until turned on again",
}


class PauseForm(StaffForm):
    """How long an officer takes no new leads."""

    span = choice_field("Stop new leads", PAUSE_CHOICES.items())

    def end_for(self, officer: LoanOfficer, at: datetime) -> datetime | None:
        """Return when the pause ends; None when somebody must turn the switch on."""
        span = self.cleaned_data["span"]
        if span == "open":
            return None
        if span != "day":
            return at + timedelta(minutes=int(span))
        zone = working_hours.zone_of(officer.zone)
        tomorrow = datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(0), zone)
        days_off = time_off.find_days_off([officer], at=at)[officer.pk]
        return time_off.next_working_time(officer, days_off, at=tomorrow)


class TimeOffForm(StaffForm):
    """Days off of one officer; both days are off."""

    first = date_field("First day off")
    last = date_field("Last day off", "Empty: one day", required=False)
    note = text_field("Note", "Shown to the team", required=False, max_length=120)

    def typed_days(self) -> tuple[date, date]:
        """Return the first and the last day off."""
        first: date = self.cleaned_data["first"]
        return first, self.cleaned_data["last"] or first


class HolidayForm(TimeOffForm):
    """Days on which every officer is off."""

    first = date_field("First day")
    last = date_field("Last day", "Empty: one day", required=False)
    note = text_field("Holiday", "For example Thanksgiving", max_length=120)
