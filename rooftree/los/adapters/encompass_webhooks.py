"""Encompass webhooks: is it theirs, and which loan is it about."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rooftree.los.loan_snapshot import LoanHint


def verify_webhook(headers: Mapping[str, str], raw_body: bytes, keys: Sequence[str]) -> bool:
    """The body was signed with one of `keys`: the present one and, while it is being
    replaced, the one before.

    Takes the same time whichever key fits. Header names are read without case.
    """
    given = next((value for name, value in headers.items() if name.lower() == "elli-signature"), "")
    fits = [
        hmac.compare_digest(compute_signature(raw_body, key).encode(), given.encode())
        for key in keys
    ]
    return any(fits)


def compute_signature(raw_body: bytes, key: str) -> str:
    """Base64 of HMAC-SHA256 over the bytes as they came."""
    return base64.b64encode(hmac.new(key.encode(), raw_body, hashlib.sha256).digest()).decode()


def parse_webhook(raw_body: bytes) -> LoanHint | None:
    """The hint in a verified body; None when it is not a loan event we can read."""
    try:
        told = json.loads(raw_body)
    except ValueError:
        return None
    meta = told.get("meta") if isinstance(told, dict) else None
    if not isinstance(meta, dict):
        return None
    event_id, loan_id = _text_or_empty(told.get("eventId")), _text_or_empty(meta.get("resourceId"))
    if not event_id or not loan_id or _text_or_empty(meta.get("resourceType")).lower() != "loan":
        return None
    return LoanHint(
        event_id=event_id,
        event_type=_text_or_empty(told.get("eventType")),
        loan_id=loan_id,
        instance=_text_or_empty(meta.get("instanceId")),
        happened_at=_parse_aware(told.get("eventTime")),
    )


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parse_aware(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text_or_empty(value))
    except ValueError:
        return None
    return at if at.tzinfo else None
