"""Adding and removing second factors: authenticator app, passkeys, recovery codes."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import mark_safe

from rooftree.org import second_factor, staff_sessions
from rooftree.org.access_log import AccessKind
from rooftree.org.second_factor import Factor
from rooftree.web.security import views
from rooftree.web.security.qr_code import render_qr_svg
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import STAFF_AND_PARTNERS, staff_view
from rooftree.web.sign_in import login, passkeys

SECRET_SESSION_KEY = "app_secret"  # noqa: S105 (a name in the session)


@staff_view("GET", "POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def set_up_app(request: StaffRequest) -> HttpResponse:
    """Show the QR code to scan; a POST with a code from the app enrolls it."""
    if not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(reverse("security_app"))
    secret, problem = request.session.get(SECRET_SESSION_KEY), ""
    if not secret:
        secret = request.session[SECRET_SESSION_KEY] = second_factor.generate_app_secret()
    if request.method == "POST":
        try:
            codes = second_factor.enroll_app(
                user=request.user, secret=secret, code=request.POST.get("code", "")[:20],
                at=request.at,
            )  # fmt: skip
        except second_factor.InvalidCode as bad:
            problem = str(bad)
        else:
            del request.session[SECRET_SESSION_KEY]
            return _finish_adding(request, Factor.APP, codes)
    totp_url = get_adapter().build_totp_url(request.user, secret)
    context = {
        "qr_code": mark_safe(render_qr_svg(totp_url)),  # noqa: S308 (our own SVG of squares)
        "letters": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "problem": problem,
    }
    return render(
        request, "security/authenticator_app.html", context, status=422 if problem else 200
    )


@staff_view("POST", audience=STAFF_AND_PARTNERS)
def remove_app(request: StaffRequest) -> HttpResponse:
    """Remove the authenticator app."""
    row = get_object_or_404(Authenticator, user=request.user, type=Authenticator.Type.TOTP)
    return _remove_factor(request, row, "Authenticator app")


@staff_view("GET", "POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def add_passkey(request: StaffRequest) -> HttpResponse:
    """Return the options for the browser; a POST stores the passkey it made."""
    if not login.is_recently_authenticated(request, request.at):
        if request.method == "GET":
            url = f"{reverse('prove_again')}?to={reverse('security')}"
            return JsonResponse({"go": url}, status=403)
        return login.redirect_to_reauthentication(reverse("security"))
    if request.method == "GET":
        return JsonResponse(passkeys.registration_options(request.user, request.session))
    device: str = request.session.get("device") or "Passkey"
    name = request.POST.get("name", "") or device
    try:
        credential = request.POST.get("credential", "")
        codes = passkeys.register_passkey(
            user=request.user, answer=credential, name=name, session=request.session, at=request.at
        )
    except passkeys.PasskeyRejected as problem:
        return views.render_security(request, problem=str(problem), status=422)
    return _finish_adding(request, Factor.PASSKEY, codes)


@staff_view("POST", without_second_factor=True, audience=STAFF_AND_PARTNERS)
def rename_own_passkey(request: StaffRequest, key_id: int) -> HttpResponse:
    """Rename one of the user's passkeys."""
    passkeys.rename_passkey(
        row=_get_own_passkey(request, key_id), name=request.POST.get("name", "")
    )
    return respond_done(request, "Passkey renamed", back_to=reverse("security"))


@staff_view("POST", audience=STAFF_AND_PARTNERS)
def remove_passkey(request: StaffRequest, key_id: int) -> HttpResponse:
    """Remove one of the user's passkeys."""
    row = _get_own_passkey(request, key_id)
    return _remove_factor(request, row, f"Passkey {row.data['name']}")


@staff_view("POST", audience=STAFF_AND_PARTNERS)
def renew_recovery_codes(request: StaffRequest) -> HttpResponse:
    """Replace the recovery codes and show the new ones once."""
    if not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(reverse("security"))
    if not second_factor.is_required_for(request.user):
        return views.render_security(
            request, problem="Set up an authenticator app or a passkey first.", status=422
        )
    codes = second_factor.replace_recovery_codes(user=request.user, at=request.at)
    views.report_security_change(
        request, AccessKind.FACTOR_ADDED, "New recovery codes were made.", subject="recovery codes"
    )
    return render(request, "security/recovery_codes.html", {"codes": codes})


def _finish_adding(request: StaffRequest, factor: Factor, codes: list[str]) -> HttpResponse:
    """Authenticate this session with the new factor; for a first factor, show its codes once."""
    login.mark_reauthenticated(request, request.at, factor=factor)
    if codes:  # the first factor: sessions without one must sign in again
        staff_sessions.end_all_sessions(
            request.user.pk, reason="factors", at=request.at, except_key=request.session.session_key
        )
    label = views.FACTOR_LABELS[factor]
    views.report_security_change(
        request, AccessKind.FACTOR_ADDED, f"A second factor was added: {label}.", subject=label
    )
    if codes:
        return render(request, "security/recovery_codes.html", {"codes": codes, "is_first": True})
    return respond_done(request, f"{label.capitalize()} added", back_to=reverse("security"))


def _remove_factor(request: StaffRequest, row: Authenticator, label: str) -> HttpResponse:
    if not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(reverse("security"))
    second_factor.remove_factor(user=request.user, row=row, at=request.at)
    if not second_factor.is_required_for(request.user):
        login.clear_factor(request)
    views.report_security_change(
        request, AccessKind.FACTOR_REMOVED, f"{label} was removed.", subject=label
    )
    return respond_done(request, f"{label} removed", back_to=reverse("security"))


def _get_own_passkey(request: StaffRequest, key_id: int) -> Authenticator:
    return get_object_or_404(
        Authenticator, pk=key_id, user=request.user, type=Authenticator.Type.WEBAUTHN
    )
