"""Compliance > Partners and things of value: the ledger, agreements, and what stands out."""

from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum
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
from rooftree.routing.permissions import has_permission
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
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LISTED = 200
FINDINGS = 50


class AgreementForm(StaffForm):
    """A new agreement."""

    with_whom = choice_field("Whom it is with", ())
    payee = choice_field(
        "Where it is a source: what it does",
        (("", "Choose"), *SELLER_KINDS.items()),
        required=False,
    )
    is_employee = checkbox_field("The partner is our own employee, and no loan officer")
    what = text_field("What is paid for", "As “Ten open houses a year, signs and flyers”")
    basis = choice_field("What the amount depends on", (("", "Choose"), *PAYMENT_BASES.items()))
    cents = DollarsField("Amount, $", "For all of it; for one, where leads are bought")
    cents.is_awaited = True  # an amount of nothing is refused by the domain
    our_cost_pct = integer_field("Our share of the cost, %", min_value=0, max_value=100, required=False)
    our_benefit_pct = integer_field(
        "Our share of the benefit, %", min_value=0, max_value=100, required=False
    )
    endorses_us = checkbox_field("They recommend us to borrowers")
    fair_value_document = text_field(
        "What shows that the price is fair", "A study or a quote, and where it lies", required=False
    )
    document = text_field("Where the signed paper lies")
    from_date = date_field("First day")
    until_date = date_field("Last day", "At most three years later")

    FIELDSETS = (
        ("", ("with_whom", "payee", "is_employee", "what")),
        ("The price", ("basis", "cents", "endorses_us", "fair_value_document")),
        ("Joint advertising", ("our_cost_pct", "our_benefit_pct")),
        ("The paper", ("document", "from_date", "until_date")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partners = Partner.objects.select_related("user").order_by("user__name", "pk")
        sources = Source.objects.order_by("name", "pk")
        groups = (
            ("Partners", [(f"partner:{partner.pk}", str(partner)) for partner in partners]),
            ("Sources of leads", [(f"source:{source.pk}", source.name) for source in sources]),
        )
        self.fields["with_whom"].choices = [
            ("", "Choose"),
            *(group for group in groups if group[1]),
        ]


@staff_view("GET")
def show_respa_log(request: StaffRequest) -> HttpResponse:
    """The whole of it, as an examiner would want it on paper."""
    require_permission(request.user, "see_things_of_value")
    things = ThingOfValue.objects.select_related("partner__user", "by", "corrected_by")
    made = Agreement.objects.select_related(
        "partner__user", "source", "entered_by", "approved_by", "ended_by"
    )
    findings = Finding.objects.filter(rule=RSP_01.id).select_related("closed_by")
    today = company_day(request.at)
    context = {
        "partners": _partner_totals(),
        "things": [(thing, ruling_text(thing)) for thing in things.order_by("-on_date", "-pk")[:MAX_LISTED]],
        "shown": MAX_LISTED,
        "agreements": [
            _agreement_line(one, request, today)
            for one in made.order_by("-from_date", "-pk")
        ],
        "findings": findings.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "may_conclude": request.user.branch_id is None and has_permission(request.user, "conclude_findings"),
        "may_enter": has_permission(request.user, "enter_agreements"),
        "rule": RSP_01,
    }  # fmt: skip
    return render(request, "fairness/respa_log.html", context)


@staff_view("GET", "POST")
def enter_agreement(request: StaffRequest) -> HttpResponse:
    """Enter an agreement; what the rule forbids is refused with the reason."""
    require_permission(request.user, "enter_agreements")
    form = AgreementForm(request.POST if request.method == "POST" else None)

    def enter(typed: dict[str, Any]) -> Agreement:
        return agreements.enter_agreement(typed=typed, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(enter):
        said = "In force" if form.result.decision == "allow" else "Kept; compliance must approve it"
        return respond_done(request, said, back_to=reverse("things_of_value"))
    context = {
        "form": form, "title": "An agreement", "back": "things_of_value",
        "back_label": "Things of value", "button": "Enter it", "rule": RSP_01,
        "note": "Nothing is paid for referring borrowers. Goods and services are paid at what they "
        "are worth, whoever refers whom.",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "fairness/form.html", context, status=status)


@staff_view("POST")
def approve_agreement(request: StaffRequest, agreement_id: UUID) -> HttpResponse:
    """Counsel has reviewed it: a second person puts it in force."""
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
    return respond_done(request, "It is in force", back_to=back)


@staff_view("POST")
def end_agreement(request: StaffRequest, agreement_id: UUID) -> HttpResponse:
    """Nothing is paid under it any more."""
    require_permission(request.user, "approve_agreements")
    get_object_or_404(Agreement, pk=agreement_id)
    agreements.end_agreement(agreement_id=agreement_id, by=request.user, at=request.at)
    return respond_done(request, "It has ended", back_to=reverse("things_of_value"))


def ruling_text(thing: ThingOfValue) -> str:
    """What the rule said of a thing, in words; nothing of what it was never asked about."""
    return reason_sentences.REASON_SENTENCES.get(thing.reason) or (
        thing.reason and reason_sentences.humanize_reason(thing.reason)
    )


def _partner_totals() -> Any:
    """Each partner with what passed between us; what was taken back left out."""
    counts = Q(things__corrects=None, things__corrected_by=None)
    return (
        Partner.objects.select_related("user")
        .annotate(
            given=Sum("things__fair_value_cents", filter=counts & Q(things__direction="given")),
            had=Sum("things__fair_value_cents", filter=counts & Q(things__direction="received")),
            rows=Count("things"),
        )
        .filter(rows__gt=0)
        .order_by(F("given").desc(nulls_last=True), "user__name")
    )


def _agreement_line(one: Agreement, request: StaffRequest, today: Any) -> dict[str, Any]:
    waits = one.decision == "require" and one.approved_at is None and one.ended_at is None
    is_mine = one.entered_by_id == request.user.pk
    return {
        "row": one,
        "who": one.partner or one.source,
        "basis": PAYMENT_BASES[one.basis],
        "waits": waits,
        "in_force": agreements.can_pay_on(one, today),
        "last": agreements.last_payable_day(one),
        "may_approve": waits and not is_mine and has_permission(request.user, "approve_agreements"),
        "may_end": one.ended_at is None and has_permission(request.user, "approve_agreements"),
    }
