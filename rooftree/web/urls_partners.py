"""The addresses of partners: what they see, and what staff see of them."""

from django.urls import path

from rooftree.web.views import partners, portal

urlpatterns = [
    path("portal/", portal.index, name="portal"),
    path("portal/introductions/", portal.introduce, name="introduce"),
    path("partners/", partners.everyone, name="partners"),
    path("partners/<uuid:partner_id>/", partners.one, name="partner"),
    path("partners/<uuid:partner_id>/password-link/", partners.password_link, name="partner_link"),
    path("partners/<uuid:partner_id>/departure/", partners.departure, name="partner_departure"),
    path("partners/<uuid:partner_id>/values/", partners.value, name="partner_value"),
    path(
        "partners/values/<uuid:thing_id>/correction/", partners.correction, name="value_correction"
    ),
    path(
        "introductions/<uuid:introduction_id>/permission/",
        partners.permission,
        name="introduction_permission",
    ),
]
