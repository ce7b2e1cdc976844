"""Coming in: half way after the password, all the way after the second factor."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from rooftree.org import access_log, throttle
from rooftree.org.access_log import Kind
from rooftree.org.models import User
from rooftree.web.caller import address_of, caller
from rooftree.web.session_store import ADDRESS, BEGAN, DEVICE, FACTOR

HALF, PROVED = "half_in", "proved_at"
HALF_LASTS = timedelta(minutes=10)  # from the password to the second factor
PROOF_LASTS = timedelta(minutes=15)  # for what a thief of an open browser would change
BACKEND = "rooftree.web.session_user.SessionUser"


def may_try(request: HttpRequest, email: str, at: datetime) -> bool:
    """Count one try of a password; False when it is one too many."""
    address = address_of(request)
    counted = [
        throttle.allow(throttle.ADDRESS, address, at=at),
        throttle.allow(throttle.ACCOUNT_HERE, f"{email} {address}", at=at),
        throttle.allow(throttle.ACCOUNT, email, at=at),
    ]
    return all(counted)


def note_failure(request: HttpRequest, email: str, kind: Kind, at: datetime) -> None:
    """A try that failed goes into the access log: with the user it was about, else a hash."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    access_log.note(
        kind, caller=caller(request), at=at, user_id=user.pk if user else None,
        tried="" if user else access_log.hashed(email),
    )  # fmt: skip


def hold_half(request: HttpRequest, user: User, to: str, at: datetime) -> HttpResponse:
    """The password was right: the browser waits for the second factor."""
    request.session.cycle_key()
    request.session[HALF] = {"user": str(user.pk), "at": at.isoformat(), "to": to}
    return HttpResponseRedirect(reverse("second_factor"))


def half_in(request: HttpRequest, at: datetime) -> tuple[User, str] | None:
    """Who waits for the second factor in this browser, and where they want to go."""
    held = request.session.get(HALF)
    if not held or at - datetime.fromisoformat(held["at"]) > HALF_LASTS:
        return None
    user = User.objects.filter(pk=held["user"], is_active=True).first()
    return (user, held["to"]) if user is not None else None


def let_in(request: HttpRequest, user: User, *, factor: str, at: datetime, how: str = "") -> None:
    """Sign in: a new session, whose owner, device and proof are known.

    Args:
        factor: of `second_factor.Factor`; "" for a password alone.
        how: what the access log says of it: `demo`.
    """
    request.session.pop(HALF, None)
    login(request, user, backend=BACKEND)
    seen = caller(request)
    request.session[BEGAN] = request.session[PROVED] = at.isoformat()
    request.session[FACTOR] = str(factor)
    request.session[DEVICE], request.session[ADDRESS] = seen.device, seen.address
    throttle.forgive(throttle.ACCOUNT_HERE, f"{user.email} {address_of(request)}")
    throttle.forgive(throttle.CODE, str(user.pk))
    access_log.note(
        Kind.SIGNED_IN, caller=seen, at=at, user_id=user.pk, factor=str(factor), subject=how
    )


def proved_again(request: HttpRequest, at: datetime, *, factor: str = "") -> None:
    """Whoever sits here has just shown that it is still them."""
    request.session[PROVED] = at.isoformat()
    if factor:
        request.session[FACTOR] = str(factor)


def unproved(request: HttpRequest) -> None:
    """The last second factor is gone: this session goes on by the password alone."""
    request.session[FACTOR] = ""


def keep_this_session(request: HttpRequest) -> None:
    """After a change of the password: the sessions of before are not this user's any more."""
    update_session_auth_hash(request, request.user)


def is_fresh(request: HttpRequest, at: datetime) -> bool:
    """Whether the person proved who they are a short while ago; a demo's visitors have nothing."""
    if settings.IS_DEMO:
        return True
    held = request.session.get(PROVED)
    return bool(held) and at - datetime.fromisoformat(held) <= PROOF_LASTS


def is_proved(request: HttpRequest) -> bool:
    """Whether this session may open pages: a second factor was used, or none is required."""
    return not settings.SECOND_FACTOR_REQUIRED or bool(request.session.get(FACTOR))


def to_enrolment(request: HttpRequest) -> HttpResponse:
    """To the page where a second factor is set up; a fragment takes the whole page along."""
    there = reverse("security")
    if getattr(request, "htmx", False):
        return HttpResponse(status=200, headers={"HX-Redirect": there})
    return HttpResponseRedirect(there)


def to_proof(to: str) -> HttpResponse:
    """To the page that asks once more who this is, and then goes on to `to`."""
    return HttpResponseRedirect(f"{reverse('prove_again')}?to={to}", status=303)


def safe(request: HttpRequest, to: str) -> str:
    """`to` when it is an address of ours, else the page of one's own."""
    mine = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if mine else reverse("land")
