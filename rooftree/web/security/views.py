"""The user's own sign-in: password, second factors and active sessions."""

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

FACTOR_LABELS: dict[str, str] = {
    Factor.APP: "authenticator app",
    Factor.PASSKEY: "passkey",
    Factor.RECOVERY_CODE: "recovery code",
}


class PasswordForm(StaffForm):
    """The current and the new password."""

    old = secret_field("Current password", required=True)
    new = secret_field(
        "New password", "At least 12 characters. A sentence works well.", required=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old"].widget.attrs["autocomplete"] = "current-password"
        for field in self.fields.values():
            assert isinstance(field.widget, forms.PasswordInput)
            field.widget.render_value = False


@staff_view("GET", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def show_security(request: StaffRequest) -> HttpResponse:
    """Show the sign-in page, or the setup of a second factor if one is required first."""
    return render_security(request)


def render_security(request: StaffRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """Render the page; `more` adds to its context."""
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    active = staff_sessions.list_active_sessions(request.user.pk, idle=idle, at=request.at)
    context = {
        "factors": second_factor.enrolled_factors(request.user),
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "sessions": [
            {
                "session": session,
                "name": staff_sessions.public_name(session.pk),
                "is_this": session.pk == request.session.session_key,
                "factor": FACTOR_LABELS.get(session.factor, ""),
            }
            for session in active
        ],
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "hours": settings.SESSION_COOKIE_AGE // 3600,
        "form": PasswordForm(),
        **more,
    }
    must_enroll = not login.is_fully_authenticated(request)
    template = "security/enroll.html" if must_enroll else "security/show.html"
    return render(request, template, context, status=status)


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def change_password(request: StaffRequest) -> HttpResponse:
    """Change the password and end all other sessions."""
    form = PasswordForm(request.POST)

    def change(typed: dict[str, Any]) -> None:
        passwords.change_password(
            user=request.user,
            old_password=typed["old"],
            new_password=typed["new"],
            except_key=request.session.session_key,
            at=request.at,
        )

    if not login.allow_login_attempt(request, request.user.email, request.at) or not form.submit(
        change
    ):
        return render_security(request, form=form, status=422)
    login.keep_current_session(request)
    report_security_change(request, AccessKind.PASSWORD_SET, "Your password was changed.")
    return respond_done(request, "Password changed", back_to=reverse("security"))


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def end_session(request: StaffRequest, name: str) -> HttpResponse:
    """End one of the user's sessions."""
    if not staff_sessions.end_session(user_id=request.user.pk, name=name, at=request.at):
        return respond_refused(
            request, "This session has already ended.", back_to=reverse("security")
        )
    access_log.record_access(
        AccessKind.SESSION_ENDED,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
    )
    return respond_done(request, "Session ended", back_to=reverse("security"))


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def end_other_sessions(request: StaffRequest) -> HttpResponse:
    """End all of the user's sessions except this one."""
    number = staff_sessions.end_all_sessions(
        request.user.pk, reason="ended", at=request.at, except_key=request.session.session_key
    )
    access_log.record_access(
        AccessKind.SESSION_ENDED,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        number=number,
    )
    return respond_done(request, "All other sessions ended", back_to=reverse("security"))


def report_security_change(
    request: StaffRequest, kind: AccessKind, change: str, *, subject: str = ""
) -> None:
    """Record a change of the sign-in in the audit log, and email the user about it."""
    access_log.record_access(
        kind,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        subject=subject,
    )
    account_security.mail_security_change.enqueue(user_id=str(request.user.pk), what=change)
