"""Setup of outgoing email: the account, a test email, and the sender's domain in DNS."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.core.user_errors import UserError
from rooftree.flow import mail_checks
from rooftree.org import mail_setup
from rooftree.org.mail_providers import PROVIDERS
from rooftree.org.mail_setup import MailState
from rooftree.org.models import Company, MailSetup
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    StaffForm,
    choice_field,
    integer_field,
    secret_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

SMTP, SES = "smtp", "ses"
SERVICES = {SMTP: "Mail server (SMTP)", SES: "Amazon SES"} | {
    key: item.name for key, item in PROVIDERS.items()
}
SECURITY_LABELS = {
    "starttls": "STARTTLS",
    "tls": "TLS",
    "none": "None, only for a server on this machine",
}
SMTP_FIELDS = ("host", "port", "security", "user")
# Amazon SES is a mail server of a documented name in each region:
# https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html
SES_HOST = "email-smtp.{region}.amazonaws.com"
SES_REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
}


class MailAccountForm(StaffForm):
    """The sender, and one server or provider; fields that the environment sets are absent."""

    CONDITIONALLY_REQUIRED = frozenset({"secret"})

    sender_name = text_field("Sender name", "What borrowers see, for example your brand")
    sender_address = text_field("Sender address", "At your own domain", max_length=254)
    service = forms.ChoiceField(choices=list(SERVICES.items()), widget=forms.HiddenInput)
    region = choice_field("Region", SES_REGIONS.items(), "Where your identity is verified")
    host = text_field("Server", "For example smtp.provider.com")
    port = integer_field("Port", "587 with STARTTLS, 465 with TLS", min_value=1, max_value=65_535)
    security = choice_field("Encryption", SECURITY_LABELS.items())
    user = text_field("User name", "Usually the email address", required=False)
    secret = secret_field(
        "Password", "Empty if the server wants none. With two-step sign-in, use an app password"
    )
    provider_domain = text_field("Domain at Mailgun", "For example mg.lender.com")

    def __init__(self, *args: Any, service: str, is_kept: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = PROVIDERS.get(service)
        if service == SES:
            user, secret = self.fields["user"], self.fields["secret"]
            user.label, secret.label = "SMTP user name", "SMTP password"
            user.help_text = "In SES under SMTP settings; not an AWS access key"
            secret.help_text = "Made together with the user name, for one region"
        for name in _absent_fields(service):
            self.fields.pop(name, None)
        if "secret" in self.fields:
            secret = self.fields["secret"]
            if provider:
                secret.label, secret.help_text = "API key", provider.key_hint
            if is_kept:
                secret.help_text = SECRET_ON_FILE_HINT


def _absent_fields(service: str) -> list[str]:
    """Return the fields that a service doesn't have, or that the environment sets."""
    provider = PROVIDERS.get(service)
    absent = list(SMTP_FIELDS) if provider else []
    if service == SES:
        absent = ["host", "port", "security"]
    else:
        absent.append("region")
    if not (provider and provider.region):
        absent.append("provider_domain")
    if settings.MAIL_SERVER_IN_ENVIRONMENT:
        absent = [*SMTP_FIELDS, "service", "secret", "provider_domain", "region"]
    if settings.MAIL_FROM_IN_ENVIRONMENT:
        absent += ["sender_name", "sender_address"]
    return absent


class DkimSelectorForm(StaffForm):
    """The selector under which the DKIM key is published."""

    CONDITIONALLY_REQUIRED = frozenset({"selector"})

    selector = forms.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        label="DKIM selector",
        max_length=100,
        required=False,
        error_messages={"invalid": "A selector has letters, digits, dots and hyphens only."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )


@sensitive_post_parameters("secret")
@staff_view("GET", "POST")
def edit_mail_account(request: StaffRequest) -> HttpResponse:
    """Show how email goes out and what its checks found; a POST tries an account and saves it."""
    require_permission(request.user, "edit_setup")
    state = mail_setup.read_state()
    stored = _stored_choice(state.row)
    chosen = request.POST.get("service") or request.GET.get("service") or stored
    service = chosen if chosen in SERVICES else SMTP
    is_kept = state.row is not None and stored == service and bool(state.row.secret)
    form = MailAccountForm(
        request.POST or None,
        initial=_account_initial(state, service),
        service=service,
        is_kept=is_kept,
    )

    def save(typed: dict[str, Any]) -> None:
        if region := typed.pop("region", ""):
            typed |= {"service": SMTP, "host": SES_HOST.format(region=region)}
            typed |= {"port": 587, "security": "starttls"}
        mail_checks.save_account(typed, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(save):
        return respond_done(request, "Email account saved", back_to=reverse("setup_mail"))
    status = 422 if request.method == "POST" else 200
    return _render_page(request, state, form, service, status)


@staff_view("POST")
def check_mail_server(request: StaffRequest) -> HttpResponse:
    """Try the server in use again; no email is sent."""
    require_permission(request.user, "edit_setup")
    problem = mail_setup.check_active_server(at=request.at)
    if problem:
        return respond_refused(request, problem, back_to=reverse("setup_mail"))
    return respond_done(request, "The server accepts our sign-in", back_to=reverse("setup_mail"))


@staff_view("POST")
def send_test_email(request: StaffRequest) -> HttpResponse:
    """Send the signed-in user an email, the way all staff mail goes."""
    require_permission(request.user, "edit_setup")
    problem = mail_setup.send_trial(user=request.user, at=request.at)
    if problem:
        return respond_refused(request, f"Not sent. {problem}", back_to=reverse("setup_mail"))
    return respond_done(request, f"Sent to {request.user.email}", back_to=reverse("setup_mail"))


@staff_view("POST")
def look_up_mail_domain(request: StaffRequest) -> HttpResponse:
    """Look up SPF, DKIM and DMARC of the sender's domain."""
    require_permission(request.user, "edit_setup")
    form = DkimSelectorForm(request.POST)

    def look_up(typed: dict[str, Any]) -> MailState:
        return mail_checks.look_up_domain(
            selector=typed["selector"], by=request.user, at=request.at
        )

    page = reverse("setup_mail")
    if not form.submit(look_up):
        return respond_refused(request, str(form.errors["selector"][0]), back_to=page)
    if form.result.is_authenticated:
        return respond_done(request, "SPF, DKIM and DMARC are in place", back_to=page)
    return respond_refused(
        request, f"{form.result.row.lookup_problem or form.result.next_step}", back_to=page
    )


@staff_view("POST")
def confirm_mail_domain(request: StaffRequest) -> HttpResponse:
    """Store that the user checked the records, where DNS could not be asked."""
    require_permission(request.user, "edit_setup")
    page = reverse("setup_mail")
    try:
        mail_checks.confirm_domain(by=request.user, at=request.at)
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=page)
    return respond_done(request, "Confirmed in your name", back_to=page)


def _stored_choice(row: MailSetup | None) -> str:
    """Return the choice on the page that the stored account was made with; "" if none is stored."""
    if row is None:
        return ""
    return SES if row.service == SMTP and _ses_region(row) else row.service


def _ses_region(row: MailSetup) -> str:
    """Return the SES region whose mail server is stored, or ""."""
    hosts = {SES_HOST.format(region=region): region for region in SES_REGIONS}
    return hosts.get(row.host, "")


def _account_initial(state: MailState, service: str) -> dict[str, Any]:
    row = state.row or MailSetup()
    initial: dict[str, Any] = {
        "sender_name": row.sender_name or (Company.objects.values_list("brand", flat=True).first()),
        "sender_address": row.sender_address,
        "service": service,
        "port": 587,
        "security": "starttls",
    }
    if _stored_choice(row) == service:
        names = ("host", "user", "provider_domain", *(("port", "security") if row.port else ()))
        initial |= {name: getattr(row, name) for name in names} | {"region": _ses_region(row)}
    return initial


def _render_page(
    request: StaffRequest, state: MailState, form: MailAccountForm, service: str, status: int
) -> HttpResponse:
    row = state.row
    provider = PROVIDERS.get(state.server.service)
    is_same_domain = row is not None and row.looked_up_domain == state.domain
    context = {
        "state": state,
        "row": row,
        "form": form,
        "service": service,
        "services": SERVICES.items(),
        "server_is_fixed": settings.MAIL_SERVER_IN_ENVIRONMENT,
        "sender_is_fixed": settings.MAIL_FROM_IN_ENVIRONMENT,
        "lookup": row if is_same_domain else None,
        "selector_form": DkimSelectorForm(initial={"selector": row.dkim_selector if row else ""}),
        "selector_hint": provider.dkim_hint if provider else "Your mail provider shows it",
        "was_ticked": not state.is_authenticated
        and Company.objects.filter(mail_is_authenticated=True).exists(),
    }
    return render(request, "setup/mail.html", context, status=status)
