"""The one Django application."""

from django.apps import AppConfig


class Rooftree(AppConfig):
    """Rooms are packages inside this application; one migration history serves them all."""

    name = "rooftree"
    default_auto_field = "django.db.models.BigAutoField"
