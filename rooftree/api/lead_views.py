"""One lead, as its person behind the key may see it."""

from typing import Any
from uuid import UUID

from rooftree.api.key_authentication import NOT_FOUND, ApiCall, require_api_key
from rooftree.leads.canonical_json import format_timestamp
from rooftree.leads.models import Lead, Loan
from rooftree.org.access_log import AccessKind
from rooftree.routing.permissions import leads_visible_to


@require_api_key(scope="leads:read", permission="read_lead")
def read_lead(let: ApiCall, lead_id: UUID) -> dict[str, Any]:
    """A lead with its person, its officer and its loans. Reading it is written down."""
    seen = leads_visible_to(let.user).select_related("person", "source", "officer__user")
    found = seen.filter(pk=lead_id).first()
    if found is None:
        raise NOT_FOUND
    let.log_access(AccessKind.LEAD_OPENED, lead_id=found.pk)
    return _lead_json(found)


def _lead_json(one: Lead) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "state": one.state,
        "source": {"id": str(one.source_id), "name": one.source.name},
        "arrived_at": format_timestamp(one.created_at),
        "purpose": one.purpose,
        "amount_cents": one.amount_cents,
        "property": {"state": one.property_state, "zip": one.property_zip},
        "score": one.score,
        "person": _person_json(one),
        "officer": {"name": one.officer.user.name, "nmls_id": one.officer.nmls_id}
        if one.officer
        else None,
        "loans": [_loan_json(loan) for loan in Loan.objects.filter(lead=one).order_by("id")],
    }


def _person_json(one: Lead) -> dict[str, Any]:
    human = one.person
    numbers = human.phones.filter(unlinked_at=None).order_by("-is_primary", "id")
    addresses = human.emails.order_by("-is_primary", "id")
    return {
        "first_name": human.first_name,
        "last_name": human.last_name,
        "phones": list(numbers.values_list("e164", flat=True)),
        "emails": list(addresses.values_list("address", flat=True)),
    }


def _loan_json(one: Loan) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "milestone": one.milestone,
        "amount_cents": one.amount_cents,
        "application_date": one.application_date and one.application_date.isoformat(),
        "funded_date": one.funded_date and one.funded_date.isoformat(),
    }
