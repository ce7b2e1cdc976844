"""Hold back everything that leaves: texts, mails, calls to officers, hand-offs to the LOS."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils.timezone import now

from rooftree.management import command_base
from rooftree.org import sending_pause, staff_notices
from rooftree.org.models import PARTNER, User


class Command(command_base.Command):
    """Begins a pause; an administrator ends it in Set-up. Leads go on being taken in."""

    help = "Hold back everything that leaves until an administrator ends the pause in Set-up."
    example = 'rooftree stop-sending --because "the carrier asked us to"'

    def add_arguments(self, parser: CommandParser) -> None:
        """Why, for those who read it."""
        parser.add_argument("--because", default="", help="a sentence that staff will read")
        parser.add_argument(
            "--backup-at", type=datetime.fromisoformat, help="set by restore: when the backup was"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin, and tell everybody."""
        at, backup_at = now(), options["backup_at"]
        because = options["because"] or "Somebody paused sending from the command line."
        if backup_at:
            because = f"A backup of {backup_at:%d %B %Y, %H:%M} UTC was restored."
        held = sending_pause.begin_pause(reason=because[:200], backup_at=backup_at, at=at)
        for user in User.objects.filter(is_active=True).exclude(role=PARTNER):
            staff_notices.notify_user(
                user_id=user.pk,
                kind="sending_paused",
                idempotency_key=f"pause:{held.pk}",
                text=f"Sending is paused: no text, mail or call leaves. {held.because}",
                link=reverse("setup_sending") if user.role == "administrator" else "",
                at=at,
            )
        self.stdout.write(f"Sending is paused. {held.because}")
