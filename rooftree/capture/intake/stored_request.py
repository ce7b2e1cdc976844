"""Prepare a request for storage: without credentials, masked, and with the sender's proof."""

from collections.abc import Mapping

from rooftree.capture.parsing.envelope import Adapter, IncomingDelivery
from rooftree.core.masking import mask_numbers
from rooftree.leads.models import Source

PROOF_DESCRIPTIONS = {
    "header": "secret in a header",
    "basic": "user name and password",
    "hmac": "signature of the body",
}
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


def storable_path(path: str, source: Source) -> str:
    """Return the path without credentials, cut to the column's length."""
    return _drop_unstorable(_without_token(path, source))[:300]


def storable_pairs(pairs: Mapping[str, str], source: Source) -> dict[str, str]:
    """Return headers or a query without credentials, with sensitive numbers masked."""
    stored = {}
    for raw_name, raw_value in pairs.items():
        if raw_name.lower() in PRIVATE_HEADERS:
            continue
        name, value = _drop_unstorable(raw_name), _drop_unstorable(raw_value)
        # The name in front tells the masking which kind of number the value is.
        labeled = mask_numbers(f"{name}={value}".encode()).body.decode(errors="replace")
        stored[name[:200]] = _without_token(labeled[len(name) + 1 :], source)[:500]
    return stored


def storable_body(incoming: IncomingDelivery, source: Source) -> bytes:
    """Return the masked body without the source's secret.

    Some vendors prove their identity with a secret in the body; it is checked, not stored.
    """
    body = incoming.masked.body
    return body.replace(source.secret.encode(), b"<secret>") if source.secret else body


def describe_verification(incoming: IncomingDelivery, source: Source, adapter: Adapter) -> str:
    """Return how the sender proved its identity, in words for staff."""
    if incoming.is_verified:
        return "the vendor's own list"
    if source.secret and hasattr(adapter, "CREDENTIALS"):
        return "signature or key"
    if incoming.header("x-rooftree-signature"):
        return "signature"
    default_proof = getattr(adapter, "PROOF", "")
    if proof := PROOF_DESCRIPTIONS.get(source.setup.get("proof") or default_proof):
        return proof
    return "path token" if source.token else "allowed origin"


def _without_token(text: str, source: Source) -> str:
    for secret, name in ((source.token, "<token>"), (source.secret, "<secret>")):
        text = text.replace(secret, name) if secret else text
    return text


def _drop_unstorable(text: str) -> str:
    """Remove characters PostgreSQL cannot store, so that no authentic delivery fails on them."""
    return text.replace("\0", "").encode(errors="replace").decode()
