"""A generic chat vendor: a finished conversation, as JSON or as a transcript, signed."""

import hashlib
import hmac
import json
import random
from datetime import UTC, datetime, timedelta

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

SIGNING_SECRET = "chat-secret"  # noqa: S105


def _signed_delivery(number: str, body: bytes, kind: str, secret: str) -> Delivery:
    mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Signature": f"sha256={mark}"}
    return Delivery(vendor_id=number, body=body, headers=headers)


def conversation_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, secret: str = SIGNING_SECRET
) -> Delivery:
    """Build the POST for one conversation, with the answers to its own form."""
    number = f"cv-{rng.randrange(10**8)}"
    began = at.astimezone(UTC) - timedelta(minutes=4)
    buying = borrower.purpose == "purchase"
    lines = [
        ("bot", "Hi! Are you buying or refinancing?"),
        ("visitor", "Buying" if buying else "Refinancing"),
        ("bot", "How can we reach you?"),
        ("visitor", f"{borrower.first_name}, {borrower.email}"),
    ]
    content = {
        "conversation_id": number,
        "visitor": {
            "name": f"{borrower.first_name} {borrower.last_name}",
            "email": borrower.email,
            "phone": borrower.phone,
        },
        "page": "https://www.lindenfield.example/rates",
        "started_at": began.isoformat(timespec="seconds"),
        "ended_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "messages": [
            {"at": (began + timedelta(seconds=20 * nth)).isoformat(), "from": author, "text": text}
            for nth, (author, text) in enumerate(lines)
        ],
        "fields": {
            "loan_purpose": "purchase" if buying else "refinance",
            "property_state": borrower.state,
        },
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    return _signed_delivery(number, body, "application/json", secret)


def transcript_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, secret: str = SIGNING_SECRET
) -> Delivery:
    """Build the POST of bare transcript lines, which contain the contact details."""
    clock = at.strftime("%Y-%m-%d %H:%M:%S")
    number = f"({borrower.phone[:3]}) {borrower.phone[3:6]}-{borrower.phone[6:]}"
    lines = [
        f"[{clock}] Visitor: Hi, my name is {borrower.first_name} {borrower.last_name}",
        f"[{clock}] Agent Mia: Thank you! Your e-mail and phone?",
        f"[{clock}] Visitor: {borrower.email}, {number}",
    ]
    body = "\n".join(lines).encode()
    return _signed_delivery(
        f"text-{rng.randrange(10**8)}", body, "text/plain; charset=utf-8", secret
    )
