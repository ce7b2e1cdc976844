"""Type in a lead: a walk-in, a caller, a friend of a client."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.sources.staff_entry import REACHED_BY
from rooftree.core.us_states import STATES
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7
from rooftree.flow import typed_leads
from rooftree.flow.typed_leads import EnteredLead
from rooftree.leads.remarks import InvalidRemark
from rooftree.leads.scenario_fields import is_purchase
from rooftree.leads.scenario_text import PURPOSE_LABELS
from rooftree.org.models import User
from rooftree.routing.permissions import leads_visible_to, officers_of, officers_visible_to
from rooftree.web.shared.display_formats import LANGUAGE_LABELS
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    checkbox_field,
    choice_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class NewLeadForm(StaffForm):
    """A borrower whom staff type in. A name and one way to reach them is enough."""

    first_name = text_field("First name", max_length=80)
    last_name = text_field("Last name", required=False, max_length=80)
    phone = text_field("Phone", max_length=30, required=False, attrs={"inputmode": "tel"})
    email = text_field("Email", max_length=200, required=False, attrs={"inputmode": "email"})
    property_state = choice_field(
        "Property state", [("", "Not known yet"), *STATES.items()], required=False
    )
    loan_purpose = choice_field(
        "Loan purpose", [("", "Not known yet"), *PURPOSE_LABELS.items()], required=False
    )
    value = DollarsField("Purchase price or home value, $")
    amount = DollarsField("Loan amount, $")
    reached_by = choice_field(
        "How they reached us", [(key, label) for key, (label, _, _) in REACHED_BY.items()]
    )
    referred_by = text_field("Referred by", required=False, max_length=120)
    language = choice_field(
        "Language", [("", "Not known yet"), *LANGUAGE_LABELS.items()], required=False
    )
    officer = choice_field("Loan officer", (), required=False)
    agreed_to_call = checkbox_field(
        "They asked for a call", "Covers a call by hand. Texts need the borrower’s own consent."
    )
    note = textarea_field("Note", rows=2)
    reference = text_field("", max_length=36)

    FIELDSETS = (
        ("", ("first_name", "last_name", "phone", "email")),
        ("Loan", ("loan_purpose", "property_state", "value", "amount")),
        (
            "How they came",
            ("reached_by", "referred_by", "language", "officer", "agreed_to_call", "note"),
        ),
    )
    CONDITIONALLY_REQUIRED = frozenset({"phone", "email"})
    COPIED = (
        *("first_name", "last_name", "phone", "email", "property_state", "loan_purpose"),
        *("reached_by", "referred_by", "language"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        officers = officers_visible_to(user, "add_lead").filter(terminated_at=None)
        choices = [
            (str(officer.pk), officer.user.name)
            for officer in officers.select_related("user").order_by("user__name")
        ]
        self.set_choices("officer", [*choices, ("", "Let routing choose")])
        own = {str(key) for key in officers_of(user).values_list("pk", flat=True)}
        if first := next((key for key, _ in choices if key in own), ""):
            self.initial.setdefault("officer", first)

    def entry_values(self) -> dict[str, object]:
        """Return the typed values by the names that the intake reads."""
        typed = self.cleaned_data
        values: dict[str, object] = {key: typed[key] for key in self.COPIED if typed[key]}
        price_key = (
            "purchase_price"
            if not typed["loan_purpose"] or is_purchase(typed["loan_purpose"])
            else "property_value"
        )
        for key, cents in ((price_key, typed["value"]), ("loan_amount", typed["amount"])):
            if cents:
                values[key] = f"{cents / 100:.2f}"
        if typed["agreed_to_call"]:
            values["agreed_to_call"] = True
        return values

    def reference_id(self) -> UUID:
        """Return the id of this filled-in form. Raises `UserError`."""
        try:
            return UUID(self.cleaned_data["reference"])
        except ValueError:
            raise InvalidField("", "This form is invalid. Reload the page and try again.") from None


@staff_view("GET", "POST")
def add_lead(request: StaffRequest) -> HttpResponse:
    """Show the form for a new lead; a POST stores it and opens the lead."""
    require_permission(request.user, "add_lead")
    initial = {"reference": str(uuid7()), "phone": request.GET.get("phone", "")}
    form = NewLeadForm(request.POST or None, initial=initial, user=request.user)

    def enter(typed: dict[str, Any]) -> EnteredLead:
        try:
            return typed_leads.enter_lead(
                values=form.entry_values(),
                note=typed["note"],
                officer_id=UUID(typed["officer"]) if typed["officer"] else None,
                reference=form.reference_id(),
                by=request.user,
                at=request.at,
            )
        except InvalidRemark as problem:
            raise InvalidField("note", str(problem)) from problem

    if request.method == "POST" and form.submit(enter):
        return _respond_entered(request, form.result)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "reference": form["reference"].value()}
    return render(request, "lead/new.html", context, status=status)


def _respond_entered(request: StaffRequest, entered: EnteredLead) -> HttpResponse:
    lead = entered.lead
    name = lead.person.name or "The lead"
    words = f"{name} added" if entered.is_new else f"{name} was on file: added to the open lead"
    if entered.officer_problem:
        words = f"{name} added. {entered.officer_problem} Routing chooses the loan officer."
    if leads_visible_to(request.user).filter(pk=lead.pk).exists():
        return respond_redirect(request, words, to=reverse("lead", args=[lead.pk]))
    return respond_redirect(
        request, f"{words}. Another loan officer has this lead.", to=reverse("land")
    )
