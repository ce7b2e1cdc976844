"""By when a person owes a borrower a call. An hour that forbids calling is nobody's delay."""

from datetime import datetime

from django.db.models import OuterRef, Subquery

from rooftree.compliance import windows
from rooftree.leads.models import Lead, Phone
from rooftree.org.change import change

NUMBER = Subquery(
    Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    .order_by("-is_primary", "given_at")
    .values("e164")[:1]
)
PLACE = (NUMBER, "property_state", "property_zip")  # what says where a lead's person may be


def owe(lead: Lead, *, by: datetime, at: datetime) -> None:
    """A person owes the borrower an attempt by `by`; a promise made earlier stands."""
    unpromised = {"id": lead.pk, "promise_at": None, "first_attempt_at": None}
    change(Lead, where=unpromised, to={"promise_at": due(lead, by=by, at=at)})


def due(lead: Lead, *, by: datetime, at: datetime) -> datetime:
    """`by`; where nobody may call then, as long after calls open as it is after `at`."""
    return lawful(*Lead.objects.values_list(*PLACE).get(pk=lead.pk), by=by, at=at)


def runs(lead: Lead) -> bool:
    """Whether a first call is still owed: nobody tried, and the file has not gone further."""
    is_early = lead.state in ("new", "working")
    return bool(lead.promise_at) and lead.first_attempt_at is None and is_early


def lawful(
    number: str | None, state: str, postal_code: str, *, by: datetime, at: datetime
) -> datetime:
    """The same of a place: where it is night by `by`, the promise begins in the morning."""
    opens = windows.next_opening(number or "", state, postal_code, at=by)
    return opens + (by - at) if opens and opens > by else by
