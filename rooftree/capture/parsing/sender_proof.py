"""Whether a post comes from whom it says, in each of the ways vendors can prove it."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery, secrets_match


class Proof(StrEnum):
    """What a sender must bring besides the address, which nobody can guess."""

    ADDRESS = "address"  # nothing more
    HEADER = "header"  # the secret in a header, or as a bearer token
    BASIC = "basic"  # the secret as the password of HTTP basic
    HMAC = "hmac"  # HMAC-SHA256 of the raw body in a header, hex or base64


PROOF_LABELS = {
    Proof.ADDRESS: "The address itself",
    Proof.HEADER: "A secret in a header",
    Proof.BASIC: "A user name and a password",
    Proof.HMAC: "A signature of the body (HMAC-SHA256)",
}
DEFAULT_HEADERS = {"header": "X-Api-Key", "hmac": "X-Signature"}
_FAILURE_REASONS = {"header": "bad_key", "hmac": "bad_signature"}
type _ProofCheck = Callable[[IncomingDelivery, Mapping[str, Any]], bool]


def proof_problem(incoming: IncomingDelivery, *, usual: Proof = Proof.ADDRESS) -> str | None:
    """It is the machine's reason to turn a post away, or None. A replay was proven on arrival.

    Args:
        usual: what is asked for where staff chose nothing.
    """
    if incoming.is_verified:
        return None
    if not incoming.path_secret_matches():
        return "bad_token"
    setup = incoming.endpoint.setup
    if not _is_allowed_network(incoming.remote_addr, setup.get("networks")):
        return "bad_origin"
    kind = str(setup.get("proof") or usual)
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


def proof_header(setup: Mapping[str, Any], *, usual: Proof = Proof.ADDRESS) -> str:
    """The header a proof is looked for in."""
    kind = str(setup.get("proof") or usual)
    return str(setup.get("header") or DEFAULT_HEADERS.get(kind, "Authorization"))


def body_hmac(incoming: IncomingDelivery, algorithm: str = "sha256") -> bytes:
    """It is the HMAC of the raw body with the endpoint's secret; without a secret nothing."""
    secret = incoming.endpoint.secret
    return hmac.new(secret.encode(), incoming.body, algorithm).digest() if secret else b""


def _is_header_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    given = (incoming.header(proof_header(setup, usual=Proof.HEADER)) or "").strip()
    if given[:7].lower() == "bearer ":
        given = given[7:].strip()
    return secrets_match(given, incoming.endpoint.secret)


def _is_basic_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    kind, _, coded = (incoming.header("authorization") or "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    wanted = str(setup.get("user") or "")
    is_user = not wanted or secrets_match(user.decode("utf-8", "replace"), wanted)
    is_word = secrets_match(password.decode("utf-8", "replace"), incoming.endpoint.secret)
    return bool(colon) and is_user and is_word


def _is_hmac_proven(incoming: IncomingDelivery, setup: Mapping[str, Any]) -> bool:
    given = (incoming.header(proof_header(setup, usual=Proof.HMAC)) or "").strip()
    secret = incoming.endpoint.secret
    if not given or not secret or not incoming.body:
        return False
    if given[:7].lower() == "sha256=":
        given = given[7:]
    ours = body_hmac(incoming)
    in_hex = secrets_match(given.lower(), ours.hex())
    return secrets_match(given, base64.b64encode(ours).decode()) or in_hex


def _is_allowed_network(address: str | None, networks: Any) -> bool:
    """Whether an address is among those allowed; none named allows all."""
    if not isinstance(networks, list) or not networks:
        return True
    try:
        caller = ipaddress.ip_address(address or "")
        return any(
            caller in ipaddress.ip_network(str(network), strict=False) for network in networks
        )
    except ValueError:
        return False
