"""Rule changes: propose, dry-run and approve them, and decide held messages again."""

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
    """Propose a rule change and enqueue its dry run. Raises `change_approval.BadChange`."""
    with transaction.atomic():
        change = change_approval.propose_change(
            place=place, item=item, value=value, grounds=grounds, by=by, at=at
        )
        dry_run_change.enqueue(change_id=str(change.pk))
    return change


def propose_withdrawal(
    *, change: RuleChange, grounds: ChangeGrounds, by: User, at: datetime
) -> RuleChange:
    """Propose to withdraw a change; enqueue the dry run. Raises `change_approval.BadChange`."""
    with transaction.atomic():
        withdrawal = change_approval.propose_withdrawal(
            change=change, grounds=grounds, by=by, at=at
        )
        dry_run_change.enqueue(change_id=str(withdrawal.pk))
    return withdrawal


def approve_change(*, change_id: UUID, by: User, at: datetime) -> RuleChange:
    """Approve a change as the second person, and decide held messages in its place again."""
    with transaction.atomic():
        change = change_approval.approve_change(change_id=change_id, by=by, at=at)
        if change.item not in RELEASE_LIMITS and redecide_held_messages.redecide_under_rule(
            change.place, at=at
        ):
            send_messages.enqueue()
    return change


def repeat_dry_run(change: RuleChange) -> None:
    """Enqueue another dry run of a waiting change, because queued messages have changed."""
    dry_run_change.enqueue(change_id=str(change.pk))


@task(queue_name="soon")
def dry_run_change(*, change_id: str) -> None:
    """Run the dry run of a change. It changes nothing, so an interrupted one starts over."""
    run_dry_run(change_id=UUID(change_id), at=clock.now())


def run_dry_run(*, change_id: UUID, at: datetime) -> None:
    """Ask the gate about every queued message and store its verdicts with the change."""
    change = RuleChange.objects.select_related("withdraws").get(pk=change_id)
    if change.is_waiting:
        change_approval.store_dry_run(
            change_id=change_id,
            dry_run=rule_change_dry_run.preview_rule_change(change, at=at),
            at=at,
        )
