"""Verify that a request came from Twilio unchanged, by its signature.

The caller passes the public URL that Twilio called: behind a proxy it differs from the one
that the server sees.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit, urlunsplit

SIGNATURE_HEADER = "x-twilio-signature"
SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
DEFAULT_PORTS = {"https": 443, "http": 80}


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
    secret, digest = _select_secret(lower.get(SETTINGS_HEADER, ""), keys)
    signature = lower.get(SIGNATURE_HEADER, "")
    if not secret or not signature:
        return False
    pairs = list(form)
    body_hash = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256")
    if body_hash is not None:
        pairs = []
        if not hmac.compare_digest(body_hash.lower(), hashlib.sha256(raw_body).hexdigest()):
            return False
    # Compares with every variant, so that the time taken does not reveal which one matched.
    matches = [
        hmac.compare_digest(
            compute_signature(secret, variant, pairs, digest).encode(), signature.encode()
        )
        for variant in _url_variants(url)
    ]
    return any(matches)


def compute_signature(
    secret: str,
    url: str,
    form: Sequence[tuple[str, str]],
    digest: Callable[..., "hashlib._Hash"] = hashlib.sha1,
) -> str:
    """Return the HMAC over the URL and the form in base64.

    The form's keys are sorted, and each is followed by its distinct values, sorted.
    """
    values: dict[str, set[str]] = {}
    for name, value in form:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


def _select_secret(
    settings: str, keys: Mapping[str, str]
) -> tuple[str, Callable[..., "hashlib._Hash"]]:
    """Return the secret and the hash that the header names; an empty secret for an unknown key."""
    if not settings:
        return keys.get("", ""), hashlib.sha1
    options = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if options.get("algorithm", "").upper() != "HMAC_SHA256" or not options.get("key"):
        return "", hashlib.sha256
    return keys.get(options["key"], ""), hashlib.sha256


def _url_variants(url: str) -> tuple[str, ...]:
    """Return the URL with and without its port: Twilio signs some URLs with the default port."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    user = parts.netloc.rpartition("@")[0]
    prefix = f"{user}@" if user else ""
    without_port = urlunsplit(parts._replace(netloc=f"{prefix}{host}"))
    with_port = urlunsplit(parts._replace(netloc=f"{prefix}{host}:{port}"))
    return tuple(dict.fromkeys((url, without_port, with_port)))
