"""The table of the company's account at its carrier."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from rooftree.db.sealed_text import SealedTextField


class CarrierAccount(models.Model):
    """One row: the Twilio account from Setup, and the last check of the account in force.

    An account from the environment has a row too, with `account_sid` and `auth_token` empty.
    """

    id = models.CharField(max_length=20, primary_key=True)  # "twilio", the only carrier
    account_sid = models.CharField(max_length=34, blank=True)
    auth_token = SealedTextField(blank=True)
    numbers = ArrayField(models.CharField(max_length=16), default=list)  # E.164, the main one first
    changed_at = models.DateTimeField(null=True)
    checked_key = models.CharField(max_length=64, blank=True)  # which SID and token were checked
    checked_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)  # of the last check
    account_name = models.CharField(max_length=80, blank=True)
    is_trial = models.BooleanField(default=False)
    listed_numbers = models.JSONField(default=list)  # rows of `AccountNumber`, as last listed
    trials = models.JSONField(default=dict)  # by "text" and "call": the last one to staff

    class Meta:
        db_table = "carrier_account"

    def __str__(self) -> str:
        return self.id
