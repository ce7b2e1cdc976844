"""The X-Twilio-Signature header of everything Twilio posts to us."""

import base64
import hashlib
import hmac


def compute_signature(auth_token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """Base64 of the HMAC-SHA1 over the full URL and, sorted, each name with its value.

    Args:
        url: exactly as configured, query included.
        fields: the posted form; a name posted twice counts once per distinct value.
    """
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
