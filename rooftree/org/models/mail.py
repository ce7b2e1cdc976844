"""How email leaves this installation, and what its checks found."""

from django.db import models
from django.db.models import Q

from rooftree.core.uuid7 import uuid7
from rooftree.db.sealed_text import SealedTextField


class MailSetup(models.Model):
    """The one row of outgoing email: sender, server or provider, and the last checks of each.

    A result counts only for the server or domain that it names: the environment can change both.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    sender_name = models.CharField(max_length=120, blank=True)
    sender_address = models.CharField(max_length=254, blank=True)  # "": the environment's
    service = models.CharField(max_length=10, blank=True)  # "": the environment's server
    host = models.CharField(max_length=200, blank=True)  # of an SMTP server
    port = models.PositiveIntegerField(null=True)
    security = models.CharField(max_length=10, blank=True)
    user = models.CharField(max_length=200, blank=True)
    secret = SealedTextField(blank=True)  # the SMTP password or the provider's key
    provider_domain = models.CharField(max_length=200, blank=True)  # Mailgun's domain
    # The last sign-in.
    checked_at = models.DateTimeField(null=True)
    checked_server = models.CharField(max_length=500, blank=True)
    problem = models.CharField(max_length=300, blank=True)  # "": the server accepted it
    # The last test email.
    trial_at = models.DateTimeField(null=True)
    trial_to = models.CharField(max_length=254, blank=True)  # the user who pressed the button
    trial_problem = models.CharField(max_length=300, blank=True)
    # The last look-up of SPF, DKIM and DMARC.
    dkim_selector = models.CharField(max_length=100, blank=True)
    looked_up_at = models.DateTimeField(null=True)
    looked_up_domain = models.CharField(max_length=254, blank=True)
    records = models.JSONField(default=list)  # `mail_dns.MailRecord` as dictionaries
    lookup_problem = models.CharField(max_length=300, blank=True)  # DNS could not be asked
    confirmed_at = models.DateTimeField(null=True)  # by a person, as DNS could not be asked
    confirmed_by = models.ForeignKey("rooftree.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "mail_setup"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    service__in=["", "smtp", "postmark", "sendgrid", "mailgun", "mailgun_eu"]
                ),
                name="mail_setup_service_known",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, confirmed_by=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="mail_setup_confirmed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"mail_setup:{self.pk}"
