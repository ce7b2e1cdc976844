"""Twilio's signature: did this request come from Twilio, unchanged?

The caller gives the public address the vendor called: behind a proxy that is
not the one the server sees.
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
    """The request was signed by Twilio for us.

    Args:
        url: the public address with its query, as Twilio called it.
        form: the pairs of a form body; empty for JSON.
        keys: secrets by name. "" is the account's auth token, which signs with
            SHA-1; the others are shared keys, which sign with SHA-256 and are
            named by the settings header.
        raw_body: of a JSON request, whose hash is in the query.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    secret, digest = _select_secret(lower.get(SETTINGS_HEADER, ""), keys)
    given = lower.get(SIGNATURE_HEADER, "")
    if not secret or not given:
        return False
    pairs = list(form)
    told = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256")
    if told is not None:
        pairs = []
        if not hmac.compare_digest(told.lower(), hashlib.sha256(raw_body).hexdigest()):
            return False
    fits = [
        hmac.compare_digest(
            compute_signature(secret, form_url, pairs, digest).encode(), given.encode()
        )
        for form_url in _url_variants(url)
    ]
    return any(fits)


def compute_signature(
    secret: str,
    url: str,
    form: Sequence[tuple[str, str]],
    digest: Callable[..., "hashlib._Hash"] = hashlib.sha1,
) -> str:
    """Base64 of the HMAC over the address and the form: keys in order, each with its
    different values in order."""
    values: dict[str, set[str]] = {}
    for name, value in form:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


def _select_secret(
    settings: str, keys: Mapping[str, str]
) -> tuple[str, Callable[..., "hashlib._Hash"]]:
    """The secret and the hash that the headers name; no secret when they name none of ours."""
    if not settings:
        return keys.get("", ""), hashlib.sha1
    told = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if told.get("algorithm", "").upper() != "HMAC_SHA256" or not told.get("key"):
        return "", hashlib.sha256
    return keys.get(told["key"], ""), hashlib.sha256


def _url_variants(url: str) -> tuple[str, ...]:
    """Twilio signs some addresses with their usual port and some without."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    user = parts.netloc.rpartition("@")[0]
    before = f"{user}@" if user else ""
    bare = urlunsplit(parts._replace(netloc=f"{before}{host}"))
    ported = urlunsplit(parts._replace(netloc=f"{before}{host}:{port}"))
    return tuple(dict.fromkeys((url, bare, ported)))
