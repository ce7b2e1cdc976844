"""The one Django app: every room's tables are its tables."""

import logging

from django.apps import AppConfig
from django.conf import settings

from rooftree.core.area_codes_and_zones import add_area_codes


class RooftreeConfig(AppConfig):
    """Rooftree, as Django knows it."""

    name = "rooftree"
    label = "rooftree"
    verbose_name = "Rooftree"

    def ready(self) -> None:
        """Add the installation's own area codes; a bad line is skipped."""
        for problem in add_area_codes(settings.AREA_CODES_FILE):
            logging.getLogger(__name__).warning("%s: %s", settings.AREA_CODES_FILE, problem)
