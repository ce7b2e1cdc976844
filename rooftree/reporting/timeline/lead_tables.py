"""The tables of the timeline that have rows about a lead.

Most leads have rows in a few of these tables only, so one statement asks which ones to read.
"""

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from rooftree.db.statements import query_row
from rooftree.leads.models import Lead, LeadEdit
from rooftree.los.models import Handoff
from rooftree.outreach.facts.lead_records import TOUCHES
from rooftree.outreach.models import Message
from rooftree.rates.models import RateWatch
from rooftree.reporting.timeline import call_entries

PREFETCHES = (  # by table; loaded with the lead, for the rest of its page too
    ("touch", TOUCHES),
    (
        "message",
        Prefetch(
            "messages",
            Message.objects.select_related("verdict", "template", "by", "officer__user"),
        ),
    ),
    ("contact_attempt", call_entries.CALLS_PREFETCH),
    (
        "handoff",
        Prefetch("handoffs", Handoff.objects.select_related("connection", "requested_by", "loan")),
    ),
    ("lead_edit", Prefetch("edits", LeadEdit.objects.select_related("by"))),
    (
        "rate_watch",
        Prefetch("watches", RateWatch.objects.select_related("set_by", "reached_by")),
    ),
)

OF_LEAD, OF_PERSON = "lead_id = %(lead)s", "person_id = %(person)s"
CONDITIONS = {  # by table: how its rows about the lead are found
    "touch": OF_LEAD,
    "message": OF_LEAD,
    "contact_attempt": OF_LEAD,
    "handoff": OF_LEAD,
    "lead_edit": OF_LEAD,
    "rate_watch": OF_LEAD,
    "signal": OF_LEAD,
    "remark": OF_LEAD,
    "consent": OF_PERSON,
    "revocation": OF_PERSON,
    "routing_decision": OF_LEAD,
    "offer": OF_LEAD,
    "ring": "offer_id in (select id from offer where lead_id = %(lead)s)",
    "ownership": f"{OF_LEAD} and offer_id is null",
    "milestone": "loan_id in (select id from loan where lead_id = %(lead)s)",
    "enrollment": OF_LEAD,
    "credit_clock": OF_LEAD,
    "imported_activity": OF_LEAD,
}
TABLES_SQL = "select " + ", ".join(  # noqa: S608 (no values)
    f"exists (select from {table} where {condition})" for table, condition in CONDITIONS.items()
)


def load_rows_of_lead(lead: Lead) -> frozenset[str]:
    """Load the rows of `PREFETCHES` on the lead; return the tables that have rows about it."""
    flags = query_row(TABLES_SQL, {"lead": lead.pk, "person": lead.person_id})
    tables = frozenset(table for table, has_rows in zip(CONDITIONS, flags, strict=True) if has_rows)
    prefetch_related_objects(
        [lead], *(rows if table in tables else _no_rows(rows) for table, rows in PREFETCHES)
    )
    return tables


def _no_rows(rows: "Prefetch[Any]") -> "Prefetch[Any]":
    """Return a prefetch that loads an empty list, without a query."""
    assert rows.queryset is not None
    return Prefetch(rows.prefetch_through, rows.queryset.none(), rows.to_attr)
