"""What follows a change of a rule: its dry run, and that what is held is decided anew."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.compliance.gate.rulebook import RELEASE_LIMITS
from rooftree.compliance.rule_changes import change_approval
from rooftree.compliance.rule_changes.change_approval import ChangeGrounds
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.flow import clock
from rooftree.flow.message_dispatch import send_messages
from rooftree.org.models import User
from rooftree.outreach.messages import redecide_held_messages, rule_change_dry_run


def propose_change(
    *, place: str, item: str, value: Any, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """A change that waits for a second person, and its dry run. Raises `acts.BadChange`."""
    with transaction.atomic():
        made = change_approval.propose_change(
            place=place, item=item, value=value, grounds=grounds, by=by, at=at
        )
        dry_run_change.enqueue(change_id=str(made.pk))
    return made


def propose_withdrawal(
    *, change: RuleChange, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """The end of a change, in the same way. Raises `acts.BadChange`."""
    with transaction.atomic():
        made = change_approval.propose_withdrawal(change=change, grounds=grounds, by=by, at=at)
        dry_run_change.enqueue(change_id=str(made.pk))
    return made


def approve_change(*, change_id: UUID, by: User, at: datetime) -> RuleChange:
    """A second person puts it in force, and what is held there is decided anew."""
    with transaction.atomic():
        one = change_approval.approve_change(change_id=change_id, by=by, at=at)
        if one.item not in RELEASE_LIMITS and redecide_held_messages.redecide_under_rule(
            one.place, at=at
        ):
            send_messages.enqueue()
    return one


def repeat_dry_run(change: RuleChange) -> None:
    """Another dry run of a change that waits: what is in line has changed since."""
    dry_run_change.enqueue(change_id=str(change.pk))


@task(queue_name="soon")
def dry_run_change(*, change_id: str) -> None:
    """The dry run of a change. Interrupted, it begins again: it changes nothing."""
    run_dry_run(change_id=UUID(change_id), at=clock.now())


def run_dry_run(*, change_id: UUID, at: datetime) -> None:
    """Ask the gate about every message in line, and keep what it said beside the change."""
    change = RuleChange.objects.select_related("withdraws").get(pk=change_id)
    if change.is_waiting:
        change_approval.store_dry_run(
            change_id=change_id, found=rule_change_dry_run.preview_rule_change(change, at=at), at=at
        )
