"""The addresses of the rules in force, and of changing them."""

from django.urls import path

from rooftree.web.views import rule_changes, rules

urlpatterns = [
    path("", rules.index, name="rules"),
    path("<slug:place>/", rules.place, name="rules_of_place"),
    path("changes/<uuid:change_id>/", rule_changes.show, name="rule_change"),
    path("changes/<uuid:change_id>/end/", rule_changes.end, name="rule_change_end"),
    path("changes/<uuid:change_id>/<slug:what>/", rule_changes.act, name="rule_change_act"),
    path("<slug:place>/<slug:item>/", rule_changes.new, name="rule_change_new"),
]
