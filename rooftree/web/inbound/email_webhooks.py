"""Raw email from a mail provider's webhook; each provider wraps the message differently."""

import base64
import binascii
import json
from typing import Any

from django.http import HttpRequest

FORM_FIELDS = ("body-mime", "email")  # Mailgun, SendGrid
JSON_FIELDS = ("RawEmail", "rawEmail", "content")  # Postmark, and messages of a queue


def extract_raw_email(request: HttpRequest) -> bytes:
    """Return the raw message (RFC 5322); a mail server posts it as the plain body."""
    kind = (request.content_type or "").lower()
    body = request.body
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        text = next((request.POST[name] for name in FORM_FIELDS if name in request.POST), "")
        return text.encode("utf-8", "surrogateescape") or body
    if body.lstrip().startswith(b"{"):  # JSON, which a queue can label text/plain
        return _extract_from_json(body) or body
    return body


def _extract_from_json(body: bytes) -> bytes:
    try:
        data: Any = json.loads(body)
        if isinstance(data, dict) and isinstance(data.get("Message"), str):  # a queue's envelope
            data = json.loads(data["Message"])
    except (ValueError, RecursionError):
        return b""
    values = [data.get(name) for name in JSON_FIELDS] if isinstance(data, dict) else []
    text = next((value for value in values if isinstance(value, str) and value), "")
    raw = text.encode("utf-8", "replace")
    if b":" in raw[:200]:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return raw
