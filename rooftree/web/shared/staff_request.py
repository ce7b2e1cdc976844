"""The request that a view for signed-in people receives."""

from datetime import datetime

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from rooftree.org.models import User
from rooftree.web.shared.session_store import SessionStore


class StaffRequest(HttpRequest):
    """A request of somebody who is signed in, as `staff_view` hands it to a view."""

    user: User
    session: SessionStore
    at: datetime  # when the request arrived, UTC
    htmx: HtmxDetails
