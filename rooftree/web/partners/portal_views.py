"""Partner portal: the borrowers that a partner referred, and the form to refer one."""

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
from rooftree.leads.scenario_text import PURPOSE_LABELS
from rooftree.org.models import Company
from rooftree.reporting import partner_progress
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
    """A borrower whom a partner refers."""

    first_name = text_field("First name", max_length=80, attrs={"autocomplete": "off"})
    last_name = text_field("Last name", max_length=80)
    phone = text_field("Phone", required=False, max_length=30, attrs={"inputmode": "tel"})
    email = text_field("Email", required=False, max_length=200, attrs={"inputmode": "email"})
    purpose = choice_field(
        "Loan purpose", [("", "Not sure"), *PURPOSE_LABELS.items()], required=False
    )
    property_state = StatesField("Property state", "Two letters, for example TX")
    note = textarea_field("Notes", "Don’t include Social Security or account numbers")
    wants_a_call = checkbox_field(
        "The borrower agreed to a call",
        "Leave unchecked if they didn’t. Only the borrower can agree to texts.",
    )
    reference = text_field("", max_length=36)

    FIELDSETS = (
        ("", ("first_name", "last_name", "phone", "email")),
        ("", ("purpose", "property_state", "note", "wants_a_call")),
    )

    NOT_COPIED = ("property_state", "wants_a_call", "reference")  # named or stored differently

    def build_client(self, typed: dict[str, Any]) -> IntroducedClient:
        """Build the client from cleaned data."""
        copied = {name: value for name, value in typed.items() if name not in self.NOT_COPIED}
        return IntroducedClient(
            **copied,
            property_state=next(iter(typed["property_state"]), ""),
            agreed_to_contact=typed["wants_a_call"],
        )


@partner_view("GET")
def show_portal(request: StaffRequest) -> HttpResponse:
    """List the partner's referrals with the progress that each borrower allows them to see."""
    require_permission(request.user, "see_portal")
    partner = _current_partner(request)
    rows = Introduction.objects.filter(partner=partner)
    context = {
        "partner": partner,
        "company": Company.objects.first(),
        "rows": partner_progress.load_progress(rows)[:MAX_LISTED],
        "link": referral_url(partner),
    }
    return render(request, "partners/portal.html", context)


@partner_view("GET", "POST")
def introduce_borrower(request: StaffRequest) -> HttpResponse:
    """Show the referral form; a POST submits it."""
    require_permission(request.user, "see_portal")
    partner = _current_partner(request)
    if request.method == "GET":
        return _render_form(request, ClientForm(initial={"reference": str(uuid7())}))
    form = ClientForm(request.POST)

    def submit(typed: dict[str, Any]) -> Introduction:
        return partner_introductions.submit_introduction(
            partner=partner,
            client=form.build_client(typed),
            reference=_parse_reference(typed),
            at=request.at,
        )

    if form.submit(submit):
        return respond_done(
            request, f"Thank you. We received {form.result.name}.", back_to=reverse("portal")
        )
    return _render_form(request, form, status=422)


def referral_url(partner: Partner) -> str:
    """Return the partner's link to the company's website form; "" if there is no form."""
    forms = Source.objects.filter(adapter="website_form", paused_at=None).order_by("created_at")
    source = forms.filter(is_test=False).first()
    if source is None:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('lead_form', args=[source.slug])}?partner={partner.slug}"


def _parse_reference(typed: dict[str, Any]) -> UUID:
    try:
        return UUID(typed["reference"])
    except ValueError:
        raise BadPartner("", "This form is invalid. Reload the page and try again.") from None


def _current_partner(request: StaffRequest) -> Partner:
    return get_object_or_404(Partner.objects.select_related("user", "source"), user=request.user)


def _render_form(request: StaffRequest, form: ClientForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "reference": form["reference"].value()}
    return render(request, "partners/introduce.html", context, status=status)
