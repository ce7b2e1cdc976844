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

from rooftree.management.base import Command as OurCommand
from rooftree.management.base import FoundWrong, Wrong
from rooftree.reporting import heads
from rooftree.reporting.invariants import EVERY, Finding
from rooftree.reporting.rederive import DEEP


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
        findings = [_django(), *_findings(at, deep=options["deep"])]
        if options["heads"]:
            findings.append(_kept_elsewhere(options["heads"]))
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "holds": all(one.holds for one in findings),
                        "at": at.isoformat(),
                        "findings": [one.as_json() for one in findings],
                    },
                    indent=2,
                )
            )
        else:
            for one in findings:
                self._say(one)
        if not all(one.holds for one in findings):
            raise FoundWrong

    def _say(self, one: Finding) -> None:
        self.stdout.write(f"{'holds ' if one.holds else 'BROKEN'}  {one.name}: {one.sentence}")
        for offender in one.offenders:
            self.stdout.write(f"          {offender}")


def _findings(at: datetime, *, deep: bool) -> list[Finding]:
    """Each in one snapshot, so that leads arriving meanwhile disturb none."""
    return [_in_one_snapshot(prove, at) for prove in (*EVERY, *(DEEP if deep else ()))]


def _in_one_snapshot(prove: Callable[[datetime], Finding], at: datetime) -> Finding:
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read")
        return prove(at)


def _kept_elsewhere(where: Path) -> Finding:
    try:
        kept = list(heads.kept(where))
        wrong = list(heads.problems(kept))
    except heads.UNREADABLE as problem:
        raise Wrong(f"{where} holds no heads of a ledger: {problem}") from problem
    return Finding(
        name="heads kept elsewhere",
        holds=bool(kept) and not wrong,
        sentence=f"{len(kept)} heads are in {where.name}; {len(wrong)} are not this ledger's.",
        offenders=tuple(wrong),
    )


def _django() -> Finding:
    messages = [one for one in run_checks() if one.is_serious() and not one.is_silenced()]
    return Finding(
        name="set-up",
        holds=not messages,
        sentence="Django finds nothing wrong with the program's set-up."
        if not messages
        else f"Django finds {len(messages)} things wrong with the program's set-up.",
        offenders=tuple(f"{one.id}: {one.msg}" for one in messages),
    )
