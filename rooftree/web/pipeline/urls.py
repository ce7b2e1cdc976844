"""URLs of the pipeline."""

from django.urls import URLPattern, path

from rooftree.web.pipeline import views

urlpatterns: list[URLPattern] = [
    path("pipeline/", views.show_pipeline, name="pipeline"),
]
