"""One's own sign-in: password, second factors, and where one is signed in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import account_security
from rooftree.org import access_log, passwords, second_factor, staff_sessions
from rooftree.org.access_log import AccessKind
from rooftree.org.second_factor import Factor
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_forms import StaffForm, secret_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import STAFF_AND_PARTNERS, staff_view
from rooftree.web.sign_in import login

FACTOR_LABELS = {
    Factor.APP: "app",
    Factor.PASSKEY: "passkey",
    Factor.RECOVERY_CODE: "recovery code",
}


class PasswordForm(StaffForm):
    """The old password and the new one."""

    old = secret_field("Password of now", required=True)
    new = secret_field("New password", "At least 12 characters; a sentence is best.", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old"].widget.attrs["autocomplete"] = "current-password"
        for field in self.fields.values():
            assert isinstance(field.widget, forms.PasswordInput)
            field.widget.render_value = False


@staff_view("GET", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def show_security(request: StaffRequest) -> HttpResponse:
    """The page; whoever must set up a second factor first sees nothing else."""
    return render_security(request)


def render_security(request: StaffRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page, with what an act has to say."""
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    listed = staff_sessions.list_active_sessions(request.user.pk, idle=idle, at=request.at)
    context = {
        "held": second_factor.enrolled_factors(request.user),
        "must_enrol": not login.is_fully_authenticated(request),
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "sessions": [
            {
                "row": list_active_session,
                "name": staff_sessions.public_name(list_active_session.pk),
                "is_this": list_active_session.pk == request.session.session_key,
                "factor": FACTOR_LABELS.get(list_active_session.factor, ""),
            }
            for list_active_session in listed
        ],
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "hours": settings.SESSION_COOKIE_AGE // 3600,
        "form": PasswordForm(),
        **more,
    }
    template = "security/enroll.html" if context["must_enrol"] else "security/show.html"
    return render(request, template, context, status=status)


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def change_password(request: StaffRequest) -> HttpResponse:
    """Another password; every other session ends."""
    form = PasswordForm(request.POST)

    def change(typed: dict[str, Any]) -> None:
        passwords.change_password(
            user=request.user, old=typed["old"], new=typed["new"],
            but=request.session.session_key, at=request.at,
        )  # fmt: skip

    if not login.allow_login_attempt(request, request.user.email, request.at) or not form.submit(
        change
    ):
        return render_security(request, form=form, status=422)
    login.keep_current_session(request)
    report_security_change(request, AccessKind.PASSWORD_SET, "Your password was changed.")
    return respond_done(request, "Your new password is set", back_to=reverse("security"))


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def end_session(request: StaffRequest, name: str) -> HttpResponse:
    """End one session, wherever it is."""
    if not staff_sessions.end_session(user_id=request.user.pk, name=name, at=request.at):
        return respond_refused(request, "It has ended already.", back_to=reverse("security"))
    access_log.record_access(
        AccessKind.SESSION_ENDED,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
    )
    return respond_done(request, "That session has ended", back_to=reverse("security"))


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def end_other_sessions(request: StaffRequest) -> HttpResponse:
    """End every session but this one."""
    number = staff_sessions.end_all_sessions(
        request.user.pk, reason="ended", at=request.at, except_key=request.session.session_key
    )
    access_log.record_access(
        AccessKind.SESSION_ENDED, client=request_caller(request), at=request.at, user_id=request.user.pk,
        number=number,
    )  # fmt: skip
    return respond_done(request, "You are signed in only here", back_to=reverse("security"))


def report_security_change(
    request: StaffRequest, kind: AccessKind, what: str, *, subject: str = ""
) -> None:
    """Something of one's sign-in was changed: into the log, and to one's mailbox."""
    access_log.record_access(
        kind,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        subject=subject,
    )
    account_security.mail_security_change.enqueue(user_id=str(request.user.pk), what=what)
