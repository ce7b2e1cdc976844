"""Encompass webhooks: verify the signature and read the loan hint."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rooftree.los.loan_snapshot import LoanHint


def verify_webhook(headers: Mapping[str, str], raw_body: bytes, keys: Sequence[str]) -> bool:
    """Return True if the body was signed with one of `keys`.

    `keys` has the current key and, while it is being replaced, the previous one. Takes the
    same time whichever key matches. Header names are case-insensitive.
    """
    signature = next(
        (value for name, value in headers.items() if name.lower() == "elli-signature"), ""
    )
    matches = [
        hmac.compare_digest(compute_signature(raw_body, key).encode(), signature.encode())
        for key in keys
    ]
    return any(matches)


def compute_signature(raw_body: bytes, key: str) -> str:
    """Return the base64 HMAC-SHA256 of the raw bytes."""
    return base64.b64encode(hmac.new(key.encode(), raw_body, hashlib.sha256).digest()).decode()


def parse_webhook(raw_body: bytes) -> LoanHint | None:
    """Parse the hint of a verified body; return None if it is not a readable loan event."""
    try:
        payload = json.loads(raw_body)
    except ValueError:
        return None
    meta = payload.get("meta") if isinstance(payload, dict) else None
    if not isinstance(meta, dict):
        return None
    event_id, loan_id = (
        _text_or_empty(payload.get("eventId")),
        _text_or_empty(meta.get("resourceId")),
    )
    if not event_id or not loan_id or _text_or_empty(meta.get("resourceType")).lower() != "loan":
        return None
    return LoanHint(
        event_id=event_id,
        event_type=_text_or_empty(payload.get("eventType")),
        loan_id=loan_id,
        instance=_text_or_empty(meta.get("instanceId")),
        happened_at=_parse_aware(payload.get("eventTime")),
    )


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parse_aware(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text_or_empty(value))
    except ValueError:
        return None
    return at if at.tzinfo else None
