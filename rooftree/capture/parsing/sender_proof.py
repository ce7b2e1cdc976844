"""Checks that a post comes from its source: address token, header, basic auth or HMAC."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery, secrets_match


class Proof(StrEnum):
    """What a sender must prove in addition to the secret address."""

    ADDRESS = "address"  # nothing more
    HEADER = "header"  # the secret in a header, or as a bearer token
    BASIC = "basic"  # the secret as the password of HTTP basic auth
    HMAC = "hmac"  # HMAC-SHA256 of the raw body in a header, hex or base64


PROOF_LABELS = {
    Proof.ADDRESS: "Secret address only",
    Proof.HEADER: "Secret in a header",
    Proof.BASIC: "Username and password",
    Proof.HMAC: "Body signature (HMAC-SHA256)",
}
DEFAULT_HEADERS = {"header": "X-Api-Key", "hmac": "X-Signature"}
_FAILURE_REASONS = {"header": "bad_key", "hmac": "bad_signature"}
type _ProofCheck = Callable[[IncomingDelivery, Mapping[str, Any]], bool]


def proof_problem(
    incoming: IncomingDelivery, *, default_proof: Proof = Proof.ADDRESS
) -> str | None:
    """Return the reason code to reject a post, or None. A replay was proven on arrival.

    Args:
        usual: the proof required where staff chose none.
    """
    if incoming.is_verified:
        return None
    if not incoming.path_secret_matches():
        return "bad_token"
    setup = incoming.endpoint.setup
    if not _is_allowed_network(incoming.remote_addr, setup.get("networks")):
        return "bad_origin"
    kind = str(setup.get("proof") or default_proof)
    if kind == Proof.ADDRESS:
        return None
    checks: dict[str, _ProofCheck] = {
        "header": _is_header_proven,
        "basic": _is_basic_proven,
        "hmac": _is_hmac_proven,
    }
    check = checks.get(kind)
    is_proven = check is not None and check(incoming, setup)
    return None if is_proven else _FAILURE_REASONS.get(kind, "bad_secret")


def proof_header(setup: Mapping[str, Any], *, default_proof: Proof = Proof.ADDRESS) -> str:
    """Return the header that carries the proof."""
    kind = str(setup.get("proof") or default_proof)
    return str(setup.get("header") or DEFAULT_HEADERS.get(kind, "Authorization"))


def body_hmac(incoming: IncomingDelivery, algorithm: str = "sha256") -> bytes:
    """Return the HMAC of the raw body with the endpoint's secret; b"" without a secret."""
    secret = incoming.endpoint.secret
    return hmac.new(secret.encode(), incoming.body, algorithm).digest() if secret else b""


def _is_header_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    header_value = (incoming.header(proof_header(setup, default_proof=Proof.HEADER)) or "").strip()
    if header_value[:7].lower() == "bearer ":
        header_value = header_value[7:].strip()
    return secrets_match(header_value, incoming.endpoint.secret)


def _is_basic_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    scheme, _, encoded = (incoming.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    expected_user = str(setup.get("user") or "")
    is_user = not expected_user or secrets_match(user.decode("utf-8", "replace"), expected_user)
    is_password = secrets_match(password.decode("utf-8", "replace"), incoming.endpoint.secret)
    return bool(colon) and is_user and is_password


def _is_hmac_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    header_value = (incoming.header(proof_header(setup, default_proof=Proof.HMAC)) or "").strip()
    secret = incoming.endpoint.secret
    if not header_value or not secret or not incoming.body:
        return False
    if header_value[:7].lower() == "sha256=":
        header_value = header_value[7:]
    digest = body_hmac(incoming)
    in_hex = secrets_match(header_value.lower(), digest.hex())
    return secrets_match(header_value, base64.b64encode(digest).decode()) or in_hex


def _is_allowed_network(address: str | None, networks: Any) -> bool:
    """Tell whether an IP address is in an allowed network; an empty list allows all."""
    if not isinstance(networks, list) or not networks:
        return True
    try:
        caller = ipaddress.ip_address(address or "")
        return any(
            caller in ipaddress.ip_network(str(network), strict=False) for network in networks
        )
    except ValueError:
        return False
