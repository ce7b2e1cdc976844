"""The lender's own web form: JSON from a browser, or signed by the lender's server."""

import hashlib
import hmac
import json
import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

ORIGIN = "https://www.harborlight.example"
_CONSENT_WORDING = (
    "By ticking this box I agree that Harbor Light Lending may call and text me at the number "
    "above about mortgage offers, including with automated technology and recorded voices. "
    "My agreement is not a condition of any purchase. Message and data rates may apply."
)
_CONSENT_WORDING_ES = (
    "Al marcar esta casilla acepto que Harbor Light Lending me llame y me envíe mensajes de texto "
    "al número indicado sobre ofertas hipotecarias, incluso con tecnología automatizada y voces "
    "grabadas. Mi acuerdo no es condición de compra alguna. Pueden aplicar cargos de mensajes."
)
_CREDIT_BANDS = [(740, "excellent"), (680, "good"), (620, "fair")]
_TIMELINES = [(30, "0-30 days"), (60, "31-60 days"), (90, "61-90 days"), (180, "3-6 months")]


def form_submission(
    borrower: Borrower, rng: random.Random, *, at: datetime, consents: bool | None = None
) -> dict[str, Any]:
    """Build the form's content. `consents` None lets about three in four tick the box."""
    checked = rng.random() < 0.75 if consents is None else consents
    opened = at - timedelta(seconds=rng.randrange(20, 300))
    spanish = borrower.language == "es"
    area, exchange, line = borrower.phone[:3], borrower.phone[3:6], borrower.phone[6:]
    content: dict[str, Any] = {
        "submission_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "form": f"{'purchase' if borrower.purpose == 'purchase' else 'refinance'}-short-v4",
        "rendered_at": _format_time(opened),
        "submitted_at": _format_time(at),
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "phone": f"({area}) {exchange}-{line}",
        "loan_purpose": "purchase" if borrower.purpose == "purchase" else "refinance",
        "property_state": borrower.state,
        "property_zip": borrower.zip,
        "property_value": str(borrower.price),
        "credit": next((name for low, name in _CREDIT_BANDS if borrower.score >= low), "poor"),
        "language": borrower.language,
        "timeline": next(name for days, name in _TIMELINES if borrower.days <= days),
        "working_with_agent": "yes" if borrower.agent else "no",
        "hp_company": "",
        "consent": {
            "checked": checked,
            "text": _CONSENT_WORDING_ES if spanish else _CONSENT_WORDING,
            "version": "tcpa-2026-09-es" if spanish else "tcpa-2026-09",
        },
        "utm": {"source": "google", "medium": "cpc", "campaign": f"{borrower.state.lower()}-brand"},
        "landing_page": f"{ORIGIN}/rates?utm_source=google",
        "referrer": "https://www.google.com/",
    }
    if borrower.purpose == "purchase":
        content["down_payment"] = f"{round(borrower.down_payment * 100 / borrower.price)}%"
    return content


def _format_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def browser_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, consents: bool | None = None
) -> Delivery:
    """Build the POST that a visitor's browser makes, with its Origin."""
    content = form_submission(borrower, rng, at=at, consents=consents)
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    return Delivery(vendor_id=content["submission_id"], body=body, headers=headers)


def signed_delivery(delivery: Delivery, secret: str, *, at: datetime) -> Delivery:
    """Build the same POST as the lender's server makes it: no Origin, signed raw body.

    The timestamp is in whole Unix seconds and is not covered by the signature.
    """
    digest = hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Rooftree-Signature": f"sha256={digest}",
        "X-Rooftree-Timestamp": str(int(at.timestamp())),
    }
    return replace(delivery, headers=headers)
