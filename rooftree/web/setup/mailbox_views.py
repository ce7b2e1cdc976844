"""Setup of mailboxes that are read for lead emails and replies, each tested before saving."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture.intake import mailbox_polling
from rooftree.capture.models import Mailbox
from rooftree.flow.source_email import EMAIL_ADAPTERS
from rooftree.leads.models import Source
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    StaffForm,
    choice_field,
    integer_field,
    row_choices,
    secret_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

ENCRYPTION_LABELS = {
    "tls": "TLS",
    "starttls": "STARTTLS",
    "none": "None, only for a server on this machine",
}


class MailboxForm(StaffForm):
    """Where a mailbox is, and the source of emails that name none."""

    host = text_field("Server", "For example imap.provider.com")
    port = integer_field("Port", "993 with TLS, 143 with STARTTLS", min_value=1, max_value=65_535)
    security = choice_field("Encryption", ENCRYPTION_LABELS.items())
    user = text_field("User name", "Usually the email address")
    password = secret_field("Password", "With two-step sign-in, use an app password", required=True)
    folder = text_field("Folder")
    source_id = choice_field("Source of emails that name none", (), required=False)

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.filter(adapter__in=EMAIL_ADAPTERS).order_by("name")
        self.set_choices("source_id", row_choices(sources, "None: ignore them"))
        if is_kept:
            self.fields["password"].required = False
            self.fields["password"].help_text = SECRET_ON_FILE_HINT


@sensitive_post_parameters("password")
@staff_view("GET", "POST")
def list_mailboxes(request: StaffRequest) -> HttpResponse:
    """List the mailboxes and their state; a POST tests and saves a new one."""
    require_permission(request.user, "edit_setup")
    defaults = {"port": 993, "security": "tls", "folder": "INBOX"}
    form = MailboxForm(request.POST or None, initial=defaults)
    page_url = reverse("setup_mailboxes")
    if request.method == "POST" and form.submit(_mailbox_saver(request)):
        return respond_done(request, f"{form.result} added", back_to=page_url)
    mailboxes = Mailbox.objects.select_related("source").order_by("user", "id")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "mailboxes": mailboxes}
    return render(request, "setup/mailboxes.html", context, status=status)


@sensitive_post_parameters("password")
@staff_view("GET", "POST")
def edit_mailbox(request: StaffRequest, mailbox_id: UUID) -> HttpResponse:
    """Show one mailbox; a POST tests the changes and saves them."""
    require_permission(request.user, "edit_setup")
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    initial = {
        name: getattr(mailbox, name) for name in mailbox_polling.EDITABLE if name != "password"
    }
    form = MailboxForm(request.POST or None, initial=initial, is_kept=True)
    page_url = reverse("setup_mailboxes")
    if request.method == "POST" and form.submit(_mailbox_saver(request, mailbox.pk)):
        return respond_done(request, f"{form.result} saved", back_to=page_url)
    context = {
        "form": form,
        "title": mailbox.user,
        "sub": "tested before it is saved; the emails stay unchanged",
        "back": page_url,
        "back_to": "Mailboxes",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)


@staff_view("POST")
def switch_mailbox(request: StaffRequest, mailbox_id: UUID) -> HttpResponse:
    """Pause a mailbox, or resume it where it was paused."""
    require_permission(request.user, "edit_setup")
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    resumes = request.POST.get("to") == "on"
    act = mailbox_polling.resume_mailbox if resumes else mailbox_polling.stop_mailbox
    act(mailbox_id=mailbox.pk, by=request.user, at=request.at)
    return respond_done(
        request,
        f"{mailbox.user} {'resumed' if resumes else 'paused'}",
        back_to=reverse("setup_mailboxes"),
    )


def _mailbox_saver(
    request: StaffRequest, mailbox_id: UUID | None = None
) -> Callable[[dict[str, Any]], Mailbox]:
    def save(typed: dict[str, Any]) -> Mailbox:
        values = typed | {"source_id": typed["source_id"] or None}
        return mailbox_polling.save_mailbox(
            values, mailbox_id=mailbox_id, by=request.user, at=request.at
        )

    return save
