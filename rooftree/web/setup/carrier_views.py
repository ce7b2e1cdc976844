"""Setup of the Twilio account: credentials, numbers, webhooks, and a text and call to try it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.core.user_errors import UserError
from rooftree.core.vendor_errors import VendorError
from rooftree.org import carrier_account
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.calls import officer_calls
from rooftree.outreach.carrier import carrier_setup, phone_trials
from rooftree.outreach.carrier.twilio_account_api import AccountNumber
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    StaffForm,
    checkboxes_field,
    choice_field,
    secret_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

SID_HINT = "Begins with AC. Under Account Info in the Twilio console"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class CarrierAccountForm(StaffForm):
    """The credentials of the Twilio account."""

    account_sid = text_field("Account SID", SID_HINT, max_length=60)
    auth_token = secret_field("Auth token", "Below the account SID", required=True)

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_kept:
            self.fields["auth_token"].required = False
            self.fields["auth_token"].help_text = SECRET_ON_FILE_HINT


class CarrierNumbersForm(StaffForm):
    """The account's numbers that Rooftree uses, and the main one."""

    numbers = checkboxes_field("Numbers", ())
    main = choice_field("Main number", (), required=False)

    def __init__(self, *args: Any, numbers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(number, number) for number in numbers]
        self.set_choices("numbers", choices)
        self.set_choices("main", [("", ""), *choices])


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLine:
    """One line of the list of numbers."""

    number: AccountNumber
    is_chosen: bool
    is_main: bool
    officer: str  # the officer whose own number it is
    webhook_problem: str  # "" when texts and calls come here

    @property
    def is_usable(self) -> bool:
        """Return True if it can both text and call."""
        return self.number.can_text and self.number.can_call

    @property
    def is_ours(self) -> bool:
        """Return True if Rooftree uses it, for the company or for an officer."""
        return self.is_chosen or bool(self.officer)


@sensitive_post_parameters("auth_token")
@staff_view("GET", "POST")
def edit_carrier_account(request: StaffRequest) -> HttpResponse:
    """Show the account, its numbers and trials; a POST checks the account and saves it."""
    require_permission(request.user, "edit_setup")
    row = carrier_account.read_stored_account()
    stored_sid = row.account_sid if row else ""
    form = CarrierAccountForm(
        request.POST or None, initial={"account_sid": stored_sid}, is_kept=bool(stored_sid)
    )

    def save(typed: dict[str, Any]) -> None:
        carrier_setup.save_account(**typed, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, "Twilio accepted the account", back_to=reverse("setup_carrier")
        )
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/carrier.html", _page_context(request, form), status=status)


@staff_view("POST")
def check_carrier_account(request: StaffRequest) -> HttpResponse:
    """Check the account in force at Twilio and list its numbers again."""
    require_permission(request.user, "edit_setup")
    if problem := carrier_setup.check_account(at=request.at):
        return respond_refused(request, problem, back_to=reverse("setup_carrier"))
    return respond_done(request, "Twilio accepted the account", back_to=reverse("setup_carrier"))


@staff_view("POST")
def choose_numbers(request: StaffRequest) -> HttpResponse:
    """Use the checked numbers for texts and calls."""
    require_permission(request.user, "edit_setup")
    listed = carrier_setup.listed_numbers(carrier_account.read_stored_account())
    form = CarrierNumbersForm(request.POST, numbers=[number.number for number in listed])

    def choose(typed: dict[str, Any]) -> None:
        carrier_setup.choose_numbers(
            typed["numbers"], main=typed["main"], by=request.user, at=request.at
        )

    back_to = reverse("setup_carrier")
    if form.submit(choose):
        return respond_done(request, "Numbers saved", back_to=back_to)
    problem = next(str(error) for errors in form.errors.values() for error in errors)
    return respond_refused(request, problem, back_to=back_to)


@staff_view("POST")
def set_webhooks(request: StaffRequest) -> HttpResponse:
    """Point all numbers in use at this installation, at Twilio."""
    require_permission(request.user, "edit_setup")
    back_to = reverse("setup_carrier")
    try:
        count = carrier_setup.set_webhooks(by=request.user, at=request.at)
    except VendorError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    words = f"Webhooks set on {count} number{'' if count == 1 else 's'}"
    return respond_done(request, words, back_to=back_to)


@staff_view("POST")
def text_me(request: StaffRequest) -> HttpResponse:
    """Text the signed-in user at their phone on file."""
    return _try_phone(request, phone_trials.text_me)


@staff_view("POST")
def ring_me(request: StaffRequest) -> HttpResponse:
    """Call the signed-in user at their phone on file."""
    return _try_phone(request, phone_trials.ring_me)


@staff_view("POST")
def remove_carrier_account(request: StaffRequest) -> HttpResponse:
    """Delete the account entered here."""
    require_permission(request.user, "edit_setup")
    carrier_setup.remove_account(by=request.user, at=request.at)
    return respond_done(request, "Twilio disconnected", back_to=reverse("setup_carrier"))


def _try_phone(request: StaffRequest, act: Any) -> HttpResponse:
    require_permission(request.user, "edit_setup")
    back_to = f"{reverse('setup_carrier')}#try"
    try:
        act(user=request.user, at=request.at)
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, "Sent to Twilio. The result appears here", back_to=back_to)


def _page_context(request: StaffRequest, form: CarrierAccountForm) -> dict[str, Any]:
    account, row = carrier_account.account_in_force(), carrier_account.read_stored_account()
    is_twilio = account.carrier == carrier_account.ACCOUNT_KEY
    is_checked = is_twilio and row is not None and row.checked_key == account.check_key
    lines = _number_lines(account) if is_twilio else []
    company = Company.objects.first()
    return {
        "form": form,
        "account": account,
        "row": row,
        "is_twilio": is_twilio,
        "is_checked": is_checked,
        "is_accepted": is_checked and row is not None and not row.problem,
        "status": carrier_account.read_carrier_status(),
        "numbers_are_fixed": bool(settings.TWILIO_NUMBERS),
        "lines": lines,
        "numbers_to_set": [line for line in lines if line.is_ours and line.webhook_problem],
        "phone": officer_calls.staff_phone(request.user),
        "trials": _trials(row.trials if row else {}),
        "public_url": settings.PUBLIC_URL,
        "is_local": urlsplit(settings.PUBLIC_URL).hostname in LOCAL_HOSTS,
        "is_registered": bool(company and company.texting.get("brand_registered")),
    }


def _number_lines(account: carrier_account.AccountInForce) -> list[NumberLine]:
    officers = LoanOfficer.objects.filter(terminated_at=None).exclude(text_number="")
    names = dict(officers.values_list("text_number", "user__name"))
    webhooks = carrier_setup.our_webhooks()
    return [
        NumberLine(
            number=number,
            is_chosen=number.number in account.numbers,
            is_main=account.numbers[:1] == (number.number,),
            officer=names.get(number.number, ""),
            webhook_problem=carrier_setup.webhook_problem(number, webhooks),
        )
        for number in carrier_setup.listed_numbers(carrier_account.read_stored_account())
    ]


def _trials(stored: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the last text and the last call, with times in place of their texts."""
    return [
        trial
        | {
            "kind": kind,
            "at": datetime.fromisoformat(trial["at"]),
            "reported_at": datetime.fromisoformat(trial["reported_at"] or trial["at"]),
        }
        for kind in ("text", "call")
        if (trial := stored.get(kind))
    ]
