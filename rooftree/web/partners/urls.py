"""URLs of referral partners and their portal."""

from django.urls import URLPattern, path

from rooftree.web.partners import portal_views, views

urlpatterns: list[URLPattern] = [
    path("portal/", portal_views.show_portal, name="portal"),
    path("portal/introductions/", portal_views.introduce_borrower, name="introduce"),
    path("partners/", views.list_partners, name="partners"),
    path("partners/<uuid:partner_id>/", views.show_partner, name="partner"),
    path(
        "partners/<uuid:partner_id>/password-link/", views.show_password_link, name="partner_link"
    ),
    path(
        "partners/<uuid:partner_id>/departure/", views.deactivate_partner, name="partner_departure"
    ),
    path("partners/<uuid:partner_id>/values/", views.record_value, name="partner_value"),
    path(
        "partners/values/<uuid:thing_id>/correction/", views.correct_value, name="value_correction"
    ),
    path(
        "introductions/<uuid:introduction_id>/permission/",
        views.edit_permission,
        name="introduction_permission",
    ),
]
