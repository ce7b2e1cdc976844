"""The audience of a written release: leads by stage, source, state, loan and last contact."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.wording.message_templates import LOAN_KINDS
from rooftree.routing.permissions import leads_visible_to

STAGES = {"new": "Not reached yet", "working": "In conversation", "nurture": "Nurture"}
MAX_PEOPLE = 20_000  # in one release


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Filters for leads. An empty filter matches every lead."""

    stages: tuple[str, ...] = tuple(STAGES)
    source: str = ""  # its id
    state: str = ""  # of the property
    loan: str = ""  # a loan kind of the templates: purchase, refinance, equity
    silent_days: int = 0  # at least this many days without a message or call from us

    def to_json(self) -> dict[str, Any]:
        """Return the filters as JSON, to be stored with the release."""
        return asdict(self)

    def select_leads(self, user: User, *, at: datetime) -> QuerySet[Lead]:
        """Return the matching leads that `user` can see, newest first.

        Leads in an application, retired leads and test leads never match: marketing to them
        has ended.
        """
        rows = Lead.objects.filter(pk__in=leads_visible_to(user).values("pk"), is_test=False)
        rows = rows.filter(state__in=[stage for stage in self.stages if stage in STAGES])
        if self.source:
            rows = rows.filter(source_id=UUID(self.source))
        if self.state:
            rows = rows.filter(property_state=self.state)
        if self.loan:
            rows = rows.filter(
                purpose__in=[name for name, kind in LOAN_KINDS.items() if kind == self.loan]
            )
        if self.silent_days:
            since = at - timedelta(days=self.silent_days)
            rows = rows.exclude(attempts__at__gt=since, attempts__direction="out")
        return rows.order_by("-created_at", "-pk")
