"""The three limits of a release, from the rule data."""

from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.rule_changes import approved_changes
from rooftree.money.company_day import company_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLimits:
    """The limits of one release; it keeps those in force when it was created."""

    free_size: int  # people that can be written to without approval
    canary_size: int  # people written to first, before the results are checked
    per_hour: int  # messages

    def needs_second_person(self, people: int) -> bool:
        """Return True if a release to this many people needs a second person's approval."""
        return people > self.free_size


def current_limits(*, at: datetime) -> ReleaseLimits:
    """Return the limits of a release created at `at`, by the rules of that company day."""
    day, changes = company_day(at), approved_changes.load_approved_changes()
    return ReleaseLimits(
        free_size=effective_rules.effective_number_on("release_free_size", day, changes),
        canary_size=effective_rules.effective_number_on("release_canary_size", day, changes),
        per_hour=effective_rules.effective_number_on("release_per_hour", day, changes),
    )
