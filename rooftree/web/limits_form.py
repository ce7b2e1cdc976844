"""How much of a source is taken: the fields of that, wherever they are edited."""

from rooftree.capture.acceptance import Limits, limits_of
from rooftree.web.staff_forms import Dollars, StaffForm, number

CAPS = ("per_hour", "per_day", "per_month")
BUDGETS = ("cents_per_hour", "cents_per_day", "cents_per_month")
NO_LIMIT = "Empty: no limit"


class LimitsForm(StaffForm):
    """Caps, budgets, and for how long the same person is not taken again."""

    per_hour = number("Most leads an hour", NO_LIMIT, least=1, most=100_000, required=False)
    per_day = number("Most leads a day", NO_LIMIT, least=1, most=100_000, required=False)
    per_month = number("Most leads a month", NO_LIMIT, least=1, most=1_000_000, required=False)
    cents_per_hour = Dollars("Most spent an hour, $", NO_LIMIT)
    cents_per_day = Dollars("Most spent a day, $", NO_LIMIT)
    cents_per_month = Dollars("Most spent a month, $", NO_LIMIT)
    duplicate_days = number(
        "Leave out who asked within, days",
        "Whichever source they came by. 0: never looked at",
        least=0,
        most=730,
    )

    def limits(self) -> Limits:
        """What was typed."""
        return limits_of(self.cleaned_data)
