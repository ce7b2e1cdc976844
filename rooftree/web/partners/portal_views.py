"""What a partner sees of us: the borrowers they introduced, and a form for the next."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.partners.thing_of_value_ruling import BadPartner
from rooftree.core.uuid7 import uuid7
from rooftree.flow import partner_introductions
from rooftree.flow.partner_introductions import IntroducedClient
from rooftree.leads.models import Introduction, Partner, Source
from rooftree.org.models import Company
from rooftree.reporting import partner_progress
from rooftree.web.shared.display_formats import PURPOSE_LABELS
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    StaffForm,
    StatesField,
    checkbox_field,
    choice_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import partner_view, require_permission

MAX_LISTED = 200


class ClientForm(StaffForm):
    """Who is introduced."""

    first_name = text_field("First name", max_length=80, attrs={"autocomplete": "off"})
    last_name = text_field("Last name", max_length=80)
    phone = text_field("Phone", required=False, max_length=30, attrs={"inputmode": "tel"})
    email = text_field("E-mail", required=False, max_length=200, attrs={"inputmode": "email"})
    purpose = choice_field(
        "What they want", [("", "Not sure"), *PURPOSE_LABELS.items()], required=False
    )
    property_state = StatesField("State of the property", "Two letters, as TX")
    note = textarea_field("What should we know?", "No Social Security number, no account number")
    wants_a_call = checkbox_field(
        "They told me that you may call them",
        "Leave it open if they did not. Texts need their own yes, which only they can give.",
    )
    reference = text_field("", max_length=36)

    FIELDSETS = (
        ("", ("first_name", "last_name", "phone", "email")),
        ("", ("purpose", "property_state", "note", "wants_a_call")),
    )

    NOT_COPIED = ("property_state", "reference")  # what is not taken as it was typed

    def build_client(self, typed: dict[str, Any]) -> IntroducedClient:
        """What was typed."""
        said = {name: value for name, value in typed.items() if name not in self.NOT_COPIED}
        return IntroducedClient(**said, property_state=next(iter(typed["property_state"]), ""))


@partner_view("GET")
def show_portal(request: StaffRequest) -> HttpResponse:
    """Whom they introduced, each with what the borrower lets them see."""
    require_permission(request.user, "see_portal")
    mine = _current_partner(request)
    rows = Introduction.objects.filter(partner=mine)
    context = {
        "partner": mine,
        "company": Company.objects.first(),
        "rows": partner_progress.load_progress(rows)[:MAX_LISTED],
        "link": referral_url(mine),
    }
    return render(request, "partners/portal.html", context)


@partner_view("GET", "POST")
def introduce_borrower(request: StaffRequest) -> HttpResponse:
    """The form, and taking it in."""
    require_permission(request.user, "see_portal")
    mine = _current_partner(request)
    if request.method == "GET":
        return _render_form(request, ClientForm(initial={"reference": str(uuid7())}))
    form = ClientForm(request.POST)

    def take(typed: dict[str, Any]) -> Introduction:
        return partner_introductions.submit_introduction(
            partner=mine,
            client=form.build_client(typed),
            reference=_parse_reference(typed),
            at=request.at,
        )

    if form.submit(take):
        return respond_done(
            request, f"Thank you. {form.result.name} is with us.", back_to=reverse("portal")
        )
    return _render_form(request, form, status=422)


def referral_url(partner: Partner) -> str:
    """Their link to the company's own form; "" while there is no such form."""
    form = Source.objects.filter(adapter="website_form", paused_at=None).order_by("created_at")
    found = form.filter(is_test=False).first()
    if found is None:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('lead_form', args=[found.slug])}?partner={partner.slug}"


def _parse_reference(typed: dict[str, Any]) -> UUID:
    try:
        return UUID(typed["reference"])
    except ValueError:
        raise BadPartner("", "This page was not ours. Open it anew.") from None


def _current_partner(request: StaffRequest) -> Partner:
    return get_object_or_404(Partner.objects.select_related("user", "source"), user=request.user)


def _render_form(request: StaffRequest, form: ClientForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "reference": form["reference"].value()}
    return render(request, "partners/introduce.html", context, status=status)
