"""The tables of the timeline that have rows about a lead.

Most leads have rows in a few of these tables only, so one statement asks which ones to read.
"""

from typing import Any
from uuid import UUID

from rooftree.db.prepared_queries import PreparedQuery, prefetch_rows, set_prefetched_rows
from rooftree.db.statements import query_row
from rooftree.leads.models import Lead, LeadEdit, Touch
from rooftree.los.models import Handoff
from rooftree.outreach.models import Message
from rooftree.rates.models import RateWatch
from rooftree.reporting.timeline import call_entries

PREFETCHES: dict[str, tuple[str, PreparedQuery[Any]]] = {
    # By table: relation of the lead, and its rows. They stay loaded for the rest of the page.
    "touch": (
        "touches",
        PreparedQuery(
            lambda owners: (
                Touch.objects.select_related("source", "campaign")
                .filter(lead__in=owners)
                .order_by("at", "id")
            ),
            owners=list[UUID],
        ),
    ),
    "message": (
        "messages",
        PreparedQuery(
            lambda owners: Message.objects.select_related(
                "verdict", "template", "by", "officer__user"
            ).filter(lead__in=owners),
            owners=list[UUID],
        ),
    ),
    "handoff": (
        "handoffs",
        PreparedQuery(
            lambda owners: Handoff.objects.select_related(
                "connection", "requested_by", "loan"
            ).filter(lead__in=owners),
            owners=list[UUID],
        ),
    ),
    "lead_edit": (
        "edits",
        PreparedQuery(
            lambda owners: LeadEdit.objects.select_related("by").filter(lead__in=owners),
            owners=list[UUID],
        ),
    ),
    "rate_watch": (
        "watches",
        PreparedQuery(
            lambda owners: RateWatch.objects.select_related("set_by", "reached_by").filter(
                lead__in=owners
            ),
            owners=list[UUID],
        ),
    ),
}
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
    "promise": OF_LEAD,
}
TABLES_SQL = "select " + ", ".join(  # noqa: S608 (no values)
    f"exists (select from {table} where {condition})" for table, condition in CONDITIONS.items()
)


def load_rows_of_lead(lead: Lead) -> frozenset[str]:
    """Load the calls and the rows of `PREFETCHES`; return the tables with rows about the lead."""
    flags = query_row(TABLES_SQL, {"lead": lead.pk, "person": lead.person_id})
    tables = frozenset(table for table, has_rows in zip(CONDITIONS, flags, strict=True) if has_rows)
    call_entries.load_calls(lead, has_any="contact_attempt" in tables)
    for table, (relation, query) in PREFETCHES.items():
        if table in tables:
            prefetch_rows([lead], relation, query)
        else:
            set_prefetched_rows([lead], relation, [])
    return tables
