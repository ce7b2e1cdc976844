"""Let texts, mails, calls to officers and hand-offs leave again, in an administrator's name."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from rooftree.flow import after_restore
from rooftree.management import base
from rooftree.management.answering import who_answers


class Command(base.Command):
    """Ends a pause from the shell, as Set-up does: for when the web is down."""

    help = "End the pause of sending. What a restore may have sent before is taken back first."
    example = "rooftree resume-sending --by ana@lender.example"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who answers for it."""
        parser.add_argument("--by", required=True, help="work e-mail of an administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """End it, and say what became of what waited."""
        by = who_answers(options["by"], verb="edit_setup")
        try:
            found = after_restore.release(by=by, at=now())
        except after_restore.CannotRelease as problem:
            raise base.FoundWrong(str(problem)) from problem
        self.stdout.write(
            f"Sending is resumed. {found.messages} messages were in line, "
            f"{found.held} wait for their hour."
        )
