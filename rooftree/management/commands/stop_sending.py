"""Pause everything that is sent: texts, emails, calls to officers, hand-offs to the LOS."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.org import sending_pause, staff_notices
from rooftree.org.models import User


class Command(command_base.Command):
    """Starts a pause that an administrator ends in Setup. Leads keep coming in."""

    help = "Pause all sending until an administrator resumes it in Setup."
    example = 'rooftree stop-sending --because "the carrier asked us to"'

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the reason."""
        parser.add_argument("--because", default="", help="the reason, shown to staff")
        parser.add_argument(
            "--backup-at",
            type=datetime.fromisoformat,
            help="set by restore: the time of the backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the pause and notify all staff."""
        at, backup_at = now(), options["backup_at"]
        because = options["because"] or "Sending was paused from the command line."
        if backup_at:
            because = f"A backup of {backup_at:%B %d, %Y, %I:%M %p} UTC was restored."
        pause = sending_pause.begin_pause(reason=because[:200], backup_at=backup_at, at=at)
        for user in User.objects.staff().filter(is_active=True):
            staff_notices.notify_user(
                user_id=user.pk,
                kind="sending_paused",
                idempotency_key=f"pause:{pause.pk}",
                text=f"Sending is paused: no texts, emails or calls go out. {pause.reason}",
                link=reverse("setup_sending") if user.has_role("administrator") else "",
                at=at,
            )
        self.stdout.write(f"Sending is paused. {pause.reason}")
