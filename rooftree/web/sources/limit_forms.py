"""How much of a source is taken: the fields of that, wherever they are edited."""

from rooftree.capture.source_setup.acceptance_limits import AcceptanceLimits, parse_limits
from rooftree.web.shared.staff_forms import DollarsField, StaffForm, integer_field

CAP_FIELDS = ("per_hour", "per_day", "per_month")
BUDGET_FIELDS = ("cents_per_hour", "cents_per_day", "cents_per_month")
NO_LIMIT = "Empty: no limit"


class LimitsForm(StaffForm):
    """Caps, budgets, and for how long the same person is not taken again."""

    per_hour = integer_field("Most leads an hour", NO_LIMIT, min_value=1, max_value=100_000, required=False)
    per_day = integer_field("Most leads a day", NO_LIMIT, min_value=1, max_value=100_000, required=False)
    per_month = integer_field(
        "Most leads a month", NO_LIMIT, min_value=1, max_value=1_000_000, required=False
    )
    cents_per_hour = DollarsField("Most spent an hour, $", NO_LIMIT)
    cents_per_day = DollarsField("Most spent a day, $", NO_LIMIT)
    cents_per_month = DollarsField("Most spent a month, $", NO_LIMIT)
    duplicate_days = integer_field(
        "Leave out who asked within, days",
        "Whichever source they came by. 0: never looked at",
        min_value=0,
        max_value=730,
    )

    def limits(self) -> AcceptanceLimits:
        """What was typed."""
        return parse_limits(self.cleaned_data)
