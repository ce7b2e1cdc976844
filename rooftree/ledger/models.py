"""The ledger's table of events."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from rooftree.core.uuid7 import uuid7


class Event(models.Model):
    """One event, written in the same transaction as the change it records.

    Rows are never changed, except that the sealer gives each committed row its
    place in the chain, once. `data` holds ids, codes and salted hashes, never
    personal data, so that erasing a person leaves the chain intact.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=80)  # room.noun.verb, past tense
    lead_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=120)  # system:<what> | user:<id> | vendor:<key>
    data = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    sequence = models.BigIntegerField(null=True, unique=True)  # set by the sealer, gap-free
    chain_hash = models.CharField(max_length=64, blank=True)  # sha-256 hex over the previous one
    # The number of the entry about its person, from 1: set with `sequence`, and hashed.
    person_place = models.BigIntegerField(null=True)

    class Meta:
        # trigger: event_append_only
        db_table = "event"
        indexes = [
            models.Index(fields=["lead_id", "occurred_at"], name="event_by_lead"),
            models.Index(fields=["person_id", "person_place"], name="event_by_person_place"),
            models.Index(fields=["id"], condition=Q(sequence=None), name="event_unsealed"),
        ]

    def __str__(self) -> str:
        return f"event:{self.pk}"
