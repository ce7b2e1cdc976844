"""Draft of the routing rules, kept in the editor's session until published or deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rooftree.routing.models import RuleSet
from rooftree.routing.routing_rules import Rule
from rooftree.web.shared.staff_request import StaffRequest

SESSION_KEY = "routing_draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """The drafted rules, and the number of the edition they started from."""

    base: int
    rules: list[dict[str, Any]]

    @property
    def as_rules(self) -> tuple[Rule, ...]:
        """The drafted rules as `Rule` objects."""
        return tuple(Rule.from_json(rule) for rule in self.rules)


def load_draft(request: StaffRequest) -> RuleDraft | None:
    """Return the user's draft; None if there is none."""
    stored = request.session.get(SESSION_KEY)
    return RuleDraft(base=stored["base"], rules=stored["rules"]) if stored else None


def load_or_start_draft(request: StaffRequest, live: RuleSet) -> RuleDraft:
    """Return the user's draft, or a new one with the live rules."""
    return load_draft(request) or RuleDraft(base=live.number, rules=list(live.rules))


def save_draft(request: StaffRequest, draft: RuleDraft, rules: Sequence[dict[str, Any]]) -> None:
    """Save the rules as the user's draft."""
    request.session[SESSION_KEY] = {"base": draft.base, "rules": list(rules)}


def delete_draft(request: StaffRequest) -> None:
    """Delete the user's draft."""
    request.session.pop(SESSION_KEY, None)
