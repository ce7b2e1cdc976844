"""Vendors that send us leads, as they were set up, and what became of what they sent."""

import hashlib
import json
from typing import Any

from rooftree.leads.models import Delivery, Source
from tests import make

TOKEN = "vendor-path-token-1"
ANDRE = {  # what a lead of Meta's says
    "full_name": "Andre Whitfield",
    "email": "andre@home.example",
    "phone_number": "+15125550139",
    "state": "TX",
    "which_state_is_the_property_in?": "Texas",
    "are_you_a_veteran?": "yes",
    "what_is_your_estimated_credit_score?": "good_(700-739)",
}


def source(
    adapter: str, secret: str = "", *, setup: dict[str, Any] | None = None, **credentials: str
) -> Source:
    """One source at one vendor, with what the vendor gave the company."""
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


def strike(vendor: Any, action: str, **more: Any) -> None:
    """The vendor has a bad day."""
    vendor.faults.add_fault({"action": action, **more})


def outcomes() -> list[tuple[str, str, str]]:
    """What became of each delivery: its state, outcome and reason, the oldest first."""
    rows = Delivery.objects.order_by("received_at", "id")
    return [(row.state, row.outcome, row.reason) for row in rows]
