"""Rules being edited: kept in the session of who edits them until published or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rooftree.routing.models import RuleSet
from rooftree.routing.routing_rules import Rule
from rooftree.web.shared.staff_request import StaffRequest

SESSION_KEY = "routing_draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """The rules as they would be, and the edition they began from."""

    base: int
    rules: list[dict[str, Any]]

    @property
    def as_rules(self) -> tuple[Rule, ...]:
        return tuple(Rule.from_json(rule) for rule in self.rules)


def load_draft(request: StaffRequest) -> RuleDraft | None:
    """This person's draft, when there is one."""
    held = request.session.get(SESSION_KEY)
    return RuleDraft(base=held["base"], rules=held["rules"]) if held else None


def load_or_start_draft(request: StaffRequest, live: RuleSet) -> RuleDraft:
    """This person's draft, else a new one from the live edition."""
    return load_draft(request) or RuleDraft(base=live.number, rules=list(live.rules))


def save_draft(request: StaffRequest, draft: RuleDraft, rules: Sequence[dict[str, Any]]) -> None:
    """Put the rules into the draft."""
    request.session[SESSION_KEY] = {"base": draft.base, "rules": list(rules)}


def delete_draft(request: StaffRequest) -> None:
    """There is no draft any more."""
    request.session.pop(SESSION_KEY, None)
