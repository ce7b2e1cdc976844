"""Calling a named person when the rules are at their end."""

from datetime import datetime
from zoneinfo import ZoneInfo

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import Company
from rooftree.routing.routing_rules import Rule
from rooftree.routing.rule_sentences import PURPOSE_NAMES


def raise_unclaimed_alarm(lead: Lead, *, rule: Rule | None, why: str, at: datetime) -> None:
    """Tell the rule's manager, else the company's, that a lead waits. Once a local day.

    `lead.source` should be loaded.
    """
    company = Company.objects.first()
    named = (rule.alarm_user_id if rule else "") or (company.alarm_user_id if company else None)
    zone = ZoneInfo(company.zone if company else "America/New_York")
    heard = staff_notices.alarm_users(named)
    place = f" in {lead.property_state}" if lead.property_state else ""
    what = f"{lead.source.name} {PURPOSE_NAMES.get(lead.purpose, '')}".strip()
    told = [
        staff_notices.notify_user(
            user_id=user.pk,
            kind="unclaimed",
            idempotency_key=f"unclaimed:{lead.pk}:{at.astimezone(zone).date()}",
            text=f"Nobody has taken a lead: {what}{place}. {why}",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
        for user in heard
    ]
    if any(told) or not heard:
        write_event(
            "routing.alarm.raised" if heard else "routing.alarm.unheard",
            at=at,
            actor="system:routing",
            lead_id=lead.pk,
            person_id=lead.person_id,
            user_ids=[user.pk for user in heard],
        )
