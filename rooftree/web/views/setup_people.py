"""Set-up: who works here, in which role, and what is known of each loan officer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.org import branches, passwords, people, second_factor, sessions, staff_details
from rooftree.org.hours import WEEKDAYS
from rooftree.org.models import PARTNER, ROLES, Branch, LoanOfficer, User
from rooftree.routing.rule_words import LANGUAGES
from rooftree.web import words
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.staff_forms import StaffForm, choice, day, number, several, text, yes, zone
from rooftree.web.views.setup import must
from rooftree.web.week import WeekForm, as_typed, take_hours

PRODUCTS = {
    "conventional": "Conventional",
    "fha": "FHA",
    "va": "VA",
    "usda": "USDA",
    "jumbo": "Jumbo",
    "non_qm": "Non-QM",
    "reverse": "Reverse",
}


class PersonForm(StaffForm):
    """One member of staff."""

    name = text("Name", longest=120)
    email = text("Work e-mail", "They sign in with it", longest=254, attrs={"inputmode": "email"})
    role = choice("Role", ROLES.items())
    branch = choice("Sees", (), "And everything below it", required=False)
    title = text("Title", "Shown under the name", required=False, longest=120)
    phone = text("Phone", required=False, longest=30, attrs={"inputmode": "tel"})
    assists = several("Works the leads of", ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: User | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        self.fields["branch"].choices = [
            ("", "The whole company"),
            *((str(n.pk), f"{'· ' * depth}{n.name}") for depth, n in branches.in_order()),
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
            (str(one.pk), one.user.name) for one in officers.order_by("user__name")
        ]


class OfficerForm(WeekForm):
    """What a loan officer lends, when they work, how many leads they take."""

    nmls_id = text("NMLS ID", longest=20, attrs={"inputmode": "numeric"})
    sponsored_from_date = day("Sponsored by us since", required=False)
    phone = text("Phone that rings", longest=30, attrs={"inputmode": "tel"})
    text_number = text(
        "Number borrowers see", "For texts and calls", required=False, longest=30,
        attrs={"inputmode": "tel"},
    )  # fmt: skip
    is_texted = yes("Gets a text about an offer as well", "To the phone that rings")
    languages = several("Speaks", LANGUAGES.items())
    products = several("Lends", PRODUCTS.items(), "Nothing ticked: everything")
    zone = zone("Time zone", "Hours are by this clock")
    daily_cap = number("New leads a day, at most", least=0, most=1000)
    open_cap = number("Leads not yet reached, at most", least=0, most=10000)
    backup = choice("Backup", (), required=False)

    PARTS = (
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

    def facts(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        typed["hours"] = take_hours(typed)
        typed["backup"] = LoanOfficer.objects.get(pk=typed["backup"]) if typed["backup"] else None
        if not typed["sponsored_from_date"]:
            del typed["sponsored_from_date"]
        return typed


@staff("GET", "POST")
def everyone(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, and a new person."""
    must(request.user, "edit_people")
    form = PersonForm(request.POST or None, initial={"role": "officer"})

    def add(typed: dict[str, Any]) -> User:
        kept = {**typed, "branch": _branch(typed["branch"])}
        return people.add_user(**kept, by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(add):
        return _person_page(request, form.made, link=_link(request, form.made), is_new=True)
    staff_only = User.objects.exclude(role=PARTNER).select_related("branch", "officer")
    rows = staff_only.order_by("-is_active", "name", "id")
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/people.html", {"people": rows, "form": form}, status=status)


@staff("GET", "POST")
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One member of staff: name, role, branch."""
    must(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    if request.method == "GET":
        return _person_page(request, one)
    form = PersonForm(request.POST, initial=_person_typed(one), itself=one)

    def change(typed: dict[str, Any]) -> User:
        return _change_person(one, typed, request)

    if form.carried_out(change):
        return done(request, f"{form.made.name} is kept", back_to=reverse("setup_people"))
    return _person_page(request, one, form=form, status=422)


@staff("POST")
def password_link(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A fresh link to set a password by, shown this once."""
    must(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    try:
        link = _link(request, one)
    except people.CannotChange as problem:
        return refused(request, str(problem), back_to=reverse("setup_person", args=[one.pk]))
    return _person_page(request, one, link=link)


@staff("POST")
def departure(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Somebody leaves: they cannot sign in any more and their leads are free."""
    must(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER), pk=user_id)
    try:
        people.leave(user_id=one.pk, by=request.user, at=request.at)
    except people.CannotChange as problem:
        return refused(request, str(problem), back_to=reverse("setup_person", args=[one.pk]))
    return done(request, f"{one.name} has left", back_to=reverse("setup_people"))


@staff("GET", "POST")
def officer(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """What is known of a loan officer; the first time makes the user one."""
    must(request.user, "edit_people")
    one = get_object_or_404(User.objects.exclude(role=PARTNER).select_related("branch"), pk=user_id)
    held = LoanOfficer.objects.filter(user=one).first()
    form = OfficerForm(request.POST or None, initial=_officer_typed(held, one), itself=held)

    def keep(_: dict[str, Any]) -> LoanOfficer:
        facts = form.facts()
        if held:
            return staff_details.change_officer(
                officer_id=held.pk, changes=facts, by=request.user, at=request.at
            )
        nmls_id, phone = facts.pop("nmls_id"), staff_details.e164(facts.pop("phone"))
        if facts["text_number"]:
            facts["text_number"] = staff_details.e164(facts["text_number"])
        return people.add_officer(
            user=one, nmls_id=nmls_id, phone=phone, by=request.user, at=request.at, details=facts
        )

    if request.method == "POST" and form.carried_out(keep):
        return done(request, f"{one.name} is kept", back_to=reverse("setup_person", args=[one.pk]))
    status = 422 if request.method == "POST" else 200
    return render(
        request, "setup/officer.html", {"person": one, "officer": held, "form": form}, status=status
    )


def _person_page(request: HttpRequest, one: User, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    held = LoanOfficer.objects.filter(user=one).first()
    context = {
        "person": one,
        "officer": held,
        "leads": Lead.objects.filter(officer=held).count() if held else 0,
        "form": more.pop("form", None) or PersonForm(initial=_person_typed(one), itself=one),
        "has_password": one.has_usable_password(),
        "factors": second_factor.held_by(one),
        "factor_required": settings.SECOND_FACTOR_REQUIRED,
        "session_count": len(sessions.of_user(one.pk, idle=IDLE, at=request.at)),
        **more,
    }
    return render(request, "setup/person.html", context, status=status)


def _change_person(one: User, typed: dict[str, Any], request: HttpRequest) -> User:
    by, at = request.user, request.at
    role, assists = typed.pop("role"), typed.pop("assists", None)
    typed["branch"] = _branch(typed["branch"])
    with atomic():
        people.change_role(user_id=one.pk, role=role, by=by, at=at)
        changed = staff_details.change_user(user_id=one.pk, by=by, at=at, **typed)
        if assists is not None:
            officers = LoanOfficer.objects.filter(pk__in=assists)
            staff_details.set_assisted(assistant=changed, officers=officers, by=by, at=at)
    return changed


def _link(request: HttpRequest, one: User) -> str:
    who, token = passwords.link_for(one, by=request.user, at=request.at)
    return f"{settings.PUBLIC_URL}{reverse('set_password', args=[who, token])}"


def _branch(key: str) -> Branch | None:
    return Branch.objects.get(pk=key) if key else None


def _person_typed(one: User) -> dict[str, Any]:
    assisted = one.assists.values_list("officer_id", flat=True)
    return {
        "name": one.name, "role": one.role, "branch": str(one.branch_id or ""),
        "title": one.title, "phone": _written(one.phone), "assists": [str(key) for key in assisted],
    }  # fmt: skip


def _officer_typed(held: LoanOfficer | None, one: User) -> dict[str, Any]:
    if held is None:
        zone_here = one.branch.zone if one.branch else "America/New_York"
        week = as_typed(dict.fromkeys(WEEKDAYS[:5], NINE_TO_SIX))
        usual = {"languages": ["en"], "daily_cap": 20, "open_cap": 60, "is_texted": True}
        return {"zone": zone_here, **usual, **week}
    shown = {name: getattr(held, name) for name in OfficerForm.base_fields}
    shown |= as_typed(held.hours)
    numbers = {name: _written(shown[name]) for name in ("phone", "text_number")}
    return shown | numbers | {"backup": str(held.backup_id or "")}


def _written(number: str) -> str:
    return words.phone(number) if number else ""


IDLE = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
NINE_TO_SIX = ("09:00", "18:00")
