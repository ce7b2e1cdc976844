"""The door: sign in, the second step, sign out, and where each role lands."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rooftree.org import access_log, second_factor, throttle
from rooftree.org.access_log import Kind
from rooftree.org.models import Company
from rooftree.org.second_factor import Factor
from rooftree.web import door, passkeys, shell
from rooftree.web.caller import address_of, caller
from rooftree.web.page import ANYBODY, staff
from rooftree.web.views import look_around

TOO_OFTEN = "That was tried too often. Wait a quarter of an hour, or use a passkey."


class Form(AuthenticationForm):
    """E-mail and password; says no more than that they do not fit together."""

    error_messages = {
        "invalid_login": "This e-mail and password do not fit together. Check both and try again.",
        "inactive": "This account is closed. Ask your administrator.",
    }

    def clean(self) -> dict[str, Any]:
        """Whether they fit; every try is counted and every failure written down."""
        email, at = self.cleaned_data.get("username") or "", timezone.now()
        if email and not door.may_try(self.request, email, at):
            door.note_failure(self.request, email, Kind.TOO_OFTEN, at)
            raise ValidationError(TOO_OFTEN)
        try:
            return super().clean()
        except ValidationError:
            door.note_failure(self.request, email, Kind.FAILED, at)
            raise


class SignIn(LoginView):
    """The sign-in page. In the demo it also lists one person per role to look around as."""

    template_name = "sign_in/show.html"
    authentication_form = Form
    redirect_authenticated_user = True

    def form_valid(self, form: Form) -> HttpResponse:
        """The password is right; whoever has a second factor is asked for it."""
        user, at, to = form.get_user(), timezone.now(), self.get_success_url()
        if second_factor.is_asked(user):
            return door.hold_half(self.request, user, to, at)
        door.let_in(self.request, user, factor="", at=at)
        return HttpResponseRedirect(to)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page needs beside the form."""
        return super().get_context_data(
            company=Company.objects.values_list("brand", flat=True).first(),
            people=look_around.people() if settings.IS_DEMO else [],
            **kwargs,
        )


@never_cache
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """After the password: the code of the app, a recovery code, or a passkey."""
    at = timezone.now()
    held = door.half_in(request, at)
    if held is None:
        return redirect("sign_in")
    user, to = held
    problem = ""
    if request.method == "POST":
        factor, problem = _judged(request, user, at)
        if factor:
            door.let_in(request, user, factor=factor, at=at)
            return HttpResponseRedirect(door.safe(request, to))
    has = second_factor.held_by(user)
    context = {"person": user, "held": has, "problem": problem, "next": to}
    return render(request, "sign_in/second.html", context, status=422 if problem else 200)


def _judged(request: HttpRequest, user: Any, at: Any) -> tuple[Factor | None, str]:
    """Which factor the typed code is, or what is wrong with it."""
    if not throttle.allow(throttle.CODE, str(user.pk), at=at):
        access_log.note(Kind.TOO_OFTEN, caller=caller(request), at=at, user_id=user.pk)
        return None, TOO_OFTEN
    factor = second_factor.prove(user=user, code=request.POST.get("code", "")[:40], at=at)
    if factor is None:
        access_log.note(Kind.CODE_FAILED, caller=caller(request), at=at, user_id=user.pk)
        return None, "This code does not fit, or it was used already. Take the next one."
    return factor, ""


@never_cache
@require_http_methods(["GET", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is asked. POST: its answer, which signs in by itself."""
    at = timezone.now()
    if not throttle.allow(throttle.PASSKEY_ADDRESS, address_of(request), at=at):
        return JsonResponse({"problem": TOO_OFTEN}, status=429)
    if request.method == "GET":
        return JsonResponse(passkeys.asked_to_prove())
    try:
        user = passkeys.proved(request.POST.get("credential", ""), at=at)
    except passkeys.NotProved as problem:
        access_log.note(Kind.CODE_FAILED, caller=caller(request), at=at, factor=Factor.PASSKEY)
        context = {"problem": str(problem), "company": "", "form": Form(), "next": ""}
        return render(request, "sign_in/show.html", context, status=422)
    if request.user.is_authenticated and request.user.pk == user.pk:
        door.proved_again(request, at, factor=Factor.PASSKEY)
    else:
        door.let_in(request, user, factor=Factor.PASSKEY, at=at)
    return HttpResponseRedirect(door.safe(request, request.POST.get("next", "")))


@staff("GET", "POST", unproved=True, whose=ANYBODY)
def again(request: HttpRequest) -> HttpResponse:
    """Before something that a thief of an open browser would do: is it still you?"""
    to = door.safe(request, request.POST.get("to") or request.GET.get("to", ""))
    problem = ""
    if request.method == "POST":
        if not door.may_try(request, request.user.email, request.at):
            problem = TOO_OFTEN
        elif request.user.check_password(request.POST.get("password", "")):
            door.proved_again(request, request.at)
            return HttpResponseRedirect(to, status=303)
        else:
            door.note_failure(request, request.user.email, Kind.FAILED, request.at)
            problem = "This is not your password."
    context = {"to": to, "problem": problem, "held": second_factor.held_by(request.user)}
    return render(request, "sign_in/again.html", context, status=422 if problem else 200)


class SignOut(LogoutView):
    """Ends the session and has the browser forget what it kept of our pages."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out."""
        if request.user.is_authenticated:
            access_log.note(
                Kind.SIGNED_OUT, caller=caller(request), at=timezone.now(), user_id=request.user.pk
            )
        answer = super().post(request, *args, **kwargs)
        answer["Clear-Site-Data"] = '"cache", "storage"'
        return answer


@staff("GET", whose=ANYBODY)
def land(request: HttpRequest) -> HttpResponse:
    """The bare address: each role on the page that is its own."""
    return redirect(shell.landing(request.user))
