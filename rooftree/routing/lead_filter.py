"""The filters of the lists of leads, as a condition for a query and as parameters of SQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from rooftree.leads.models import ContactAttempt, Lead, LeadTag

# The same conditions for handwritten SQL in which `g` is a lead and `p` its borrower.
FILTER_SQL = """
      (%(purpose)s = '' or g.purpose like %(purpose)s || '%%')
  and (%(state)s = '' or g.property_state = %(state)s)
  and (%(source)s::uuid is null or g.source_id = %(source)s)
  and (%(tag)s = '' or exists (select from lead_tag t where t.lead_id = g.id and t.name = %(tag)s))
  and (%(min_score)s::int is null or g.score >= %(min_score)s)
  and (%(idle_since)s::timestamptz is null
       or greatest(g.tried_at, g.heard_at, g.last_inquiry_at) <= %(idle_since)s)
  and (%(name)s = '' or p.first_name ilike %(name)s || '%%' or p.last_name ilike %(name)s || '%%')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter:
    """Conditions that narrow a list of leads; an empty value narrows nothing."""

    purpose: str = ""  # the beginning of a canonical loan purpose, such as `refinance`
    state: str = ""  # of the property
    source_id: UUID | None = None
    tag: str = ""
    stage: str = ""  # `Lead.state`
    people: str = ""  # "clients": of sources that hold past clients; "leads": of the others
    officer_id: UUID | None = None
    is_unassigned: bool = False
    min_score: int | None = None
    idle_days: int | None = None  # since the last contact by a person, or inquiry
    name: str = ""  # the beginning of the first or last name, for `sql_parameters`

    def sql_parameters(self, at: datetime) -> dict[str, Any]:
        """Return the parameters of `FILTER_SQL`."""
        return {
            "purpose": self.purpose,
            "state": self.state,
            "source": self.source_id,
            "tag": self.tag,
            "min_score": self.min_score,
            "idle_since": self._idle_since(at),
            "name": self.name.replace("\\", "").replace("%", "").replace("_", " "),
        }

    def narrow_leads(self, leads: QuerySet[Lead], *, at: datetime) -> QuerySet[Lead]:
        """Return the leads that match; the name is the page's to search."""
        columns = {
            "purpose__startswith": self.purpose,
            "property_state": self.state,
            "source": self.source_id,
            "state": self.stage,
            "officer": self.officer_id,
            "score__gte": self.min_score,
        }
        leads = leads.filter(**{column: value for column, value in columns.items() if value})
        if self.people:
            is_client = Q(source__setup__contains={"people": "clients"})
            leads = leads.filter(is_client if self.people == "clients" else ~is_client)
        if self.is_unassigned:
            leads = leads.filter(officer=None)
        if self.tag:
            tagged = LeadTag.objects.filter(lead=OuterRef("pk"), name=self.tag)
            leads = leads.filter(Exists(tagged))
        if since := self._idle_since(at):
            by_person = Q(direction="in") & ~Q(result__in=("revoke", "wrong_person"))
            by_person |= Q(direction="out", is_automated=False)
            recent = ContactAttempt.objects.filter(by_person, lead=OuterRef("pk"), at__gt=since)
            leads = leads.filter(~Exists(recent), last_inquiry_at__lte=since)
        return leads

    def _idle_since(self, at: datetime) -> datetime | None:
        return at - timedelta(days=self.idle_days) if self.idle_days else None


# Leads in the order of a list, by the key in its URL; the second key makes the order total.
LEAD_ORDERS = {
    "newest": ("-last_inquiry_at", "-id"),
    "oldest": ("last_inquiry_at", "id"),
    "score": (F("score").desc(nulls_last=True), "-last_inquiry_at", "-id"),
    "name": ("person__last_name", "person__first_name", "id"),
    "amount": (F("amount_cents").desc(nulls_last=True), "id"),
}
