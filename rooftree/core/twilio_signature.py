"""Verify that a request came from Twilio unchanged, by its signature.

The caller passes the public URL that Twilio called: behind a proxy it differs from the one
that the server sees.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
)

SETTINGS_HEADER = SIGNATURE_SETTINGS_HEADER.lower()


class _FormValues(dict[str, list[str]]):
    """A form by field name, in the shape that the validator reads."""

    def getlist(self, name: str) -> list[str]:
        """Return all values of a field."""
        return self[name]


def is_signed_by_twilio(
    headers: Mapping[str, str],
    url: str,
    form: Iterable[tuple[str, str]],
    keys: Mapping[str, str],
    *,
    raw_body: bytes = b"",
) -> bool:
    """Return True if Twilio signed the request with one of our keys.

    Args:
        url: the public URL with its query, as Twilio called it.
        form: the pairs of a form body; empty for JSON.
        keys: secrets by name. "" is the account's auth token, which signs with
            SHA-1; the others are shared keys, which sign with SHA-256; the
            settings header says which one.
        raw_body: the body of a JSON request, whose hash is in the query.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    secret, algorithm = _select_secret(lower.get(SETTINGS_HEADER, ""), keys)
    signature = lower.get(SIGNATURE_HEADER.lower(), "")
    if not secret or not signature:
        return False
    signed_content: str | _FormValues
    if "bodySHA256" in parse_qs(urlsplit(url).query):
        signed_content = raw_body.decode(errors="replace")
    else:
        signed_content = _FormValues()
        for name, value in form:
            signed_content.setdefault(name, []).append(value)
    return bool(RequestValidator(secret).validate(url, signed_content, signature, algorithm))


def _select_secret(settings: str, keys: Mapping[str, str]) -> tuple[str, str]:
    """Return the secret and algorithm that the header names; an empty secret for another key."""
    if not settings:
        return keys.get("", ""), HMAC_SHA1
    options = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if options.get("algorithm", "").upper() != HMAC_SHA256 or not options.get("key"):
        return "", HMAC_SHA256
    return keys.get(options["key"], ""), HMAC_SHA256
