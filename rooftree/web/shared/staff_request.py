"""The type of request that a signed-in view receives."""

from datetime import datetime

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from rooftree.org.models import User
from rooftree.web.shared.session_store import SessionStore


class StaffRequest(HttpRequest):
    """A signed-in user's request, as `staff_view` passes it to a view."""

    user: User
    session: SessionStore
    at: datetime  # when the request arrived, UTC
    htmx: HtmxDetails
