"""Certificates of our own form: the rendered form as shown, and the visitor's actions.

A certificate is made in the transaction that stores the touch. Its hash goes into the ledger's
chain, which reveals any later change. A page is stored once, however often it is shown.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rooftree.capture.models import FormCertificate, FormPage
from rooftree.capture.own_form import form_seal, form_wording
from rooftree.capture.own_form.form_seal import BadSeal, Seal
from rooftree.compliance.evidence import form_certificate_check
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new, insert_rows
from rooftree.leads.models import Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event

OWN_FORM_ADAPTER = "website_form"
SEAL_FIELD = "consent.seal"  # of a touch's extras
BROWSER_MEASUREMENTS = ("shown_sha256", "font_px", "contrast", "visible", "box_at_load")
VISITOR_ACTIONS = ("checked_at", "ticks")


def save_form_page(html: str, *, at: datetime) -> str:
    """Store the rendered form; return its SHA-256 (hex), which identifies it."""
    sha256 = hashlib.sha256(html.encode()).hexdigest()
    if not FormPage.objects.filter(pk=sha256).exists():
        insert_row_if_new(FormPage(sha256=sha256, html=html, shown_at=at))
    return sha256


def find_sealed(touches: Iterable[Touch]) -> list[Touch]:
    """Return the stored touches that bring the seal of a form we showed, for the first time.

    The form's address is public, and anybody can post to it what the form would. Without a valid
    seal of its own form, a touch proves no consent and gets no certificate.
    """
    sealed = [touch for touch in touches if _has_valid_seal(touch)]
    if not sealed:
        return []
    used = set(
        Touch.objects.filter(
            source__in={touch.source_id for touch in sealed},
            vendor_lead_id__in=[touch.vendor_lead_id for touch in sealed],
        )
        .exclude(pk__in=[touch.pk for touch in sealed])
        .values_list("source_id", "vendor_lead_id")
    )
    return [touch for touch in sealed if (touch.source_id, touch.vendor_lead_id) not in used]


def _has_valid_seal(touch: Touch) -> bool:
    """Check a touch's seal: its source, submission, age and wording."""
    extras, consent = touch.inquiry.get("extras", {}), touch.inquiry.get("consent", {})
    try:
        seal = form_seal.read_seal(extras[SEAL_FIELD])
    except (BadSeal, KeyError):
        return False
    return (
        touch.source.adapter == OWN_FORM_ADAPTER
        and (seal.source, seal.submission_id) == (touch.source.slug, touch.vendor_lead_id)
        and extras.get("consent.version", seal.version) == seal.version
        and form_wording.text_fingerprint(consent.get("text", "")) == seal.text_sha256
        and timedelta(0) <= seal.age(touch.delivery.received_at) < form_seal.MAX_OPEN_TIME
    )


def certify_touches(touches: Iterable[Touch], *, at: datetime) -> list[Event]:
    """Store certificates of touches whose seal is valid; return their ledger events."""
    certificates = [_build_certificate(touch, at) for touch in touches]
    insert_rows(certificates)
    return [
        build_event(
            form_certificate_check.CERTIFIED_EVENT,
            at=at,
            actor=f"vendor:{OWN_FORM_ADAPTER}",
            lead_id=certificate.touch.lead_id,
            person_id=certificate.touch.person_id,
            certificate=certificate.pk,
            sha256=certificate.sha256,
        )
        for certificate in certificates
    ]


def _build_certificate(touch: Touch, at: datetime) -> FormCertificate:
    extras = touch.inquiry.get("extras", {})
    facts = _certificate_facts(touch, form_seal.read_seal(extras[SEAL_FIELD]), extras)
    return FormCertificate(
        id=uuid7_at(at),
        touch=touch,
        facts=facts,
        sha256=form_certificate_check.certificate_digest(facts),
        made_at=at,
    )


def _certificate_facts(touch: Touch, seal: Seal, extras: Mapping[str, str]) -> dict[str, Any]:
    """Return the certificate's content: only strings, numbers and lists, for a stable hash."""
    inquiry, delivery = touch.inquiry, touch.delivery
    consent = inquiry.get("consent", {})
    return {
        "format": form_certificate_check.CERTIFICATE_FORMAT,
        "form": inquiry.get("sub_source", ""),
        "source": seal.source,
        "shown": {
            "version": seal.version,
            "language": seal.language,
            "wording": consent.get("text", ""),
            "text_sha256": seal.text_sha256,
            "disclosure_sha256": seal.snapshot_sha256,
            "page_sha256": seal.page_sha256,
            "rendered_at": seal.rendered_at,
        },
        "measured_by_the_browser": _consent_extras(extras, BROWSER_MEASUREMENTS),
        "visitor": {
            "steps": extras.get("steps", "").split(";") if extras.get("steps") else [],
            "fields_touched": extras.get("fields_touched", "").split(","),
            "seconds_on_page": extras.get("seconds_on_page", ""),
            **_consent_extras(extras, VISITOR_ACTIONS),
        },
        "sent": {
            "submission_id": seal.submission_id,
            "received_at": delivery.received_at.astimezone(UTC).isoformat(),
            "box": consent.get("status", ""),
            "phones": [phone.get("e164", "") for phone in inquiry.get("phones", [])],
            "emails": [email.get("address", "") for email in inquiry.get("emails", [])],
            "ip": consent.get("ip", ""),
            "user_agent": consent.get("user_agent", ""),
            "page_url": consent.get("page_url", ""),
            "delivery": str(delivery.pk),
            "body_sha256": delivery.body_sha256,
        },
    }


def _consent_extras(extras: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: extras.get(f"consent.{name}", "") for name in names}
