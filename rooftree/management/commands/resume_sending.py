"""Let texts, mails, calls to officers and hand-offs leave again, in an administrator's name."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from rooftree.flow import restore_recovery
from rooftree.management import command_base
from rooftree.management.operator_identity import require_operator


class Command(command_base.Command):
    """Ends a pause from the shell, as Set-up does: for when the web is down."""

    help = "End the pause of sending. What a restore may have sent before is taken back first."
    example = "rooftree resume-sending --by ana@lender.example"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who answers for it."""
        parser.add_argument("--by", required=True, help="work e-mail of an administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """End it, and say what became of what waited."""
        by = require_operator(options["by"], verb="edit_setup")
        try:
            found = restore_recovery.resume_sending(by=by, at=now())
        except restore_recovery.CannotResume as problem:
            raise command_base.CheckFailed(str(problem)) from problem
        self.stdout.write(
            f"Sending is resumed. {found.messages_to_cancel} messages were in line, "
            f"{found.held_messages} wait for their hour."
        )
