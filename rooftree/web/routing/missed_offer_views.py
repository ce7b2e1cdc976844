"""The company's rule for missed offers: how many, within what time, and how long off."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow.company_changes import update_company
from rooftree.org.models import Company
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

LIMIT_CHOICES = {
    "0": "Never",
    "1": "After 1 missed offer",
    "2": "After 2 missed offers in a row",
    "3": "After 3 missed offers in a row",
    "4": "After 4 missed offers in a row",
    "5": "After 5 missed offers in a row",
}
HOUR_CHOICES = {
    "": "Any time",
    "1": "1 hour",
    "4": "4 hours",
    "8": "8 hours",
    "24": "24 hours",
}
OFF_CHOICES = {
    "": "Until their next working day",
    "1": "For 1 hour",
    "2": "For 2 hours",
    "4": "For 4 hours",
    "24": "For 24 hours",
}


class MissedOfferForm(StaffForm):
    """When an officer who misses offers stops getting new leads."""

    missed_offers_limit = choice_field(
        "No new leads", LIMIT_CHOICES.items(), "A missed offer is one without an answer in time"
    )
    missed_offers_hours = choice_field("Missed within", HOUR_CHOICES.items(), required=False)
    missed_offers_off_hours = choice_field(
        "How long", OFF_CHOICES.items(), "They can turn Taking leads on sooner", required=False
    )


@staff_view("GET", "POST")
def edit_rule(request: StaffRequest) -> HttpResponse:
    """Show the rule for missed offers; a POST saves it at once."""
    require_permission(request.user, "edit_routing")
    company = get_object_or_404(Company)
    initial = {name: str(getattr(company, name) or "") for name in MissedOfferForm.base_fields}
    initial["missed_offers_limit"] = str(company.missed_offers_limit)
    form = MissedOfferForm(request.POST or None, initial=initial)

    def save(typed: dict[str, Any]) -> Company:
        details = {name: int(value) if value else None for name, value in typed.items()}
        return update_company(details, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(request, "Rule for missed offers saved", back_to=reverse("routing"))
    context = {
        "form": form,
        "title": "Missed offers",
        "sub": "applies to every loan officer, starting with the next missed offer",
        "back": reverse("routing"),
        "back_to": "Routing rules",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)
