"""`rooftree route simulate`: what other rules would have done with the last days' leads."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.routing import choice_inputs, rule_check, rule_sets, rule_simulation
from rooftree.routing.routing_rules import Rule
from rooftree.routing.rule_simulation import Simulation


class Command(command_base.Command):
    """Routing, from the shell."""

    help = "Decide past leads again: rooftree route simulate [--rules draft.json] [--days 7]"
    example = "rooftree route simulate --rules draft.json --days 7"

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        one = acts.add_parser("simulate", help="compare the live rules with a draft")
        one.add_argument("--days", type=int, default=7, help="how many days back (7)")
        one.add_argument("--rules", type=Path, help="a JSON list of rules; else the live ones")

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        live = choice_inputs.load_rules(rule_sets.current_rule_set(at=at))
        path = options["rules"]
        draft = _read_draft(path) if path else live
        self._print_simulation(
            rule_simulation.simulate_rules(days=options["days"], rules=draft, live=live, at=at)
        )

    def _print_simulation(self, result: Simulation) -> None:
        say = self.stdout.write
        say(
            f"{result.leads} leads of the last {result.days} days. "
            f"{len(result.moved)} would go to someone else."
        )
        say(f"Nobody could take: {result.unclaimed_live} live, {result.unclaimed_draft} draft.")
        for title, shares in (("Officer", result.officers), ("Rule", result.rules)):
            say(f"\n{title:<32}{'Live':>8}{'Draft':>8}{'Change':>8}")
            for share in shares:
                change = share.draft - share.live
                say(f"{share.name[:30]:<32}{share.live:>8}{share.draft:>8}{change:>+8}")


def _read_draft(path: Path) -> tuple[Rule, ...]:
    try:
        return rule_check.parse_rules(json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    except rule_check.BadRules as bad:
        raise CommandError("\n".join(bad.problems)) from bad
