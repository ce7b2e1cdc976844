"""How far one act that makes many messages may go: three numbers of the rule data."""

from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.rule_changes import approved_changes
from rooftree.money.company_day import company_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLimits:
    """What a release is held to; it keeps the ones that stand when it begins."""

    free_size: int  # people who are written to without a second person
    canary_size: int  # people of the first few
    per_hour: int  # messages

    def needs_second_person(self, people: int) -> bool:
        """Whether so many are not written to before a second person has said so."""
        return people > self.free_size


def current_limits(*, at: datetime) -> ReleaseLimits:
    """Those of a release that begins at `at`, with what was changed until the company's day."""
    day, changes = company_day(at), approved_changes.load_approved_changes()
    return ReleaseLimits(
        free_size=effective_rules.effective_number_on("release_free_size", day, changes),
        canary_size=effective_rules.effective_number_on("release_canary_size", day, changes),
        per_hour=effective_rules.effective_number_on("release_per_hour", day, changes),
    )
