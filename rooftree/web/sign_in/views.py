"""Sign in, second factor, sign out, and each role's start page."""

from datetime import datetime
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
from rooftree.org.access_log import AccessKind
from rooftree.org.models import Company, User
from rooftree.org.second_factor import Factor
from rooftree.web.demo import demo_login
from rooftree.web.shared import navigation
from rooftree.web.shared.request_caller import rate_limit_subject, request_caller
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import STAFF_AND_PARTNERS, staff_view
from rooftree.web.sign_in import login, passkeys

TOO_MANY_ATTEMPTS = "Too many attempts. Wait 15 minutes, or use a passkey."


class SignInForm(AuthenticationForm):
    """Email and password; errors don't reveal which of the two is wrong."""

    error_messages = {
        "invalid_login": "Wrong email or password. Check both and try again.",
        "inactive": "This account is deactivated. Ask your administrator.",
    }

    def clean(self) -> dict[str, Any]:
        """Check the password; count every attempt and log every failure."""
        assert self.request
        email, at = self.cleaned_data.get("username") or "", timezone.now()
        if email and not login.allow_login_attempt(self.request, email, at):
            login.log_failed_attempt(self.request, email, AccessKind.TOO_OFTEN, at)
            raise ValidationError(TOO_MANY_ATTEMPTS)
        try:
            return super().clean()
        except ValidationError:
            login.log_failed_attempt(self.request, email, AccessKind.FAILED, at)
            raise


class SignInView(LoginView):
    """The sign-in page; in the demo it also offers one user per role."""

    template_name = "sign_in/show.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Ask for the second factor if the user has one, else log in."""
        return login.accept_password(
            self.request, form.get_user(), self.get_success_url(), timezone.now()
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the company's brand and the demo's users."""
        return super().get_context_data(
            company=Company.objects.values_list("brand", flat=True).first(),
            people=demo_login.list_personas() if settings.IS_DEMO else [],
            **kwargs,
        )


@never_cache
@require_http_methods(["GET", "POST"])
def verify_second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the password: app code, recovery code or passkey."""
    at = timezone.now()
    pending = login.pending_login(request, at)
    if pending is None:
        return redirect("sign_in")
    user, to = pending
    problem = ""
    if request.method == "POST":
        factor, problem = _check_code(request, user, at)
        if factor:
            login.log_in(request, user, factor=factor, at=at)
            return HttpResponseRedirect(login.safe_redirect_url(request, to))
    factors = second_factor.enrolled_factors(user)
    context = {"person": user, "factors": factors, "problem": problem, "next": to}
    return render(request, "sign_in/second_factor.html", context, status=422 if problem else 200)


def _check_code(request: HttpRequest, user: User, at: datetime) -> tuple[Factor | None, str]:
    """Return the factor of the typed code, or None and the problem with it."""
    if not throttle.consume_attempt(throttle.CODE, str(user.pk), at=at):
        access_log.record_access(
            AccessKind.TOO_OFTEN, client=request_caller(request), at=at, user_id=user.pk
        )
        return None, TOO_MANY_ATTEMPTS
    factor = second_factor.verify_code(user=user, code=request.POST.get("code", "")[:40], at=at)
    if factor is None:
        access_log.record_access(
            AccessKind.CODE_FAILED, client=request_caller(request), at=at, user_id=user.pk
        )
        return None, "Wrong or already used code. Try the next one."
    return factor, ""


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_with_passkey(request: HttpRequest) -> HttpResponse:
    """Return the options for the browser; a POST checks its response and logs in."""
    at = timezone.now()
    if not throttle.consume_attempt(throttle.PASSKEY_ADDRESS, rate_limit_subject(request), at=at):
        return JsonResponse({"problem": TOO_MANY_ATTEMPTS}, status=429)
    if request.method == "GET":
        return JsonResponse(passkeys.authentication_options(request.session))
    try:
        user = passkeys.authenticate_passkey(
            request.POST.get("credential", ""), session=request.session, at=at
        )
    except passkeys.PasskeyRejected as problem:
        access_log.record_access(
            AccessKind.CODE_FAILED, client=request_caller(request), at=at, factor=Factor.PASSKEY
        )
        context = {"problem": str(problem), "company": "", "form": SignInForm(), "next": ""}
        return render(request, "sign_in/show.html", context, status=422)
    if request.user.is_authenticated and request.user.pk == user.pk:
        login.mark_reauthenticated(request, at, factor=Factor.PASSKEY)
    else:
        login.log_in(request, user, factor=Factor.PASSKEY, at=at)
    return HttpResponseRedirect(login.safe_redirect_url(request, request.POST.get("next", "")))


@staff_view("GET", "POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def reauthenticate(request: StaffRequest) -> HttpResponse:
    """Ask for the password again before a sensitive change, then continue to `to`."""
    to = login.safe_redirect_url(request, request.POST.get("to") or request.GET.get("to", ""))
    problem = ""
    if request.method == "POST":
        if not login.allow_login_attempt(request, request.user.email, request.at):
            problem = TOO_MANY_ATTEMPTS
        elif request.user.check_password(request.POST.get("password", "")):
            login.mark_reauthenticated(request, request.at)
            return HttpResponseRedirect(to, status=303)
        else:
            login.log_failed_attempt(request, request.user.email, AccessKind.FAILED, request.at)
            problem = "Wrong password."
    factors = second_factor.enrolled_factors(request.user)
    context = {"to": to, "problem": problem, "factors": factors}
    return render(request, "sign_in/reauthenticate.html", context, status=422 if problem else 200)


class SignOutView(LogoutView):
    """End the session and clear the browser's cache and storage for this site."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out and record it in the audit log."""
        if request.user.is_authenticated:
            access_log.record_access(
                AccessKind.SIGNED_OUT,
                client=request_caller(request),
                at=timezone.now(),
                user_id=request.user.pk,
            )
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@staff_view("GET", audience=STAFF_AND_PARTNERS)
def redirect_to_landing(request: StaffRequest) -> HttpResponse:
    """Redirect the root URL to the user's start page."""
    return redirect(navigation.landing_url(request.user))
