"""The beginning every signed JSON notification shares: whose it is, how large, and whether JSON."""

import hashlib
import hmac

from rooftree.capture.envelope import Envelope, Incoming, Outcome, json_answer, refused, same_secret
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, charset, json_object


def opened(incoming: Incoming, notes: Notes, *, is_authentic: bool) -> Fields | Envelope:
    """It is the object that was sent, or the refusal."""
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large"))
    if not (is_authentic or incoming.is_verified):
        answer = json_answer(401, error="unauthorized")
        return refused(Outcome.REJECTED_AUTH, "bad_signature", answer)
    told = charset(incoming.header("content-type"))
    try:
        found = Fields(json_object(incoming.masked.body, notes, told=told))
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    notes.warn_of(incoming.masked.found)
    return found


def signed(incoming: Incoming, given: str | None, *, over: bytes | None = None) -> bool:
    """Whether `given` is the hex HMAC-SHA256 of the raw body, or of `over`."""
    secret = incoming.endpoint.secret
    if not given or not secret:
        return False
    ours = hex_hmac(secret, incoming.body if over is None else over)
    return same_secret(given.strip().lower(), ours)


def hex_hmac(secret: str, text: bytes) -> str:
    """The HMAC-SHA256 of some bytes, in lower-case hex."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
