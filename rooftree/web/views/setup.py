"""Set-up: the first-run guide, and the company's own facts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow.our_licenses import change_company
from rooftree.money.company_day import company_day
from rooftree.org.company import KINDS
from rooftree.org.models import Company, User, office_hours
from rooftree.routing.visible import WHOLE_OR_SUBTREE
from rooftree.web import setup_guide, words
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, States, area, choice, text, yes, zone
from rooftree.web.week import WeekForm, as_typed, take_hours

COMPANY_KINDS = {"direct_lender": "Lends its own money", "broker": "Brokers loans of others"}
CARRIER_POLICIES = {
    "any_lender": "Takes any lender",
    "direct_lenders_only": "Takes direct lenders only",
}
DIRECT_LENDING = "direct_lending"


class CompanyForm(WeekForm):
    """Who the lender is."""

    legal_name = text("Legal name", "As NMLS shows it")
    brand = text("Name in messages", "How texts and e-mails sign", longest=120)
    kind = choice("What it is", KINDS.items(), "A depository’s officers need no state license")
    nmls_id = text("NMLS ID", longest=20, attrs={"inputmode": "numeric"})
    registered_dbas = Lines("Registered trade names", "One a line")
    postal_address = area(
        "Postal address", "In the footer of every marketing e-mail", required=True
    )
    phone = text("Main phone", longest=30, attrs={"inputmode": "tel"})
    website = text(
        "Website", "As https://www.example.com; Texas wants it in every message", required=False
    )
    zone = zone("Time zone", "The company’s days are counted in it")
    alarm_user_id = choice(
        "Who is called when nobody takes a lead", (), "A person, at any hour", required=False
    )
    brand_registered = yes("Our brand is registered with the carriers (10DLC)")
    direct_lending = yes("The campaign carries the direct-lending attribute")
    company_kind = choice("For the carriers, the company", COMPANY_KINDS.items())
    carrier_policy = choice("The carrier", CARRIER_POLICIES.items())
    telemarketer_states = States(
        "Registered as a telemarketer in", "Or exempt, with the memo on file"
    )
    mail_is_authenticated = yes("SPF, DKIM and DMARC of our mail domain are aligned")

    PARTS = (
        ("The lender", ("legal_name", "brand", "kind", "nmls_id", "registered_dbas", "zone")),
        ("How people reach it", ("postal_address", "phone", "website", "alarm_user_id")),
        ("Texting", ("brand_registered", "direct_lending", "company_kind", "carrier_policy")),
        ("Calling and e-mail", ("telemarketer_states", "mail_is_authenticated")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heads = User.objects.filter(is_active=True, role__in=WHOLE_OR_SUBTREE)
        self.fields["alarm_user_id"].choices = [
            ("", "Nobody named: every administrator"),
            *((str(one.pk), f"{one.name}, {one.role_label}") for one in heads.order_by("name")),
        ]


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The guide: what is done, what is next, what works already."""
    must(request.user, "edit_setup")
    listed = setup_guide.steps(company_day(request.at), request.at)
    needed = [step for step in listed if step.is_needed]
    left = sum(not step.is_done for step in needed)
    context = {
        "steps": listed,
        "next": next((step for step in listed if not step.is_done), None),
        "done": sum(step.is_done for step in listed),
        "left": left,
        "works": setup_guide.works(listed, Company.objects.first()),
        "machine": setup_guide.machine(),
    }
    return render(request, "setup/show.html", context)


@staff("GET", "POST")
def company(request: HttpRequest) -> HttpResponse:
    """The company's facts."""
    must(request.user, "edit_setup")
    held = Company.objects.first()
    form = CompanyForm(request.POST or None, initial=_typed(held))

    def keep(typed: dict[str, Any]) -> Company:
        return change_company(_facts(typed, held), by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(keep):
        return done(request, "The company’s facts are kept", back_to=reverse("setup"))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form,
        "title": "The company",
        "sub": "As the law, the carriers and every message name it",
    }
    return render(request, "setup/form.html", context, status=status)


def _facts(typed: dict[str, Any], held: Company | None) -> dict[str, Any]:
    """The form as columns; attributes of the campaign that it does not show are kept."""
    attributes = set(held.texting.get("attributes", ())) if held else set()
    attributes.discard(DIRECT_LENDING)
    if typed.pop("direct_lending"):
        attributes.add(DIRECT_LENDING)
    hours = take_hours(typed)
    texting = {
        name: typed.pop(name) for name in ("brand_registered", "company_kind", "carrier_policy")
    }
    return {
        **typed,
        "hours": hours,
        "alarm_user_id": _key(typed["alarm_user_id"]),
        "telemarketer_states": list(typed["telemarketer_states"]),
        "texting": {**texting, "attributes": sorted(attributes)},
    }


def _key(typed: str) -> Any:
    return User.objects.values_list("pk", flat=True).get(pk=typed) if typed else None


def _typed(held: Company | None) -> dict[str, Any]:
    if held is None:
        return {"zone": "America/New_York", "kind": "nonbank", **as_typed(office_hours())}
    texting = held.texting
    shown = {name: getattr(held, name) for name in CompanyForm.base_fields if hasattr(held, name)}
    return {
        **shown,
        **as_typed(held.hours),
        "phone": words.phone(held.phone),
        "alarm_user_id": str(held.alarm_user_id or ""),
        "brand_registered": texting.get("brand_registered", False),
        "direct_lending": DIRECT_LENDING in texting.get("attributes", ()),
        "company_kind": texting.get("company_kind", "direct_lender"),
        "carrier_policy": texting.get("carrier_policy", "any_lender"),
    }
