"""Setup of the vendor that checks do-not-call lists and reassigned numbers."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.compliance.do_not_call.load_list import LITIGATOR, NATIONAL
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.numbers import number_questions, vendor_account
from rooftree.compliance.numbers.models import NumberService
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.compliance.numbers.vendor_account import AccountSettings
from rooftree.compliance.rule_changes import approved_changes
from rooftree.core.area_codes_and_zones import STATE_NAMES
from rooftree.flow import number_lookups
from rooftree.money.company_day import company_day
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    StaffForm,
    checkbox_field,
    checkboxes_field,
    secret_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

LISTS = {
    NATIONAL: "National registry",
    LITIGATOR: "Known litigators",
    **{state: f"{STATE_NAMES[state]} state list" for state in sorted(STATES_WITH_OWN_DNC_LIST)},
}


class NumberServiceForm(StaffForm):
    """An account at Contact Center Compliance and its subscriptions."""

    key = secret_field("Login ID (API key)", "In your DNCScrub account", required=True)
    project = text_field(
        "Project", "If the account has more than one", required=False, max_length=60
    )
    covers = checkboxes_field(
        "Lists the project is scrubbed against",
        LISTS.items(),
        "Check only the lists you subscribe to. A number counts as clear of these lists only",
    )
    asks_reassigned = checkbox_field(
        "Check the FCC’s Reassigned Numbers Database",
        "Needs your letter of authorization on file at the vendor. Without it, an answer gives "
        "no safe harbor",
    )

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_kept:
            self.fields["key"].required = False
            self.fields["key"].help_text = SECRET_ON_FILE_HINT


@sensitive_post_parameters("key")
@staff_view("GET", "POST")
def edit_number_service(request: StaffRequest) -> HttpResponse:
    """Show the account and its answers; a POST tests the account and saves it."""
    require_permission(request.user, "edit_setup")
    service = vendor_account.active_service()
    form = NumberServiceForm(
        request.POST or None, initial=_service_initial(service), is_kept=service is not None
    )

    def save(typed: dict[str, Any]) -> NumberService:
        return number_lookups.save_number_service(
            AccountSettings(**typed), by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, "Account works. Number checks are on", back_to=reverse("setup_numbers")
        )
    today = company_day(request.at)
    context = {
        "form": form,
        "service": service,
        "name": vendor_account.vendor_adapter(service).NAME if service else "",
        "covers": [LISTS[key] for key in service.covers] if service else [],
        "waiting": number_questions.open_question_counts(),
        "counts": number_questions.answered_question_counts(),
        "good_for": approved_changes.effective_number_on("dnc_scrub_days", today),
        "check_days": approved_changes.effective_number_on("rnd_check_days", today),
        "contact_days": approved_changes.effective_number_on("rnd_contact_days", today),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/number_checks.html", context, status=status)


@staff_view("POST")
def check_number_service(request: StaffRequest) -> HttpResponse:
    """Test the account on file with the company's own number."""
    require_permission(request.user, "edit_setup")
    service = vendor_account.active_service()
    if service is None:
        return _turn_off(request)
    page_url = reverse("setup_numbers")
    problem = vendor_account.check_account(service, at=request.at)
    if problem:
        return respond_refused(request, problem, back_to=page_url)
    kinds = [kind for kind in QuestionKind if service.can_answer(kind)]
    checks = "Both checks work" if len(kinds) == len(QuestionKind) else "The check works"
    return respond_done(request, f"{checks} for your own number", back_to=page_url)


@staff_view("POST")
def remove_number_service(request: StaffRequest) -> HttpResponse:
    """Turn off number checks and delete the account."""
    require_permission(request.user, "edit_setup")
    return _turn_off(request)


def _turn_off(request: StaffRequest) -> HttpResponse:
    vendor_account.remove_account(by=request.user, at=request.at)
    return respond_done(request, "Number checks are off", back_to=reverse("setup_numbers"))


def _service_initial(service: NumberService | None) -> dict[str, Any]:
    if service is None:
        return {"covers": [NATIONAL, LITIGATOR]}
    return {name: getattr(service, name) for name in ("project", "covers", "asks_reassigned")}
