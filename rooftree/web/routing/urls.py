"""URLs of routing rules and decisions."""

from django.urls import URLPattern, path

from rooftree.web.routing import decision_views, missed_offer_views, rule_template_views, views

urlpatterns: list[URLPattern] = [
    path("routing/", views.show_rules, name="routing"),
    path("routing/preview/", views.preview_rules, name="routing_preview"),
    path("routing/draft/", views.delete_draft, name="routing_draft"),
    path("routing/draft/template/", rule_template_views.start_draft, name="routing_template"),
    path("routing/draft/rules/", views.edit_rule, name="routing_rule_new"),
    path("routing/draft/rules/<int:place>/", views.edit_rule, name="routing_rule"),
    path("routing/draft/rules/<int:place>/move/", views.move_rule, name="routing_move"),
    path("routing/publication/", views.publish_rules, name="routing_publication"),
    path("routing/missed-offers/", missed_offer_views.edit_rule, name="missed_offer_rule"),
    path("routing/editions/", views.list_editions, name="routing_editions"),
    path("routing/editions/<int:number>/", views.show_edition, name="routing_edition"),
    path(
        "routing/editions/<int:number>/restoration/",
        views.restore_edition,
        name="routing_restoration",
    ),
    path("decisions/<uuid:decision_id>/", decision_views.show_decision, name="decision"),
]
