"""Notifies the alarm contact when routing found no officer for a lead."""

from datetime import datetime
from zoneinfo import ZoneInfo

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import shadow_mode, staff_notices
from rooftree.org.models import Company
from rooftree.routing.routing_rules import Rule
from rooftree.routing.rule_sentences import PURPOSE_NAMES


def raise_unclaimed_alarm(lead: Lead, *, rule: Rule | None, why: str, at: datetime) -> bool:
    """Notify the rule's alarm contact, else the company's, of an unclaimed lead, once a day.

    Returns False if they were told today, and in shadow mode, where another system has the lead.

    The day is the company's. `lead.source` should be loaded.
    """
    if shadow_mode.is_shadow_on():
        return False
    company = Company.objects.first()
    contact_id = (rule.alarm_user_id if rule else "") or (
        company.alarm_user_id if company else None
    )
    zone = ZoneInfo(company.zone if company else "America/New_York")
    contacts = staff_notices.alarm_users(contact_id)
    place = f" in {lead.property_state}" if lead.property_state else ""
    summary = f"{lead.source.name} {PURPOSE_NAMES.get(lead.purpose, '')}".strip()
    notices = [
        staff_notices.notify_user(
            user_id=user.pk,
            kind="unclaimed",
            idempotency_key=f"unclaimed:{lead.pk}:{at.astimezone(zone).date()}",
            text=f"Unclaimed lead: {lead.person.short_name}, {summary}{place}. {why}",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
        for user in contacts
    ]
    is_new = any(notices) or not contacts
    if is_new:
        write_event(
            "routing.alarm.raised" if contacts else "routing.alarm.unheard",
            at=at,
            actor="system:routing",
            lead_id=lead.pk,
            person_id=lead.person_id,
            user_ids=[user.pk for user in contacts],
        )
    return is_new
