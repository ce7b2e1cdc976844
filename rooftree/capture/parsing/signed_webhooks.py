"""The beginning every signed JSON notification shares: whose it is, how large, and whether JSON."""

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
    """It is the object that was sent, or the refusal."""
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    if not (is_authentic or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_signature", answer)
    told = content_charset(incoming.header("content-type"))
    try:
        found = Fields(parse_json_object(incoming.masked.body, notes, told=told))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.found)
    return found


def signature_matches(
    incoming: IncomingDelivery, given: str | None, *, over: bytes | None = None
) -> bool:
    """Whether `given` is the hex HMAC-SHA256 of the raw body, or of `over`."""
    secret = incoming.endpoint.secret
    if not given or not secret:
        return False
    ours = hmac_hex(secret, incoming.body if over is None else over)
    return secrets_match(given.strip().lower(), ours)


def hmac_hex(secret: str, text: bytes) -> str:
    """The HMAC-SHA256 of some bytes, in lower-case hex."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
