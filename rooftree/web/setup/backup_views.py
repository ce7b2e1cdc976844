"""The page on backups: the last one, the last test restore, and how each is made."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from rooftree.management import backup_records, nightly_backup
from rooftree.web.setup.go_live_steps import backup_step, ledger_heads_step, test_restore_step
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET")
def show_backups(request: StaffRequest) -> HttpResponse:
    """Show the state of backups, test restores and ledger checkpoints."""
    require_permission(request.user, "edit_setup")
    context = {
        "steps": [backup_step(request.at), test_restore_step(request.at), ledger_heads_step()],
        "folder": backup_records.read_record(backup_records.LAST_BACKUP).get("folder", ""),
        "backups": settings.BACKUP_FOLDER / nightly_backup.FOLDER_NAME,
        "is_nightly": settings.MAKES_NIGHTLY_BACKUPS,
    }
    return render(request, "setup/backups.html", context)
