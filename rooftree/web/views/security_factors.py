"""Adding and giving up second factors: an app, passkeys, recovery codes."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import mark_safe

from rooftree.org import second_factor, sessions
from rooftree.org.access_log import Kind
from rooftree.org.second_factor import Factor
from rooftree.web import door, passkeys
from rooftree.web.answers import done
from rooftree.web.page import ANYBODY, staff
from rooftree.web.qr import svg
from rooftree.web.views import security

SECRET = "app_secret"  # noqa: S105 (a name in the session)


@staff("GET", "POST", unproved=True, whose=ANYBODY)
def app(request: HttpRequest) -> HttpResponse:
    """An authenticator app: the picture to scan, and the code that shows it was."""
    if not door.is_fresh(request, request.at):
        return door.to_proof(reverse("security_app"))
    secret, problem = request.session.get(SECRET), ""
    if not secret:
        secret = request.session[SECRET] = second_factor.new_secret()
    if request.method == "POST":
        try:
            codes = second_factor.add_app(
                user=request.user, secret=secret, code=request.POST.get("code", "")[:20],
                at=request.at,
            )  # fmt: skip
        except second_factor.WrongCode as wrong:
            problem = str(wrong)
        else:
            del request.session[SECRET]
            return _added(request, Factor.APP, codes)
    address = get_adapter().build_totp_url(request.user, secret)
    context = {
        "picture": mark_safe(svg(address)),  # noqa: S308 (drawn by us: squares only)
        "letters": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "problem": problem,
        "must_enrol": not door.is_proved(request),
    }
    return render(request, "security/app.html", context, status=422 if problem else 200)


@staff("POST", whose=ANYBODY)
def app_removal(request: HttpRequest) -> HttpResponse:
    """The app is not used any more."""
    row = get_object_or_404(Authenticator, user=request.user, type=Authenticator.Type.TOTP)
    return _removed(request, row, "The app")


@staff("GET", "POST", unproved=True, whose=ANYBODY)
def keys(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is asked to make. POST: the passkey it made."""
    if not door.is_fresh(request, request.at):
        if request.method == "GET":
            there = f"{reverse('prove_again')}?to={reverse('security')}"
            return JsonResponse({"go": there}, status=403)
        return door.to_proof(reverse("security"))
    if request.method == "GET":
        return JsonResponse(passkeys.asked_to_make(request.user))
    name = request.POST.get("name", "") or _name_of_this(request)
    try:
        answer = request.POST.get("credential", "")
        codes = passkeys.add(user=request.user, answer=answer, name=name, at=request.at)
    except passkeys.NotProved as problem:
        return security.page(request, problem=str(problem), status=422)
    return _added(request, Factor.PASSKEY, codes)


@staff("POST", unproved=True, whose=ANYBODY)
def key_name(request: HttpRequest, key_id: int) -> HttpResponse:
    """Another name for a passkey."""
    passkeys.rename(row=_own_key(request, key_id), name=request.POST.get("name", ""))
    return done(request, "The name is kept", back_to=reverse("security"))


@staff("POST", whose=ANYBODY)
def key_removal(request: HttpRequest, key_id: int) -> HttpResponse:
    """A passkey opens nothing here any more."""
    row = _own_key(request, key_id)
    return _removed(request, row, f"The passkey {row.data['name']}")


@staff("POST", whose=ANYBODY)
def codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes, shown this once; those of before are void."""
    if not door.is_fresh(request, request.at):
        return door.to_proof(reverse("security"))
    if not second_factor.is_asked(request.user):
        return security.page(request, problem="Set up an app or a passkey first.", status=422)
    made = second_factor.new_codes(user=request.user, at=request.at)
    security.changed(
        request, Kind.FACTOR_ADDED, "New recovery codes were made.", subject="recovery codes"
    )
    return render(request, "security/codes.html", {"codes": made})


def _added(request: HttpRequest, factor: Factor, made: list[str]) -> HttpResponse:
    """This session is proved by it, others must prove themselves; new codes are shown once."""
    door.proved_again(request, request.at, factor=factor)
    if made:  # the first one: who came in without it comes in anew
        sessions.end_all(
            request.user.pk, because="factors", at=request.at, but=request.session.session_key
        )
    what = security.WORDS[factor]
    security.changed(
        request, Kind.FACTOR_ADDED, f"A second factor was added: {what}.", subject=what
    )
    if made:
        return render(request, "security/codes.html", {"codes": made, "is_first": True})
    said = {Factor.APP: "The app is set up", Factor.PASSKEY: "The passkey is set up"}[factor]
    return done(request, said, back_to=reverse("security"))


def _removed(request: HttpRequest, row: Authenticator, what: str) -> HttpResponse:
    if not door.is_fresh(request, request.at):
        return door.to_proof(reverse("security"))
    second_factor.remove(user=request.user, row=row, at=request.at)
    if not second_factor.is_asked(request.user):
        door.unproved(request)
    security.changed(request, Kind.FACTOR_REMOVED, f"{what} was removed.", subject=what)
    return done(request, f"{what} is removed", back_to=reverse("security"))


def _own_key(request: HttpRequest, key_id: int) -> Authenticator:
    return get_object_or_404(
        Authenticator, pk=key_id, user=request.user, type=Authenticator.Type.WEBAUTHN
    )


def _name_of_this(request: HttpRequest) -> str:
    """Where a passkey was made, when nobody named it."""
    return request.session.get("device") or "Passkey"
