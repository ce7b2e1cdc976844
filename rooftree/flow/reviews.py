"""What follows when a person decides about a message, or about an answer that may mean stop."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.compliance import release_hold
from rooftree.compliance.models import Revocation
from rooftree.flow import credit
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach import duties, review
from rooftree.outreach.models import Message
from rooftree.outreach.review import CannotDecide
from rooftree.tasks.announce import announce

__all__ = ["CannotDecide", "decide", "decide_hold"]
HOLD = "hold_for_human_review"


def decide(*, message_id: UUID, releases: bool, reason: str, by: User, at: datetime) -> Message:
    """Release or refuse a message that waits for a person. Raises `CannotDecide`.

    A carrier is called here, so this is no transaction.
    """
    act = review.release if releases else review.refuse
    message = act(message_id=message_id, by=by, reason=reason, at=at)
    credit.told(message, at=at)
    announce("message", lead=str(message.lead_id))
    return message


def decide_hold(*, revocation_id: UUID, is_stop: bool, by: User, at: datetime) -> Revocation:
    """A person read the words. With that whoever was to read them is done.

    Raises `release_hold.CannotRelease`.
    """
    act = release_hold.was_stop if is_stop else release_hold.release
    with transaction.atomic():
        row = act(revocation_id=revocation_id, by=by, at=at)
        theirs = Lead.objects.filter(person=row.person) if row.person else Lead.objects.none()
        for lead_id in theirs.values_list("pk", flat=True):
            duties.done(lead_id=lead_id, reason=HOLD, by=by.pk, at=at)
            announce("lead", lead=str(lead_id))
    return row
