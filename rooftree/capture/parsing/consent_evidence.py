"""What a delivery proves about consent: the media its wording names, and how much is proven."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.normalize_values import short_text
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.leads.canonical import Consent
from rooftree.leads.vocabulary import ConsentChannel, ConsentMethod, Evidence

INBOUND_CONSENT = Consent(method=ConsentMethod.INBOUND_CONTACT)  # who calls or chats of their own
_CHANNEL_WORDS = {
    ConsentChannel.CALL: r"\bcall(?:s|ed|ing)?\b|\bphone|\btelephon|\bllamad|\bcontact(?:ed)?\b",
    ConsentChannel.AUTODIAL_CALL: r"\bauto-?\s?dial|\bautomat(?:ed|ic)|\bautomátic|\bautomatizad",
    ConsentChannel.PRERECORDED: r"\bpre-?\s?record|\bartificial\b|\bpregrabad|\bartificiales\b",
    ConsentChannel.TEXT: r"\btext(?:s|ed|ing)?\b|\bsms\b|\bmensajes? de texto",
    ConsentChannel.EMAIL: r"\be-?mail|\bcorreos? electrónic",
}
_CHANNEL_PATTERNS = {
    medium: re.compile(said, re.IGNORECASE) for medium, said in _CHANNEL_WORDS.items()
}
_CERTIFICATE_URL = re.compile(
    r"(?:https?:)?//cert\.trustedform\.com/(0\.[-_.A-Za-z0-9]{1,198}|[-_A-Za-z0-9]{40}"
    r"|[-_A-Za-z0-9]{80})/*"
)
_CERTIFICATE_ID = re.compile(r"[0-9a-f]{40}")
_LEADID = re.compile(r"[0-9A-Z]{8}(-[0-9A-Z]{4}){3}-[0-9A-Z]{12}")


def channels_in_wording(wording: str | None) -> tuple[ConsentChannel, ...]:
    """They are the media a wording names. Without a wording a bare yes means calls only."""
    if not wording:
        return (ConsentChannel.CALL,)
    return tuple(medium for medium, said in _CHANNEL_PATTERNS.items() if said.search(wording))


def certificate_url(value: Any, notes: ReadingNotes) -> str | None:
    """It is a TrustedForm certificate's https address.

    The first of several; a certificate's id alone (FreeRateUpdate sends it so) is one, too.
    Another host or shape is kept as text with `bad_certificate_url`.
    """
    written = short_text(value)
    if written is None:
        return None
    if _CERTIFICATE_ID.fullmatch(written):
        return f"https://cert.trustedform.com/{written}"
    found = _CERTIFICATE_URL.fullmatch(written.split(",")[0].strip())
    if found is None:
        notes.warn("bad_certificate_url")
        notes.keep_extras([("trustedform_cert_url", written)])
        return None
    return f"https://cert.trustedform.com/{found[1]}"


def leadid_token(value: Any, notes: ReadingNotes) -> str | None:
    """It is a Jornaya token in capitals. One character repeated is a blocked script or fraud."""
    written = short_text(value)
    if written is None:
        return None
    token = written.upper()
    if not _LEADID.fullmatch(token) or len(set(token.replace("-", ""))) == 1:
        notes.warn("bad_leadid_token")
        notes.keep_extras([("leadid_token", written)])
        return None
    return token


def evidence_actions(consent: Consent) -> list[dict[str, str]]:
    """They are what must be done about the evidence: a certificate claimed, a token verified."""
    actions = []
    if consent.certificate_url:
        actions.append({"do": "claim_trustedform", "url": consent.certificate_url})
    if consent.leadid_token:
        actions.append({"do": "verify_leadid", "token": consent.leadid_token})
    return actions


def with_evidence_level(consent: Consent) -> Consent:
    """It is the consent with its evidence: full needs wording, a moment and a trace."""
    trace = consent.ip or consent.certificate_url or consent.leadid_token
    if consent.text and consent.timestamp and trace:
        return replace(consent, evidence=Evidence.FULL)
    some = consent.text or consent.timestamp or trace
    return replace(consent, evidence=Evidence.PARTIAL if some else Evidence.NONE)
