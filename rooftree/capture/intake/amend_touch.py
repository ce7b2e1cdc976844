"""More of a call or a chat that was told of before: one conversation is one touch."""

from datetime import datetime
from typing import Any

from rooftree.capture.identity import contact_details, person_lookup, person_matching
from rooftree.compliance.consent import store_consents
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, Lead, Person, Touch
from rooftree.ledger.write_events import write_event

FIRST_VALUE_FIELDS = ("answered", "started_at")  # of a call: the first word about it is the nearest


def amend_touch(inquiry: CanonicalLead, *, delivery: Delivery, at: datetime) -> Touch | None:
    """Add it to the touch this conversation made; None when it made none yet.

    A word that comes late does not undo a later one. Safe to repeat. Must run in a
    transaction: two words about one call wait for each other.
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
    before, news = touch.inquiry, inquiry.to_json()
    touch.inquiry = _merge_inquiries(news, before) if is_late else _merge_inquiries(before, news)
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


def _merge_inquiries(before: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """The newest of everything, and of the conversation the whole."""
    told, said = before.get("interaction", {}), news.get("interaction", {})
    talk = {**told, **said, **{name: told[name] for name in FIRST_VALUE_FIELDS if name in told}}
    spoken = told.get("transcript", [])
    if told.get("kind") == "chat":
        spoken = [*spoken, *(one for one in said.get("transcript", []) if one not in spoken)]
        talk |= {"transcript": spoken} if spoken else {}
    first: dict[str, Any] = {
        one: before[one] for one in ("received_at", "submitted_at") if one in before
    }
    return {**before, **news, **first, "interaction": talk}


def _update_person_and_lead(touch: Touch, inquiry: CanonicalLead, at: datetime) -> None:
    """The person's numbers and name, and what the lead's page shows."""
    contact_details.store_contacts(touch.person, inquiry, at=at)
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
    Lead.objects.filter(pk=lead.pk).update(details={**lead.details, **touch.inquiry})
    store_consents.store_vendor_suppression(inquiry, person=touch.person, touch=touch, at=at)
