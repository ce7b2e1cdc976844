"""URLs of rates."""

from django.urls import URLPattern, path

from rooftree.web.rates import views

urlpatterns: list[URLPattern] = [
    path("rates/", views.show_rates, name="rates"),
]
