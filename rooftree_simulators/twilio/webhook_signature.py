"""The X-Twilio-Signature header of every request from Twilio."""

import base64
import hashlib
import hmac


def compute_signature(auth_token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """Compute base64 of the HMAC-SHA1 over the full URL and the sorted names with values.

    Args:
        url: exactly as configured, query included.
        fields: the posted form; a repeated name counts once per distinct value.
    """
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
