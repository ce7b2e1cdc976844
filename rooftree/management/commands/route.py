"""Try draft routing rules on the leads of the last days."""

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
    """Simulates routing rules."""

    help = "Route past leads again: rooftree route simulate [--rules draft.json] [--days 7]"
    example = "rooftree route simulate --rules draft.json --days 7"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="act", required=True)
        simulate = verbs.add_parser("simulate", help="compare the live rules with a draft")
        simulate.add_argument("--days", type=int, default=7, help="how many days back (default: 7)")
        simulate.add_argument(
            "--rules", type=Path, help="a JSON list of rules (default: the live rules)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        live = choice_inputs.load_rules(rule_sets.load_current_rule_set(at=at))
        path = options["rules"]
        draft = _read_draft(path) if path else live
        self._print_simulation(
            rule_simulation.simulate_rules(days=options["days"], rules=draft, live=live, at=at)
        )

    def _print_simulation(self, result: Simulation) -> None:
        write = self.stdout.write
        write(
            f"{result.leads} leads of the last {result.days} days. "
            f"{len(result.moved)} would go to someone else."
        )
        write(
            f"No officer available: {result.unclaimed_live} live, {result.unclaimed_draft} draft."
        )
        for title, shares in (("Officer", result.officers), ("Rule", result.rules)):
            write(f"\n{title:<32}{'Live':>8}{'Draft':>8}{'Change':>8}")
            for share in shares:
                change = share.draft - share.live
                write(f"{share.name[:30]:<32}{share.live:>8}{share.draft:>8}{change:>+8}")


def _read_draft(path: Path) -> tuple[Rule, ...]:
    try:
        return rule_check.parse_rules(json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} can't be read: {error}") from error
    except rule_check.BadRules as error:
        raise CommandError("\n".join(error.problems)) from error
