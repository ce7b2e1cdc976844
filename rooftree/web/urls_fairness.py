"""The addresses of fairness and pay: how borrowers are served, and who is paid for what."""

from django.urls import path

from rooftree.web.views import fair_lending, findings, pay_plans, things_of_value

urlpatterns = [
    path("fair-lending/", fair_lending.show, name="fair_lending"),
    path("fair-lending/taken-out/", fair_lending.taken_out, name="fair_lending_taken_out"),
    path("findings/<uuid:finding_id>/conclusion/", findings.conclusion, name="finding_conclusion"),
    path("things-of-value/", things_of_value.show, name="things_of_value"),
    path("agreements/new/", things_of_value.agreement, name="agreement"),
    path(
        "agreements/<uuid:agreement_id>/approval/",
        things_of_value.approval,
        name="agreement_approval",
    ),
    path("agreements/<uuid:agreement_id>/end/", things_of_value.ending, name="agreement_ending"),
    path("pay-plans/", pay_plans.show, name="pay_plans"),
    path("pay-plans/new/", pay_plans.plan, name="pay_plan"),
    path("pay-plans/<uuid:plan_id>/decision/", pay_plans.decision, name="pay_plan_decision"),
]
