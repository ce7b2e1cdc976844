"""Compliance > Compensation plans: what each officer is paid on, by whom approved, since when."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.fair_lending import officer_pay_plans
from rooftree.compliance.fair_lending.officer_pay_plans import (
    AMOUNT_UNITS,
    OTHER_BASIS,
    PAY_BASES,
    BadPlan,
)
from rooftree.compliance.fair_lending.officer_pay_rules import LOC_01
from rooftree.compliance.models import PayPlan
from rooftree.money.company_day import company_day
from rooftree.org.models import LoanOfficer
from rooftree.routing.permissions import has_permission, officers_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    checkbox_field,
    choice_field,
    date_field,
    percent_field,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class PayPlanForm(StaffForm):
    """A new version of an officer's plan."""

    officer = choice_field("Loan officer", ())
    from_date = date_field("First day", "It counts for loans whose terms are offered from then on")
    basis = choice_field(
        "What pay depends on", (*PAY_BASES.items(), (OTHER_BASIS, "Something else, in words"))
    )
    in_words = text_field("In words", "Where it is something else", required=False, max_length=60)
    only_when = text_field("Only when", "Empty: always. No condition is lawful", required=False)
    percent = percent_field("Percentage of the loan amount", decimal_places=4)
    cents = DollarsField("Amount, $", "A loan, an hour or a month, as above")
    least_cents = DollarsField("At least for a loan, $", "The same for every loan")
    most_cents = DollarsField("At most for a loan, $")
    bonus_pct = percent_field("Bonus out of profits, % of all pay", "At most 10")
    is_paid_by_creditor = checkbox_field("We pay it")
    is_paid_by_consumer = checkbox_field("The borrower pays it")
    document = text_field("Counsel’s document", "Where counsel must review it", required=False)

    FIELDSETS = (
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


@staff_view("GET")
def list_pay_plans(request: StaffRequest) -> HttpResponse:
    """Every officer with the plan in force, what waits, and what was before."""
    require_permission(request.user, "see_pay_plans")
    today = company_day(request.at)
    plans = PayPlan.objects.select_related("officer__user", "written_by", "approved_by")
    by_officer: dict[UUID, list[PayPlan]] = defaultdict(list)
    for plan in plans.order_by("-number"):
        by_officer[plan.officer_id].append(plan)
    officers = officers_visible_to(request.user).select_related("user")
    named = officers.order_by("user__name", "pk")
    context = {
        "rows": [
            {"officer": officer, "lines": _plan_lines(by_officer[officer.pk], request, today)}
            for officer in named
            if officer.pk in by_officer
        ],
        "without": [
            officer
            for officer in named
            if officer.pk not in by_officer and not officer.terminated_at
        ],
        "may_write": has_permission(request.user, "write_pay_plans"),
        "rule": LOC_01,
    }
    return render(request, "fairness/pay_plans.html", context)


@staff_view("GET", "POST")
def propose_pay_plan(request: StaffRequest) -> HttpResponse:
    """Write a plan down; what the rule forbids is refused with the reason."""
    require_permission(request.user, "write_pay_plans")
    tomorrow = company_day(request.at) + timedelta(days=1)
    begun = {"from_date": tomorrow, "is_paid_by_creditor": True}
    is_sent = request.method == "POST"
    officers = officers_visible_to(request.user)
    form = PayPlanForm(request.POST if is_sent else None, initial=begun, officers=officers)

    def write(typed: dict[str, Any]) -> PayPlan:
        return officer_pay_plans.propose_plan(typed=typed, by=request.user, at=request.at)

    if is_sent and form.submit(write):
        said = "Written down; it counts once somebody else approves it"
        return respond_done(request, said, back_to=reverse("pay_plans"))
    context = {
        "form": form, "title": "A compensation plan", "back": "pay_plans",
        "back_label": "Compensation plans", "button": "Write it down", "rule": LOC_01,
        "note": "Pay depends on no term of a loan and on nothing that stands in for one, comes "
        "from one side, and never moves for terms that were offered.",
    }  # fmt: skip
    return render(request, "fairness/form.html", context, status=422 if is_sent else 200)


@staff_view("POST")
def decide_pay_plan(request: StaffRequest, plan_id: UUID) -> HttpResponse:
    """A second person approves a plan, or somebody drops it."""
    require_permission(request.user, "approve_pay_plans")
    get_object_or_404(PayPlan, pk=plan_id, officer__in=officers_visible_to(request.user))
    act, back = request.POST.get("act", ""), reverse("pay_plans")
    acts = {"approve": officer_pay_plans.approve_plan, "drop": officer_pay_plans.drop_plan}
    if act not in acts:
        raise Http404
    try:
        acts[act](plan_id=plan_id, by=request.user, at=request.at)
    except BadPlan as problem:
        return respond_refused(request, str(problem), back_to=back)
    said = "Approved; it counts from its first day" if act == "approve" else "Dropped"
    return respond_done(request, said, back_to=back)


def _plan_lines(plans: list[PayPlan], request: StaffRequest, today: Any) -> list[dict[str, Any]]:
    counting = [plan for plan in plans if plan.approved_at and plan.from_date <= today]
    current = max(counting, key=lambda one: one.from_date, default=None)
    return [
        {
            "row": plan,
            "basis": PAY_BASES.get(plan.basis, plan.basis),
            "percent": _decimal_text(plan.percent),
            "bonus": _decimal_text(plan.bonus_pct),
            "amount_of": AMOUNT_UNITS.get(plan.basis, ""),
            "word": _plan_status(plan, current, today),
            "may_decide": _is_open(plan) and has_permission(request.user, "approve_pay_plans"),
            "is_mine": plan.written_by_id == request.user.pk,
        }
        for plan in plans
    ]


def _decimal_text(number: Decimal | None) -> str:
    """A decimal without the zeros of its column."""
    return f"{number.normalize():f}" if number else ""


def _plan_status(one: PayPlan, current: PayPlan | None, today: Any) -> str:
    if one.dropped_at:
        return "dropped"
    if _is_open(one):
        return "waits"
    if one == current:
        return "counts"
    return "to come" if one.from_date > today else "was"


def _is_open(one: PayPlan) -> bool:
    return one.approved_at is None and one.dropped_at is None
