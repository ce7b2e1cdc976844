"""Setup of users: staff with their roles and branches, and loan officer settings."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.los import los_connections
from rooftree.los.models import Connection
from rooftree.org import (
    branches,
    passwords,
    role_combinations,
    second_factor,
    staff_accounts,
    staff_details,
    staff_sessions,
)
from rooftree.org.models import ROLES, Branch, LoanOfficer, User
from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing import permissions
from rooftree.routing.rule_sentences import SPOKEN_LANGUAGES
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.url_filter import SearchForm, UrlFilter
from rooftree.web.setup.weekly_hours_form import WeeklyHoursForm, hours_to_initial, pop_hours
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkbox_field,
    checkboxes_field,
    choice_field,
    date_field,
    integer_field,
    text_field,
    zone_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
PRODUCTS = {
    "conventional": "Conventional",
    "fha": "FHA",
    "va": "VA",
    "usda": "USDA",
    "jumbo": "Jumbo",
    "non_qm": "Non-QM",
    "reverse": "Reverse",
}
SESSION_IDLE = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
NINE_TO_SIX = ("09:00", "18:00")


class UserForm(StaffForm):
    """A new user, or with `user` the details of an existing one."""

    name = text_field("Name", max_length=120)
    email = text_field("Work email", "For signing in", max_length=254, attrs={"inputmode": "email"})
    role = choice_field("Primary role", ROLES.items(), "Its page opens after sign-in")
    more_roles = checkboxes_field("Other roles", ROLES.items())
    branch = choice_field("Branch", (), "Sees this branch and everything below it", required=False)
    title = text_field("Title", "Shown below the name", required=False, max_length=120)
    phone = text_field("Phone", required=False, max_length=30, attrs={"inputmode": "tel"})
    overrides_limits = checkbox_field(
        "Can override house contact limits", "One contact at a time, with a reason; never the law"
    )
    assists = checkboxes_field("Assists", (), "Works the leads of these officers")

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_choices("branch", _branch_choices("The whole company"))
        if user is None:
            for name in ("title", "phone", "overrides_limits", "assists"):
                del self.fields[name]
            return
        if not user.has_role(*permissions.ROLES_BY_PERMISSION["override_limits"]):
            del self.fields["overrides_limits"]
        del self.fields["email"]
        if not user.has_role("assistant"):
            del self.fields["assists"]
            return
        self.set_choices("assists", _active_officer_choices())

    def clean(self) -> dict[str, Any]:
        """Join the roles, the primary one first."""
        typed = super().clean() or self.cleaned_data
        typed["roles"] = [typed.pop("role", ""), *typed.pop("more_roles", ())]
        return typed


class UserFilterForm(SearchForm):
    """The search by name or email, and the role."""

    role = choice_field("Role", [("", "Any role"), *ROLES.items()], required=False)


class OfficerForm(WeeklyHoursForm):
    """A loan officer's license ID, phones, languages, products, hours and caps."""

    nmls_id = text_field("NMLS ID", max_length=20, attrs={"inputmode": "numeric"})
    branch = choice_field("Branch", (), "Gets its leads", required=False)
    sponsored_from_date = date_field("Sponsored since", required=False)
    phone = text_field("Phone that rings", max_length=30, attrs={"inputmode": "tel"})
    text_number = text_field(
        "Number borrowers see", "For texts and calls", required=False, max_length=30,
        attrs={"inputmode": "tel"},
    )  # fmt: skip
    is_texted = checkbox_field("Also text new offers", "To the phone that rings")
    languages = checkboxes_field("Languages", SPOKEN_LANGUAGES.items())
    products = checkboxes_field("Products", PRODUCTS.items(), "None checked: all products")
    zone = zone_field("Time zone", "For the working hours")
    daily_cap = integer_field("New leads per day, maximum", min_value=0, max_value=1000)
    open_cap = integer_field("Leads not yet reached, maximum", min_value=0, max_value=10000)
    backup = choice_field(
        "Backup", (), "Covers calls and replies on days off, and late ones", required=False
    )

    FIELDSETS: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("License", ("nmls_id", "branch", "sponsored_from_date")),
        ("Contact", ("phone", "is_texted", "text_number", "languages")),
        ("Leads", ("products", "daily_cap", "open_cap", "backup", "zone")),
    )

    def __init__(
        self, *args: Any, user: User, officer: LoanOfficer | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if user.branch_id:
            del self.fields["branch"]  # the user's
        else:
            self.set_choices("branch", _branch_choices("Choose"))
        self.connections = list(Connection.objects.order_by("name", "id"))
        for connection in self.connections:
            self.fields[_login_key(connection)] = text_field(
                f"User name in {connection.name}", "New loans are assigned to this user",
                required=False, max_length=120,
                initial=connection.officer_users.get(officer.nmls_id, "") if officer else "",
                attrs={"class": "input"},
            )  # fmt: skip
        own_key = str(officer.pk) if officer else ""
        others = [choice for choice in _active_officer_choices() if choice[0] != own_key]
        self.set_choices("backup", [("", "None"), *others])
        self.FIELDSETS = (
            *self.FIELDSETS,
            ("Loan origination system", tuple(map(_login_key, self.connections))),
        )

    def officer_columns(self) -> dict[str, Any]:
        """Return the typed values as columns of `LoanOfficer`."""
        logins = set(map(_login_key, self.connections))
        typed = {key: value for key, value in self.cleaned_data.items() if key not in logins}
        typed["hours"] = pop_hours(typed)
        typed["backup"] = LoanOfficer.objects.get(pk=typed["backup"]) if typed["backup"] else None
        if not typed["sponsored_from_date"]:
            del typed["sponsored_from_date"]
        if "branch" in typed:
            typed["branch"] = _find_branch(typed["branch"])
        return typed


@staff_view("GET", "POST")
def list_users(request: StaffRequest) -> HttpResponse:
    """List the users; a POST adds one and shows the link to set a password."""
    require_permission(request.user, "edit_people")
    form = UserForm(request.POST or None, initial={"role": "officer"})

    def add(typed: dict[str, Any]) -> User:
        values = {**typed, "branch": _find_branch(typed["branch"])}
        return staff_accounts.add_user(**values, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(add):
        link = _password_url(request, form.result)
        return _render_user(request, form.result, link=link, is_new=True)
    staff = User.objects.staff().select_related("branch", "officer")
    users = staff.order_by("-is_active", "name", "id")
    shown = UrlFilter(UserFilterForm(request.GET))
    if name := shown.values.get("q"):
        users = users.filter(Q(name__icontains=name) | Q(email__icontains=name))
    if role := shown.values.get("role"):
        users = users.filter(roles__contains=[role])
    page = get_page(request, users, size=PAGE_SIZE)
    context = {"page": page, "shown": shown, "form": form}
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/people.html", context, status=status)


@staff_view("GET", "POST")
def edit_user(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Show one user; a POST saves name, role, branch and other details."""
    user = _get_user(request, user_id)
    if request.method == "GET":
        return _render_user(request, user)
    form = UserForm(request.POST, initial=_user_initial(user), user=user)

    def save(typed: dict[str, Any]) -> User:
        return _change_user(user, typed, request)

    if form.submit(save):
        return respond_done(request, f"{form.result.name} saved", back_to=reverse("setup_people"))
    return _render_user(request, user, form=form, status=422)


@staff_view("POST")
def show_user_password_link(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Create a link to set a password and show it once."""
    user = _get_user(request, user_id)
    try:
        link = _password_url(request, user)
    except staff_accounts.StaffChangeError as problem:
        return respond_refused(
            request, str(problem), back_to=reverse("setup_person", args=[user.pk])
        )
    return _render_user(request, user, link=link)


@staff_view("GET", "POST")
def edit_officer(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Show a loan officer's settings; a POST saves them and the first one makes the officer."""
    user = _get_user(request, user_id)
    officer = LoanOfficer.objects.filter(user=user).first()
    form = OfficerForm(
        request.POST or None, initial=_officer_initial(officer, user), user=user, officer=officer
    )

    def save(_: dict[str, Any]) -> LoanOfficer:
        with atomic():
            saved = save_officer(form.officer_columns())
            for connection in form.connections:
                login = form.cleaned_data[_login_key(connection)]
                los_connections.set_officer_logins(
                    connection_id=connection.pk, logins={saved.nmls_id: login},
                    by=request.user, at=request.at,
                )  # fmt: skip
        return saved

    def save_officer(columns: dict[str, Any]) -> LoanOfficer:
        if officer:
            return staff_details.update_officer(
                officer_id=officer.pk, changes=columns, by=request.user, at=request.at
            )
        nmls_id, phone = columns.pop("nmls_id"), staff_details.parse_e164(columns.pop("phone"))
        if columns["text_number"]:
            columns["text_number"] = staff_details.parse_e164(columns["text_number"])
        return staff_accounts.add_officer(
            user=user, nmls_id=nmls_id, phone=phone, by=request.user, at=request.at, details=columns
        )

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, f"{user.name} saved", back_to=reverse("setup_person", args=[user.pk])
        )
    status = 422 if request.method == "POST" else 200
    context = {"person": user, "officer": officer, "form": form}
    return render(request, "setup/officer.html", context, status=status)


def _login_key(connection: Connection) -> str:
    return f"login-{connection.slug}"


def _get_user(request: StaffRequest, user_id: UUID) -> User:
    require_permission(request.user, "edit_people")
    users = User.objects.staff().select_related("branch")
    return get_object_or_404(users, pk=user_id)


def _active_officer_choices() -> list[tuple[str, str]]:
    officers = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    return [(str(officer.pk), officer.user.name) for officer in officers.order_by("user__name")]


def _render_user(
    request: StaffRequest,
    user: User,
    *,
    form: UserForm | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    officer = LoanOfficer.objects.filter(user=user).first()
    factors = second_factor.enrolled_factors(user)
    passkeys = [display_formats.count_noun(len(factors.passkeys), "passkey")]
    sessions = staff_sessions.list_active_sessions(user.pk, idle=SESSION_IDLE, at=request.at)
    context = {
        "person": user,
        "officer": officer,
        "leads": Lead.objects.filter(officer=officer).count() if officer else 0,
        "form": form or UserForm(initial=_user_initial(user), user=user),
        "has_password": user.has_usable_password(),
        "caution": role_combinations.find_caution(user.roles),
        "factors": factors,
        "factor_names": ", ".join(
            [
                *(passkeys if factors.passkeys else ()),
                *(["authenticator app"] if factors.app else ()),
            ]
        ),
        "factor_required": settings.SECOND_FACTOR_REQUIRED,
        "session_count": len(sessions),
        **more,
    }
    return render(request, "setup/person.html", context, status=status)


def _change_user(user: User, typed: dict[str, Any], request: StaffRequest) -> User:
    by, at = request.user, request.at
    roles, assists = typed.pop("roles"), typed.pop("assists", None)
    overrides_limits = typed.pop("overrides_limits", False)
    typed["branch"] = _find_branch(typed["branch"])
    with atomic():
        staff_accounts.change_roles(user_id=user.pk, roles=roles, by=by, at=at)
        changed = staff_details.update_user(user_id=user.pk, by=by, at=at, **typed)
        staff_details.grant_limit_overrides(
            user_id=user.pk, is_granted=overrides_limits, by=by, at=at
        )
        if assists is not None:
            officers = LoanOfficer.objects.filter(pk__in=assists)
            staff_details.set_assisted_officers(assistant=changed, officers=officers, by=by, at=at)
    return changed


def _password_url(request: StaffRequest, user: User) -> str:
    uid, token = passwords.create_reset_link(user, by=request.user, at=request.at)
    return f"{settings.PUBLIC_URL}{reverse('set_password', args=[uid, token])}"


def _branch_choices(first: str) -> list[tuple[str, str]]:
    """Return the tree of branches below a first choice that is none of them."""
    tree = branches.list_branch_tree()
    nodes = [(str(node.pk), f"{'· ' * depth}{node.name}") for depth, node in tree]
    return [("", first), *nodes]


def _find_branch(key: str) -> Branch | None:
    return Branch.objects.get(pk=key) if key else None


def _user_initial(user: User) -> dict[str, Any]:
    assisted = user.assists.values_list("officer_id", flat=True)
    return {
        "name": user.name,
        "role": user.primary_role,
        "more_roles": user.roles[1:],
        "branch": str(user.branch_id or ""),
        "title": user.title,
        "phone": _display_phone(user.phone),
        "overrides_limits": user.overrides_limits_from is not None,
        "assists": [str(key) for key in assisted],
    }


def _officer_initial(officer: LoanOfficer | None, user: User) -> dict[str, Any]:
    if officer is None:
        zone = user.branch.zone if user.branch else "America/New_York"
        week = hours_to_initial(dict.fromkeys(WEEKDAYS[:5], NINE_TO_SIX))
        defaults = {"languages": ["en"], "daily_cap": 20, "open_cap": 60, "is_texted": True}
        return {"zone": zone, **defaults, **week}
    initial = {name: getattr(officer, name) for name in OfficerForm.base_fields}
    initial |= hours_to_initial(officer.hours)
    numbers = {name: _display_phone(initial[name]) for name in ("phone", "text_number")}
    keys = {"backup": str(officer.backup_id or ""), "branch": str(officer.branch_id)}
    return initial | numbers | keys


def _display_phone(number: str) -> str:
    return display_formats.phone(number) if number else ""
