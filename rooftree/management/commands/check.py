"""Prove that the invariants hold."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.checks import run_checks
from django.core.management.base import CommandParser
from django.db import connection, transaction
from django.utils.timezone import now

from rooftree.db.statements import execute
from rooftree.management.command_base import CheckFailed, UsageError
from rooftree.management.command_base import Command as OurCommand
from rooftree.reporting.deep_checks import DEEP_CHECKS
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.invariants import INVARIANTS, Finding
from rooftree.retention.removal_check import check_removals


class Command(OurCommand):
    """Replaces Django's own check command, and runs Django's checks first."""

    help = "Prove the invariants: every delivery accounted for, no message without a verdict..."
    example = "rooftree check --deep --json; rooftree check --heads /mnt/auditor/heads"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of `check`."""
        parser.add_argument(
            "--deep",
            action="store_true",
            help="also recompute every verdict and the newest routing decisions",
        )
        parser.add_argument(
            "--heads",
            type=Path,
            help="compare the ledger with signed heads stored elsewhere: a folder or file",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a sentence for each invariant; exit 1 when one does not hold."""
        at = now()
        # Each in its own snapshot, so that leads that arrive in the meantime disturb none.
        deep_checks = DEEP_CHECKS if options["deep"] else ()
        invariants = (*INVARIANTS, check_removals, *deep_checks)
        findings = [_check_django(), *(_prove_in_snapshot(prove, at) for prove in invariants)]
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
                mark = "holds " if finding.holds else "BROKEN"
                self.stdout.write(f"{mark}  {finding.name}: {finding.sentence}")
                for offender in finding.offenders:
                    self.stdout.write(f"          {offender}")
        if not all(finding.holds for finding in findings):
            raise CheckFailed


def _prove_in_snapshot(prove: Callable[[datetime], Finding], at: datetime) -> Finding:
    """Run one check in a snapshot that locks nothing, however long it computes between queries."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            execute("set transaction isolation level repeatable read, read only")
            execute("set local idle_in_transaction_session_timeout = 0")
        return prove(at)


def _check_external_heads(path: Path) -> Finding:
    try:
        heads = list(ledger_checkpoints.read_heads(path))
        problems = list(ledger_checkpoints.find_problems(heads))
    except ledger_checkpoints.HEAD_ERRORS as problem:
        raise UsageError(f"{path} has no ledger heads: {problem}") from problem
    return Finding(
        name="heads kept elsewhere",
        holds=bool(heads) and not problems,
        sentence=f"{len(heads)} heads are in {path.name}; {len(problems)} don't match this ledger.",
        offenders=tuple(problems),
    )


def _check_django() -> Finding:
    messages = [
        message for message in run_checks() if message.is_serious() and not message.is_silenced()
    ]
    return Finding(
        name="set-up",
        holds=not messages,
        sentence="Django found no problems in the program's setup."
        if not messages
        else f"Django found {len(messages)} problems in the program's setup.",
        offenders=tuple(f"{message.id}: {message.msg}" for message in messages),
    )
