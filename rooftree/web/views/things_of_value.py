"""Compliance > Partners and things of value: the ledger, agreements, and what stands out."""

from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import agreements
from rooftree.capture.agreements import BASES, PAYEES, BadAgreement
from rooftree.compliance import reasons
from rooftree.compliance.models import Finding
from rooftree.compliance.partner_pay import RSP_01
from rooftree.leads.models import Agreement, Partner, Source, ThingOfValue
from rooftree.money.company_day import company_day
from rooftree.routing.visible import may
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Dollars, StaffForm, choice, day, number, text, yes

SHOWN = 200
FINDINGS = 50


class AgreementForm(StaffForm):
    """A new agreement."""

    with_whom = choice("Whom it is with", ())
    payee = choice(
        "Where it is a source: what it does", (("", "Choose"), *PAYEES.items()), required=False
    )
    is_employee = yes("The partner is our own employee, and no loan officer")
    what = text("What is paid for", "As “Ten open houses a year, signs and flyers”")
    basis = choice("What the amount depends on", (("", "Choose"), *BASES.items()))
    cents = Dollars("Amount, $", "For all of it; for one, where leads are bought")
    cents.is_awaited = True  # an amount of nothing is refused by the domain
    our_cost_pct = number("Our share of the cost, %", least=0, most=100, required=False)
    our_benefit_pct = number("Our share of the benefit, %", least=0, most=100, required=False)
    endorses_us = yes("They recommend us to borrowers")
    fair_value_document = text(
        "What shows that the price is fair", "A study or a quote, and where it lies", required=False
    )
    document = text("Where the signed paper lies")
    from_date = day("First day")
    until_date = day("Last day", "At most three years later")

    PARTS = (
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
            ("Partners", [(f"partner:{one.pk}", str(one)) for one in partners]),
            ("Sources of leads", [(f"source:{one.pk}", one.name) for one in sources]),
        )
        self.fields["with_whom"].choices = [("", "Choose"), *(one for one in groups if one[1])]


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The whole of it, as an examiner would want it on paper."""
    must(request.user, "see_things_of_value")
    things = ThingOfValue.objects.select_related("partner__user", "by", "corrected_by")
    made = Agreement.objects.select_related(
        "partner__user", "source", "entered_by", "approved_by", "ended_by"
    )
    findings = Finding.objects.filter(rule=RSP_01.id).select_related("closed_by")
    today = company_day(request.at)
    context = {
        "partners": _partners(),
        "things": [(one, ruled(one)) for one in things.order_by("-on_date", "-pk")[:SHOWN]],
        "shown": SHOWN,
        "agreements": [
            _line(one, request, today)
            for one in made.order_by("-from_date", "-pk")
        ],
        "findings": findings.order_by("closed_at", "-found_at", "-pk")[:FINDINGS],
        "may_conclude": request.user.branch_id is None and may(request.user, "conclude_findings"),
        "may_enter": may(request.user, "enter_agreements"),
        "rule": RSP_01,
    }  # fmt: skip
    return render(request, "fairness/things.html", context)


@staff("GET", "POST")
def agreement(request: HttpRequest) -> HttpResponse:
    """Enter an agreement; what the rule forbids is refused with the reason."""
    must(request.user, "enter_agreements")
    form = AgreementForm(request.POST if request.method == "POST" else None)

    def enter(typed: dict[str, Any]) -> Agreement:
        return agreements.enter(typed=typed, by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(enter):
        said = "In force" if form.made.decision == "allow" else "Kept; compliance must approve it"
        return done(request, said, back_to=reverse("things_of_value"))
    context = {
        "form": form, "title": "An agreement", "back": "things_of_value",
        "back_label": "Things of value", "button": "Enter it", "rule": RSP_01,
        "note": "Nothing is paid for referring borrowers. Goods and services are paid at what they "
        "are worth, whoever refers whom.",
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "fairness/form.html", context, status=status)


@staff("POST")
def approval(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Counsel has reviewed it: a second person puts it in force."""
    must(request.user, "approve_agreements")
    get_object_or_404(Agreement, pk=agreement_id)
    back = reverse("things_of_value")
    try:
        agreements.approve(
            agreement_id=agreement_id, document=request.POST.get("document", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except BadAgreement as problem:
        return refused(request, str(problem), back_to=back, status=422)
    return done(request, "It is in force", back_to=back)


@staff("POST")
def ending(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Nothing is paid under it any more."""
    must(request.user, "approve_agreements")
    get_object_or_404(Agreement, pk=agreement_id)
    agreements.end(agreement_id=agreement_id, by=request.user, at=request.at)
    return done(request, "It has ended", back_to=reverse("things_of_value"))


def ruled(thing: ThingOfValue) -> str:
    """What the rule said of a thing, in words; nothing of what it was never asked about."""
    return reasons.MESSAGES.get(thing.reason) or (thing.reason and reasons.spelled(thing.reason))


def _partners() -> Any:
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


def _line(one: Agreement, request: HttpRequest, today: Any) -> dict[str, Any]:
    waits = one.decision == "require" and one.approved_at is None and one.ended_at is None
    is_mine = one.entered_by_id == request.user.pk
    return {
        "row": one,
        "who": one.partner or one.source,
        "basis": BASES[one.basis],
        "waits": waits,
        "in_force": agreements.binds_on(one, today),
        "last": agreements.last_day(one),
        "may_approve": waits and not is_mine and may(request.user, "approve_agreements"),
        "may_end": one.ended_at is None and may(request.user, "approve_agreements"),
    }
