"""Set-up: the first-run guide, and the company's own facts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow.company_changes import update_company
from rooftree.money.company_day import company_day
from rooftree.org.company_profile import COMPANY_KINDS as KINDS
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
    "direct_lender": "Lends its own money",
    "broker": "Brokers loans of others",
}
CARRIER_POLICIES = {
    "any_lender": "Takes any lender",
    "direct_lenders_only": "Takes direct lenders only",
}
DIRECT_LENDING = "direct_lending"


class CompanyForm(WeeklyHoursForm):
    """Who the lender is."""

    legal_name = text_field("Legal name", "As NMLS shows it")
    brand = text_field("Name in messages", "How texts and e-mails sign", max_length=120)
    kind = choice_field(
        "What it is", KINDS.items(), "A depository’s officers need no state license"
    )
    nmls_id = text_field("NMLS ID", max_length=20, attrs={"inputmode": "numeric"})
    registered_dbas = LinesField("Registered trade names", "One a line")
    postal_address = textarea_field(
        "Postal address", "In the footer of every marketing e-mail", required=True
    )
    phone = text_field("Main phone", max_length=30, attrs={"inputmode": "tel"})
    website = text_field(
        "Website", "As https://www.example.com; Texas wants it in every message", required=False
    )
    zone = zone_field("Time zone", "The company’s days are counted in it")
    alarm_user_id = choice_field(
        "Who is called when nobody takes a lead", (), "A person, at any hour", required=False
    )
    brand_registered = checkbox_field("Our brand is registered with the carriers (10DLC)")
    direct_lending = checkbox_field("The campaign carries the direct-lending attribute")
    company_kind = choice_field("For the carriers, the company", CARRIER_COMPANY_KINDS.items())
    carrier_policy = choice_field("The carrier", CARRIER_POLICIES.items())
    telemarketer_states = StatesField(
        "Registered as a telemarketer in", "Or exempt, with the memo on file"
    )
    mail_is_authenticated = checkbox_field("SPF, DKIM and DMARC of our mail domain are aligned")

    FIELDSETS = (
        ("The lender", ("legal_name", "brand", "kind", "nmls_id", "registered_dbas", "zone")),
        ("How people reach it", ("postal_address", "phone", "website", "alarm_user_id")),
        ("Texting", ("brand_registered", "direct_lending", "company_kind", "carrier_policy")),
        ("Calling and e-mail", ("telemarketer_states", "mail_is_authenticated")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heads = User.objects.filter(is_active=True, role__in=COMPANY_OR_BRANCH_ROLES)
        self.fields["alarm_user_id"].choices = [
            ("", "Nobody named: every administrator"),
            *((str(head.pk), f"{head.name}, {head.role_label}") for head in heads.order_by("name")),
        ]


@staff_view("GET")
def show_setup(request: StaffRequest) -> HttpResponse:
    """The guide: what is done, what is next, what works already."""
    require_permission(request.user, "edit_setup")
    listed = setup_guide.build_steps(company_day(request.at), request.at)
    needed = [step for step in listed if step.is_needed]
    left = sum(not step.is_done for step in needed)
    context = {
        "steps": listed,
        "next": next((step for step in listed if not step.is_done), None),
        "done": sum(step.is_done for step in listed),
        "left": left,
        "works": setup_guide.list_capabilities(listed, Company.objects.first()),
        "machine": setup_guide.read_system_status(),
    }
    return render(request, "setup/show.html", context)


@staff_view("GET", "POST")
def edit_company(request: StaffRequest) -> HttpResponse:
    """The company's facts."""
    require_permission(request.user, "edit_setup")
    held = Company.objects.first()
    form = CompanyForm(request.POST or None, initial=_company_initial(held))

    def keep(typed: dict[str, Any]) -> Company:
        return update_company(_company_columns(typed, held), by=request.user, at=request.at)

    if request.method == "POST" and form.submit(keep):
        return respond_done(request, "The company’s facts are kept", back_to=reverse("setup"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form,
        "title": "The company",
        "sub": "As the law, the carriers and every message name it",
    }
    return render(request, "setup/form.html", context, status=status)


def _company_columns(typed: dict[str, Any], held: Company | None) -> dict[str, Any]:
    """The form as columns; attributes of the campaign that it does not show are kept."""
    attributes = set(held.texting.get("attributes", ())) if held else set()
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
        "alarm_user_id": _find_user_id(typed["alarm_user_id"]),
        "telemarketer_states": list(typed["telemarketer_states"]),
        "texting": {**texting, "attributes": sorted(attributes)},
    }


def _find_user_id(typed: str) -> Any:
    return User.objects.values_list("pk", flat=True).get(pk=typed) if typed else None


def _company_initial(held: Company | None) -> dict[str, Any]:
    if held is None:
        return {"zone": "America/New_York", "kind": "nonbank", **hours_to_initial(office_hours())}
    texting = held.texting
    shown = {name: getattr(held, name) for name in CompanyForm.base_fields if hasattr(held, name)}
    return {
        **shown,
        **hours_to_initial(held.hours),
        "phone": display_formats.phone(held.phone),
        "alarm_user_id": str(held.alarm_user_id or ""),
        "brand_registered": texting.get("brand_registered", False),
        "direct_lending": DIRECT_LENDING in texting.get("attributes", ()),
        "company_kind": texting.get("company_kind", "direct_lender"),
        "carrier_policy": texting.get("carrier_policy", "any_lender"),
    }
