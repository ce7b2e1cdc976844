"""Set-up: mailboxes that are read for lead e-mails and answers, each tried before it is kept."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture.intake import mailbox_polling as rows
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
    "tls": "TLS from the first byte",
    "starttls": "STARTTLS",
    "none": "None; to this very machine alone",
}


class MailboxForm(StaffForm):
    """Where a mailbox is, and whose letters stand in it."""

    host = text_field("Server", "As imap.provider.com")
    port = integer_field("Port", "993 with TLS, 143 with STARTTLS", min_value=1, max_value=65_535)
    security = choice_field("Encryption", ENCRYPTION_LABELS.items())
    user = text_field("User name", "Mostly the address itself")
    password = secret_field(
        "Password", "An app password where the sign-in has two steps", required=True
    )
    folder = text_field("Folder")
    source_id = choice_field("A letter that names no source is", (), required=False)

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mailed = Source.objects.filter(adapter__in=EMAIL_ADAPTERS).order_by("name")
        self.fields["source_id"].choices = row_choices(mailed, "Nobody’s: it is left alone")
        if is_kept:
            self.fields["password"].required = False
            self.fields["password"].help_text = SECRET_ON_FILE_HINT


@sensitive_post_parameters("password")
@staff_view("GET", "POST")
def list_mailboxes(request: StaffRequest) -> HttpResponse:
    """The mailboxes and how each is doing; another is tried and kept."""
    require_permission(request.user, "edit_setup")
    usual = {"port": 993, "security": "tls", "folder": "INBOX"}
    form = MailboxForm(request.POST or None, initial=usual)
    if request.method == "POST" and form.submit(_mailbox_saver(request)):
        said = f"{form.result} is read from now on"
        return respond_done(request, said, back_to=reverse("setup_mailboxes"))
    listed = Mailbox.objects.select_related("source").order_by("user", "id")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "mailboxes": listed}
    return render(request, "setup/mailboxes.html", context, status=status)


@sensitive_post_parameters("password")
@staff_view("GET", "POST")
def edit_mailbox(request: StaffRequest, mailbox_id: UUID) -> HttpResponse:
    """One of them, to change what is typed; it is tried again."""
    require_permission(request.user, "edit_setup")
    one = get_object_or_404(Mailbox, pk=mailbox_id)
    typed = {name: getattr(one, name) for name in rows.EDITABLE if name != "password"}
    form = MailboxForm(request.POST or None, initial=typed, is_kept=True)
    here = reverse("setup_mailboxes")
    if request.method == "POST" and form.submit(_mailbox_saver(request, one.pk)):
        return respond_done(request, f"{form.result} is read from now on", back_to=here)
    context = {
        "form": form,
        "title": one.user,
        "sub": "tried before it is kept; nothing in it is changed",
        "back": here,
        "back_to": "Mailboxes",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)


@staff_view("POST")
def switch_mailbox(request: StaffRequest, mailbox_id: UUID) -> HttpResponse:
    """Read it no more, or go on where it was stopped."""
    require_permission(request.user, "edit_setup")
    one = get_object_or_404(Mailbox, pk=mailbox_id)
    resumes = request.POST.get("to") == "on"
    act = rows.resume_mailbox if resumes else rows.stop_mailbox
    act(mailbox_id=one.pk, by=request.user, at=request.at)
    said = "is read again, from where it was stopped" if resumes else "is not read any more"
    return respond_done(request, f"{one.user} {said}", back_to=reverse("setup_mailboxes"))


def _mailbox_saver(request: StaffRequest, mailbox_id: UUID | None = None) -> Any:
    def keep(typed: dict[str, Any]) -> Mailbox:
        wanted = typed | {"source_id": typed["source_id"] or None}
        return rows.save_mailbox(wanted, mailbox_id=mailbox_id, by=request.user, at=request.at)

    return keep
