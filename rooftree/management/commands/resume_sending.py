"""Resume texts, emails, calls to officers and hand-offs, in an administrator's name."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from rooftree.flow import restore_recovery
from rooftree.management import command_base
from rooftree.management.operator_identity import require_operator


class Command(command_base.Command):
    """Ends a pause from the shell, as Setup does, for when the web is down."""

    help = "Resume sending. Messages that may have gone out before a restore are canceled first."
    example = "rooftree resume-sending --by ana@lender.example"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the administrator."""
        parser.add_argument("--by", required=True, help="work email of an administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """End the pause and print what happened to waiting messages."""
        by = require_operator(options["by"], verb="edit_setup")
        try:
            result = restore_recovery.resume_sending(by=by, at=now())
        except restore_recovery.CannotResume as problem:
            raise command_base.CheckFailed(str(problem)) from problem
        self.stdout.write(
            f"Sending has resumed. {result.messages_to_cancel} messages were queued, "
            f"{result.held_messages} are scheduled."
        )
