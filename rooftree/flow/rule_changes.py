"""What follows a change of a rule: its dry run, and that what is held is decided anew."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.compliance.amending import acts
from rooftree.compliance.amending.acts import Grounds
from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.rulebook import RELEASE_LIMITS
from rooftree.flow import moment
from rooftree.flow.messages import send_messages
from rooftree.org.models import User
from rooftree.outreach import reconsider, rule_dry_run


def propose(
    *, place: str, item: str, value: Any, grounds: Grounds, by: User, at: datetime
) -> RuleChange:
    """A change that waits for a second person, and its dry run. Raises `acts.BadChange`."""
    with transaction.atomic():
        made = acts.propose(place=place, item=item, value=value, grounds=grounds, by=by, at=at)
        try_change.enqueue(change_id=str(made.pk))
    return made


def propose_withdrawal(
    *, change: RuleChange, grounds: Grounds, by: User, at: datetime
) -> RuleChange:
    """The end of a change, in the same way. Raises `acts.BadChange`."""
    with transaction.atomic():
        made = acts.propose_withdrawal(change=change, grounds=grounds, by=by, at=at)
        try_change.enqueue(change_id=str(made.pk))
    return made


def approve(*, change_id: UUID, by: User, at: datetime) -> RuleChange:
    """A second person puts it in force, and what is held there is decided anew."""
    with transaction.atomic():
        one = acts.approve(change_id=change_id, by=by, at=at)
        if one.item not in RELEASE_LIMITS and reconsider.held_under(one.place, at=at):
            send_messages.enqueue()
    return one


def try_again(change: RuleChange) -> None:
    """Another dry run of a change that waits: what is in line has changed since."""
    try_change.enqueue(change_id=str(change.pk))


@task(queue_name="soon")
def try_change(*, change_id: str) -> None:
    """The dry run of a change. Interrupted, it begins again: it changes nothing."""
    look(change_id=UUID(change_id), at=moment.now())


def look(*, change_id: UUID, at: datetime) -> None:
    """Ask the gate about every message in line, and keep what it said beside the change."""
    change = RuleChange.objects.select_related("withdraws").get(pk=change_id)
    if change.is_waiting:
        acts.keep_dry_run(change_id=change_id, found=rule_dry_run.look(change, at=at), at=at)
