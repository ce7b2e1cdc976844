"""Requirements of an automatic text that the consent of a source's latest lead meets or lacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.compliance.gate.consent_check import AFFIRMATIVE_SIGNATURES, SESSION_EVIDENCE
from rooftree.compliance.models import Consent
from rooftree.leads.models import Source

EVIDENCE_TITLES = {
    "text_hash": ("The wording the borrower saw", "Send it with each lead, word for word."),
    "page_url": ("The page of the form", "Send its address with each lead."),
    "ip": (
        "The borrower’s own IP address",
        "Send it with each lead. For your own form, your proxy must pass on the visitor’s address.",
    ),
    "user_agent": ("The borrower’s browser", "Send its user agent, or a TrustedForm certificate."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequirement:
    """One thing a text needs, and how to get it."""

    title: str
    how: str
    is_met: bool
    is_of_terms: bool = False  # the reviewed source terms can state it


def latest_consent(source: Source) -> Consent | None:
    """Return the newest consent to be reached by phone that came with a lead of a source."""
    consents = Consent.objects.filter(delivery__source=source).exclude(address__contains="@")
    return consents.order_by("-recorded_at").select_related("delivery").first()


def list_text_requirements(consent: Consent) -> list[TextRequirement]:
    """Return what an automatic text needs, met or not, by the record of one consent."""
    return list(_requirements(consent.record, consent.status))


def _requirements(record: Mapping[str, Any], status: str) -> Iterator[TextRequirement]:
    yield TextRequirement(
        title="The borrower agreed to texts",
        how="The box must be checked, and the wording must name text messages.",
        is_met=status == "granted" and "text" in record.get("channels", ()),
        is_of_terms=True,
    )
    yield TextRequirement(
        title="The borrower took an action to agree",
        how="The source terms must say how borrowers agree; or TrustedForm proves it.",
        is_met=record.get("signature") in AFFIRMATIVE_SIGNATURES,
        is_of_terms=True,
    )
    yield TextRequirement(
        title="The wording names your company",
        how="Use your legal name or a registered trade name.",
        is_met=bool(record.get("seller")),
        is_of_terms=True,
    )
    yield TextRequirement(
        title="Consent isn’t required for a loan",
        how="The wording must say so.",
        is_met=record.get("condition_of_purchase") is False,
    )
    yield TextRequirement(
        title="The wording says that texts are automated",
        how="It must name automated dialing or automated messages.",
        is_met=record.get("autodial_disclosure") is True,
    )
    yield from _proof_requirements(record)


def _proof_requirements(record: Mapping[str, Any]) -> Iterator[TextRequirement]:
    yield TextRequirement(
        title="The time of the consent",
        how="Send it with each lead.",
        is_met=bool(record.get("captured_at")),
    )
    evidence = set(record.get("evidence", ()))
    for name, (title, how) in EVIDENCE_TITLES.items():
        yield TextRequirement(title=title, how=how, is_met=name in evidence)
    yield TextRequirement(
        title="A record of the session",
        how="A TrustedForm certificate, a LeadiD token, or your own Rooftree form.",
        is_met=bool(evidence & SESSION_EVIDENCE),
    )
