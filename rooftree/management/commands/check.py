"""`rooftree check`: prove that what must always hold does hold."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.checks import run_checks
from django.core.management.base import CommandParser
from django.db import connection, transaction
from django.utils.timezone import now

from rooftree.management.command_base import CheckFailed, UsageError
from rooftree.management.command_base import Command as OurCommand
from rooftree.reporting.deep_checks import DEEP_CHECKS
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.invariants import INVARIANTS, Finding


class Command(OurCommand):
    """Takes the place of Django's own check, and runs that one first."""

    help = "Prove the invariants: every delivery accounted for, no message without a verdict..."
    example = "rooftree check --deep --json; rooftree check --heads /mnt/auditor/heads"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to look at, and how to say it."""
        parser.add_argument(
            "--deep",
            action="store_true",
            help="also derive every verdict again, and the newest routing decisions",
        )
        parser.add_argument(
            "--heads",
            type=Path,
            help="compare the ledger with heads kept elsewhere: folder or file",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a sentence for each; exit 1 when one does not hold."""
        at = now()
        findings = [_check_django(), *_prove_invariants(at, deep=options["deep"])]
        if options["heads"]:
            findings.append(_check_external_heads(options["heads"]))
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "holds": all(finding.holds for finding in findings),
                        "at": at.isoformat(),
                        "findings": [finding.as_json() for finding in findings],
                    },
                    indent=2,
                )
            )
        else:
            for finding in findings:
                self._print_finding(finding)
        if not all(finding.holds for finding in findings):
            raise CheckFailed

    def _print_finding(self, one: Finding) -> None:
        self.stdout.write(f"{'holds ' if one.holds else 'BROKEN'}  {one.name}: {one.sentence}")
        for offender in one.offenders:
            self.stdout.write(f"          {offender}")


def _prove_invariants(at: datetime, *, deep: bool) -> list[Finding]:
    """Each in one snapshot, so that leads arriving meanwhile disturb none."""
    return [
        _prove_in_snapshot(prove, at) for prove in (*INVARIANTS, *(DEEP_CHECKS if deep else ()))
    ]


def _prove_in_snapshot(prove: Callable[[datetime], Finding], at: datetime) -> Finding:
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read")
        return prove(at)


def _check_external_heads(where: Path) -> Finding:
    try:
        kept = list(ledger_checkpoints.read_heads(where))
        wrong = list(ledger_checkpoints.find_problems(kept))
    except ledger_checkpoints.HEAD_ERRORS as problem:
        raise UsageError(f"{where} holds no heads of a ledger: {problem}") from problem
    return Finding(
        name="heads kept elsewhere",
        holds=bool(kept) and not wrong,
        sentence=f"{len(kept)} heads are in {where.name}; {len(wrong)} are not this ledger's.",
        offenders=tuple(wrong),
    )


def _check_django() -> Finding:
    messages = [
        run_check
        for run_check in run_checks()
        if run_check.is_serious() and not run_check.is_silenced()
    ]
    return Finding(
        name="set-up",
        holds=not messages,
        sentence="Django finds nothing wrong with the program's set-up."
        if not messages
        else f"Django finds {len(messages)} things wrong with the program's set-up.",
        offenders=tuple(f"{message.id}: {message.msg}" for message in messages),
    )
