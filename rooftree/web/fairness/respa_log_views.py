"""Compliance > RESPA log: things of value, agreements with partners and sources, and findings."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.partners import agreements
from rooftree.capture.partners.agreements import PAYMENT_BASES, SELLER_KINDS, BadAgreement
from rooftree.compliance.fair_lending.things_of_value_rules import RSP_01
from rooftree.compliance.gate import reason_sentences
from rooftree.compliance.models import Finding
from rooftree.leads.models import Agreement, Partner, Source, ThingOfValue
from rooftree.money.company_day import company_day
from rooftree.routing.permissions import has_company_permission, has_permission
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    checkbox_field,
    choice_field,
    date_field,
    integer_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_permission,
    staff_view,
)

PAGE_SIZE = 50
FINDINGS = 50  # listed
FINDINGS_HINT = (
    "Gifts above the house limit, payments that rise with referrals, payments after an agreement "
    "ends, and overpaid joint advertising appear here."
)


class AgreementForm(StaffForm):
    """A new agreement with a partner or a source."""

    CONDITIONALLY_REQUIRED = frozenset({"cents"})  # `enter_agreement` refuses an empty amount

    with_whom = choice_field("Partner or source", ())
    payee = choice_field(
        "Type of source",
        (("", "Choose"), *SELLER_KINDS.items()),
        required=False,
    )
    is_employee = checkbox_field("The partner is our employee, but not a loan officer")
    what = text_field("Service", "For example “Ten open houses a year, signs and flyers”")
    basis = choice_field("Amount depends on", (("", "Choose"), *PAYMENT_BASES.items()))
    cents = DollarsField("Amount, $", "In total, or per lead if you buy leads")
    our_cost_pct = integer_field(
        "Our share of the cost, %", min_value=0, max_value=100, required=False
    )
    our_benefit_pct = integer_field(
        "Our share of the benefit, %", min_value=0, max_value=100, required=False
    )
    endorses_us = checkbox_field("They endorse us to borrowers")
    fair_value_document = text_field(
        "Proof of fair value", "A study or a quote, and where it is filed", required=False
    )
    document = text_field("Signed document", "Where it is filed")
    from_date = date_field("First day")
    until_date = date_field("Last day", "Within three years")

    FIELDSETS = (
        ("", ("with_whom", "payee", "is_employee", "what")),
        ("Price", ("basis", "cents", "endorses_us", "fair_value_document")),
        ("Joint advertising", ("our_cost_pct", "our_benefit_pct")),
        ("Document", ("document", "from_date", "until_date")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partners = Partner.objects.select_related("user").order_by("user__name", "pk")
        sources = Source.objects.order_by("name", "pk")
        groups = {
            "Partners": [(f"partner:{partner.pk}", str(partner)) for partner in partners],
            "Sources": [(f"source:{source.pk}", source.name) for source in sources],
        }
        field = self.fields["with_whom"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "Choose"),
            *((label, choices) for label, choices in groups.items() if choices),
        ]


@staff_view("GET")
def show_respa_log(request: StaffRequest) -> HttpResponse:
    """Show agreements, totals by partner, entries and findings; printable for an examiner."""
    require_permission(request.user, "see_things_of_value")
    things = ThingOfValue.objects.select_related("partner__user", "by", "corrected_by")
    agreement_rows = Agreement.objects.select_related(
        "partner__user", "source", "entered_by", "approved_by", "ended_by"
    )
    findings = Finding.objects.filter(rule=RSP_01.id).select_related("closed_by")
    today = company_day(request.at)
    agreement_page = get_page(
        request, agreement_rows.order_by("-from_date", "-pk"), size=PAGE_SIZE,
        parameter="agreement_page",
    )  # fmt: skip
    thing_page = get_page(
        request, things.order_by("-on_date", "-pk"), size=PAGE_SIZE, parameter="entry_page"
    )
    partner_page = get_page(request, _partner_totals(), size=PAGE_SIZE, parameter="partner_page")
    context = {
        "partners": partner_page.object_list,
        "partner_page": partner_page,
        "things": [(thing, ruling_text(thing)) for thing in thing_page.object_list],
        "thing_page": thing_page,
        "agreements": [
            _agreement_line(agreement, request, today) for agreement in agreement_page.object_list
        ],
        "agreement_page": agreement_page,
        "findings": findings.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "findings_hint": FINDINGS_HINT,
        "may_conclude": has_company_permission(request.user, "conclude_findings"),
        "may_enter": has_permission(request.user, "enter_agreements"),
        "rule": RSP_01,
    }  # fmt: skip
    return render(request, "fairness/respa_log.html", context)


@staff_view("GET", "POST")
def enter_agreement(request: StaffRequest) -> HttpResponse:
    """Add an agreement; one that the rule forbids is refused with the reason."""
    require_permission(request.user, "enter_agreements")
    form = AgreementForm(request.POST if request.method == "POST" else None)

    def enter(typed: dict[str, Any]) -> Agreement:
        return agreements.enter_agreement(typed=typed, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(enter):
        needs_approval = form.result.decision != "allow"
        words = (
            "Agreement added. Compliance must approve it" if needs_approval else "Agreement added"
        )
        return respond_done(request, words, back_to=reverse("things_of_value"))
    context = {
        "form": form, "title": "New agreement", "back": "things_of_value",
        "back_label": "RESPA log", "button": "Add agreement", "rule": RSP_01,
        "note": "Never pay for referrals. Pay fair value for goods and services, no matter who "
        "refers whom.",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "fairness/form.html", context, status=status)


@staff_view("POST")
def approve_agreement(request: StaffRequest, agreement_id: UUID) -> HttpResponse:
    """Approve an agreement as a second person, based on counsel's document."""
    require_permission(request.user, "approve_agreements")
    get_object_or_404(Agreement, pk=agreement_id)
    back = reverse("things_of_value")
    try:
        agreements.approve_agreement(
            agreement_id=agreement_id, document=request.POST.get("document", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except BadAgreement as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return respond_done(request, "Agreement approved", back_to=back)


@staff_view("POST")
def end_agreement(request: StaffRequest, agreement_id: UUID) -> HttpResponse:
    """End an agreement: no payments under it from tomorrow."""
    require_permission(request.user, "approve_agreements")
    get_object_or_404(Agreement, pk=agreement_id)
    agreements.end_agreement(agreement_id=agreement_id, by=request.user, at=request.at)
    return respond_done(request, "Agreement ended", back_to=reverse("things_of_value"))


def ruling_text(thing: ThingOfValue) -> str:
    """Describe the rule's decision on an entry; "" if it wasn't checked."""
    return reason_sentences.REASON_SENTENCES.get(thing.reason) or (
        thing.reason and reason_sentences.humanize_reason(thing.reason)
    )


def _partner_totals() -> QuerySet[Partner]:
    """Return partners with their totals given and received, without reversed entries."""
    is_valid = Q(things__corrects=None, things__corrected_by=None)
    return (
        Partner.objects.select_related("user")
        .annotate(
            given=Sum("things__fair_value_cents", filter=is_valid & Q(things__direction="given")),
            received=Sum(
                "things__fair_value_cents", filter=is_valid & Q(things__direction="received")
            ),
            rows=Count("things"),
        )
        .filter(rows__gt=0)
        .order_by(F("given").desc(nulls_last=True), "user__name")
    )


def _agreement_line(agreement: Agreement, request: StaffRequest, today: date) -> dict[str, Any]:
    is_open = agreement.ended_at is None
    is_waiting = is_open and agreement.decision == "require" and agreement.approved_at is None
    is_mine = agreement.entered_by_id == request.user.pk
    may_approve = has_permission(request.user, "approve_agreements")
    return {
        "row": agreement,
        "payee": agreement.partner or agreement.source,
        "basis": PAYMENT_BASES[agreement.basis],
        "is_waiting": is_waiting,
        "in_force": agreements.can_pay_on(agreement, today),
        "last_day": agreements.last_payable_day(agreement),
        "may_approve": is_waiting and not is_mine and may_approve,
        "may_end": is_open and may_approve,
    }
