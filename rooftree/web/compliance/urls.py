"""URLs of the compliance pages."""

from django.urls import URLPattern, path

from rooftree.web.compliance import (
    call_record_views,
    disclosure_deadline_views,
    do_not_call_list_views,
    ledger_views,
    message_review_views,
    rule_change_views,
    rule_views,
    source_terms_views,
    views,
)

urlpatterns: list[URLPattern] = [
    path(".well-known/rooftree-keys.json", ledger_views.serve_signing_keys, name="signing_keys"),
    path("compliance/clocks/", disclosure_deadline_views.list_deadlines, name="clocks"),
    path(
        "compliance/clocks/<uuid:clock_id>/",
        disclosure_deadline_views.show_deadline,
        name="credit_clock",
    ),
    path(
        "compliance/clocks/<uuid:clock_id>/proof/",
        disclosure_deadline_views.record_proof,
        name="clock_proof",
    ),
    path("compliance/", views.show_compliance, name="compliance"),
    path("compliance/verdicts/<uuid:verdict_id>/", views.show_verdict, name="verdict"),
    path("compliance/do-not-contact/", views.add_do_not_contact, name="do_not_contact"),
    path("compliance/holds/<uuid:revocation_id>/release/", views.release_hold, name="hold_release"),
    path("compliance/holds/<uuid:revocation_id>/stop/", views.stop_held_contact, name="hold_stop"),
    path("compliance/evidence/", views.download_evidence, name="evidence"),
    path("compliance/calls/", call_record_views.show_call_records, name="call_records"),
    path("compliance/lists/", do_not_call_list_views.show_lists, name="dnc_lists"),
    path("compliance/messages/", message_review_views.list_messages, name="reviews"),
    path(
        "compliance/messages/<uuid:message_id>/decision/",
        message_review_views.decide_message,
        name="review_decision",
    ),
    path("compliance/ledger/", ledger_views.verify_ledger, name="compliance_ledger"),
    path("compliance/ledger/heads/", ledger_views.download_heads, name="ledger_heads"),
    path("compliance/ledger/heads/newest/", ledger_views.publish_head, name="ledger_head"),
    path("compliance/sources/", source_terms_views.list_source_terms, name="all_source_terms"),
    path(
        "compliance/sources/<uuid:source_id>/",
        source_terms_views.edit_source_terms,
        name="source_terms",
    ),
    path("compliance/rules/", rule_views.list_rules, name="rules"),
    path("compliance/rules/<slug:place>/", rule_views.show_place, name="rules_of_place"),
    path(
        "compliance/rules/changes/<uuid:change_id>/",
        rule_change_views.show_change,
        name="rule_change",
    ),
    path(
        "compliance/rules/changes/<uuid:change_id>/end/",
        rule_change_views.propose_end,
        name="rule_change_end",
    ),
    path(
        "compliance/rules/changes/<uuid:change_id>/approval/",
        rule_change_views.approve_change,
        name="approve_rule_change",
    ),
    path(
        "compliance/rules/changes/<uuid:change_id>/drop/",
        rule_change_views.drop_change,
        name="drop_rule_change",
    ),
    path(
        "compliance/rules/changes/<uuid:change_id>/trial/",
        rule_change_views.repeat_dry_run,
        name="repeat_rule_change_preview",
    ),
    path(
        "compliance/rules/<slug:place>/<slug:item>/",
        rule_change_views.propose_change,
        name="rule_change_new",
    ),
    path("compliance/emergencies/", source_terms_views.record_emergencies, name="emergencies"),
]
