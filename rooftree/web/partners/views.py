"""Partners: accounts, referrals, borrower permissions, and entries of the RESPA log."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.partners import partner_accounts
from rooftree.capture.partners.agreements import PAYMENT_BASES
from rooftree.capture.partners.partner_accounts import (
    PARTNER_KINDS,
    SHAREABLE_STEPS,
    VALUE_DIRECTIONS,
)
from rooftree.capture.partners.thing_of_value_ruling import BadPartner
from rooftree.leads.models import Agreement, Introduction, Partner, ThingOfValue
from rooftree.leads.vocabulary import PartnerType
from rooftree.money.company_day import company_day
from rooftree.org import passwords, staff_accounts
from rooftree.org.staff_accounts import StaffChangeError
from rooftree.reporting import partner_progress
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.fairness.respa_log_views import ruling_text
from rooftree.web.lists.list_page import get_page
from rooftree.web.partners.portal_views import referral_url
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    checkbox_field,
    choice_field,
    date_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50


class PartnerForm(StaffForm):
    """A new partner account."""

    name = text_field("Name", max_length=120)
    email = text_field("Email", "Used to sign in", max_length=254, attrs={"inputmode": "email"})
    kind = choice_field("Type", ((key.value, label) for key, label in PARTNER_KINDS.items()))
    company = text_field("Company", required=False, max_length=120)
    license_no = text_field("License number", required=False, max_length=40)


class ThingOfValueForm(StaffForm):
    """A new entry of the RESPA log."""

    # An amount of 0 is allowed, an empty one is not: `record_thing_of_value` refuses it.
    CONDITIONALLY_REQUIRED = frozenset({"fair_value_cents"})

    direction = choice_field("Direction", VALUE_DIRECTIONS.items())
    what = text_field("Item", "For example “Two tickets to the county fair”", max_length=200)
    fair_value_cents = DollarsField("Fair value, $", "Enter 0 if it has no value")
    why = text_field("Purpose", "The service or the occasion", max_length=300)
    on_date = date_field("Date")
    basis = choice_field(
        "Amount depends on", (("", "Choose"), *PAYMENT_BASES.items()),
        "Only for items you give", required=False,
    )  # fmt: skip
    agreement = choice_field("Agreement", (), required=False)
    document = text_field("Counsel’s document", "If counsel must review it", required=False)
    is_employee = checkbox_field("The partner is our employee, but not a loan officer")
    has_happened = checkbox_field(
        "This already happened",
        "The entry is then recorded even if the rule forbids it, and compliance is notified",
    )

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agreements = Agreement.objects.filter(partner=partner).order_by("-from_date", "-pk")
        choices = [
            (str(agreement.pk), f"{agreement.description}, until {agreement.until_date:%m/%d/%Y}")
            for agreement in agreements
        ]
        self.set_choices("agreement", [("", "None"), *choices])


@staff_view("GET", "POST")
def list_partners(request: StaffRequest) -> HttpResponse:
    """List partners; a POST adds one."""
    require_permission(request.user, "see_partners")
    is_sent = request.method == "POST"
    if is_sent:
        require_permission(request.user, "edit_partners")
    form = PartnerForm(request.POST if is_sent else None)

    def add(typed: dict[str, Any]) -> Partner:
        return partner_accounts.add_partner(typed=typed, by=request.user, at=request.at)

    if is_sent and form.submit(add):
        return _render_partner(
            request, form.result, link=_password_url(request, form.result), is_new=True
        )
    rows = Partner.objects.select_related("user").prefetch_related("introductions")
    context = {
        "rows": [
            (row, PARTNER_KINDS[PartnerType(row.kind)]) for row in rows.order_by("user__name", "pk")
        ],
        "form": form,
        "may_edit": has_permission(request.user, "edit_partners"),
        "may_see_things": has_permission(request.user, "see_things_of_value"),
    }
    return render(request, "partners/index.html", context, status=422 if is_sent else 200)


@staff_view("GET")
def show_partner(request: StaffRequest, partner_id: UUID) -> HttpResponse:
    """Show one partner."""
    require_permission(request.user, "see_partners")
    return _render_partner(request, _get_partner(partner_id))


@staff_view("POST")
def show_password_link(request: StaffRequest, partner_id: UUID) -> HttpResponse:
    """Show a new link to set a password; it is shown only once."""
    require_permission(request.user, "edit_partners")
    partner = _get_partner(partner_id)
    try:
        return _render_partner(request, partner, link=_password_url(request, partner))
    except StaffChangeError as problem:
        return respond_refused(request, str(problem), back_to=_partner_url(partner))


@staff_view("POST")
def deactivate_partner(request: StaffRequest, partner_id: UUID) -> HttpResponse:
    """Deactivate a partner's account; their referrals stay."""
    require_permission(request.user, "edit_partners")
    partner = _get_partner(partner_id)
    staff_accounts.deactivate_user(user_id=partner.user_id, by=request.user, at=request.at)
    return respond_done(request, f"{partner} deactivated", back_to=_partner_url(partner))


@staff_view("POST")
def record_value(request: StaffRequest, partner_id: UUID) -> HttpResponse:
    """Add an entry to the RESPA log."""
    require_permission(request.user, "note_value")
    partner = _get_partner(partner_id)
    form = ThingOfValueForm(request.POST, partner=partner)

    def record(typed: dict[str, Any]) -> ThingOfValue:
        return partner_accounts.record_thing_of_value(
            partner_id=partner.pk, typed=typed, by=request.user, at=request.at
        )

    if form.submit(record):
        return respond_done(request, "Entry added", back_to=_partner_url(partner))
    return _render_partner(request, partner, value_form=form, status=422)


@staff_view("POST")
def correct_value(request: StaffRequest, thing_id: UUID) -> HttpResponse:
    """Reverse an entry of the RESPA log with another entry."""
    require_permission(request.user, "note_value")
    thing = get_object_or_404(ThingOfValue.objects.select_related("partner"), pk=thing_id)
    try:
        partner_accounts.correct_thing_of_value(
            thing_id=thing.pk, why=request.POST.get("why", ""), by=request.user, at=request.at
        )
    except BadPartner as problem:
        return respond_refused(
            request, str(problem), back_to=_partner_url(thing.partner), status=422
        )
    return respond_done(request, "Entry reversed", back_to=_partner_url(thing.partner))


@staff_view("GET", "POST")
def edit_permission(request: StaffRequest, introduction_id: UUID) -> HttpResponse:
    """Edit what a borrower lets their partner see; open to users who can work on the lead."""
    introduction = get_object_or_404(visible_introductions(request), pk=introduction_id)
    if not visible_introductions(request, "change_lead").contains(introduction):
        raise PermissionDenied("Your role doesn’t have access to this.")
    problem = ""
    if request.method == "POST":
        try:
            partner_accounts.record_permission(
                introduction_id=introduction.pk, steps=request.POST.getlist("steps"),
                words=request.POST.get("said", ""), by=request.user, at=request.at,
            )  # fmt: skip
        except BadPartner as refusal:
            problem = str(refusal)
        else:
            return respond_done(request, "Permission saved", back_to=request.path)
    (progress,) = partner_progress.load_progress(
        visible_introductions(request).filter(pk=introduction.pk)
    )
    context = {
        "introduction": introduction,
        "progress": progress,
        "steps": list(SHAREABLE_STEPS.items()),
        "rows": [
            (row, [SHAREABLE_STEPS[step] for step in row.steps])
            for row in introduction.permissions.select_related("by").order_by("-at", "-pk")
        ],
        "problem": problem,
        "typed": request.POST.get("said", ""),
        "ticked": request.POST.getlist("steps") if problem else progress.allowed,
    }
    return render(request, "partners/permission.html", context, status=422 if problem else 200)


def visible_introductions(request: StaffRequest, verb: str = "read_lead") -> QuerySet[Introduction]:
    """Return the referrals of the leads for which the user has a permission."""
    leads = leads_visible_to(request.user, verb)
    return Introduction.objects.filter(delivery__touches__lead__in=leads).distinct()


def _render_partner(request: StaffRequest, partner: Partner, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    things = partner.things.select_related("by", "corrects", "corrected_by")
    thing_page = get_page(request, things.order_by("-on_date", "-at", "-pk"), size=PAGE_SIZE)
    introductions = visible_introductions(request).filter(partner=partner).order_by("-at", "-pk")
    referrals = get_page(request, introductions, size=PAGE_SIZE, parameter="referral_page")
    context = {
        "partner": partner,
        "kind": PARTNER_KINDS[PartnerType(partner.kind)],
        "form_link": referral_url(partner),
        "rows": partner_progress.load_progress(
            introductions.filter(pk__in=[row.pk for row in referrals.object_list])
        ),
        "referrals": referrals,
        "count": partner.introductions.count(),
        "things": [(thing, ruling_text(thing)) for thing in thing_page.object_list],
        "thing_page": thing_page,
        "sums": partner_accounts.thing_of_value_totals(partner),
        "value_form": more.pop("value_form", None)
        or ThingOfValueForm(initial={"on_date": company_day(request.at)}, partner=partner),
        "may_edit": has_permission(request.user, "edit_partners"),
        "may_permit": has_permission(request.user, "change_lead"),
        **more,
    }
    return render(request, "partners/show.html", context, status=status)


def _get_partner(partner_id: UUID) -> Partner:
    return get_object_or_404(Partner.objects.select_related("user", "source"), pk=partner_id)


def _partner_url(partner: Partner) -> str:
    return reverse("partner", args=[partner.pk])


def _password_url(request: StaffRequest, partner: Partner) -> str:
    user_key, token = passwords.create_reset_link(partner.user, by=request.user, at=request.at)
    return f"{settings.PUBLIC_URL}{reverse('set_password', args=[user_key, token])}"
