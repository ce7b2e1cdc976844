"""Set-up: who came in and took what out, keys of machines, and letting a colleague begin anew."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import sign_in
from rooftree.org import access_log, api_keys, second_factor, sessions
from rooftree.org.access_log import Kind
from rooftree.org.models import PARTNER, AccessEntry, ApiKey, User
from rooftree.web import door
from rooftree.web.answers import done, refused
from rooftree.web.caller import caller
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, choice, number, several, text
from rooftree.web.views import security

SAID = {  # (icon, tone, what the log says)
    Kind.SIGNED_IN: ("check", "ok", "Signed in"),
    Kind.SIGNED_OUT: ("arrow", "", "Signed out"),
    Kind.FAILED: ("x", "late", "Wrong password"),
    Kind.TOO_OFTEN: ("ban", "late", "Tried too often"),
    Kind.CODE_FAILED: ("x", "late", "Second factor did not fit"),
    Kind.RESET_ASKED: ("mail", "", "Asked for a new password"),
    Kind.PASSWORD_SET: ("key", "", "Chose a new password"),
    Kind.FACTOR_ADDED: ("key", "ok", "Added a second factor"),
    Kind.FACTOR_REMOVED: ("key", "soon", "Removed a second factor"),
    Kind.SESSION_ENDED: ("x", "", "Ended sessions"),
    Kind.LEAD_OPENED: ("eye", "", "Opened a lead"),
    Kind.EXPORTED: ("download", "soon", "Exported"),
    Kind.KEY_MADE: ("key", "soon", "Made an API key"),
    Kind.KEY_REVOKED: ("key", "", "Revoked an API key"),
    Kind.KEY_REFUSED: ("ban", "late", "API call refused"),
}
SHOWS = {  # by the tab of the page; None shows everything
    "": ("Everything", None),
    "in": ("Signed in", (Kind.SIGNED_IN, Kind.SIGNED_OUT, Kind.SESSION_ENDED)),
    "refused": ("Turned away", (Kind.FAILED, Kind.TOO_OFTEN, Kind.CODE_FAILED, Kind.KEY_REFUSED)),
    "data": ("People’s data", (Kind.LEAD_OPENED, Kind.EXPORTED)),
}
PAGE = 50
DAYS_AT_MOST = 366


class KeyForm(StaffForm):
    """A new key."""

    name = text("Name", "The machine that will have it", longest=80)
    user = choice("Acts as", (), "It sees what this person may see, and ends when they leave")
    scopes = several("May", api_keys.SCOPES.items())
    days = number("Good for, days", least=1, most=DAYS_AT_MOST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True).exclude(role=PARTNER).order_by("name", "id")
        self.fields["user"].choices = [
            (str(one.pk), f"{one.name}, {one.role_label}") for one in people
        ]


@staff("GET")
def log(request: HttpRequest) -> HttpResponse:
    """The access log, newest first; by kind and by person."""
    must(request.user, "see_access_log")
    tab = request.GET.get("show", "")
    tab = tab if tab in SHOWS else ""
    rows = AccessEntry.objects.select_related("user", "api_key").order_by("-at", "-id")
    if kinds := SHOWS[tab][1]:
        rows = rows.filter(kind__in=kinds)
    person = _person(request.GET.get("person", ""))
    if person:
        rows = rows.filter(user=person)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [_line(one) for one in page],
        "shows": [(key, label, key == tab) for key, (label, _) in SHOWS.items()],
        "person": person,
        "people": User.objects.order_by("name", "id").only("name"),
    }
    return render(request, "setup/access_log.html", context)


@staff("GET", "POST")
def keys(request: HttpRequest) -> HttpResponse:
    """Every key with what it may and when it was last used, and a new one, shown once."""
    must(request.user, "edit_api_keys")
    if request.method == "POST" and not door.is_fresh(request, request.at):
        return door.to_proof(reverse("api_keys"))
    form = KeyForm(request.POST or None, initial={"days": 90})

    def make(typed: dict[str, Any]) -> tuple[ApiKey, str]:
        with atomic():
            made = api_keys.make(
                name=typed["name"], user=User.objects.get(pk=typed["user"]),
                scopes=typed["scopes"], lasts=timedelta(days=typed["days"]), by=request.user,
                at=request.at,
            )  # fmt: skip
            _note_key(request, Kind.KEY_MADE, made[0])
        return made

    made = None
    if request.method == "POST" and form.carried_out(make):
        made, form = form.made, KeyForm(initial={"days": 90})
    rows = ApiKey.objects.select_related("user").order_by("revoked_at", "-created_at", "-id")
    context = {
        "keys": rows,
        "form": form,
        "made": made,
        "address": request.build_absolute_uri("/api/v1/"),
    }
    status = 422 if request.method == "POST" and not made else 200
    return render(request, "setup/api_keys.html", context, status=status)


@staff("POST")
def key_revocation(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """The key opens nothing any more, from its next call."""
    must(request.user, "edit_api_keys")
    key = get_object_or_404(ApiKey, pk=key_id)
    if not api_keys.revoke(key_id=key.pk, by=request.user, at=request.at):
        return refused(request, "It was revoked already.", back_to=reverse("api_keys"))
    _note_key(request, Kind.KEY_REVOKED, key)
    return done(request, f"{key.name} opens nothing any more", back_to=reverse("api_keys"))


@staff("POST")
def person_factors(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A colleague has lost their phone: without factors they set up new ones when they sign in."""
    must(request.user, "edit_people")
    one = get_object_or_404(User, pk=user_id)
    second_factor.remove_all(user=one, by=request.user, at=request.at)
    access_log.note(
        Kind.FACTOR_REMOVED, caller=caller(request), at=request.at, user_id=request.user.pk,
        subject=f"all of {one.name}",
    )  # fmt: skip
    sign_in.mail_security_change.enqueue(
        user_id=str(one.pk), what=f"{request.user.name} removed your second factors."
    )
    return done(
        request, f"{one.name} sets up a new second factor when they sign in",
        back_to=reverse("setup_person", args=[one.pk]),
    )  # fmt: skip


@staff("POST")
def person_sessions(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A colleague is signed out everywhere."""
    must(request.user, "edit_people")
    one = get_object_or_404(User, pk=user_id)
    number_ended = sessions.end_all(one.pk, because="ended", at=request.at)
    access_log.note(
        Kind.SESSION_ENDED, caller=caller(request), at=request.at, user_id=request.user.pk,
        subject=f"all of {one.name}", number=number_ended,
    )  # fmt: skip
    return done(
        request, f"{one.name} is signed out everywhere",
        back_to=reverse("setup_person", args=[one.pk]),
    )  # fmt: skip


def _line(row: AccessEntry) -> dict[str, Any]:
    icon, tone, words = SAID.get(Kind(row.kind), ("info", "", row.kind))
    tone = f"is-{tone}" if tone else "rows__mark"
    factor = security.WORDS.get(row.factor, "")
    return {"row": row, "icon": icon, "tone": tone, "words": words, "factor": factor}


def _note_key(request: HttpRequest, kind: Kind, key: ApiKey) -> None:
    access_log.note(
        kind, caller=caller(request), at=request.at, user_id=request.user.pk, api_key_id=key.pk,
        subject=key.name,
    )  # fmt: skip


def _person(asked: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(asked)).first()
    except ValueError:
        return None
