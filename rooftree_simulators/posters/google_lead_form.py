"""Google Ads lead forms: one lead per POST, with the advertiser's key in the body."""

import json
import random
from datetime import UTC, datetime
from typing import Any

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

WEBHOOK_KEY = "gads-webhook-key"


def lead_object(
    borrower: Borrower, rng: random.Random, *, at: datetime, secret: str = WEBHOOK_KEY
) -> dict[str, Any]:
    """Build the object that Google posts for one lead."""
    columns = [
        ("FIRST_NAME", "First Name", borrower.first_name),
        ("LAST_NAME", "Last Name", borrower.last_name),
        ("EMAIL", "User Email", borrower.email),
        ("PHONE_NUMBER", "User Phone", borrower.phone),
        ("POSTAL_CODE", "Postal Code", borrower.zip),
        ("REGION", "State", borrower.state),
        (
            "are_you_buying_or_refinancing?",
            "Are you buying or refinancing?",
            "Buying" if borrower.purpose == "purchase" else "Refinancing",
        ),
    ]
    return {
        "lead_id": "gl-" + "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=24)),
        "api_version": "1.0",
        "form_id": 40120093321,
        "campaign_id": 21877001234,
        "adgroup_id": 156001112223,
        "creative_id": 690011122233,
        "asset_group_id": 0,
        "gcl_id": "CjwKCAiA_" + "".join(rng.choices("abcdefghij0123456789", k=20)),
        "google_key": secret,
        "is_test": False,
        "lead_submit_time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lead_source": "LEAD_FORM",
        "lead_stage": "OPEN",
        "user_column_data": [
            {"column_id": name, "column_name": label, "string_value": value}
            for name, label, value in columns
        ],
    }


def lead_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, secret: str = WEBHOOK_KEY
) -> Delivery:
    """Build the POST for one lead."""
    content = lead_object(borrower, rng, at=at, secret=secret)
    return Delivery(
        vendor_id=content["lead_id"],
        body=json.dumps(content, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
    )
