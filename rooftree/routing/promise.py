"""By when a person owes a borrower a call. An hour that forbids calling is nobody's delay."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from rooftree.compliance import windows
from rooftree.compliance.amending import standing
from rooftree.leads.models import Lead, Phone
from rooftree.org.change import change_each

NUMBER = Subquery(
    Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    .order_by("-is_primary", "given_at")
    .values("e164")[:1]
)
EARLY = ("new", "working")  # states of a lead whose file has not gone further
RUNS = Q(promise_at__isnull=False, first_attempt_at=None, state__in=EARLY)  # as `runs` says
RULES = standing.column()
# What says where a lead's person may be, and by which rules it is told when they may be called.
PLACE = (NUMBER, "property_state", "property_zip", RULES)


def owe(lead: Lead, *, by: datetime, at: datetime) -> None:
    """A person owes the borrower an attempt by `by`; a promise made earlier stands."""
    owe_all({lead.pk: by}, at=at)


def owe_all(owed: Mapping[UUID, datetime], *, at: datetime) -> None:
    """The same for several leads, each by its own time."""
    places = Lead.objects.filter(pk__in=owed).values_list("pk", *PLACE) if owed else ()
    promise({key: lawful(*place, by=owed[key], at=at) for key, *place in places})


def promise(promised: Mapping[UUID, datetime]) -> None:
    """Leads are promised an attempt by their own times, `lawful` already; an earlier one stands."""
    rows = [{"id": key, "promise_at": by} for key, by in promised.items()]
    change_each(Lead, rows, where={"promise_at": None, "first_attempt_at": None})


def due(lead: Lead, *, by: datetime, at: datetime) -> datetime:
    """`by`; where nobody may call then, as long after calls open as it is after `at`."""
    return lawful(*Lead.objects.values_list(*PLACE).get(pk=lead.pk), by=by, at=at)


def runs(lead: Lead) -> bool:
    """Whether a first call is still owed: nobody tried, and the file has not gone further."""
    return bool(lead.promise_at) and lead.first_attempt_at is None and lead.state in EARLY


def lawful(
    number: str | None, state: str, postal_code: str, rules: str, *, by: datetime, at: datetime
) -> datetime:
    """The same of a place: where it is night by `by`, the promise begins in the morning."""
    changes = standing.changes(rules)
    opens = windows.next_opening(number or "", state, postal_code, changes, at=by)
    return opens + (by - at) if opens and opens > by else by
