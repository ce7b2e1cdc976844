"""One lead, as the user behind the key sees it."""

from datetime import date
from uuid import UUID

from ninja import Router, Schema

from rooftree.api.api_errors import NOT_FOUND
from rooftree.api.key_authentication import ApiRequest
from rooftree.api.operations import Timestamp, require_key
from rooftree.leads.models import Lead, Loan, Person
from rooftree.org.access_log import AccessKind
from rooftree.routing.permissions import leads_visible_to

router = Router(tags=["Leads"])


class SourceName(Schema):
    """The source of a lead."""

    id: UUID
    name: str


class PropertyPlace(Schema):
    """Where the property is."""

    state: str
    zip: str


class PersonDetails(Schema):
    """A borrower; the main phone and email come first."""

    first_name: str
    last_name: str
    phones: list[str]
    emails: list[str]


class OfficerName(Schema):
    """The loan officer of a lead."""

    name: str
    nmls_id: str


class LoanDetails(Schema):
    """One loan of a lead."""

    id: UUID
    milestone: str
    amount_cents: int | None
    application_date: date | None
    funded_date: date | None


class LeadDetails(Schema):
    """One lead."""

    id: UUID
    state: str
    source: SourceName
    arrived_at: Timestamp
    purpose: str
    amount_cents: int | None
    property: PropertyPlace
    score: int | None
    person: PersonDetails
    officer: OfficerName | None
    loans: list[LoanDetails]


@router.get(
    "/leads/{uuid:lead_id}",
    **require_key(
        scope="leads:read",
        permission="read_lead",
        returns=LeadDetails,
        errors={404: "Not found, or this key can't see it"},
    ),
)
def read_lead(request: ApiRequest, lead_id: UUID) -> LeadDetails:
    """Read one lead that the key’s user can see. The audit log records it."""
    call = request.auth
    visible = leads_visible_to(call.user).select_related("person", "source", "officer__user")
    lead = visible.filter(pk=lead_id).first()
    if lead is None:
        raise NOT_FOUND
    call.log_access(AccessKind.LEAD_OPENED, lead_id=lead.pk)
    return _describe_lead(lead)


def _describe_lead(lead: Lead) -> LeadDetails:
    officer = lead.officer
    return LeadDetails(
        id=lead.pk,
        state=lead.state,
        source=SourceName(id=lead.source_id, name=lead.source.name),
        arrived_at=lead.created_at,
        purpose=lead.purpose,
        amount_cents=lead.amount_cents,
        property=PropertyPlace(state=lead.property_state, zip=lead.property_zip),
        score=lead.score,
        person=_describe_person(lead.person),
        officer=OfficerName(name=officer.user.name, nmls_id=officer.nmls_id) if officer else None,
        loans=[
            LoanDetails.model_validate(loan)
            for loan in Loan.objects.filter(lead=lead).order_by("id")
        ],
    )


def _describe_person(person: Person) -> PersonDetails:
    phones = person.phones.filter(unlinked_at=None).order_by("-is_primary", "id")
    emails = person.emails.order_by("-is_primary", "id")
    return PersonDetails(
        first_name=person.first_name,
        last_name=person.last_name,
        phones=list(phones.values_list("e164", flat=True)),
        emails=list(emails.values_list("address", flat=True)),
    )
