"""Coming in: half way after the password, all the way after the second factor."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from rooftree.org import access_log, throttle
from rooftree.org.access_log import AccessKind
from rooftree.org.models import User
from rooftree.web.shared.request_caller import client_address, request_caller
from rooftree.web.shared.session_store import ADDRESS_KEY, BEGAN_KEY, DEVICE_KEY, FACTOR_KEY

PENDING_LOGIN_KEY, AUTHENTICATED_AT_KEY = "half_in", "proved_at"
PENDING_LOGIN_TTL = timedelta(minutes=10)  # from the password to the second factor
REAUTHENTICATION_TTL = timedelta(minutes=15)  # for what a thief of an open browser would change
AUTH_BACKEND = "rooftree.web.sign_in.auth_backend.StaffBackend"


def allow_login_attempt(request: HttpRequest, email: str, at: datetime) -> bool:
    """Count one try of a password; False when it is one too many."""
    address = client_address(request)
    counted = [
        throttle.consume_attempt(throttle.ADDRESS, address, at=at),
        throttle.consume_attempt(throttle.ACCOUNT_FROM_ADDRESS, f"{email} {address}", at=at),
        throttle.consume_attempt(throttle.ACCOUNT, email, at=at),
    ]
    return all(counted)


def log_failed_attempt(request: HttpRequest, email: str, kind: AccessKind, at: datetime) -> None:
    """A try that failed goes into the access log: with the user it was about, else a hash."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    access_log.record_access(
        kind, client=request_caller(request), at=at, user_id=user.pk if user else None,
        tried="" if user else access_log.hash_unknown_email(email),
    )  # fmt: skip


def begin_second_factor(request: HttpRequest, user: User, to: str, at: datetime) -> HttpResponse:
    """The password was right: the browser waits for the second factor."""
    request.session.cycle_key()
    request.session[PENDING_LOGIN_KEY] = {"user": str(user.pk), "at": at.isoformat(), "to": to}
    return HttpResponseRedirect(reverse("second_factor"))


def pending_login(request: HttpRequest, at: datetime) -> tuple[User, str] | None:
    """Who waits for the second factor in this browser, and where they want to go."""
    held = request.session.get(PENDING_LOGIN_KEY)
    if not held or at - datetime.fromisoformat(held["at"]) > PENDING_LOGIN_TTL:
        return None
    user = User.objects.filter(pk=held["user"], is_active=True).first()
    return (user, held["to"]) if user is not None else None


def log_in(request: HttpRequest, user: User, *, factor: str, at: datetime, note: str = "") -> None:
    """Sign in: a new session, whose owner, device and proof are known.

    Args:
        factor: of `second_factor.Factor`; "" for a password alone.
        how: what the access log says of it: `demo`.
    """
    request.session.pop(PENDING_LOGIN_KEY, None)
    login(request, user, backend=AUTH_BACKEND)
    seen = request_caller(request)
    request.session[BEGAN_KEY] = request.session[AUTHENTICATED_AT_KEY] = at.isoformat()
    request.session[FACTOR_KEY] = str(factor)
    request.session[DEVICE_KEY], request.session[ADDRESS_KEY] = seen.device, seen.address
    throttle.reset_attempts(
        throttle.ACCOUNT_FROM_ADDRESS, f"{user.email} {client_address(request)}"
    )
    throttle.reset_attempts(throttle.CODE, str(user.pk))
    access_log.record_access(
        AccessKind.SIGNED_IN, client=seen, at=at, user_id=user.pk, factor=str(factor), subject=note
    )


def mark_reauthenticated(request: HttpRequest, at: datetime, *, factor: str = "") -> None:
    """Whoever sits here has just shown that it is still them."""
    request.session[AUTHENTICATED_AT_KEY] = at.isoformat()
    if factor:
        request.session[FACTOR_KEY] = str(factor)


def clear_factor(request: HttpRequest) -> None:
    """The last second factor is gone: this session goes on by the password alone."""
    request.session[FACTOR_KEY] = ""


def keep_current_session(request: HttpRequest) -> None:
    """After a change of the password: the sessions of before are not this user's any more."""
    update_session_auth_hash(request, request.user)


def is_recently_authenticated(request: HttpRequest, at: datetime) -> bool:
    """Whether the person proved who they are a short while ago; a demo's visitors have nothing."""
    if settings.IS_DEMO:
        return True
    held = request.session.get(AUTHENTICATED_AT_KEY)
    return bool(held) and at - datetime.fromisoformat(held) <= REAUTHENTICATION_TTL


def is_fully_authenticated(request: HttpRequest) -> bool:
    """Whether this session may open pages: a second factor was used, or none is required."""
    return not settings.SECOND_FACTOR_REQUIRED or bool(request.session.get(FACTOR_KEY))


def redirect_to_enrollment(request: HttpRequest) -> HttpResponse:
    """To the page where a second factor is set up; a fragment takes the whole page along."""
    there = reverse("security")
    if getattr(request, "htmx", False):
        return HttpResponse(status=200, headers={"HX-Redirect": there})
    return HttpResponseRedirect(there)


def redirect_to_reauthentication(to: str) -> HttpResponse:
    """To the page that asks once more who this is, and then goes on to `to`."""
    return HttpResponseRedirect(f"{reverse('prove_again')}?to={to}", status=303)


def safe_redirect_url(request: HttpRequest, to: str) -> str:
    """`to` when it is an address of ours, else the page of one's own."""
    mine = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if mine else reverse("land")
