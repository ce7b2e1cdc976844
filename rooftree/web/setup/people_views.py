"""Set-up: who works here, in which role, and what is known of each loan officer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.org import (
    branches,
    passwords,
    second_factor,
    staff_accounts,
    staff_details,
    staff_sessions,
)
from rooftree.org.models import PARTNER, ROLES, Branch, LoanOfficer, User
from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.rule_sentences import SPOKEN_LANGUAGES
from rooftree.web.setup.views import require_permission
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
from rooftree.web.shared.staff_view import staff_view

PRODUCTS = {
    "conventional": "Conventional",
    "fha": "FHA",
    "va": "VA",
    "usda": "USDA",
    "jumbo": "Jumbo",
    "non_qm": "Non-QM",
    "reverse": "Reverse",
}


class UserForm(StaffForm):
    """One member of staff."""

    name = text_field("Name", max_length=120)
    email = text_field(
        "Work e-mail", "They sign in with it", max_length=254, attrs={"inputmode": "email"}
    )
    role = choice_field("Role", ROLES.items())
    branch = choice_field("Sees", (), "And everything below it", required=False)
    title = text_field("Title", "Shown under the name", required=False, max_length=120)
    phone = text_field("Phone", required=False, max_length=30, attrs={"inputmode": "tel"})
    assists = checkboxes_field("Works the leads of", ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: User | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        self.fields["branch"].choices = [
            ("", "The whole company"),
            *((str(n.pk), f"{'· ' * depth}{n.name}") for depth, n in branches.list_branch_tree()),
        ]
        if itself is None:
            for name in ("title", "phone", "assists"):
                del self.fields[name]
            return
        del self.fields["email"]
        if itself.role != "assistant":
            del self.fields["assists"]
            return
        officers = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
        self.fields["assists"].choices = [
            (str(officer.pk), officer.user.name) for officer in officers.order_by("user__name")
        ]


class OfficerForm(WeeklyHoursForm):
    """What a loan officer lends, when they work, how many leads they take."""

    nmls_id = text_field("NMLS ID", max_length=20, attrs={"inputmode": "numeric"})
    sponsored_from_date = date_field("Sponsored by us since", required=False)
    phone = text_field("Phone that rings", max_length=30, attrs={"inputmode": "tel"})
    text_number = text_field(
        "Number borrowers see", "For texts and calls", required=False, max_length=30,
        attrs={"inputmode": "tel"},
    )  # fmt: skip
    is_texted = checkbox_field("Gets a text about an offer as well", "To the phone that rings")
    languages = checkboxes_field("Speaks", SPOKEN_LANGUAGES.items())
    products = checkboxes_field("Lends", PRODUCTS.items(), "Nothing ticked: everything")
    zone = zone_field("Time zone", "Hours are by this clock")
    daily_cap = integer_field("New leads a day, at most", min_value=0, max_value=1000)
    open_cap = integer_field("Leads not yet reached, at most", min_value=0, max_value=10000)
    backup = choice_field("Backup", (), required=False)

    FIELDSETS = (
        ("Entitlement", ("nmls_id", "sponsored_from_date")),
        ("Reaching them", ("phone", "is_texted", "text_number", "languages")),
        ("What and how many", ("products", "daily_cap", "open_cap", "backup", "zone")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: LoanOfficer | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        others = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
        self.fields["backup"].choices = [
            ("", "Nobody"),
            *((str(o.pk), o.user.name) for o in others.order_by("user__name") if o != itself),
        ]

    def officer_columns(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        typed["hours"] = pop_hours(typed)
        typed["backup"] = LoanOfficer.objects.get(pk=typed["backup"]) if typed["backup"] else None
        if not typed["sponsored_from_date"]:
            del typed["sponsored_from_date"]
        return typed


@staff_view("GET", "POST")
def list_users(request: StaffRequest) -> HttpResponse:
    """Everybody who works here, and a new person."""
    require_permission(request.user, "edit_people")
    form = UserForm(request.POST or None, initial={"role": "officer"})

    def add(typed: dict[str, Any]) -> User:
        kept = {**typed, "branch": _find_branch(typed["branch"])}
        return staff_accounts.add_user(**kept, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(add):
        return _render_user(request, form.result, link=_password_url(request, form.result), is_new=True)
    staff_only = User.objects.exclude(role=PARTNER).select_related("branch", "officer")
    rows = staff_only.order_by("-is_active", "name", "id")
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/people.html", {"people": rows, "form": form}, status=status)


@staff_view("GET", "POST")
def edit_user(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """One member of staff: name, role, branch."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    if request.method == "GET":
        return _render_user(request, one)
    form = UserForm(request.POST, initial=_user_initial(one), user=one)

    def change(typed: dict[str, Any]) -> User:
        return _change_user(one, typed, request)

    if form.submit(change):
        return respond_done(request, f"{form.result.name} is kept", back_to=reverse("setup_people"))
    return _render_user(request, one, form=form, status=422)


@staff_view("POST")
def show_user_password_link(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """A fresh link to set a password by, shown this once."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    try:
        link = _password_url(request, one)
    except staff_accounts.StaffChangeError as problem:
        return respond_refused(
            request, str(problem), back_to=reverse("setup_person", args=[one.pk])
        )
    return _render_user(request, one, link=link)


@staff_view("POST")
def deactivate_user(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Somebody leaves: they cannot sign in any more and their leads are free."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER), pk=user_id)
    try:
        staff_accounts.deactivate_user(user_id=one.pk, by=request.user, at=request.at)
    except staff_accounts.StaffChangeError as problem:
        return respond_refused(
            request, str(problem), back_to=reverse("setup_person", args=[one.pk])
        )
    return respond_done(request, f"{one.name} has left", back_to=reverse("setup_people"))


@staff_view("GET", "POST")
def edit_officer(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """What is known of a loan officer; the first time makes the user one."""
    require_permission(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    held = LoanOfficer.objects.filter(user=one).first()
    form = OfficerForm(request.POST or None, initial=_officer_initial(held, one), itself=held)

    def keep(_: dict[str, Any]) -> LoanOfficer:
        facts = form.officer_columns()
        if held:
            return staff_details.update_officer(
                officer_id=held.pk, changes=facts, by=request.user, at=request.at
            )
        nmls_id, phone = facts.pop("nmls_id"), staff_details.parse_e164(facts.pop("phone"))
        if facts["text_number"]:
            facts["text_number"] = staff_details.parse_e164(facts["text_number"])
        return staff_accounts.add_officer(
            user=one, nmls_id=nmls_id, phone=phone, by=request.user, at=request.at, details=facts
        )

    if request.method == "POST" and form.submit(keep):
        return respond_done(
            request, f"{one.name} is kept", back_to=reverse("setup_person", args=[one.pk])
        )
    status = 422 if request.method == "POST" else 200
    return render(
        request, "setup/officer.html", {"person": one, "officer": held, "form": form}, status=status
    )


def _render_user(request: StaffRequest, one: User, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    held = LoanOfficer.objects.filter(user=one).first()
    context = {
        "person": one,
        "officer": held,
        "leads": Lead.objects.filter(officer=held).count() if held else 0,
        "form": more.pop("form", None) or UserForm(initial=_user_initial(one), user=one),
        "has_password": one.has_usable_password(),
        "factors": second_factor.enrolled_factors(one),
        "factor_required": settings.SECOND_FACTOR_REQUIRED,
        "session_count": len(
            staff_sessions.list_active_sessions(one.pk, idle=SESSION_IDLE, at=request.at)
        ),
        **more,
    }
    return render(request, "setup/person.html", context, status=status)


def _change_user(one: User, typed: dict[str, Any], request: StaffRequest) -> User:
    by, at = request.user, request.at
    role, assists = typed.pop("role"), typed.pop("assists", None)
    typed["branch"] = _find_branch(typed["branch"])
    with atomic():
        staff_accounts.change_role(user_id=one.pk, role=role, by=by, at=at)
        changed = staff_details.update_user(user_id=one.pk, by=by, at=at, **typed)
        if assists is not None:
            officers = LoanOfficer.objects.filter(pk__in=assists)
            staff_details.set_assisted_officers(assistant=changed, officers=officers, by=by, at=at)
    return changed


def _password_url(request: StaffRequest, one: User) -> str:
    who, token = passwords.create_reset_link(one, by=request.user, at=request.at)
    return f"{settings.PUBLIC_URL}{reverse('set_password', args=[who, token])}"


def _find_branch(key: str) -> Branch | None:
    return Branch.objects.get(pk=key) if key else None


def _user_initial(one: User) -> dict[str, Any]:
    assisted = one.assists.values_list("officer_id", flat=True)
    return {
        "name": one.name, "role": one.role, "branch": str(one.branch_id or ""),
        "title": one.title, "phone": _display_phone(one.phone), "assists": [str(key) for key in assisted],
    }  # fmt: skip


def _officer_initial(held: LoanOfficer | None, one: User) -> dict[str, Any]:
    if held is None:
        zone_here = one.branch.zone if one.branch else "America/New_York"
        week = hours_to_initial(dict.fromkeys(WEEKDAYS[:5], NINE_TO_SIX))
        usual = {"languages": ["en"], "daily_cap": 20, "open_cap": 60, "is_texted": True}
        return {"zone": zone_here, **usual, **week}
    shown = {name: getattr(held, name) for name in OfficerForm.base_fields}
    shown |= hours_to_initial(held.hours)
    numbers = {name: _display_phone(shown[name]) for name in ("phone", "text_number")}
    return shown | numbers | {"backup": str(held.backup_id or "")}


def _display_phone(number: str) -> str:
    return display_formats.phone(number) if number else ""


SESSION_IDLE = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
NINE_TO_SIX = ("09:00", "18:00")
