"""Helpers for lead vendors: set up a source, add faults, list delivery outcomes."""

import hashlib
import json
from typing import Any

from rooftree.leads.models import Delivery, Source
from tests import make

TOKEN = "vendor-path-token-1"
ANDRE = {  # the fields of a Meta lead
    "full_name": "Andre Whitfield",
    "email": "andre@home.example",
    "phone_number": "+15125550139",
    "state": "TX",
    "which_state_is_the_property_in?": "Texas",
    "are_you_a_veteran?": "yes",
    "what_is_your_estimated_credit_score?": "good_(700-739)",
}


def create_source(
    adapter: str, secret: str = "", *, setup: dict[str, Any] | None = None, **credentials: str
) -> Source:
    """Create a source with the credentials that the vendor gave the company."""
    return make.source(
        adapter,
        name=adapter,
        slug=adapter.replace("_", "-"),
        token=TOKEN,
        token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
        secret=secret,
        setup=setup or {},
        credentials=json.dumps(credentials) if credentials else "",
    )


def add_fault(vendor: Any, action: str, **more: Any) -> None:
    """Add a fault to a vendor's simulator."""
    vendor.faults.add_fault({"action": action, **more})


def outcomes() -> list[tuple[str, str, str]]:
    """Return the state, outcome and reason of each delivery, oldest first."""
    rows = Delivery.objects.order_by("received_at", "id")
    return [(row.state, row.outcome, row.reason) for row in rows]
