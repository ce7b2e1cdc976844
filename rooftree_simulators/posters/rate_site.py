"""A small site about rates that sells a few leads and uses its own field names."""

import json
import random
from datetime import UTC, datetime

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.networks import credit_rating
from rooftree_simulators.posters.simulated_borrowers import Borrower


def reader_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the POST for one reader."""
    number = f"reader-{rng.randrange(10**7):07d}"
    content = {
        "entry": number,
        "when": at.astimezone(UTC).isoformat(timespec="seconds"),
        "reader": {
            "given": borrower.first_name,
            "family": borrower.last_name,
            "mail": borrower.email,
            "cell": f"({borrower.phone[:3]}) {borrower.phone[3:6]}-{borrower.phone[6:]}",
        },
        "wants": "buy" if borrower.purpose == "purchase" else "lower my rate",
        "home": {"st": borrower.state, "zip5": borrower.zip, "worth": borrower.price},
        "borrow": borrower.loan,
        "credit": credit_rating(borrower.score).lower(),
        "remark": rng.choice(["Saw your rate table", "Please call after work", ""]),
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    return Delivery(vendor_id=number, body=body, headers={"Content-Type": "application/json"})
