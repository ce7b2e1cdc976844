"""One lead, as the user behind the key sees it."""

from typing import Any
from uuid import UUID

from rooftree.api.key_authentication import NOT_FOUND, ApiCall, require_api_key
from rooftree.leads.canonical_json import format_timestamp
from rooftree.leads.models import Lead, Loan
from rooftree.org.access_log import AccessKind
from rooftree.routing.permissions import leads_visible_to


@require_api_key(scope="leads:read", permission="read_lead")
def read_lead(call: ApiCall, lead_id: UUID) -> dict[str, Any]:
    """Return a lead with its person, officer and loans, and record the access.

    Raises `ApiError` if the key's user can't see the lead.
    """
    visible = leads_visible_to(call.user).select_related("person", "source", "officer__user")
    lead = visible.filter(pk=lead_id).first()
    if lead is None:
        raise NOT_FOUND
    call.log_access(AccessKind.LEAD_OPENED, lead_id=lead.pk)
    return _lead_json(lead)


def _lead_json(lead: Lead) -> dict[str, Any]:
    return {
        "id": str(lead.pk),
        "state": lead.state,
        "source": {"id": str(lead.source_id), "name": lead.source.name},
        "arrived_at": format_timestamp(lead.created_at),
        "purpose": lead.purpose,
        "amount_cents": lead.amount_cents,
        "property": {"state": lead.property_state, "zip": lead.property_zip},
        "score": lead.score,
        "person": _person_json(lead),
        "officer": {"name": lead.officer.user.name, "nmls_id": lead.officer.nmls_id}
        if lead.officer
        else None,
        "loans": [_loan_json(loan) for loan in Loan.objects.filter(lead=lead).order_by("id")],
    }


def _person_json(lead: Lead) -> dict[str, Any]:
    person = lead.person
    numbers = person.phones.filter(unlinked_at=None).order_by("-is_primary", "id")
    addresses = person.emails.order_by("-is_primary", "id")
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phones": list(numbers.values_list("e164", flat=True)),
        "emails": list(addresses.values_list("address", flat=True)),
    }


def _loan_json(loan: Loan) -> dict[str, Any]:
    return {
        "id": str(loan.pk),
        "milestone": loan.milestone,
        "amount_cents": loan.amount_cents,
        "application_date": loan.application_date and loan.application_date.isoformat(),
        "funded_date": loan.funded_date and loan.funded_date.isoformat(),
    }
