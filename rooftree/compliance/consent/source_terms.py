"""Source terms: the consent wording of a source, reviewed by staff, dated and never edited."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.compliance.models import SourceTerms
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org.models import User

CHANNELS = {
    "call": "Manually dialed calls",
    "autodial_call": "Automated calls",
    "prerecorded": "Prerecorded or AI voice",
    "text": "Texts",
    "email": "Email",
}
SIGNATURES = {  # how consumers agree; a prechecked box proves nothing
    "": "Unknown",
    "checkbox_unticked_by_default": "Checkbox, not prechecked",
    "button": "Button next to the wording",
    "esign": "Electronic signature",
    "prechecked_box": "Prechecked box",
}


SOURCE_CLASSES = {
    "": "Consumer inquiries",
    "cra_trigger": "Inquiries sold by a credit bureau",
    "web_intent_vendor": "Browsing or intent data",
    "unknown": "Unknown",
}


REPORT_PURPOSES = {  # permissible purpose for credit data beyond self-reported facts (FCRA 604)
    "": "None on file: discard the source’s credit scores",
    "instructions": "Each consumer’s written instructions",
    "application": "An application to us that the consumer started",
}


class BadTerms(InvalidField):
    """The terms cannot be recorded. The text can be shown to staff."""


def record_terms(
    *, source: Source, from_date: date, facts: Mapping[str, Any], by: User, at: datetime
) -> SourceTerms:
    """Put new terms in force from a day; earlier terms end on that day.

    The day cannot be in the past, because earlier decisions rest on the terms of their time.
    Raises `BadTerms`.

    Args:
        facts: names_us, seller_snapshot, wording, signature, channels, proof_owed,
            source_class, is_firm_offer, is_authorized, criteria, report_purpose, report_words.
    """
    _validate_terms(facts, from_date, at)
    with atomic():
        earlier = SourceTerms.objects.select_for_update().filter(source=source)
        if earlier.filter(from_date__gte=from_date).exists():
            raise BadTerms("from_date", "This source already has terms from this day or later.")
        earlier.filter(Q(until_date=None) | Q(until_date__gt=from_date)).update(
            until_date=from_date
        )
        terms = SourceTerms.objects.create(
            id=uuid7_at(at),
            source=source,
            from_date=from_date,
            reviewed_by=by,
            reviewed_at=at,
            **facts,
        )
        write_event(
            "compliance.source_terms.recorded",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            terms=terms.pk,
            from_date=from_date.isoformat(),
            names_us=terms.names_us,
            channels=terms.channels,
            source_class=terms.source_class or None,
            report_purpose=terms.report_purpose or None,
        )
    return terms


def terms_by_source(day: date) -> list[tuple[Source, SourceTerms | None]]:
    """Return every source by name with its terms in force on a day."""
    ends_later = Q(until_date=None) | Q(until_date__gt=day)
    rows = SourceTerms.objects.filter(ends_later, from_date__lte=day, reviewed_at__isnull=False)
    in_force = {terms.source_id: terms for terms in rows.order_by("from_date")}
    return [(source, in_force.get(source.pk)) for source in Source.objects.order_by("name")]


def _validate_terms(facts: Mapping[str, Any], from_date: date, at: datetime) -> None:
    if from_date < company_day(at):
        raise BadTerms("from_date", "Choose today or a later day. Earlier decisions stand.")
    unknown = set(facts["channels"]) - set(CHANNELS)
    if unknown:
        raise BadTerms("channels", f"Unknown channel: {', '.join(sorted(unknown))}.")
    if facts["channels"] and not facts["wording"].strip():
        raise BadTerms("wording", "Copy the wording exactly as consumers see it. It is the proof.")
    if facts.get("source_class", "") not in SOURCE_CLASSES:
        raise BadTerms("source_class", "Choose where the data comes from.")
    if facts.get("is_firm_offer") and not facts.get("criteria", "").strip():
        raise BadTerms(
            "criteria", "Copy the criteria that were set before the firm offer was made."
        )
    _validate_purpose(facts)
    if facts["names_us"] and not facts["seller_snapshot"].strip():
        raise BadTerms(
            "seller_snapshot", "Copy the list or line that names our company, as of that day."
        )


def _validate_purpose(facts: Mapping[str, Any]) -> None:
    purpose = facts.get("report_purpose", "")
    if purpose not in REPORT_PURPOSES:
        raise BadTerms(
            "report_purpose", "Choose the purpose for which the source can give us credit data."
        )
    if purpose and not facts.get("report_words", "").strip():
        raise BadTerms(
            "report_words", "Copy the words that the consumer signs. They prove the purpose."
        )
