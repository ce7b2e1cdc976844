"""The steps of setup: who looks after each, and what its last check found."""

from django.db import models

from rooftree.org.models.staff import User


class SetupStep(models.Model):
    """Owner, due date and last check of one go-live step; whether it is done is never stored."""

    key = models.SlugField(primary_key=True)  # of `web.setup.setup_guide`
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    due_date = models.DateField(null=True)
    # The last check that a person ran, for steps that only a check can prove.
    checked_at = models.DateTimeField(null=True)
    has_passed = models.BooleanField(default=False)
    finding = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "setup_step"

    def __str__(self) -> str:
        return self.key
