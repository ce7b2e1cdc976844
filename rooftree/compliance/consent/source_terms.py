"""Source terms: what a source's consumers agree to, reviewed by a person, dated, never edited."""

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
    "call": "Calls by hand",
    "autodial_call": "Automated calls",
    "prerecorded": "Recorded or AI voice",
    "text": "Texts",
    "email": "E-mail",
}
SIGNATURES = {  # how they agree; what is known to be none of theirs proves nothing
    "": "Not known",
    "checkbox_unticked_by_default": "A box they tick themselves",
    "button": "A button, with the wording beside it",
    "esign": "An electronic signature",
    "prechecked_box": "A box that was ticked already",
}


SOURCE_CLASSES = {
    "": "Consumers who asked",
    "cra_trigger": "Inquiries a bureau sold",
    "web_intent_vendor": "Browsing or intent data",
    "unknown": "Nobody knows",
}


REPORT_PURPOSES = {  # of credit data it gives us beyond what consumers say of themselves (FCRA 604)
    "": "None on file: a score it assigned is not kept",
    "instructions": "Each consumer’s written instructions",
    "application": "An application to us that the consumer began",
}


class BadTerms(InvalidField):
    """Terms that cannot be recorded."""


def record_terms(
    *, source: Source, from_date: date, facts: Mapping[str, Any], by: User, at: datetime
) -> SourceTerms:
    """Put new terms in force from a day; the ones before end on it.

    A day that has passed cannot be given: what was decided then rests on what
    was known then. Raises `BadTerms`.

    Args:
        facts: names_us, seller_snapshot, wording, signature, channels, proof_owed,
            source_class, is_firm_offer, is_authorized, criteria, report_purpose, report_words.
    """
    _validate_terms(facts, from_date, at)
    with atomic():
        before = SourceTerms.objects.select_for_update().filter(source=source)
        if before.filter(from_date__gte=from_date).exists():
            raise BadTerms("from_date", "There are terms from this day or a later one already.")
        before.filter(Q(until_date=None) | Q(until_date__gt=from_date)).update(until_date=from_date)
        made = SourceTerms.objects.create(
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
            terms=made.pk,
            from_date=from_date.isoformat(),
            names_us=made.names_us,
            channels=made.channels,
            source_class=made.source_class or None,
            report_purpose=made.report_purpose or None,
        )
    return made


def terms_by_source(day: date) -> list[tuple[Source, SourceTerms | None]]:
    """Every source by name, with its terms in force on a day."""
    ends_later = Q(until_date=None) | Q(until_date__gt=day)
    read = SourceTerms.objects.filter(ends_later, from_date__lte=day, reviewed_at__isnull=False)
    in_force = {one.source_id: one for one in read.order_by("from_date")}
    return [(source, in_force.get(source.pk)) for source in Source.objects.order_by("name")]


def _validate_terms(facts: Mapping[str, Any], from_date: date, at: datetime) -> None:
    if from_date < company_day(at):
        raise BadTerms("from_date", "Terms begin today or later; what was decided before stands.")
    unknown = set(facts["channels"]) - set(CHANNELS)
    if unknown:
        raise BadTerms("channels", f"{', '.join(sorted(unknown))} is not a way to reach a person.")
    if facts["channels"] and not facts["wording"].strip():
        raise BadTerms("wording", "Copy the wording exactly as consumers see it; it is the proof.")
    if facts.get("source_class", "") not in SOURCE_CLASSES:
        raise BadTerms("source_class", "Choose whose data it is.")
    if facts.get("is_firm_offer") and not facts.get("criteria", "").strip():
        raise BadTerms(
            "criteria", "A firm offer is one by criteria that were set before it; copy them here."
        )
    _validate_purpose(facts)
    if facts["names_us"] and not facts["seller_snapshot"].strip():
        raise BadTerms(
            "seller_snapshot", "Copy the list or line that names us, as it was on that day."
        )


def _validate_purpose(facts: Mapping[str, Any]) -> None:
    purpose = facts.get("report_purpose", "")
    if purpose not in REPORT_PURPOSES:
        raise BadTerms("report_purpose", "Choose why it may give us credit data.")
    if purpose and not facts.get("report_words", "").strip():
        raise BadTerms(
            "report_words", "Copy the words that the consumer signs; they are the purpose’s proof."
        )
