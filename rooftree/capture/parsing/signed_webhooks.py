"""Shared checks for signed JSON webhooks: size, signature, valid JSON."""

import hashlib
import hmac

from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
    secrets_match,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, content_charset, parse_json_object


def open_webhook(
    incoming: IncomingDelivery, notes: ReadingNotes, *, is_authentic: bool
) -> Fields | Envelope:
    """Return the payload, or the rejection envelope."""
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    if not (is_authentic or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_signature", answer)
    charset = content_charset(incoming.header("content-type"))
    try:
        payload = Fields(parse_json_object(incoming.masked.body, notes, declared_charset=charset))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    return payload


def signature_matches(
    incoming: IncomingDelivery, signature: str | None, *, over: bytes | None = None
) -> bool:
    """Tell whether `signature` is the hex HMAC-SHA256 of the raw body, or of `over`."""
    secret = incoming.endpoint.secret
    if not signature or not secret:
        return False
    expected = hmac_hex(secret, incoming.body if over is None else over)
    return secrets_match(signature.strip().lower(), expected)


def hmac_hex(secret: str, text: bytes) -> str:
    """Return the HMAC-SHA256 of some bytes, in lower-case hex."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
