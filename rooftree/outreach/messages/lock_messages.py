"""Row locks for sending messages, always taken in the same order and held until commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Q

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Person
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import Message
from rooftree.outreach.releases.models import RUNNING_STATES

DUE_MESSAGES = PreparedQuery(
    lambda keys, at: (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("template")
        .filter(pk__in=keys, state__in=["waiting", "held"], due_at__lte=at)
        .filter(Q(release=None) | Q(release__state__in=RUNNING_STATES))
        .exclude(Exists(ACTIVE_PAUSE))
        .order_by("due_at", "pk")
    ),
    keys=list[UUID],
    at=datetime,
)
CLAIMED_MESSAGES = PreparedQuery(
    lambda keys: (
        Message.objects.select_for_update(of=("self",))
        .only("id", "lead_id")
        .annotate(is_paused=Exists(ACTIVE_PAUSE), release_state=F("release__state"))
        .filter(pk__in=keys, state="claimed")
        .order_by("pk")
    ),
    keys=list[UUID],
)
LOCKED_PEOPLE = PreparedQuery(
    lambda keys: (
        Person.objects.select_for_update(no_key=True).only("id").filter(pk__in=keys).order_by("pk")
    ),
    keys=list[UUID],
)


def lock_due_messages(message_ids: Iterable[UUID], *, at: datetime) -> list[Message]:
    """Lock due messages no other worker holds, the first per person, and lock those people.

    Only one decision per person at a time: two at once would each miss the other's attempt.
    """
    by_person: dict[UUID, Message] = {}
    for message in DUE_MESSAGES.all(keys=list(message_ids), at=at):
        by_person.setdefault(message.person_id, message)
    LOCKED_PEOPLE.all(keys=list(by_person))
    return list(by_person.values())


def lock_still_claimed(message_ids: Iterable[UUID], *, at: datetime) -> set[UUID]:
    """Lock messages still claimed and undo the claims of stopped ones; return the other ids."""
    claimed: list[Any] = CLAIMED_MESSAGES.all(keys=list(message_ids))
    running_states = (None, *RUNNING_STATES)  # None: not a message of a release
    stopped = [row for row in claimed if row.is_paused or row.release_state not in running_states]
    if stopped:
        cancel_messages.release_claims(stopped, at=at)
    return {row.pk for row in claimed} - {row.pk for row in stopped}
