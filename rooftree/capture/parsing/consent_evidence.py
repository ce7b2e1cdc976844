"""Consent evidence in a delivery: channels in the wording, certificates, evidence level."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.normalize_values import short_text
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.leads.canonical import Consent
from rooftree.leads.vocabulary import ConsentChannel, ConsentMethod, Evidence

# the consumer called or chatted first
INBOUND_CONSENT = Consent(method=ConsentMethod.INBOUND_CONTACT)
_CHANNEL_WORDS = {
    ConsentChannel.CALL: r"\bcall(?:s|ed|ing)?\b|\bphone|\btelephon|\bllamad|\bcontact(?:ed)?\b",
    ConsentChannel.AUTODIAL_CALL: r"\bauto-?\s?dial|\bautomat(?:ed|ic)|\bautomátic|\bautomatizad",
    ConsentChannel.PRERECORDED: r"\bpre-?\s?record|\bartificial\b|\bpregrabad|\bartificiales\b",
    ConsentChannel.TEXT: r"\btext(?:s|ed|ing)?\b|\bsms\b|\bmensajes? de texto",
    ConsentChannel.EMAIL: r"\be-?mail|\bcorreos? electrónic",
}
_CHANNEL_PATTERNS = {
    medium: re.compile(pattern, re.IGNORECASE) for medium, pattern in _CHANNEL_WORDS.items()
}
_CERTIFICATE_URL = re.compile(
    r"(?:https?:)?//cert\.trustedform\.com/(0\.[-_.A-Za-z0-9]{1,198}|[-_A-Za-z0-9]{40}"
    r"|[-_A-Za-z0-9]{80})/*"
)
_CERTIFICATE_ID = re.compile(r"[0-9a-f]{40}")
_LEADID = re.compile(r"[0-9A-Z]{8}(-[0-9A-Z]{4}){3}-[0-9A-Z]{12}")


def channels_in_wording(wording: str | None) -> tuple[ConsentChannel, ...]:
    """Return the channels a wording names; without a wording, a bare yes covers calls only."""
    if not wording:
        return (ConsentChannel.CALL,)
    return tuple(medium for medium, pattern in _CHANNEL_PATTERNS.items() if pattern.search(wording))


def certificate_url(value: Any, notes: ReadingNotes) -> str | None:
    """Return the https URL of a TrustedForm certificate, or None.

    Takes the first of several. A bare certificate id (FreeRateUpdate sends these) also counts.
    Any other host or format is kept in the extras with the warning `bad_certificate_url`.
    """
    text = short_text(value)
    if text is None:
        return None
    if _CERTIFICATE_ID.fullmatch(text):
        return f"https://cert.trustedform.com/{text}"
    match = _CERTIFICATE_URL.fullmatch(text.split(",")[0].strip())
    if match is None:
        notes.warn("bad_certificate_url")
        notes.keep_extras([("trustedform_cert_url", text)])
        return None
    return f"https://cert.trustedform.com/{match[1]}"


def leadid_token(value: Any, notes: ReadingNotes) -> str | None:
    """Return a Jornaya token in upper case, or None.

    A token of one repeated character means a blocked script or fraud and is rejected.
    """
    text = short_text(value)
    if text is None:
        return None
    token = text.upper()
    if not _LEADID.fullmatch(token) or len(set(token.replace("-", ""))) == 1:
        notes.warn("bad_leadid_token")
        notes.keep_extras([("leadid_token", text)])
        return None
    return token


def evidence_actions(consent: Consent) -> list[dict[str, str]]:
    """List the actions the evidence needs: claim the certificate, verify the token."""
    actions = []
    if consent.certificate_url:
        actions.append({"do": "claim_trustedform", "url": consent.certificate_url})
    if consent.leadid_token:
        actions.append({"do": "verify_leadid", "token": consent.leadid_token})
    return actions


def with_evidence_level(consent: Consent) -> Consent:
    """Set the evidence level.

    Full evidence needs wording, a timestamp and a trace: an IP address, certificate or token.
    """
    trace = consent.ip or consent.certificate_url or consent.leadid_token
    if consent.text and consent.timestamp and trace:
        return replace(consent, evidence=Evidence.FULL)
    is_partial = consent.text or consent.timestamp or trace
    return replace(consent, evidence=Evidence.PARTIAL if is_partial else Evidence.NONE)
