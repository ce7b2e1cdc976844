"""The rows that carrying out a message holds until its transaction ends."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists

from rooftree.leads.models import Person
from rooftree.org.compiled import Reads
from rooftree.org.pause import PAUSED
from rooftree.outreach.models import Message

# One that is due and in nobody else's hands.
DUE = Reads(
    lambda key, at: (
        Message.objects.select_for_update(skip_locked=True)
        .filter(pk=key, state__in=["waiting", "held"], due_at__lte=at)
        .exclude(Exists(PAUSED))
    ),
    key=UUID,
    at=datetime,
)
MESSAGE = Reads(lambda key: Message.objects.select_for_update().only("id").filter(pk=key), key=UUID)
PERSON = Reads(
    lambda key: Person.objects.select_for_update(no_key=True).only("id").filter(pk=key), key=UUID
)
