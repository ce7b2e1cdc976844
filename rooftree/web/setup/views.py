"""Setup: the guide to the first lead, and the company's details."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow.company_changes import update_company
from rooftree.money.company_day import company_day
from rooftree.org import setup_steps
from rooftree.org.company_profile import COMPANY_KINDS
from rooftree.org.models import Company, User, office_hours
from rooftree.routing.permissions import COMPANY_OR_BRANCH_ROLES
from rooftree.web.setup import setup_guide
from rooftree.web.setup.weekly_hours_form import WeeklyHoursForm, hours_to_initial, pop_hours
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    LinesField,
    StatesField,
    checkbox_field,
    choice_field,
    text_field,
    textarea_field,
    zone_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

CARRIER_COMPANY_KINDS = {
    "direct_lender": "Direct lender",
    "broker": "Broker",
}
CARRIER_POLICIES = {
    "any_lender": "Any lender",
    "direct_lenders_only": "Direct lenders only",
}
DIRECT_LENDING = "direct_lending"
NMLS_SEARCH = "https://www.nmlsconsumeraccess.org/"  # public pages; no interface gives the record
NMLS_COMPANY = f"{NMLS_SEARCH}EntityDetails.aspx/COMPANY/{{nmls_id}}"


class CompanyForm(WeeklyHoursForm):
    """The company's details: lender, contact, texting and calling."""

    legal_name = text_field("Legal name", "As shown in NMLS")
    brand = text_field("Name in messages", "Signs texts and emails", max_length=120)
    kind = choice_field(
        "Type of lender", COMPANY_KINDS.items(), "A depository’s officers need no state license"
    )
    nmls_id = text_field("NMLS ID", max_length=20, attrs={"inputmode": "numeric"})
    registered_dbas = LinesField("Registered trade names", "One per line")
    postal_address = textarea_field(
        "Mailing address", "In the footer of every marketing email", required=True
    )
    phone = text_field("Main phone", max_length=30, attrs={"inputmode": "tel"})
    website = text_field(
        "Website",
        "For example https://www.example.com. Texas requires it in messages",
        required=False,
    )
    privacy_url = text_field(
        "Privacy page",
        "For example https://www.example.com/privacy. Your own form links it",
        required=False,
        attrs={"inputmode": "url"},
    )
    zone = zone_field("Time zone", "For the company’s business days")
    alarm_user_id = choice_field("Call if no one accepts a lead", (), "At any hour", required=False)
    brand_registered = checkbox_field("Your brand is registered with the carriers (10DLC)")
    direct_lending = checkbox_field("The campaign has the direct-lending attribute")
    company_kind = choice_field("Type of company, for carriers", CARRIER_COMPANY_KINDS.items())
    carrier_policy = choice_field("Carrier accepts", CARRIER_POLICIES.items())
    telemarketer_states = StatesField(
        "Telemarketer states", "Where you are registered, or exempt with a memo on file"
    )

    FIELDSETS = (
        ("Lender", ("legal_name", "brand", "kind", "nmls_id", "registered_dbas", "zone")),
        ("Contact", ("postal_address", "phone", "website", "privacy_url", "alarm_user_id")),
        ("Texting", ("brand_registered", "direct_lending", "company_kind", "carrier_policy")),
        ("Calling", ("telemarketer_states",)),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        managers = User.objects.with_role(*COMPANY_OR_BRANCH_ROLES)
        names = [
            (str(user.pk), f"{user.name}, {user.role_label}") for user in managers.order_by("name")
        ]
        self.set_choices("alarm_user_id", [("", "All administrators"), *names])


@staff_view("GET")
def show_setup(request: StaffRequest) -> HttpResponse:
    """Show the setup guide: steps done, the next step, and what works now."""
    require_permission(request.user, "edit_setup")
    groups = setup_guide.build_groups(company_day(request.at), request.at)
    stored = setup_steps.stored_steps()
    steps = [step for group in groups for step in group.steps]
    open_steps = [step for step in steps if not step.is_done]
    context = {
        "groups": [
            {"group": group, "lines": [(step, stored.get(step.key)) for step in group.steps]}
            for group in groups
        ],
        "next": next(iter(open_steps), None),
        "done": len(steps) - len(open_steps),
        "count": len(steps),
        "left": sum(step.is_needed for step in open_steps),
        "capabilities": setup_guide.list_capabilities(groups, Company.objects.first()),
        "system": setup_guide.read_system_status(request.at),
        "today": company_day(request.at),
    }
    return render(request, "setup/show.html", context)


@staff_view("GET", "POST")
def edit_company(request: StaffRequest) -> HttpResponse:
    """Show the company's details; a POST saves them."""
    require_permission(request.user, "edit_setup")
    company = Company.objects.first()
    form = CompanyForm(request.POST or None, initial=_company_initial(company))

    def save(typed: dict[str, Any]) -> Company:
        return update_company(_company_columns(typed, company), by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(request, "Company details saved", back_to=reverse("setup"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form,
        "title": "Company",
        "sub": "used in disclosures, carrier registrations and messages",
        "nmls": NMLS_COMPANY.format(nmls_id=company.nmls_id) if company else NMLS_SEARCH,
    }
    return render(request, "setup/form.html", context, status=status)


def _company_columns(typed: dict[str, Any], company: Company | None) -> dict[str, Any]:
    """Return the form as columns; keep the campaign attributes that it doesn't show."""
    attributes = set(company.texting.get("attributes", ())) if company else set()
    attributes.discard(DIRECT_LENDING)
    if typed.pop("direct_lending"):
        attributes.add(DIRECT_LENDING)
    hours = pop_hours(typed)
    texting = {
        name: typed.pop(name) for name in ("brand_registered", "company_kind", "carrier_policy")
    }
    return {
        **typed,
        "hours": hours,
        "alarm_user_id": UUID(typed["alarm_user_id"]) if typed["alarm_user_id"] else None,
        "telemarketer_states": list(typed["telemarketer_states"]),
        "texting": {**texting, "attributes": sorted(attributes)},
    }


def _company_initial(company: Company | None) -> dict[str, Any]:
    if company is None:
        return {"zone": "America/New_York", "kind": "nonbank", **hours_to_initial(office_hours())}
    texting = company.texting
    columns = {
        name: getattr(company, name) for name in CompanyForm.base_fields if hasattr(company, name)
    }
    return {
        **columns,
        **hours_to_initial(company.hours),
        "phone": display_formats.phone(company.phone),
        "alarm_user_id": str(company.alarm_user_id or ""),
        "brand_registered": texting.get("brand_registered", False),
        "direct_lending": DIRECT_LENDING in texting.get("attributes", ()),
        "company_kind": texting.get("company_kind", "direct_lender"),
        "carrier_policy": texting.get("carrier_policy", "any_lender"),
    }
