"""The one Django app: every room's tables are its tables."""

from django.apps import AppConfig


class RooftreeConfig(AppConfig):
    """Rooftree, as Django knows it."""

    name = "rooftree"
    label = "rooftree"
    verbose_name = "Rooftree"
