"""One lead, as its person behind the key may see it."""

from typing import Any
from uuid import UUID

from rooftree.api.guard import NOT_FOUND, Call, call
from rooftree.leads.interchange import moment
from rooftree.leads.models import Lead, Loan
from rooftree.org.access_log import Kind
from rooftree.routing.visible import leads_visible_to


@call(scope="leads:read", verb="read_lead")
def lead(let: Call, lead_id: UUID) -> dict[str, Any]:
    """A lead with its person, its officer and its loans. Reading it is written down."""
    seen = leads_visible_to(let.user).select_related("person", "source", "officer__user")
    found = seen.filter(pk=lead_id).first()
    if found is None:
        raise NOT_FOUND
    let.note(Kind.LEAD_OPENED, lead_id=found.pk)
    return _written(found)


def _written(one: Lead) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "state": one.state,
        "source": {"id": str(one.source_id), "name": one.source.name},
        "arrived_at": moment(one.created_at),
        "purpose": one.purpose,
        "amount_cents": one.amount_cents,
        "property": {"state": one.property_state, "zip": one.property_zip},
        "score": one.score,
        "person": _person(one),
        "officer": {"name": one.officer.user.name, "nmls_id": one.officer.nmls_id}
        if one.officer
        else None,
        "loans": [_loan(loan) for loan in Loan.objects.filter(lead=one).order_by("id")],
    }


def _person(one: Lead) -> dict[str, Any]:
    human = one.person
    numbers = human.phones.filter(unlinked_at=None).order_by("-is_primary", "id")
    addresses = human.emails.order_by("-is_primary", "id")
    return {
        "first_name": human.first_name,
        "last_name": human.last_name,
        "phones": list(numbers.values_list("e164", flat=True)),
        "emails": list(addresses.values_list("address", flat=True)),
    }


def _loan(one: Loan) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "milestone": one.milestone,
        "amount_cents": one.amount_cents,
        "application_date": one.application_date and one.application_date.isoformat(),
        "funded_date": one.funded_date and one.funded_date.isoformat(),
    }
