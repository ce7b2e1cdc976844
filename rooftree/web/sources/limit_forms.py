"""Form fields for the limits of a source, shared by acceptance rules and bids."""

from rooftree.capture.source_setup.acceptance_limits import AcceptanceLimits, parse_limits
from rooftree.web.shared.staff_forms import DollarsField, StaffForm, integer_field

CAP_FIELDS = ("per_hour", "per_day", "per_month")
BUDGET_FIELDS = ("cents_per_hour", "cents_per_day", "cents_per_month")
NO_LIMIT = "Empty: no limit"


class LimitsForm(StaffForm):
    """Caps, budgets, and the days within which the same person counts as a duplicate."""

    per_hour = integer_field(
        "Leads per hour", NO_LIMIT, min_value=1, max_value=100_000, required=False
    )
    per_day = integer_field(
        "Leads per day", NO_LIMIT, min_value=1, max_value=100_000, required=False
    )
    per_month = integer_field(
        "Leads per month", NO_LIMIT, min_value=1, max_value=1_000_000, required=False
    )
    cents_per_hour = DollarsField("Spend per hour, $", NO_LIMIT)
    cents_per_day = DollarsField("Spend per day, $", NO_LIMIT)
    cents_per_month = DollarsField("Spend per month, $", NO_LIMIT)
    duplicate_days = integer_field(
        "Refuse duplicates within, days",
        "The same person from any source. 0: accept duplicates",
        min_value=0,
        max_value=730,
    )

    def limits(self) -> AcceptanceLimits:
        """Return the typed limits."""
        return parse_limits(self.cleaned_data)
