"""The consent record the gate reads, built from a delivery, a certificate and source terms.

A key without proof is absent. The gate never reads an absent key as yes. The table comes from
docs/rules/consent.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rooftree.compliance.gate.facts import Consent

SIGNING_METHODS = frozenset({"checkbox", "button", "written"})
NO_CONDITION_PATTERN = re.compile(
    r"\bnot\b[^.]{0,40}\b(a )?(condition|required|requirement)\b"
    r"|\bwithout (agreeing|consenting|providing consent)\b"
    r"|\bno (es|son) (una )?(condicion|condición|requisito|necesari\w+)"
    r"|\bsin (aceptar|dar) (su|este|mi)? ?consentimiento\b",
    re.IGNORECASE,
)
AUTODIAL_PATTERN = re.compile(
    r"\bauto[- ]?dial\w*|\bautomat\w+|\bartificial\b|\bpre[- ]?recorded\b|\bmarcador\b"
    r"|\bmarcaci[oó]n autom[aá]tica|\bautom[aá]tic\w+|\bpregrabad\w+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCertificate:
    """The facts of a claimed, independent session certificate."""

    phone: str | None  # E.164, as typed in the session
    signature: str | None  # checkbox_unticked_by_default, prechecked_box, button
    page_url: str | None
    ip: str | None
    user_agent: str | None
    captured_at: datetime | None
    wording: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedTerms:
    """A compliance officer's findings about a source's form, valid between two dates."""

    from_date: date
    until_date: date | None  # exclusive
    is_reviewed: bool
    wording: str  # exactly as the consumer sees it; "" if unknown
    signature: str  # the kind of box or button; "" if unknown
    channels: tuple[str, ...]
    seller_list: str  # the list of sellers as shown; "" if there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProofs:
    """The three sources of proof for one consent, and the phone number it is about."""

    consent: Mapping[str, Any]  # the canonical record's `consent`
    phone: str | None  # E.164 given in the same delivery
    received_on: date
    certificate: SessionCertificate | None = None
    terms: ReviewedTerms | None = None
    is_own_form: bool = False  # our own form recorded its wording and the borrower's act
    is_disowned: bool = False  # a reply from the number said "wrong person"


def build_consent_record(proofs: ConsentProofs, our_names: Iterable[str]) -> dict[str, Any]:
    """Build the consent record with the rulebook's keys and only the proven values.

    Returns an empty record if the consumer denied consent or gave nothing.

    Args:
        our_names: the company's legal name and registered DBAs, legal name first.
    """
    consent = proofs.consent
    if consent.get("status") == "denied":
        return {}
    wording, certificate = _shown_wording(proofs), proofs.certificate
    is_other_phone = bool(certificate and certificate.phone and certificate.phone != proofs.phone)
    captured_at = consent.get("timestamp")
    if captured_at is None and certificate is not None:
        captured_at = certificate.captured_at
    if isinstance(captured_at, datetime):
        captured_at = captured_at.isoformat()
    values: dict[str, Any] = {
        "type": _consent_type(proofs, wording),
        "signature": _signature(proofs),
        "seller": _named_seller(proofs, wording, tuple(our_names)),
        "phone": None if is_other_phone else proofs.phone,
        "channels": _proven_channels(proofs),
        "condition_of_purchase": False if NO_CONDITION_PATTERN.search(wording) else None,
        "autodial_disclosure": True if AUTODIAL_PATTERN.search(wording) else None,
        "captured_at": captured_at,
        "evidence": _evidence_names(proofs, wording),
    }
    if values["type"] is None:
        return {}
    proven = {key: value for key, value in values.items() if value not in (None, [])}
    return {**proven, "signer_is_subscriber": not proofs.is_disowned}


def consent_fact(record: Mapping[str, Any]) -> Consent:
    """Convert a stored consent record to the gate's fact."""
    captured = record.get("captured_at")
    return Consent(
        type=record.get("type"),
        signature=record.get("signature"),
        seller=record.get("seller"),
        phone=record.get("phone"),
        channels=tuple(record.get("channels", ())),
        condition_of_purchase=record.get("condition_of_purchase"),
        autodial_disclosure=record.get("autodial_disclosure"),
        captured_at=datetime.fromisoformat(captured) if captured else None,
        evidence=tuple(record.get("evidence", ())),
        signer_is_subscriber=record.get("signer_is_subscriber") is True,
    )


def _terms_in_force(proofs: ConsentProofs) -> ReviewedTerms | None:
    """Return the terms if they were reviewed and in force on the day of receipt, else None."""
    terms = proofs.terms
    if terms is None or not terms.is_reviewed or proofs.received_on < terms.from_date:
        return None
    is_over = terms.until_date is not None and proofs.received_on >= terms.until_date
    return None if is_over else terms


def _shown_wording(proofs: ConsentProofs) -> str:
    terms, certificate = _terms_in_force(proofs), proofs.certificate
    return (
        proofs.consent.get("text")
        or (certificate and certificate.wording)
        or (terms and terms.wording)
        or ""
    )


def _consent_type(proofs: ConsentProofs, wording: str) -> str | None:
    if proofs.consent.get("method") == "verbal":
        return "oral"
    is_granted = proofs.consent.get("status") == "granted" or _terms_in_force(proofs) is not None
    # Written consent takes an act of the consumer: a box, a button or a signature.
    has_act = proofs.consent.get("method") in SIGNING_METHODS or _signature(proofs) is not None
    if is_granted and wording and has_act:
        return "written"
    return "number_provided" if proofs.phone else None


def _signature(proofs: ConsentProofs) -> str | None:
    """Return how the consumer signed, by certificate first, then by terms.

    A bare `checkbox` does not prove whether the box was prechecked.
    """
    terms, certificate = _terms_in_force(proofs), proofs.certificate
    if certificate is not None and certificate.signature:
        return certificate.signature
    if terms is not None and terms.signature:
        return terms.signature
    method = proofs.consent.get("method")
    if method == "checkbox" and proofs.is_own_form:
        return "checkbox_unticked_by_default"
    return {"button": "button", "written": "esign"}.get(str(method))


def _named_seller(proofs: ConsentProofs, wording: str, our_names: tuple[str, ...]) -> str | None:
    named = proofs.consent.get("seller_named")
    if named:
        return str(named)
    terms = _terms_in_force(proofs)
    shown = wording + "\n" + (terms.seller_list if terms else "")
    for name in filter(None, our_names):
        pattern = r"\W+".join(re.escape(word) for word in re.findall(r"\w+", name))
        if re.search(rf"(?<!\w){pattern}(?!\w)", shown, re.IGNORECASE):
            return name
    return None


def _proven_channels(proofs: ConsentProofs) -> list[str]:
    named = list(proofs.consent.get("channels") or ())
    terms = _terms_in_force(proofs)
    if not named and terms is not None:
        named = list(terms.channels)
    return sorted(named)


def _evidence_names(proofs: ConsentProofs, wording: str) -> list[str]:
    """List the evidence on file, from the delivery first, then the certificate."""
    consent, certificate = proofs.consent, proofs.certificate
    evidence = {
        "text_hash": wording,
        "page_url": consent.get("page_url") or (certificate and certificate.page_url),
        "ip": consent.get("ip") or (certificate and certificate.ip),
        "user_agent": consent.get("user_agent") or (certificate and certificate.user_agent),
        "session_cert": certificate is not None,
        "leadid": consent.get("leadid_token"),
        "form_record": proofs.is_own_form,
        "seller_list_snapshot": (terms := _terms_in_force(proofs)) is not None
        and terms.seller_list,
    }
    return [name for name, value in evidence.items() if value]
