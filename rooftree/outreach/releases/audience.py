"""Whom a written release is for: leads by source, stage, state and last contact."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.wording.message_templates import LOAN_KINDS
from rooftree.routing.permissions import leads_visible_to

STAGES = {"new": "Not reached yet", "working": "In conversation", "nurture": "Kept warm"}
MAX_PEOPLE = 20_000  # people of one release


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A choice of leads. What is left open does not narrow it."""

    stages: tuple[str, ...] = tuple(STAGES)
    source: str = ""  # its id
    state: str = ""  # of the property
    loan: str = ""  # a kind of loan as wording knows them: purchase, refinance, equity
    silent_days: int = 0  # nobody of ours wrote or called for so long

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the release."""
        return asdict(self)

    def select_leads(self, user: User, *, at: datetime) -> QuerySet[Lead]:
        """The leads chosen, of those that whoever makes the release may see; newest first.

        Nobody in an application, and nobody who is a test or retired: their marketing has ended.
        """
        rows = Lead.objects.filter(pk__in=leads_visible_to(user).values("pk"), is_test=False)
        rows = rows.filter(state__in=[stage for stage in self.stages if stage in STAGES])
        if self.source:
            rows = rows.filter(source_id=UUID(self.source))
        if self.state:
            rows = rows.filter(property_state=self.state)
        if self.loan:
            rows = rows.filter(purpose__in=[k for k, v in LOAN_KINDS.items() if v == self.loan])
        if self.silent_days:
            since = at - timedelta(days=self.silent_days)
            rows = rows.exclude(attempts__at__gt=since, attempts__direction="out")
        return rows.order_by("-created_at", "-pk")
