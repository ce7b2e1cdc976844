"""One's own sign-in: password, second factors, and where one is signed in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import sign_in
from rooftree.org import access_log, passwords, second_factor, sessions
from rooftree.org.access_log import Kind
from rooftree.org.second_factor import Factor
from rooftree.web import door
from rooftree.web.answers import done, refused
from rooftree.web.caller import caller
from rooftree.web.page import ANYBODY, staff
from rooftree.web.staff_forms import StaffForm, secret

WORDS = {Factor.APP: "app", Factor.PASSKEY: "passkey", Factor.RECOVERY_CODE: "recovery code"}


class PasswordForm(StaffForm):
    """The old password and the new one."""

    old = secret("Password of now", required=True)
    new = secret("New password", "At least 12 characters; a sentence is best.", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old"].widget.attrs["autocomplete"] = "current-password"
        for field in self.fields.values():
            assert isinstance(field.widget, forms.PasswordInput)
            field.widget.render_value = False


@staff("GET", unproved=True, whose=ANYBODY)
def show(request: HttpRequest) -> HttpResponse:
    """The page; whoever must set up a second factor first sees nothing else."""
    return page(request)


def page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page, with what an act has to say."""
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    listed = sessions.of_user(request.user.pk, idle=idle, at=request.at)
    context = {
        "held": second_factor.held_by(request.user),
        "must_enrol": not door.is_proved(request),
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "sessions": [
            {
                "row": one,
                "name": sessions.public_name(one.pk),
                "is_this": one.pk == request.session.session_key,
                "factor": WORDS.get(one.factor, ""),
            }
            for one in listed
        ],
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "hours": settings.SESSION_COOKIE_AGE // 3600,
        "form": PasswordForm(),
        **more,
    }
    template = "security/enrol.html" if context["must_enrol"] else "security/show.html"
    return render(request, template, context, status=status)


@staff("POST", unproved=True, whose=ANYBODY)
def password(request: HttpRequest) -> HttpResponse:
    """Another password; every other session ends."""
    form = PasswordForm(request.POST)

    def change(typed: dict[str, Any]) -> None:
        passwords.change(
            user=request.user, old=typed["old"], new=typed["new"],
            but=request.session.session_key, at=request.at,
        )  # fmt: skip

    if not door.may_try(request, request.user.email, request.at) or not form.carried_out(change):
        return page(request, form=form, status=422)
    door.keep_this_session(request)
    changed(request, Kind.PASSWORD_SET, "Your password was changed.")
    return done(request, "Your new password is set", back_to=reverse("security"))


@staff("POST", unproved=True, whose=ANYBODY)
def session_end(request: HttpRequest, name: str) -> HttpResponse:
    """End one session, wherever it is."""
    if not sessions.end(user_id=request.user.pk, name=name, at=request.at):
        return refused(request, "It has ended already.", back_to=reverse("security"))
    access_log.note(
        Kind.SESSION_ENDED, caller=caller(request), at=request.at, user_id=request.user.pk
    )
    return done(request, "That session has ended", back_to=reverse("security"))


@staff("POST", unproved=True, whose=ANYBODY)
def sessions_end(request: HttpRequest) -> HttpResponse:
    """End every session but this one."""
    number = sessions.end_all(
        request.user.pk, because="ended", at=request.at, but=request.session.session_key
    )
    access_log.note(
        Kind.SESSION_ENDED, caller=caller(request), at=request.at, user_id=request.user.pk,
        number=number,
    )  # fmt: skip
    return done(request, "You are signed in only here", back_to=reverse("security"))


def changed(request: HttpRequest, kind: Kind, what: str, *, subject: str = "") -> None:
    """Something of one's sign-in was changed: into the log, and to one's mailbox."""
    access_log.note(
        kind, caller=caller(request), at=request.at, user_id=request.user.pk, subject=subject
    )
    sign_in.mail_security_change.enqueue(user_id=str(request.user.pk), what=what)
