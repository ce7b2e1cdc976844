"""Compliance > Compensation plans: what each officer is paid on, by whom approved, since when."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance import pay_plans
from rooftree.compliance.models import PayPlan
from rooftree.compliance.officer_pay import LOC_01
from rooftree.compliance.pay_plans import AMOUNT_OF, BASES, OTHER, BadPlan
from rooftree.money.company_day import company_day
from rooftree.org.models import LoanOfficer
from rooftree.routing.visible import may, officers_visible_to
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Dollars, StaffForm, choice, day, share, text, yes


class PlanForm(StaffForm):
    """A new version of an officer's plan."""

    officer = choice("Loan officer", ())
    from_date = day("First day", "It counts for loans whose terms are offered from then on")
    basis = choice("What pay depends on", (*BASES.items(), (OTHER, "Something else, in words")))
    in_words = text("In words", "Where it is something else", required=False, longest=60)
    only_when = text("Only when", "Empty: always. No condition is lawful", required=False)
    percent = share("Percentage of the loan amount", places=4)
    cents = Dollars("Amount, $", "A loan, an hour or a month, as above")
    least_cents = Dollars("At least for a loan, $", "The same for every loan")
    most_cents = Dollars("At most for a loan, $")
    bonus_pct = share("Bonus out of profits, % of all pay", "At most 10")
    is_paid_by_creditor = yes("We pay it")
    is_paid_by_consumer = yes("The borrower pays it")
    document = text("Counsel’s document", "Where counsel must review it", required=False)

    PARTS = (
        ("", ("officer", "from_date")),
        ("What it depends on", ("basis", "in_words", "only_when")),
        ("How much", ("percent", "cents", "least_cents", "most_cents", "bonus_pct")),
        ("Who pays, and who looked at it", (
            "is_paid_by_creditor", "is_paid_by_consumer", "document",
        )),
    )  # fmt: skip

    def __init__(self, *args: Any, officers: QuerySet[LoanOfficer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = officers.filter(terminated_at=None).select_related("user")
        self.fields["officer"].choices = [
            ("", "Choose"),
            *((str(one.pk), one.user.name) for one in here.order_by("user__name", "pk")),
        ]


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """Every officer with the plan in force, what waits, and what was before."""
    must(request.user, "see_pay_plans")
    today = company_day(request.at)
    plans = PayPlan.objects.select_related("officer__user", "written_by", "approved_by")
    by_officer: dict[UUID, list[PayPlan]] = defaultdict(list)
    for one in plans.order_by("-number"):
        by_officer[one.officer_id].append(one)
    officers = officers_visible_to(request.user).select_related("user")
    named = officers.order_by("user__name", "pk")
    context = {
        "rows": [
            {"officer": one, "lines": _lines(by_officer[one.pk], request, today)}
            for one in named
            if one.pk in by_officer
        ],
        "without": [one for one in named if one.pk not in by_officer and not one.terminated_at],
        "may_write": may(request.user, "write_pay_plans"),
        "rule": LOC_01,
    }
    return render(request, "fairness/pay_plans.html", context)


@staff("GET", "POST")
def plan(request: HttpRequest) -> HttpResponse:
    """Write a plan down; what the rule forbids is refused with the reason."""
    must(request.user, "write_pay_plans")
    tomorrow = company_day(request.at) + timedelta(days=1)
    begun = {"from_date": tomorrow, "is_paid_by_creditor": True}
    is_sent = request.method == "POST"
    officers = officers_visible_to(request.user)
    form = PlanForm(request.POST if is_sent else None, initial=begun, officers=officers)

    def write(typed: dict[str, Any]) -> PayPlan:
        return pay_plans.write_down(typed=typed, by=request.user, at=request.at)

    if is_sent and form.carried_out(write):
        said = "Written down; it counts once somebody else approves it"
        return done(request, said, back_to=reverse("pay_plans"))
    context = {
        "form": form, "title": "A compensation plan", "back": "pay_plans",
        "back_label": "Compensation plans", "button": "Write it down", "rule": LOC_01,
        "note": "Pay depends on no term of a loan and on nothing that stands in for one, comes "
        "from one side, and never moves for terms that were offered.",
    }  # fmt: skip
    return render(request, "fairness/form.html", context, status=422 if is_sent else 200)


@staff("POST")
def decision(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """A second person approves a plan, or somebody drops it."""
    must(request.user, "approve_pay_plans")
    get_object_or_404(PayPlan, pk=plan_id, officer__in=officers_visible_to(request.user))
    act, back = request.POST.get("act", ""), reverse("pay_plans")
    acts = {"approve": pay_plans.approve, "drop": pay_plans.drop}
    if act not in acts:
        raise Http404
    try:
        acts[act](plan_id=plan_id, by=request.user, at=request.at)
    except BadPlan as problem:
        return refused(request, str(problem), back_to=back)
    said = "Approved; it counts from its first day" if act == "approve" else "Dropped"
    return done(request, said, back_to=back)


def _lines(plans: list[PayPlan], request: HttpRequest, today: Any) -> list[dict[str, Any]]:
    counting = [one for one in plans if one.approved_at and one.from_date <= today]
    current = max(counting, key=lambda one: one.from_date, default=None)
    return [
        {
            "row": one,
            "basis": BASES.get(one.basis, one.basis),
            "percent": _plain(one.percent),
            "bonus": _plain(one.bonus_pct),
            "amount_of": AMOUNT_OF.get(one.basis, ""),
            "word": _word(one, current, today),
            "may_decide": _is_open(one) and may(request.user, "approve_pay_plans"),
            "is_mine": one.written_by_id == request.user.pk,
        }
        for one in plans
    ]


def _plain(number: Decimal | None) -> str:
    """A decimal without the zeros of its column."""
    return f"{number.normalize():f}" if number else ""


def _word(one: PayPlan, current: PayPlan | None, today: Any) -> str:
    if one.dropped_at:
        return "dropped"
    if _is_open(one):
        return "waits"
    if one == current:
        return "counts"
    return "to come" if one.from_date > today else "was"


def _is_open(one: PayPlan) -> bool:
    return one.approved_at is None and one.dropped_at is None
