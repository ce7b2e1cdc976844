"""Logging in: pending after the password, complete after the second factor."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from rooftree.org import access_log, second_factor, throttle
from rooftree.org.access_log import AccessKind
from rooftree.org.models import User
from rooftree.web.shared.request_caller import rate_limit_subject, request_caller
from rooftree.web.shared.session_store import ADDRESS_KEY, BEGAN_KEY, DEVICE_KEY, FACTOR_KEY
from rooftree.web.shared.staff_request import StaffRequest

PENDING_LOGIN_KEY, AUTHENTICATED_AT_KEY = "half_in", "proved_at"
PENDING_LOGIN_TTL = timedelta(minutes=10)  # between password and second factor
REAUTHENTICATION_TTL = timedelta(minutes=15)  # protects sensitive changes in an open browser
AUTH_BACKEND = "rooftree.web.sign_in.auth_backend.StaffBackend"


def allow_login_attempt(request: HttpRequest, email: str, at: datetime) -> bool:
    """Count one password attempt; return False if it exceeds a limit."""
    address = rate_limit_subject(request)
    allowed = [
        throttle.consume_attempt(throttle.ADDRESS, address, at=at),
        throttle.consume_attempt(throttle.ACCOUNT_FROM_ADDRESS, f"{email} {address}", at=at),
        throttle.consume_attempt(throttle.ACCOUNT, email, at=at),
    ]
    return all(allowed)


def log_failed_attempt(request: HttpRequest, email: str, kind: AccessKind, at: datetime) -> None:
    """Record a failed attempt in the audit log, with the user or a hash of an unknown address."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    access_log.record_access(
        kind, client=request_caller(request), at=at, user_id=user.pk if user else None,
        tried="" if user else access_log.hash_unknown_email(email),
    )  # fmt: skip


def accept_password(request: HttpRequest, user: User, to: str, at: datetime) -> HttpResponse:
    """Continue after a correct password: ask for the second factor if required, else log in."""
    if second_factor.is_required_for(user):
        return begin_second_factor(request, user, to, at)
    log_in(request, user, factor="", at=at)
    return HttpResponseRedirect(to)


def begin_second_factor(request: HttpRequest, user: User, to: str, at: datetime) -> HttpResponse:
    """Start a pending login after a correct password, and redirect to the second factor."""
    request.session.cycle_key()
    request.session[PENDING_LOGIN_KEY] = {"user": str(user.pk), "at": at.isoformat(), "to": to}
    return HttpResponseRedirect(reverse("second_factor"))


def pending_login(request: HttpRequest, at: datetime) -> tuple[User, str] | None:
    """Return the user and target URL of this browser's pending login; None if there is none."""
    pending = request.session.get(PENDING_LOGIN_KEY)
    if not pending or at - datetime.fromisoformat(pending["at"]) > PENDING_LOGIN_TTL:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    return (user, pending["to"]) if user is not None else None


def log_in(request: HttpRequest, user: User, *, factor: str, at: datetime, note: str = "") -> None:
    """Log in: start a session that knows its user, device and second factor.

    Args:
        factor: a `second_factor.Factor`; "" for a password alone.
        note: shown in the audit log, such as `demo`.
    """
    request.session.pop(PENDING_LOGIN_KEY, None)
    login(request, user, backend=AUTH_BACKEND)
    client = request_caller(request)
    request.session[BEGAN_KEY] = request.session[AUTHENTICATED_AT_KEY] = at.isoformat()
    request.session[FACTOR_KEY] = str(factor)
    request.session[DEVICE_KEY], request.session[ADDRESS_KEY] = client.device, client.address
    throttle.reset_attempts(
        throttle.ACCOUNT_FROM_ADDRESS, f"{user.email} {rate_limit_subject(request)}"
    )
    throttle.reset_attempts(throttle.CODE, str(user.pk))
    access_log.record_access(
        AccessKind.SIGNED_IN,
        client=client,
        at=at,
        user_id=user.pk,
        factor=str(factor),
        subject=note,
    )


def mark_reauthenticated(request: HttpRequest, at: datetime, *, factor: str = "") -> None:
    """Record that the user has just proved their identity again."""
    request.session[AUTHENTICATED_AT_KEY] = at.isoformat()
    if factor:
        request.session[FACTOR_KEY] = str(factor)


def clear_factor(request: HttpRequest) -> None:
    """Mark the session as signed in by password alone, after the last factor was removed."""
    request.session[FACTOR_KEY] = ""


def keep_current_session(request: StaffRequest) -> None:
    """Keep this session valid after a password change, which ends all older sessions."""
    update_session_auth_hash(request, request.user)


def is_recently_authenticated(request: HttpRequest, at: datetime) -> bool:
    """Return True if the user proved their identity lately; always True in the demo."""
    if settings.IS_DEMO:
        return True
    proved_at = request.session.get(AUTHENTICATED_AT_KEY)
    if not proved_at:
        return False
    return at - datetime.fromisoformat(proved_at) <= REAUTHENTICATION_TTL


def is_fully_authenticated(request: HttpRequest) -> bool:
    """Return True if a second factor was used or none is required."""
    return not settings.SECOND_FACTOR_REQUIRED or bool(request.session.get(FACTOR_KEY))


def redirect_to_enrollment(request: HttpRequest) -> HttpResponse:
    """Redirect to the setup of a second factor; for htmx, redirect the whole page."""
    page_url = reverse("security")
    if getattr(request, "htmx", False):
        return HttpResponse(status=200, headers={"HX-Redirect": page_url})
    return HttpResponseRedirect(page_url)


def redirect_to_reauthentication(to: str) -> HttpResponse:
    """Redirect to the page that asks for the password again, then continues to `to`."""
    return HttpResponseRedirect(f"{reverse('prove_again')}?to={to}", status=303)


def safe_redirect_url(request: HttpRequest, to: str) -> str:
    """Return `to` if it is a URL of this site, else the user's start page."""
    is_own = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if is_own else reverse("land")
