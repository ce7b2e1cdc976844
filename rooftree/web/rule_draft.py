"""Rules being edited: kept in the session of who edits them until published or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from rooftree.routing.models import RuleSet
from rooftree.routing.rules import Rule

KEY = "routing_draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The rules as they would be, and the edition they began from."""

    base: int
    rules: list[dict[str, Any]]

    @property
    def as_rules(self) -> tuple[Rule, ...]:
        return tuple(Rule.from_json(one) for one in self.rules)


def of(request: HttpRequest) -> Draft | None:
    """This person's draft, when there is one."""
    held = request.session.get(KEY)
    return Draft(base=held["base"], rules=held["rules"]) if held else None


def begun(request: HttpRequest, live: RuleSet) -> Draft:
    """This person's draft, else a new one from the live edition."""
    return of(request) or Draft(base=live.number, rules=list(live.rules))


def keep(request: HttpRequest, draft: Draft, rules: Sequence[dict[str, Any]]) -> None:
    """Put the rules into the draft."""
    request.session[KEY] = {"base": draft.base, "rules": list(rules)}


def drop(request: HttpRequest) -> None:
    """There is no draft any more."""
    request.session.pop(KEY, None)
