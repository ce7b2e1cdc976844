"""By when a person owes a borrower a call. An hour that forbids calling is nobody's delay."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from rooftree.compliance.gate import next_calling_time
from rooftree.compliance.rule_changes import approved_changes
from rooftree.db.bulk_update import update_each
from rooftree.leads.models import Lead, Phone

PRIMARY_NUMBER = Subquery(
    Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    .order_by("-is_primary", "given_at")
    .values("e164")[:1]
)
EARLY_STATES = ("new", "working")  # states of a lead whose file has not gone further
FIRST_CALL_OWED = Q(
    promise_at__isnull=False, first_attempt_at=None, state__in=EARLY_STATES
)  # as `runs` says
RULE_CHANGES = approved_changes.approved_changes_column()
# What says where a lead's person may be, and by which rules it is told when they may be called.
PLACE_COLUMNS = (PRIMARY_NUMBER, "property_state", "property_zip", RULE_CHANGES)


def set_deadline(lead: Lead, *, by: datetime, at: datetime) -> None:
    """A person owes the borrower an attempt by `by`; a promise made earlier stands."""
    set_deadlines({lead.pk: by}, at=at)


def set_deadlines(owed: Mapping[UUID, datetime], *, at: datetime) -> None:
    """The same for several leads, each by its own time."""
    places = Lead.objects.filter(pk__in=owed).values_list("pk", *PLACE_COLUMNS) if owed else ()
    store_deadlines({key: callable_deadline(*place, by=owed[key], at=at) for key, *place in places})


def store_deadlines(promised: Mapping[UUID, datetime]) -> None:
    """Leads are promised an attempt by their own times, `lawful` already; an earlier one stands."""
    rows = [{"id": key, "promise_at": by} for key, by in promised.items()]
    update_each(Lead, rows, where={"promise_at": None, "first_attempt_at": None})


def callable_deadline_of_lead(lead: Lead, *, by: datetime, at: datetime) -> datetime:
    """`by`; where nobody may call then, as long after calls open as it is after `at`."""
    return callable_deadline(
        *Lead.objects.values_list(*PLACE_COLUMNS).get(pk=lead.pk), by=by, at=at
    )


def is_first_call_owed(lead: Lead) -> bool:
    """Whether a first call is still owed: nobody tried, and the file has not gone further."""
    return bool(lead.promise_at) and lead.first_attempt_at is None and lead.state in EARLY_STATES


def callable_deadline(
    number: str | None, state: str, postal_code: str, rules: str, *, by: datetime, at: datetime
) -> datetime:
    """The same of a place: where it is night by `by`, the promise begins in the morning."""
    changes = approved_changes.parse_changes(rules)
    opens = next_calling_time.next_opening(number or "", state, postal_code, changes, at=by)
    return opens + (by - at) if opens and opens > by else by
