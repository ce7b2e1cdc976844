"""Compliance > Pay plans: each loan officer's compensation plans, proposed and approved."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
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
from rooftree.web.lists.list_page import get_page
from rooftree.web.lists.url_filter import SearchForm, UrlFilter
from rooftree.web.shared.display_formats import money_exact
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

PAGE_SIZE = 25  # officers
MAX_NAMED = 10  # officers without a plan
PLAN_OUTCOMES = {"approve": "approved", "drop": "discarded"}


class PayPlanForm(StaffForm):
    """A new pay plan of a loan officer."""

    officer = choice_field("Loan officer", ())
    from_date = date_field("First day", "Applies to loans whose terms are offered from this day")
    basis = choice_field("Pay depends on", (*PAY_BASES.items(), (OTHER_BASIS, "Something else")))
    in_words = text_field("Description", "For something else", required=False, max_length=60)
    only_when = text_field("Condition", "Leave empty. Conditions are not allowed", required=False)
    percent = percent_field("Percentage of the loan amount", decimal_places=4)
    cents = DollarsField("Amount, $", "Per loan, hour or month, as above")
    least_cents = DollarsField("Minimum per loan, $", "The same for every loan")
    most_cents = DollarsField("Maximum per loan, $")
    bonus_pct = percent_field("Bonus from profits, % of total pay", "Up to 10")
    is_paid_by_creditor = checkbox_field("The company pays")
    is_paid_by_consumer = checkbox_field("The borrower pays")
    document = text_field("Counsel’s document", "If counsel must review it", required=False)

    FIELDSETS = (
        ("", ("officer", "from_date")),
        ("Basis", ("basis", "in_words", "only_when")),
        ("Amount", ("percent", "cents", "least_cents", "most_cents", "bonus_pct")),
        ("Payer and review", (
            "is_paid_by_creditor", "is_paid_by_consumer", "document",
        )),
    )  # fmt: skip

    def __init__(self, *args: Any, officers: QuerySet[LoanOfficer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = officers.filter(terminated_at=None).select_related("user")
        choices = [(str(row.pk), row.user.name) for row in active.order_by("user__name", "pk")]
        self.set_choices("officer", [("", "Choose"), *choices])


@staff_view("GET")
def list_pay_plans(request: StaffRequest) -> HttpResponse:
    """List every loan officer with their active, proposed and past plans."""
    require_permission(request.user, "see_pay_plans")
    today = company_day(request.at)
    officers = officers_visible_to(request.user).select_related("user").order_by("user__name", "pk")
    has_plan = Exists(PayPlan.objects.filter(officer=OuterRef("pk")))
    shown = UrlFilter(SearchForm(request.GET))
    with_plan = officers.filter(has_plan)
    if name := shown.values.get("q"):
        with_plan = with_plan.filter(user__name__icontains=name)
    page = get_page(request, with_plan, size=PAGE_SIZE)
    plans = PayPlan.objects.filter(officer__in=[officer.pk for officer in page.object_list])
    by_officer: dict[UUID, list[PayPlan]] = defaultdict(list)
    for plan in plans.select_related("written_by", "approved_by").order_by("-number"):
        by_officer[plan.officer_id].append(plan)
    without = officers.filter(~has_plan, terminated_at=None)
    context = {
        "page": page,
        "shown": shown,
        "rows": [
            {"officer": officer, "lines": _plan_lines(by_officer[officer.pk], request, today)}
            for officer in page.object_list
        ],
        "without": without[:MAX_NAMED],
        "without_more": max(0, without.count() - MAX_NAMED),
        "may_write": has_permission(request.user, "write_pay_plans"),
        "rule": LOC_01,
    }
    return render(request, "fairness/pay_plans.html", context)


@staff_view("GET", "POST")
def propose_pay_plan(request: StaffRequest) -> HttpResponse:
    """Propose a plan; a plan that the rule forbids is refused with the reason."""
    require_permission(request.user, "write_pay_plans")
    tomorrow = company_day(request.at) + timedelta(days=1)
    initial = {"from_date": tomorrow, "is_paid_by_creditor": True}
    is_sent = request.method == "POST"
    officers = officers_visible_to(request.user)
    form = PayPlanForm(request.POST if is_sent else None, initial=initial, officers=officers)

    def propose(typed: dict[str, Any]) -> PayPlan:
        return officer_pay_plans.propose_plan(typed=typed, by=request.user, at=request.at)

    if is_sent and form.submit(propose):
        words = "Plan proposed. Someone else must approve it"
        return respond_done(request, words, back_to=reverse("pay_plans"))
    context = {
        "form": form, "title": "New pay plan", "back": "pay_plans", "back_label": "Pay plans",
        "button": "Propose plan", "rule": LOC_01,
        "note": "Pay can’t depend on a loan’s terms or a proxy for them, can’t come from both "
        "the company and the borrower, and can’t change after terms are offered.",
    }  # fmt: skip
    return render(request, "fairness/form.html", context, status=422 if is_sent else 200)


@staff_view("POST")
def decide_pay_plan(request: StaffRequest, plan_id: UUID) -> HttpResponse:
    """Approve a plan as a second person, or discard it."""
    require_permission(request.user, "approve_pay_plans")
    get_object_or_404(PayPlan, pk=plan_id, officer__in=officers_visible_to(request.user))
    action, back = request.POST.get("act", ""), reverse("pay_plans")
    actions = {"approve": officer_pay_plans.approve_plan, "drop": officer_pay_plans.drop_plan}
    if action not in actions:
        raise Http404
    try:
        actions[action](plan_id=plan_id, by=request.user, at=request.at)
    except BadPlan as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, f"Plan {PLAN_OUTCOMES[action]}", back_to=back)


def _plan_lines(plans: list[PayPlan], request: StaffRequest, today: date) -> list[dict[str, Any]]:
    approved = [plan for plan in plans if plan.approved_at and plan.from_date <= today]
    current = max(approved, key=lambda plan: plan.from_date, default=None)
    return [
        {
            "row": plan,
            "summary": _plan_summary(plan),
            "status": _plan_status(plan, current, today),
            "may_decide": _is_open(plan) and has_permission(request.user, "approve_pay_plans"),
            "is_mine": plan.written_by_id == request.user.pk,
        }
        for plan in plans
    ]


def _plan_summary(plan: PayPlan) -> str:
    """Describe what a plan pays, in one phrase."""
    parts = [PAY_BASES.get(plan.basis, plan.basis)]
    if plan.percent:
        parts.append(f"{plan.percent.normalize():f}%")
    if plan.cents:
        parts.append(f"{money_exact(plan.cents)} {AMOUNT_UNITS.get(plan.basis, '')}".strip())
    if plan.least_cents:
        parts.append(f"minimum {money_exact(plan.least_cents)}")
    if plan.most_cents:
        parts.append(f"maximum {money_exact(plan.most_cents)}")
    if plan.bonus_pct:
        parts.append(f"bonus from profits {plan.bonus_pct.normalize():f}% of total pay")
    if plan.is_paid_by_consumer:
        parts.append("paid by the borrower")
    return ", ".join(parts)


def _plan_status(plan: PayPlan, current: PayPlan | None, today: date) -> str:
    if plan.dropped_at:
        return "discarded"
    if _is_open(plan):
        return "waiting"
    if plan == current:
        return "active"
    return "scheduled" if plan.from_date > today else "past"


def _is_open(plan: PayPlan) -> bool:
    return plan.approved_at is None and plan.dropped_at is None
