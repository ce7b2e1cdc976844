"""A real estate agent's referral of a client, as a partner's own program posts it."""

import json
import random
from datetime import UTC, datetime

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower


def referral_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the POST for one referral."""
    number = f"RF-{rng.randrange(10**6)}"
    content = {
        "referral_id": number,
        "partner": {
            "name": "Priya Natarajan",
            "email": "priya@summitrealty.example",
            "phone": "720-555-0177",
            "company": "Summit Realty",
            "license_no": "CO-FA100077",
            "partner_id": "PT-19",
        },
        "client": {
            "first_name": borrower.first_name,
            "last_name": borrower.last_name,
            "phone": borrower.phone,
            "email": borrower.email,
        },
        "purpose": "purchase" if borrower.purpose == "purchase" else "refinance",
        "price": borrower.price,
        "property_state": borrower.state,
        "client_agreed_to_contact": True,
        "agreed_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "note": "They are looking this weekend",
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    return Delivery(vendor_id=number, body=body, headers={"Content-Type": "application/json"})
