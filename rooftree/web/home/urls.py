"""URLs of Home and the records behind its figures."""

from django.urls import URLPattern, path

from rooftree.web.home import views

urlpatterns: list[URLPattern] = [
    path("home/", views.show_home, name="home"),
    path("home/records/<slug:number>/", views.list_records, name="records"),
]
