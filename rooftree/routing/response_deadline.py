"""The deadline for the first call to a borrower; hours when calls are forbidden don't count."""

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
EARLY_STATES = ("new", "working")  # lead states before nurture and application
# The same condition as `is_first_call_owed`.
FIRST_CALL_OWED = Q(response_due_at__isnull=False, first_attempt_at=None, state__in=EARLY_STATES)
RULE_CHANGES = approved_changes.approved_changes_column()
# The columns that say where the borrower can be, and which calling rules apply there.
PLACE_COLUMNS = (PRIMARY_NUMBER, "property_state", "property_zip", RULE_CHANGES)


def set_deadline(lead: Lead, *, by: datetime, at: datetime) -> None:
    """Set the deadline for an officer's first attempt; an earlier deadline stays."""
    set_deadlines({lead.pk: by}, at=at)


def set_deadlines(deadlines: Mapping[UUID, datetime], *, at: datetime) -> None:
    """Set the deadlines of several leads, by id; an earlier deadline stays."""
    places = (
        Lead.objects.filter(pk__in=deadlines).values_list("pk", *PLACE_COLUMNS) if deadlines else ()
    )
    store_deadlines(
        {key: callable_deadline(*place, by=deadlines[key], at=at) for key, *place in places}
    )


def store_deadlines(deadlines: Mapping[UUID, datetime]) -> None:
    """Store deadlines that already fall in calling hours, by lead id; an earlier one stays."""
    rows = [{"id": key, "response_due_at": by} for key, by in deadlines.items()]
    update_each(Lead, rows, where={"response_due_at": None, "first_attempt_at": None})


def callable_deadline_of_lead(lead: Lead, *, by: datetime, at: datetime) -> datetime:
    """Return `by`, or if calls are closed then, the same span from `at` after calls open."""
    return callable_deadline(
        *Lead.objects.values_list(*PLACE_COLUMNS).get(pk=lead.pk), by=by, at=at
    )


def is_first_call_owed(lead: Lead) -> bool:
    """Return True if a first call is due: none was tried and the lead is still new or working."""
    return (
        bool(lead.response_due_at) and lead.first_attempt_at is None and lead.state in EARLY_STATES
    )


def calls_closed_until(
    number: str | None, state: str, postal_code: str, rules: str, *, at: datetime
) -> datetime | None:
    """Return when calls to a place open, in its time zone, if they are closed now; else None.

    An overdue deadline pauses until then: nobody is late while calling is unlawful.
    """
    changes = approved_changes.parse_changes(rules)
    opens = next_calling_time.next_opening(number or "", state, postal_code, changes, at=at)
    return opens if opens and opens > at else None


def first_call_paused_until(lead: Lead, *, at: datetime) -> datetime | None:
    """Return when an overdue first call can be made, if calls are closed now; else None."""
    if not is_first_call_owed(lead) or lead.response_due_at is None or lead.response_due_at >= at:
        return None
    return calls_closed_until(*Lead.objects.values_list(*PLACE_COLUMNS).get(pk=lead.pk), at=at)


def callable_deadline(
    number: str | None, state: str, postal_code: str, rules: str, *, by: datetime, at: datetime
) -> datetime:
    """Return `by` for a place, or if it is night there, the same span counted from morning."""
    changes = approved_changes.parse_changes(rules)
    opens = next_calling_time.next_opening(number or "", state, postal_code, changes, at=by)
    return opens + (by - at) if opens and opens > by else by
