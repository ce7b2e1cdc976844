"""A seller of leads: it pings without contact details, waits for bids, and posts to the buyer."""

import hashlib
import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.posters.networks import CONSENT_WORDING, credit_rating
from rooftree_simulators.posters.simulated_borrowers import Borrower

AUCTION_TIMEOUT_SECONDS = 5.0  # an auction waits no longer for a bid


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionResult:
    """The result of offering one lead to one buyer."""

    ping_id: str
    bid: float  # 0: no bid
    pinged: HttpAnswer
    posted: HttpAnswer | None = None  # None: the bid was too low


def ping_body(borrower: Borrower, rng: random.Random) -> dict[str, Any]:
    """Build the offer: no name, number or address; hashes of phone and email instead."""
    return {
        "ping_id": f"p-{rng.getrandbits(48):012x}",
        "vertical": "mortgage",
        "loan_purpose": "purchase" if borrower.purpose == "purchase" else "refinance",
        "state": borrower.state,
        "zip": borrower.zip,
        "loan_amount": borrower.loan,
        "property_value": borrower.price,
        "credit_rating": credit_rating(borrower.score).lower(),
        "property_type": "single family",
        "property_use": "primary",
        "sub_id": f"pub-{rng.randrange(10, 99)}",
        "exclusive": True,
        "phone_sha256": _sha256_hex(f"+1{borrower.phone}"),
        "email_sha256": _sha256_hex(borrower.email.lower()),
    }


def post_body(
    offer: dict[str, Any],
    borrower: Borrower,
    *,
    price: float,
    at: datetime,
    wording: str = CONSENT_WORDING,
) -> dict[str, Any]:
    """Build the sold lead at the price that was bid: the offer plus the contact details."""
    return {
        **offer,
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "phone": f"{borrower.phone[:3]}-{borrower.phone[3:6]}-{borrower.phone[6:]}",
        "address": borrower.street,
        "city": borrower.city,
        "tcpa": {
            "optin": True,
            "text": wording,
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ip": "198.51.100.90",
        },
        "price": price,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSeller:
    """A seller of leads to one buyer."""

    to: str  # the buyer's URL without /ping and /post
    secret: str
    floor: float = 1.0  # dollars; a lower bid loses the lead to another buyer
    wording: str = CONSENT_WORDING  # the consent wording its consumers see

    def run_auction(
        self,
        borrower: Borrower,
        rng: random.Random,
        *,
        at: datetime,
        changes: dict[str, Any] | None = None,
    ) -> AuctionResult:
        """Offer one lead, and sell it if the bid is high enough.

        Args:
            changes: fields in which the post differs from the offer, to test mismatches.
        """
        offer = ping_body(borrower, rng)
        pinged = self.send_step("ping", offer)
        try:
            bid = float(json.loads(pinged.body).get("bid") or 0)
        except (ValueError, AttributeError):
            bid = 0.0
        if bid < self.floor:
            return AuctionResult(ping_id=offer["ping_id"], bid=bid, pinged=pinged)
        content = post_body(offer, borrower, price=bid, at=at, wording=self.wording)
        posted = self.send_step("post", {**content, **(changes or {})})
        return AuctionResult(ping_id=offer["ping_id"], bid=bid, pinged=pinged, posted=posted)

    def send_step(self, step: str, content: dict[str, Any]) -> HttpAnswer:
        """Send one ping or post; wait at most AUCTION_TIMEOUT_SECONDS for the answer."""
        headers = {"Content-Type": "application/json", "X-Api-Key": self.secret}
        body = json.dumps(content, ensure_ascii=False).encode()
        return send_request(
            "POST", f"{self.to}/{step}", body, headers, timeout_s=AUCTION_TIMEOUT_SECONDS
        )


def _sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
