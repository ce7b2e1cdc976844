"""Partners as staff see them: accounts, introductions, what borrowers allowed, things of value."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import partners
from rooftree.capture.agreements import BASES
from rooftree.capture.partners import DIRECTIONS, KINDS, STEPS
from rooftree.capture.value_rule import BadPartner
from rooftree.leads.models import Agreement, Introduction, Partner, ThingOfValue
from rooftree.money.company_day import company_day
from rooftree.org import passwords, people
from rooftree.org.people import CannotChange
from rooftree.reporting import introduced
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Dollars, StaffForm, choice, day, text, yes
from rooftree.web.views.portal import link_of
from rooftree.web.views.things_of_value import ruled

SHOWN = 100


class PartnerForm(StaffForm):
    """A new partner."""

    name = text("Name", longest=120)
    email = text("E-mail", "They sign in with it", longest=254, attrs={"inputmode": "email"})
    kind = choice("What they are", ((key.value, said) for key, said in KINDS.items()))
    company = text("Company", required=False, longest=120)
    license_no = text("License number", required=False, longest=40)


class ValueForm(StaffForm):
    """A thing of value."""

    direction = choice("Which way", DIRECTIONS.items())
    what = text("What it was", "As “Two tickets to the county fair”", longest=200)
    fair_value_cents = Dollars("What it is worth, $", "Its fair value; 0 for nothing")
    fair_value_cents.is_awaited = True  # 0 is an answer, and none is refused
    why = text("What it was for", "The service, or the occasion", longest=300)
    on_date = day("Day")
    basis = choice(
        "What its amount depends on", (("", "Choose"), *BASES.items()),
        "Of what is given to them", required=False,
    )  # fmt: skip
    agreement = choice("Under the agreement", (), required=False)
    document = text("Counsel’s document", "Where counsel must review it", required=False)
    is_employee = yes("They are our own employee, and no loan officer")
    has_happened = yes(
        "It has happened already",
        "What the rule forbids is then kept all the same, and compliance is told",
    )

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        made = Agreement.objects.filter(partner=partner).order_by("-from_date", "-pk")
        self.fields["agreement"].choices = [
            ("", "None"),
            *((str(one.pk), f"{one.what}, until {one.until_date:%m/%d/%Y}") for one in made),
        ]


@staff("GET", "POST")
def everyone(request: HttpRequest) -> HttpResponse:
    """All partners, and a new one."""
    must(request.user, "see_partners")
    is_sent = request.method == "POST"
    if is_sent:
        must(request.user, "edit_partners")
    form = PartnerForm(request.POST if is_sent else None)

    def add(typed: dict[str, Any]) -> Partner:
        return partners.add(typed=typed, by=request.user, at=request.at)

    if is_sent and form.carried_out(add):
        return _page(request, form.made, link=_link(request, form.made), is_new=True)
    rows = Partner.objects.select_related("user").prefetch_related("introductions")
    context = {
        "rows": [(one, KINDS[one.kind]) for one in rows.order_by("user__name", "pk")],
        "form": form,
        "may_edit": may(request.user, "edit_partners"),
        "may_see_things": may(request.user, "see_things_of_value"),
    }
    return render(request, "partners/index.html", context, status=422 if is_sent else 200)


@staff("GET")
def one(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """One partner."""
    must(request.user, "see_partners")
    return _page(request, _partner(partner_id))


@staff("POST")
def password_link(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """A fresh link to set a password by, shown this once."""
    must(request.user, "edit_partners")
    partner = _partner(partner_id)
    try:
        return _page(request, partner, link=_link(request, partner))
    except CannotChange as problem:
        return refused(request, str(problem), back_to=_home(partner))


@staff("POST")
def departure(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """They cannot sign in any more; their introductions stay."""
    must(request.user, "edit_partners")
    partner = _partner(partner_id)
    people.leave(user_id=partner.user_id, by=request.user, at=request.at)
    return done(request, f"{partner} can no longer sign in", back_to=_home(partner))


@staff("POST")
def value(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """Write down a thing of value."""
    must(request.user, "note_value")
    partner = _partner(partner_id)
    form = ValueForm(request.POST, partner=partner)

    def keep(typed: dict[str, Any]) -> ThingOfValue:
        return partners.note_value(
            partner_id=partner.pk, typed=typed, by=request.user, at=request.at
        )

    if form.carried_out(keep):
        return done(request, "Written down, for good", back_to=_home(partner))
    return _page(request, partner, value_form=form, status=422)


@staff("POST")
def correction(request: HttpRequest, thing_id: UUID) -> HttpResponse:
    """Take a slip back by another row."""
    must(request.user, "note_value")
    thing = get_object_or_404(ThingOfValue.objects.select_related("partner"), pk=thing_id)
    try:
        partners.correct_value(
            thing_id=thing.pk, why=request.POST.get("why", ""), by=request.user, at=request.at
        )
    except BadPartner as problem:
        return refused(request, str(problem), back_to=_home(thing.partner), status=422)
    return done(request, "Taken back by a row of its own", back_to=_home(thing.partner))


@staff("GET", "POST")
def permission(request: HttpRequest, introduction_id: UUID) -> HttpResponse:
    """What the borrower lets the partner see: for whoever may work on the lead."""
    introduction = get_object_or_404(seen_by(request), pk=introduction_id)
    must(request.user, "change_lead")
    problem = ""
    if request.method == "POST":
        try:
            partners.permit(
                introduction_id=introduction.pk, steps=request.POST.getlist("steps"),
                said=request.POST.get("said", ""), by=request.user, at=request.at,
            )  # fmt: skip
        except BadPartner as refusal:
            problem = str(refusal)
        else:
            return done(request, "Written down; from now on they see this", back_to=request.path)
    (progress,) = introduced.progress(seen_by(request).filter(pk=introduction.pk))
    context = {
        "introduction": introduction,
        "progress": progress,
        "steps": list(STEPS.items()),
        "rows": [
            (row, [STEPS[step] for step in row.steps])
            for row in introduction.permissions.select_related("by").order_by("-at", "-pk")
        ],
        "problem": problem,
        "typed": request.POST.get("said", ""),
        "ticked": request.POST.getlist("steps") if problem else progress.allowed,
    }
    return render(request, "partners/permission.html", context, status=422 if problem else 200)


def seen_by(request: HttpRequest) -> QuerySet[Introduction]:
    """The introductions of the leads a user may know of."""
    leads = leads_visible_to(request.user)
    return Introduction.objects.filter(delivery__touches__lead__in=leads).distinct()


def _page(request: HttpRequest, partner: Partner, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    things = partner.things.select_related("by", "corrects", "corrected_by")
    context = {
        "partner": partner,
        "kind": KINDS[partner.kind],
        "form_link": link_of(partner),
        "rows": introduced.progress(seen_by(request).filter(partner=partner))[:SHOWN],
        "count": partner.introductions.count(),
        "things": [(one, ruled(one)) for one in things.order_by("-on_date", "-at", "-pk")],
        "sums": partners.sums(partner),
        "value_form": more.pop("value_form", None)
        or ValueForm(initial={"on_date": company_day(request.at)}, partner=partner),
        "may_edit": may(request.user, "edit_partners"),
        "may_permit": may(request.user, "change_lead"),
        **more,
    }
    return render(request, "partners/show.html", context, status=status)


def _partner(partner_id: UUID) -> Partner:
    return get_object_or_404(Partner.objects.select_related("user", "source"), pk=partner_id)


def _home(partner: Partner) -> str:
    return reverse("partner", args=[partner.pk])


def _link(request: HttpRequest, partner: Partner) -> str:
    who, token = passwords.link_for(partner.user, by=request.user, at=request.at)
    return f"{settings.PUBLIC_URL}{reverse('set_password', args=[who, token])}"
