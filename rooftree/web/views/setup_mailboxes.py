"""Set-up: mailboxes that are read for lead e-mails and answers, each tried before it is kept."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture import mailboxes as rows
from rooftree.capture.models import Mailbox
from rooftree.flow.lead_mail import ADAPTERS
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import ON_FILE, StaffForm, by_user, choice, number, secret, text

LINES = {
    "tls": "TLS from the first byte",
    "starttls": "STARTTLS",
    "none": "None; to this very machine alone",
}


class MailboxForm(StaffForm):
    """Where a mailbox is, and whose letters stand in it."""

    host = text("Server", "As imap.provider.com")
    port = number("Port", "993 with TLS, 143 with STARTTLS", least=1, most=65_535)
    security = choice("Encryption", LINES.items())
    user = text("User name", "Mostly the address itself")
    password = secret("Password", "An app password where the sign-in has two steps", required=True)
    folder = text("Folder")
    source_id = choice("A letter that names no source is", (), required=False)

    def __init__(self, *args: Any, is_kept: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mailed = Source.objects.filter(adapter__in=ADAPTERS).order_by("name")
        self.fields["source_id"].choices = by_user(mailed, "Nobody’s: it is left alone")
        if is_kept:
            self.fields["password"].required = False
            self.fields["password"].help_text = ON_FILE


@sensitive_post_parameters("password")
@staff("GET", "POST")
def mailboxes(request: HttpRequest) -> HttpResponse:
    """The mailboxes and how each is doing; another is tried and kept."""
    must(request.user, "edit_setup")
    usual = {"port": 993, "security": "tls", "folder": "INBOX"}
    form = MailboxForm(request.POST or None, initial=usual)
    if request.method == "POST" and form.carried_out(_keeping(request)):
        said = f"{form.made} is read from now on"
        return done(request, said, back_to=reverse("setup_mailboxes"))
    listed = Mailbox.objects.select_related("source").order_by("user", "id")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "mailboxes": listed}
    return render(request, "setup/mailboxes.html", context, status=status)


@sensitive_post_parameters("password")
@staff("GET", "POST")
def mailbox(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """One of them, to change what is typed; it is tried again."""
    must(request.user, "edit_setup")
    one = get_object_or_404(Mailbox, pk=mailbox_id)
    typed = {name: getattr(one, name) for name in rows.EDITABLE if name != "password"}
    form = MailboxForm(request.POST or None, initial=typed, is_kept=True)
    here = reverse("setup_mailboxes")
    if request.method == "POST" and form.carried_out(_keeping(request, one.pk)):
        return done(request, f"{form.made} is read from now on", back_to=here)
    context = {
        "form": form,
        "title": one.user,
        "sub": "tried before it is kept; nothing in it is changed",
        "back": here,
        "back_to": "Mailboxes",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/form.html", context, status=status)


@staff("POST")
def pause(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Read it no more, or go on where it was stopped."""
    must(request.user, "edit_setup")
    one = get_object_or_404(Mailbox, pk=mailbox_id)
    resumes = request.POST.get("to") == "on"
    act = rows.resume if resumes else rows.stop
    act(mailbox_id=one.pk, by=request.user, at=request.at)
    said = "is read again, from where it was stopped" if resumes else "is not read any more"
    return done(request, f"{one.user} {said}", back_to=reverse("setup_mailboxes"))


def _keeping(request: HttpRequest, mailbox_id: UUID | None = None) -> Any:
    def keep(typed: dict[str, Any]) -> Mailbox:
        wanted = typed | {"source_id": typed["source_id"] or None}
        return rows.keep(wanted, mailbox_id=mailbox_id, by=request.user, at=request.at)

    return keep
