"""CallRail's Post-Call webhook: one JSON object per call, signed in base64, never retried."""

import base64
import hashlib
import hmac
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

SIGNING_KEY = "callrail-signing-key"


def call_object(
    borrower: Borrower, rng: random.Random, *, at: datetime, answered: bool = True
) -> dict[str, Any]:
    """Build the object that CallRail has for a finished call."""
    seconds = rng.randrange(20, 900) if answered else 0
    number = "CAL" + "".join(rng.choices("0123456789abcdef", k=16))
    return {
        "resource_id": number,
        "answered": answered,
        "business_phone_number": "+18135550100",
        "call_type": "first_call" if answered else "missed",
        "company_id": "COM1",
        "company_name": "Lindenfield",
        "customer_city": borrower.city,
        "customer_country": "US",
        "customer_name": f"{borrower.last_name} {borrower.first_name}".upper()[:15],
        "customer_phone_number": f"+1{borrower.phone}",
        "customer_state": borrower.state,
        "direction": "inbound",
        "duration": seconds,
        "start_time": (at - timedelta(seconds=seconds))
        .astimezone(UTC)
        .isoformat(timespec="milliseconds"),
        "tracking_phone_number": "+18135550199",
        "voicemail": False,
        "source": "google_paid",
        "source_name": "Google Ads pool",
        "medium": "PPC",
        "campaign": "Refinance search",
        "gclid": "Cj0" + "".join(rng.choices("abcdefghij0123456789", k=12)),
        "utm_source": "google",
        "utm_medium": "cpc",
        "landing_page_url": "https://www.lindenfield.example/refi",
        "recording_player": f"https://app.callrail.com/calls/{number}/recording",
        "lead_status": None,
        "value": None,
        "tags": [],
        "note": None,
        "transcription": None,
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def modified_call(call: dict[str, Any], *, at: datetime, **changes: Any) -> dict[str, Any]:
    """Build the object of a call after a user or its transcript changed it."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**call, **changes, "changes": [*changes], "timestamp": stamp}


def call_event_delivery(call: dict[str, Any], signing_key: str = SIGNING_KEY) -> Delivery:
    """Build the POST of one event."""
    body = json.dumps(call, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "Signature": compute_signature(body, signing_key),
    }
    return Delivery(vendor_id=call["resource_id"], body=body, headers=headers)


def compute_signature(body: bytes, signing_key: str) -> str:
    """Compute the value of the Signature header."""
    return base64.b64encode(hmac.new(signing_key.encode(), body, hashlib.sha1).digest()).decode()


def call_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, secret: str = SIGNING_KEY
) -> Delivery:
    """Build the POST for one call."""
    return call_event_delivery(
        call_object(borrower, rng, at=at, answered=rng.random() < 0.7), secret
    )
