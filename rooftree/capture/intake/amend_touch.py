"""Add later reports about a call or chat to the touch it already made."""

from datetime import datetime
from typing import Any

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.intake import inquiry_rows
from rooftree.compliance.consent import store_consents
from rooftree.leads import scenario_fields
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, Lead, Person, Touch
from rooftree.ledger.write_events import write_event

FIRST_VALUE_FIELDS = ("answered", "started_at")  # of a call: the first report is the most accurate


def amend_touch(inquiry: CanonicalLead, *, delivery: Delivery, at: datetime) -> Touch | None:
    """Add an inquiry to the touch of its conversation; return None if there is no touch yet.

    A report that arrives late does not overwrite a newer one. Safe to repeat. Must run in a
    transaction: two reports about one call are processed one after the other.
    """
    if inquiry.interaction is None or not inquiry.vendor_lead_id:
        return None
    person_lookup.lock_match_keys(
        [person_lookup.vendor_match_key(delivery.source.adapter, inquiry.vendor_lead_id[:255])]
    )
    touches = Touch.objects.select_for_update(of=("self",)).select_related("delivery", "person")
    touch = (
        touches.filter(source=delivery.source, vendor_lead_id=inquiry.vendor_lead_id[:255])
        .order_by("at")
        .first()
    )
    if touch is None or touch.delivery_id == delivery.pk:
        return touch
    is_late = delivery.received_at < touch.delivery.received_at
    before, new = touch.inquiry, inquiry.to_json()
    touch.inquiry = _merge_inquiries(new, before) if is_late else _merge_inquiries(before, new)
    if touch.inquiry != before:
        touch.save(update_fields=["inquiry"])
        _update_person_and_lead(touch, inquiry, at)
        write_event(
            "capture.touch.amended",
            at=at,
            actor=f"vendor:{delivery.source.adapter}",
            lead_id=touch.lead_id,
            person_id=touch.person_id,
            touch=touch.pk,
            delivery=delivery.pk,
        )
    return touch


def _merge_inquiries(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the newest value of every field, and the transcript of the whole conversation."""
    old_talk, new_talk = old.get("interaction", {}), new.get("interaction", {})
    first_values = {name: old_talk[name] for name in FIRST_VALUE_FIELDS if name in old_talk}
    interaction = {**old_talk, **new_talk, **first_values}
    if old_talk.get("kind") == "chat":
        lines = old_talk.get("transcript", [])
        lines = [*lines, *(line for line in new_talk.get("transcript", []) if line not in lines)]
        interaction |= {"transcript": lines} if lines else {}
    first_times: dict[str, Any] = {
        name: old[name] for name in ("received_at", "submitted_at") if name in old
    }
    return {**old, **new, **first_times, "interaction": interaction}


def _update_person_and_lead(touch: Touch, inquiry: CanonicalLead, at: datetime) -> None:
    """Update the person's contacts and name, the lead's details, and vendor suppressions."""
    inquiry_rows.store_contacts(touch.person, inquiry, at=at)
    borrower = inquiry.borrower
    if borrower and inquiry.has_name():
        first, last = borrower.first_name or "", borrower.last_name or ""
        Person.objects.filter(pk=touch.person_id, first_name="", last_name="").update(
            first_name=first,
            last_name=last,
            name_key=person_matching.name_key(first, last),
            compared_at=None,
        )
    lead = Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=touch.lead_id)
    details = scenario_fields.keep_edited_values(
        lead.edited_fields, lead.details, {**lead.details, **touch.inquiry}, purpose=lead.purpose
    )
    Lead.objects.filter(pk=lead.pk).update(details=details)
    store_consents.store_inquiry_stops(inquiry, touch=touch, at=at)
