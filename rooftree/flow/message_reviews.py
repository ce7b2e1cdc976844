"""Staff decisions about messages in review and about replies that could mean stop."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.compliance.consent import hold_review
from rooftree.compliance.models import Revocation
from rooftree.flow import credit_notice_triggers
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.messages import message_review, required_actions
from rooftree.outreach.messages.message_review import CannotReview
from rooftree.outreach.models import Message
from rooftree.tasks.live_updates import publish_update

__all__ = ["CannotReview", "decide_message", "decide_hold"]
HOLD_REASON = "hold_for_human_review"


def decide_message(
    *, message_id: UUID, is_release: bool, reason: str, by: User, at: datetime
) -> Message:
    """Release or discard a message in review. Raises `CannotReview`.

    Calls the carrier, so don't call it in a transaction.
    """
    decide = message_review.release_message if is_release else message_review.discard_message
    message = decide(message_id=message_id, by=by, reason=reason, at=at)
    credit_notice_triggers.check_sent_message(message, at=at)
    publish_update("message", lead=str(message.lead_id))
    return message


def decide_hold(*, revocation_id: UUID, is_stop: bool, by: User, at: datetime) -> Revocation:
    """Record if a held reply means stop, and finish the tasks to review it.

    Raises `hold_review.HoldAlreadyDecided`.
    """
    decide = hold_review.confirm_stop if is_stop else hold_review.release_hold
    with transaction.atomic():
        revocation = decide(revocation_id=revocation_id, by=by, at=at)
        person = revocation.person
        leads = Lead.objects.filter(person=person) if person else Lead.objects.none()
        for lead_id in leads.values_list("pk", flat=True):
            required_actions.finish_task(lead_id=lead_id, reason=HOLD_REASON, by=by.pk, at=at)
            publish_update("lead", lead=str(lead_id))
    return revocation
