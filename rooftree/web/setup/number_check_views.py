"""Set-up: the vendor that is asked which lists a number is on, and whether it changed hands."""

from typing import Any

from django.http import Http404, HttpResponse
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
from rooftree.flow import number_lookups as flow
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
    **{one: f"{STATE_NAMES[one]} state list" for one in sorted(STATES_WITH_OWN_DNC_LIST)},
}


class NumberServiceForm(StaffForm):
    """An account at Contact Center Compliance, and what it is subscribed to."""

    key = secret_field("Login ID (API key)", "In your DNCScrub account", required=True)
    project = text_field("Project", "Where the account has several", required=False, max_length=60)
    covers = checkboxes_field(
        "Lists that the project is scrubbed against",
        LISTS.items(),
        "Tick only what it is subscribed to: a number counts as clear of these alone",
    )
    asks_reassigned = checkbox_field(
        "It asks the FCC’s Reassigned Numbers Database for us",
        "Needs your letter of authorization on file there; without it no answer is a safe harbor",
    )

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_kept:
            self.fields["key"].required = False
            self.fields["key"].help_text = SECRET_ON_FILE_HINT


@sensitive_post_parameters("key")
@staff_view("GET", "POST")
def edit_number_service(request: StaffRequest) -> HttpResponse:
    """The account and how it answers; a POST tries it and keeps it."""
    require_permission(request.user, "edit_setup")
    kept = vendor_account.active_service()
    form = NumberServiceForm(
        request.POST or None, initial=_service_initial(kept), is_kept=kept is not None
    )

    def keep(typed: dict[str, Any]) -> NumberService:
        return flow.save_number_service(AccountSettings(**typed), by=request.user, at=request.at)

    if request.method == "POST" and form.submit(keep):
        return respond_done(
            request, "It answers; numbers are asked about from now on", back_to=_page_url()
        )
    today = company_day(request.at)
    context = {
        "form": form,
        "service": kept,
        "name": vendor_account.vendor_adapter(kept).NAME if kept else "",
        "covers": [LISTS[cover] for cover in kept.covers] if kept else [],
        "waiting": number_questions.open_question_counts(),
        "counts": number_questions.answered_question_counts(),
        "good_for": approved_changes.effective_number_on("dnc_scrub_days", today),
        "check_days": approved_changes.effective_number_on("rnd_check_days", today),
        "contact_days": approved_changes.effective_number_on("rnd_contact_days", today),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/number_checks.html", context, status=status)


@staff_view("POST")
def apply_service_action(request: StaffRequest, what: str) -> HttpResponse:
    """Try the account that is on file, or ask it no more."""
    require_permission(request.user, "edit_setup")
    if what not in ("trial", "stop"):
        raise Http404
    kept = vendor_account.active_service()
    if kept is None or what == "stop":
        vendor_account.remove_account(by=request.user, at=request.at)
        return respond_done(request, "Nobody is asked any more; answers age", back_to=_page_url())
    problem = vendor_account.check_account(kept, at=request.at)
    if problem:
        return respond_refused(request, problem, back_to=_page_url())
    kinds = [kind for kind in QuestionKind if kept.can_answer(kind)]
    both = "both questions" if len(kinds) == len(QuestionKind) else "its question"
    return respond_done(request, f"It answers {both} about our own number", back_to=_page_url())


def _service_initial(kept: NumberService | None) -> dict[str, Any]:
    if kept is None:
        return {"covers": [NATIONAL, LITIGATOR]}
    names = ("project", "covers", "asks_reassigned")
    return {name: getattr(kept, name) for name in names}


def _page_url() -> str:
    return reverse("setup_numbers")
