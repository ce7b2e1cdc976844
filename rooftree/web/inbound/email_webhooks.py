"""A letter out of a mail provider's own webhook: each wraps the same raw message differently."""

import base64
import binascii
import json
from typing import Any

from django.http import HttpRequest

FORM_FIELDS = ("body-mime", "email")  # Mailgun's and SendGrid's fields for it
JSON_FIELDS = ("RawEmail", "rawEmail", "content")  # Postmark's, and what a queue's message holds


def extract_raw_email(request: HttpRequest) -> bytes:
    """The message as it was sent (RFC 5322); the body itself where a mail server hands it over."""
    kind = (request.content_type or "").lower()
    body = request.body
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        found = next((request.POST[name] for name in FORM_FIELDS if name in request.POST), "")
        return found.encode("utf-8", "surrogateescape") or body
    if body.lstrip().startswith(b"{"):  # no letter does; a queue calls it text/plain
        return _extract_from_json(body) or body
    return body


def _extract_from_json(body: bytes) -> bytes:
    try:
        told: Any = json.loads(body)
        if isinstance(told, dict) and isinstance(told.get("Message"), str):  # a queue's envelope
            told = json.loads(told["Message"])
    except (ValueError, RecursionError):
        return b""
    values = [told.get(name) for name in JSON_FIELDS] if isinstance(told, dict) else []
    text = next((value for value in values if isinstance(value, str) and value), "")
    raw = text.encode("utf-8", "replace")
    if b":" in raw[:200]:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return raw
