"""Set-up: who came in and took what out, keys of machines, and letting a colleague begin anew."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import account_security
from rooftree.org import access_log, api_keys, second_factor, staff_sessions
from rooftree.org.access_log import AccessKind
from rooftree.org.models import PARTNER, AccessEntry, ApiKey, User
from rooftree.web.security import views
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.request_caller import request_caller
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkboxes_field,
    choice_field,
    integer_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sign_in import login

ENTRY_LABELS = {  # (icon, tone, what the log says)
    AccessKind.SIGNED_IN: ("check", "ok", "Signed in"),
    AccessKind.SIGNED_OUT: ("arrow", "", "Signed out"),
    AccessKind.FAILED: ("x", "late", "Wrong password"),
    AccessKind.TOO_OFTEN: ("ban", "late", "Tried too often"),
    AccessKind.CODE_FAILED: ("x", "late", "Second factor did not fit"),
    AccessKind.RESET_ASKED: ("mail", "", "Asked for a new password"),
    AccessKind.PASSWORD_SET: ("key", "", "Chose a new password"),
    AccessKind.FACTOR_ADDED: ("key", "ok", "Added a second factor"),
    AccessKind.FACTOR_REMOVED: ("key", "soon", "Removed a second factor"),
    AccessKind.SESSION_ENDED: ("x", "", "Ended sessions"),
    AccessKind.LEAD_OPENED: ("eye", "", "Opened a lead"),
    AccessKind.EXPORTED: ("download", "soon", "Exported"),
    AccessKind.KEY_MADE: ("key", "soon", "Made an API key"),
    AccessKind.KEY_REVOKED: ("key", "", "Revoked an API key"),
    AccessKind.KEY_REFUSED: ("ban", "late", "API call refused"),
}
LOG_TABS = {  # by the tab of the page; None shows everything
    "": ("Everything", None),
    "in": ("Signed in", (AccessKind.SIGNED_IN, AccessKind.SIGNED_OUT, AccessKind.SESSION_ENDED)),
    "refused": (
        "Turned away",
        (AccessKind.FAILED, AccessKind.TOO_OFTEN, AccessKind.CODE_FAILED, AccessKind.KEY_REFUSED),
    ),
    "data": ("People’s data", (AccessKind.LEAD_OPENED, AccessKind.EXPORTED)),
}
PAGE_SIZE = 50
MAX_KEY_DAYS = 366


class ApiKeyForm(StaffForm):
    """A new key."""

    name = text_field("Name", "The machine that will have it", max_length=80)
    user = choice_field("Acts as", (), "It sees what this person may see, and ends when they leave")
    scopes = checkboxes_field("May", api_keys.SCOPES.items())
    days = integer_field("Good for, days", min_value=1, max_value=MAX_KEY_DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True).exclude(role=PARTNER).order_by("name", "id")
        self.fields["user"].choices = [
            (str(person.pk), f"{person.name}, {person.role_label}") for person in people
        ]


@staff_view("GET")
def show_access_log(request: StaffRequest) -> HttpResponse:
    """The access log, newest first; by kind and by person."""
    require_permission(request.user, "see_access_log")
    tab = request.GET.get("show", "")
    tab = tab if tab in LOG_TABS else ""
    rows = AccessEntry.objects.select_related("user", "api_key").order_by("-at", "-id")
    if kinds := LOG_TABS[tab][1]:
        rows = rows.filter(kind__in=kinds)
    person = _find_user(request.GET.get("person", ""))
    if person:
        rows = rows.filter(user=person)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [_entry_line(one) for one in page],
        "shows": [(key, label, key == tab) for key, (label, _) in LOG_TABS.items()],
        "person": person,
        "people": User.objects.order_by("name", "id").only("name"),
    }
    return render(request, "security/access_log.html", context)


@staff_view("GET", "POST")
def list_api_keys(request: StaffRequest) -> HttpResponse:
    """Every key with what it may and when it was last used, and a new one, shown once."""
    require_permission(request.user, "edit_api_keys")
    if request.method == "POST" and not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(reverse("api_keys"))
    form = ApiKeyForm(request.POST or None, initial={"days": 90})

    def make(typed: dict[str, Any]) -> tuple[ApiKey, str]:
        with atomic():
            made = api_keys.create_api_key(
                name=typed["name"], user=User.objects.get(pk=typed["user"]),
                scopes=typed["scopes"], lasts=timedelta(days=typed["days"]), by=request.user,
                at=request.at,
            )  # fmt: skip
            _log_key_event(request, AccessKind.KEY_MADE, made[0])
        return made

    made = None
    if request.method == "POST" and form.submit(make):
        made, form = form.result, ApiKeyForm(initial={"days": 90})
    rows = ApiKey.objects.select_related("user").order_by("revoked_at", "-created_at", "-id")
    context = {
        "keys": rows,
        "form": form,
        "made": made,
        "address": request.build_absolute_uri("/api/v1/"),
    }
    status = 422 if request.method == "POST" and not made else 200
    return render(request, "security/api_keys.html", context, status=status)


@staff_view("POST")
def revoke_api_key(request: StaffRequest, key_id: UUID) -> HttpResponse:
    """The key opens nothing any more, from its next call."""
    require_permission(request.user, "edit_api_keys")
    key = get_object_or_404(ApiKey, pk=key_id)
    if not api_keys.revoke_api_key(key_id=key.pk, by=request.user, at=request.at):
        return respond_refused(request, "It was revoked already.", back_to=reverse("api_keys"))
    _log_key_event(request, AccessKind.KEY_REVOKED, key)
    return respond_done(request, f"{key.name} opens nothing any more", back_to=reverse("api_keys"))


@staff_view("POST")
def reset_second_factors(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """A colleague has lost their phone: without factors they set up new ones when they sign in."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User, pk=user_id)
    second_factor.reset_factors(user=one, by=request.user, at=request.at)
    access_log.record_access(
        AccessKind.FACTOR_REMOVED, client=request_caller(request), at=request.at, user_id=request.user.pk,
        subject=f"all of {one.name}",
    )  # fmt: skip
    account_security.mail_security_change.enqueue(
        user_id=str(one.pk), what=f"{request.user.name} removed your second factors."
    )
    return respond_done(
        request, f"{one.name} sets up a new second factor when they sign in",
        back_to=reverse("setup_person", args=[one.pk]),
    )  # fmt: skip


@staff_view("POST")
def end_user_sessions(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """A colleague is signed out everywhere."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User, pk=user_id)
    number_ended = staff_sessions.end_all_sessions(one.pk, reason="ended", at=request.at)
    access_log.record_access(
        AccessKind.SESSION_ENDED, client=request_caller(request), at=request.at, user_id=request.user.pk,
        subject=f"all of {one.name}", number=number_ended,
    )  # fmt: skip
    return respond_done(
        request, f"{one.name} is signed out everywhere",
        back_to=reverse("setup_person", args=[one.pk]),
    )  # fmt: skip


def _entry_line(row: AccessEntry) -> dict[str, Any]:
    icon, tone, words = ENTRY_LABELS.get(AccessKind(row.kind), ("info", "", row.kind))
    tone = f"is-{tone}" if tone else "rows__mark"
    factor = views.FACTOR_LABELS.get(row.factor, "")
    return {"row": row, "icon": icon, "tone": tone, "words": words, "factor": factor}


def _log_key_event(request: StaffRequest, kind: AccessKind, key: ApiKey) -> None:
    access_log.record_access(
        kind, client=request_caller(request), at=request.at, user_id=request.user.pk, api_key_id=key.pk,
        subject=key.name,
    )  # fmt: skip


def _find_user(asked: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(asked)).first()
    except ValueError:
        return None
