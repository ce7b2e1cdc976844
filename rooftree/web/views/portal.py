"""What a partner sees of us: the borrowers they introduced, and a form for the next."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.value_rule import BadPartner
from rooftree.core.uuid7 import uuid7
from rooftree.flow import introductions
from rooftree.flow.introductions import Client
from rooftree.leads.models import Introduction, Partner, Source
from rooftree.org.models import Company
from rooftree.reporting import introduced
from rooftree.web.answers import done
from rooftree.web.page import must, partner
from rooftree.web.staff_forms import StaffForm, States, area, choice, text, yes
from rooftree.web.words import PURPOSES

SHOWN = 200


class ClientForm(StaffForm):
    """Who is introduced."""

    first_name = text("First name", longest=80, attrs={"autocomplete": "off"})
    last_name = text("Last name", longest=80)
    phone = text("Phone", required=False, longest=30, attrs={"inputmode": "tel"})
    email = text("E-mail", required=False, longest=200, attrs={"inputmode": "email"})
    purpose = choice("What they want", [("", "Not sure"), *PURPOSES.items()], required=False)
    property_state = States("State of the property", "Two letters, as TX")
    note = area("What should we know?", "No Social Security number, no account number")
    wants_a_call = yes(
        "They told me that you may call them",
        "Leave it open if they did not. Texts need their own yes, which only they can give.",
    )
    reference = text("", longest=36)

    PARTS = (
        ("", ("first_name", "last_name", "phone", "email")),
        ("", ("purpose", "property_state", "note", "wants_a_call")),
    )

    OURS = ("property_state", "reference")  # what is not taken as it was typed

    def client(self, typed: dict[str, Any]) -> Client:
        """What was typed."""
        said = {name: value for name, value in typed.items() if name not in self.OURS}
        return Client(**said, property_state=next(iter(typed["property_state"]), ""))


@partner("GET")
def index(request: HttpRequest) -> HttpResponse:
    """Whom they introduced, each with what the borrower lets them see."""
    must(request.user, "see_portal")
    mine = _mine(request)
    rows = Introduction.objects.filter(partner=mine)
    context = {
        "partner": mine,
        "company": Company.objects.first(),
        "rows": introduced.progress(rows)[:SHOWN],
        "link": link_of(mine),
    }
    return render(request, "partners/portal.html", context)


@partner("GET", "POST")
def introduce(request: HttpRequest) -> HttpResponse:
    """The form, and taking it in."""
    must(request.user, "see_portal")
    mine = _mine(request)
    if request.method == "GET":
        return _page(request, ClientForm(initial={"reference": str(uuid7())}))
    form = ClientForm(request.POST)

    def take(typed: dict[str, Any]) -> Introduction:
        return introductions.introduce(
            partner=mine, client=form.client(typed), reference=_reference(typed), at=request.at
        )

    if form.carried_out(take):
        return done(request, f"Thank you. {form.made.name} is with us.", back_to=reverse("portal"))
    return _page(request, form, status=422)


def link_of(partner: Partner) -> str:
    """Their link to the company's own form; "" while there is no such form."""
    form = Source.objects.filter(adapter="website_form", paused_at=None).order_by("created_at")
    found = form.filter(is_test=False).first()
    if found is None:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('lead_form', args=[found.slug])}?partner={partner.slug}"


def _reference(typed: dict[str, Any]) -> UUID:
    try:
        return UUID(typed["reference"])
    except ValueError:
        raise BadPartner("", "This page was not ours. Open it anew.") from None


def _mine(request: HttpRequest) -> Partner:
    return get_object_or_404(Partner.objects.select_related("user", "source"), user=request.user)


def _page(request: HttpRequest, form: ClientForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "reference": form["reference"].value()}
    return render(request, "partners/introduce.html", context, status=status)
