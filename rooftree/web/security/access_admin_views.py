"""Audit log, API keys, and resets of other users' second factors and sessions."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import account_security
from rooftree.money.company_day import company_zone
from rooftree.org import access_log, api_keys, second_factor, staff_sessions
from rooftree.org.access_log import AccessKind
from rooftree.org.models import AccessEntry, ApiKey, User
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lists.list_page import get_page
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

ENTRY_LABELS = {  # kind: (icon, tone, label)
    AccessKind.SIGNED_IN: ("check", "ok", "Signed in"),
    AccessKind.SIGNED_OUT: ("arrow", "", "Signed out"),
    AccessKind.FAILED: ("x", "late", "Wrong password"),
    AccessKind.TOO_OFTEN: ("ban", "late", "Too many attempts"),
    AccessKind.CODE_FAILED: ("x", "late", "Wrong second factor"),
    AccessKind.RESET_ASKED: ("mail", "", "Requested a password reset"),
    AccessKind.PASSWORD_SET: ("key", "", "Set a new password"),
    AccessKind.FACTOR_ADDED: ("key", "ok", "Added a second factor"),
    AccessKind.FACTOR_REMOVED: ("key", "soon", "Removed a second factor"),
    AccessKind.SESSION_ENDED: ("x", "", "Ended sessions"),
    AccessKind.LEAD_OPENED: ("eye", "", "Opened a lead"),
    AccessKind.EXPORTED: ("download", "soon", "Exported"),
    AccessKind.KEY_MADE: ("key", "soon", "Created an API key"),
    AccessKind.KEY_REVOKED: ("key", "", "Revoked an API key"),
    AccessKind.KEY_REFUSED: ("ban", "late", "API call rejected"),
    AccessKind.SHADOW_STARTED: ("moon", "hold", "Turned shadow mode on"),
    AccessKind.SHADOW_ENDED: ("moon", "soon", "Turned shadow mode off"),
}
LOG_TABS = {  # tab: (label, kinds); None shows all
    "": ("All", None),
    "in": ("Sign-ins", (AccessKind.SIGNED_IN, AccessKind.SIGNED_OUT, AccessKind.SESSION_ENDED)),
    "refused": (
        "Rejected",
        (AccessKind.FAILED, AccessKind.TOO_OFTEN, AccessKind.CODE_FAILED, AccessKind.KEY_REFUSED),
    ),
    "data": ("Borrower data", (AccessKind.LEAD_OPENED, AccessKind.EXPORTED)),
}
PAGE_SIZE = 50
MAX_KEY_DAYS = 366


class ApiKeyForm(StaffForm):
    """A new key."""

    name = text_field("Name", "The system that uses it", max_length=80)
    user = choice_field(
        "Acts as", (), "Sees what this user sees, and stops working when they are deactivated"
    )
    scopes = checkboxes_field("Permissions", api_keys.SCOPES.items())
    days = integer_field("Valid for, days", min_value=1, max_value=MAX_KEY_DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = User.objects.staff().filter(is_active=True).order_by("name", "id")
        self.set_choices(
            "user", [(str(user.pk), f"{user.name}, {user.role_label}") for user in users]
        )


@staff_view("GET")
def show_access_log(request: StaffRequest) -> HttpResponse:
    """Show the audit log, newest first, filtered by kind, user and company days."""
    require_permission(request.user, "see_access_log")
    tab = request.GET.get("show", "")
    tab = tab if tab in LOG_TABS else ""
    rows = AccessEntry.objects.select_related("user", "api_key").order_by("-at", "-id")
    if kinds := LOG_TABS[tab][1]:
        rows = rows.filter(kind__in=kinds)
    person = _find_user(request.GET.get("person", ""))
    if person:
        rows = rows.filter(user=person)
    first, last = _parse_day(request.GET.get("from")), _parse_day(request.GET.get("until"))
    if first:
        rows = rows.filter(at__gte=datetime.combine(first, time(), company_zone()))
    if last:
        rows = rows.filter(
            at__lt=datetime.combine(last + timedelta(days=1), time(), company_zone())
        )
    page = get_page(request, rows, size=PAGE_SIZE)
    opened = {entry.lead_id for entry in page.object_list if entry.lead_id}
    leads = leads_visible_to(request.user).filter(pk__in=opened).select_related("person")
    names = {lead.pk: lead.person.name for lead in leads}
    context = {
        "page": page,
        "lines": [_entry_line(entry, names) for entry in page],
        "first": first,
        "last": last,
        "log_tabs": [(key, label, key == tab) for key, (label, _) in LOG_TABS.items()],
        "person": person,
        "people": User.objects.order_by("name", "id").only("name"),
    }
    return render(request, "security/access_log.html", context)


@staff_view("GET", "POST")
def list_api_keys(request: StaffRequest) -> HttpResponse:
    """List the API keys; a POST creates one and shows it once."""
    require_permission(request.user, "edit_api_keys")
    if request.method == "POST" and not login.is_recently_authenticated(request, request.at):
        return login.redirect_to_reauthentication(reverse("api_keys"))
    form = ApiKeyForm(request.POST or None, initial={"days": 90})

    def create(typed: dict[str, Any]) -> tuple[ApiKey, str]:
        with atomic():
            created = api_keys.create_api_key(
                name=typed["name"],
                user=User.objects.get(pk=typed["user"]),
                scopes=typed["scopes"],
                lasts=timedelta(days=typed["days"]),
                by=request.user,
                at=request.at,
            )
            _log_key_event(request, AccessKind.KEY_MADE, created[0])
        return created

    created = None
    if request.method == "POST" and form.submit(create):
        created, form = form.result, ApiKeyForm(initial={"days": 90})
    keys = ApiKey.objects.select_related("user").order_by("revoked_at", "-created_at", "-id")
    context = {
        "keys": keys,
        "form": form,
        "created": created,
        "address": request.build_absolute_uri("/api/v1/"),
    }
    status = 422 if request.method == "POST" and not created else 200
    return render(request, "security/api_keys.html", context, status=status)


@staff_view("POST")
def revoke_api_key(request: StaffRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key; its next call is rejected."""
    require_permission(request.user, "edit_api_keys")
    key = get_object_or_404(ApiKey, pk=key_id)
    if not api_keys.revoke_api_key(key_id=key.pk, by=request.user, at=request.at):
        return respond_refused(request, "This key is already revoked.", back_to=reverse("api_keys"))
    _log_key_event(request, AccessKind.KEY_REVOKED, key)
    return respond_done(request, f"{key.name} revoked", back_to=reverse("api_keys"))


@staff_view("POST")
def reset_second_factors(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Remove all second factors of a user who lost their phone; they set up new ones."""
    require_permission(request.user, "edit_people")
    user = get_object_or_404(User, pk=user_id)
    second_factor.reset_factors(user=user, by=request.user, at=request.at)
    access_log.record_access(
        AccessKind.FACTOR_REMOVED,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        subject=f"all of {user.name}",
    )
    account_security.mail_security_change.enqueue(
        user_id=str(user.pk), what=f"{request.user.name} removed your second factors."
    )
    return respond_done(
        request,
        f"Second factors of {user.name} removed. They set up a new one at sign-in",
        back_to=reverse("setup_person", args=[user.pk]),
    )


@staff_view("POST")
def end_user_sessions(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Sign a user out everywhere."""
    require_permission(request.user, "edit_people")
    user = get_object_or_404(User, pk=user_id)
    number_ended = staff_sessions.end_all_sessions(user.pk, reason="ended", at=request.at)
    access_log.record_access(
        AccessKind.SESSION_ENDED,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        subject=f"all of {user.name}",
        number=number_ended,
    )
    return respond_done(
        request,
        f"{user.name} signed out everywhere",
        back_to=reverse("setup_person", args=[user.pk]),
    )


def _entry_line(entry: AccessEntry, names: dict[UUID, str]) -> dict[str, Any]:
    icon, tone, label = ENTRY_LABELS.get(AccessKind(entry.kind), ("info", "", entry.kind))
    return {
        "entry": entry,
        "icon": icon,
        "tone": f"is-{tone}" if tone else "rows__mark",
        "label": label,
        "borrower": names.get(entry.lead_id, "") if entry.lead_id else "",
        "factor": views.FACTOR_LABELS.get(entry.factor, ""),
    }


def _log_key_event(request: StaffRequest, kind: AccessKind, key: ApiKey) -> None:
    access_log.record_access(
        kind,
        client=request_caller(request),
        at=request.at,
        user_id=request.user.pk,
        api_key_id=key.pk,
        subject=key.name,
    )


def _parse_day(typed: str | None) -> date | None:
    """Return the day of a date field; None for an empty or invalid one."""
    try:
        return date.fromisoformat(typed or "")
    except ValueError:
        return None


def _find_user(user_id: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(user_id)).first()
    except ValueError:
        return None
