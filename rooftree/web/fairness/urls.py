"""URLs of fair lending, pay plans and the RESPA log."""

from django.urls import URLPattern, path

from rooftree.web.fairness import fair_lending_views, finding_views, pay_plan_views, respa_log_views

urlpatterns: list[URLPattern] = [
    path("compliance/fair-lending/", fair_lending_views.show_monitor, name="fair_lending"),
    path(
        "compliance/fair-lending/taken-out/",
        fair_lending_views.export_month,
        name="fair_lending_taken_out",
    ),
    path(
        "compliance/findings/<uuid:finding_id>/conclusion/",
        finding_views.close_finding,
        name="finding_conclusion",
    ),
    path("compliance/things-of-value/", respa_log_views.show_respa_log, name="things_of_value"),
    path("compliance/agreements/new/", respa_log_views.enter_agreement, name="agreement"),
    path(
        "compliance/agreements/<uuid:agreement_id>/approval/",
        respa_log_views.approve_agreement,
        name="agreement_approval",
    ),
    path(
        "compliance/agreements/<uuid:agreement_id>/end/",
        respa_log_views.end_agreement,
        name="agreement_ending",
    ),
    path("compliance/pay-plans/", pay_plan_views.list_pay_plans, name="pay_plans"),
    path("compliance/pay-plans/new/", pay_plan_views.propose_pay_plan, name="pay_plan"),
    path(
        "compliance/pay-plans/<uuid:plan_id>/decision/",
        pay_plan_views.decide_pay_plan,
        name="pay_plan_decision",
    ),
]
