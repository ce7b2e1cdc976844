"""TikTok lead generation: answers inline; the signature covers the escaped text of the body."""

import hashlib
import hmac
import json
import random
from datetime import datetime
from typing import Any

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

APP_SECRET = "tiktok-app-secret"  # noqa: S105


def lead_entry(borrower: Borrower, rng: random.Random, *, at: datetime) -> dict[str, Any]:
    """Build one lead of a post."""
    buying = borrower.purpose == "purchase"
    answers = {
        "name": f"{borrower.first_name} {borrower.last_name}",
        "email": borrower.email,
        "phone_number": f"1{borrower.phone}",
        "zip_code": borrower.zip,
        "state": borrower.state,
        "Are you buying or refinancing?": "Buying" if buying else "Refinancing",
    }
    return {
        "id": rng.randrange(7_000_000_000_000_000_000, 7_999_999_999_999_999_999),
        "page_id": 1700000000000001,
        "advertiser_id": 6900000000000001,
        "campaign_id": 1234567890123456789,
        "campaign_name": "First-time buyers – été",
        "adgroup_id": 5678,
        "ad_id": 9012,
        "create_time": int(at.timestamp()) - 10,
        "lead_source": "INSTANT_FORM",
        "changes": [{"field": name, "value": value} for name, value in answers.items()],
    }


def lead_delivery(
    borrower: Borrower,
    rng: random.Random,
    *further_borrowers: Borrower,
    at: datetime,
    secret: str = APP_SECRET,
) -> Delivery:
    """Build the POST for one or more leads in UTF-8; the signature covers the escaped text."""
    entries = [
        lead_entry(lead_borrower, rng, at=at) for lead_borrower in (borrower, *further_borrowers)
    ]
    content = {"object": 1, "time": int(at.timestamp()), "entry": entries}
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    escaped = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    mark = hmac.new(secret.encode(), escaped.encode(), hashlib.sha256).hexdigest()
    return Delivery(
        vendor_id=",".join(str(entry["id"]) for entry in entries),
        body=body.encode(),
        headers={"Content-Type": "application/json", "X-Open-Signature": mark},
    )
