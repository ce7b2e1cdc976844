"""From what a delivery carried to what it proves: the consent the gate reads.

A vendor's flag proves nothing. Three things do: the delivery, the certificate
once claimed, and the reviewed terms of the source. A key none of them proves
stays absent; absence is never a yes. Rule: canonical record section 9;
47 CFR 64.1200(f)(9).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.compliance.facts import Consent

ACTS = frozenset({"checkbox", "button"})
NOT_CONDITION = re.compile(
    r"\bconsent\b[^.]{0,60}\bnot\b[^.]{0,30}\b(condition|required)\b"
    r"|\bnot\b[^.]{0,40}\bcondition of (any )?(purchase|buying|obtaining|getting)"
    r"|\bno es (una )?condici[oó]n\b",
    re.IGNORECASE,
)
AUTOMATED = re.compile(
    r"\bauto-?dial|\bautomat(ed|ic)|\bartificial\b|\bpre-?recorded\b"
    r"|\bautom[aá]tic|\bpregrabad",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the reviewed source terms in force say. `names_us` is about the list as shown."""

    wording: str = ""
    signature: str = ""
    names_us: bool = False
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a claimed certificate proves. `phone` in E.164 when it says one."""

    phone: str | None = None
    matches: bool = False


def build(
    carried: Mapping[str, Any],
    *,
    address: str,
    our_names: tuple[str, ...],
    terms: Terms | None = None,
    certificate: Certificate | None = None,
    has_form_record: bool = False,
) -> dict[str, Any]:
    """The proven keys of one consent, for one number or address.

    Args:
        carried: `consent` of the canonical record.
        address: E.164 or e-mail key that came in the same delivery.
        our_names: legal name, brand and registered DBAs, as signed.
        has_form_record: our own form kept what it showed and what was done.

    Pure. An absent key was not proven.
    """
    wording = str(carried.get("text") or (terms.wording if terms else ""))
    signature = _signature(carried, terms)
    found: dict[str, Any] = {
        "type": _type(carried, wording, signature),
        "signature": signature,
        "seller": _seller(carried, wording, our_names, terms),
        "phone": _phone(address, certificate),
        "channels": list(carried.get("channels") or (terms.channels if terms else ())),
        "condition_of_purchase": False if NOT_CONDITION.search(wording) else None,
        "autodial_disclosure": True if AUTOMATED.search(wording) else None,
        "captured_at": carried.get("timestamp"),
        "evidence": _evidence(carried, wording, certificate, has_form_record=has_form_record),
        "signer_is_subscriber": True,
    }
    return {key: value for key, value in found.items() if value not in (None, "", [])}


def _type(carried: Mapping[str, Any], wording: str, signature: str | None) -> str | None:
    if carried.get("status") == "denied":
        return None
    if wording and signature:
        return "written"
    if carried.get("method") == "verbal":
        return "oral"
    return "number_provided"


def _signature(carried: Mapping[str, Any], terms: Terms | None) -> str | None:
    """The act: what the reviewed terms say of the box, else what the delivery says was done."""
    method = carried.get("method")
    if terms and terms.signature:
        return terms.signature
    return str(method) if method in ACTS else None


def _seller(
    carried: Mapping[str, Any], wording: str, our_names: tuple[str, ...], terms: Terms | None
) -> str | None:
    if named := carried.get("seller_named"):
        return str(named)
    folded = _folded(wording)
    for name in our_names:
        if name and _folded(name) in folded:
            return name
    return our_names[0] if terms and terms.names_us and our_names else None


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[.,]", " ", text).casefold().split())


def _phone(address: str, certificate: Certificate | None) -> str | None:
    """The number of the delivery, unless a claimed certificate was for another one."""
    if "@" in address:
        return None
    if certificate and certificate.phone and certificate.phone != address:
        return None
    return address


def _evidence(
    carried: Mapping[str, Any],
    wording: str,
    certificate: Certificate | None,
    *,
    has_form_record: bool,
) -> list[str]:
    held = {
        "text_hash": bool(wording),
        "page_url": bool(carried.get("page_url")),
        "ip": bool(carried.get("ip")),
        "user_agent": bool(carried.get("user_agent")),
        "session_cert": certificate is not None and certificate.matches,
        "leadid": bool(carried.get("leadid_token")),
        "form_record": has_form_record,
    }
    return [name for name, is_there in held.items() if is_there]


def wording_sha256(wording: str) -> str:
    """The hash a wording is filed under; "" for none."""
    return hashlib.sha256(wording.encode()).hexdigest() if wording else ""


def to_facts(record: Mapping[str, Any], moment: Any) -> Consent:
    """A stored record as the gate reads it. `moment` parses RFC 3339."""
    at = record.get("captured_at")
    return Consent(
        type=record.get("type"),
        signature=record.get("signature"),
        seller=record.get("seller"),
        phone=record.get("phone"),
        channels=tuple(record.get("channels", ())),
        condition_of_purchase=record.get("condition_of_purchase"),
        autodial_disclosure=record.get("autodial_disclosure"),
        captured_at=moment(at) if at else None,
        evidence=tuple(record.get("evidence", ())),
        signer_is_subscriber=bool(record.get("signer_is_subscriber", False)),
    )
