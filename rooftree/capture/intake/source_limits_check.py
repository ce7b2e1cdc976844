"""Check an arriving inquiry against its source's acceptance rules.

A rejected inquiry is stored like any delivery, closed with its reason, and staff can still
accept it. The vendor gets the reason if its contract has an answer for it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.intake.source_quota import load_limit_facts
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.parsing.envelope import Answer, Envelope, IncomingDelivery, Outcome
from rooftree.capture.source_setup.acceptance_limits import (
    AcceptanceLimits,
    describe_offered_lead,
    find_refusal,
    parse_limits,
)
from rooftree.capture.sources import SOURCES
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import DeliveryKey, Source, Touch
from rooftree.leads.vocabulary import Channel

# A call has already happened, an ad's click is already paid for, and a consumer who contacts us
# directly is never rejected.
LIMITABLE_CHANNELS = frozenset(
    {Channel.MARKETPLACE, Channel.AGGREGATOR, Channel.REFERRAL, Channel.EMAIL}
)
type _RejectionAnswer = Callable[[str, IncomingDelivery], Answer]


def can_be_limited(source: Source) -> bool:
    """Decide whether acceptance rules apply to a source; ping-post has bid rules instead."""
    default_channel = getattr(SOURCES.get(source.adapter), "CHANNEL", "")
    channel = source.setup.get("channel") or default_channel
    return channel in LIMITABLE_CHANNELS and source.adapter != "ping_post"


def source_limits(source: Source) -> AcceptanceLimits:
    """Return the source's acceptance rules."""
    return parse_limits(source.setup.get("acceptance"))


def rejection_answer_for(source: Source) -> _RejectionAnswer | None:
    """Return the builder of rejection answers; None if the vendor's contract has none."""
    build: _RejectionAnswer | None = getattr(SOURCES.get(source.adapter), "rejection_answer", None)
    return build


def apply_source_limits(
    envelope: Envelope, source: Source, incoming: IncomingDelivery, at: datetime
) -> Envelope:
    """Return the envelope, with a rejection as its outcome and answer if a rule rejects it.

    A repeated delivery of an accepted inquiry stays accepted. Must run in a transaction
    when the source has caps.
    """
    limits = source_limits(source)
    is_limited = limits.are_set() and can_be_limited(source)
    if not is_limited or not envelope.is_single_inquiry:
        return envelope
    lead = envelope.leads[0]
    offered = describe_offered_lead(lead, usual_cents=source.cost_cents)
    facts = load_limit_facts(
        source,
        limits,
        state=offered.state,
        has_asked_recently=bool(limits.duplicate_days)
        and has_asked_recently(lead, limits.duplicate_days, at),
        at=at,
    )
    refusal = find_refusal(offered, limits, facts)
    if refusal is None or _was_taken_before(envelope, source):
        return envelope
    build_answer = rejection_answer_for(source)
    return replace(
        envelope,
        http=build_answer(refusal.vendor_reason, incoming) if build_answer else envelope.http,
        outcome=Outcome.NOT_ACCEPTED,
        reason=refusal.reason_code,
        refusal=refusal,
        actions=(),
    )


def has_asked_recently(lead: CanonicalLead, days: int, at: datetime) -> bool:
    """Decide whether the same person inquired in the last `days` days, through any source."""
    person_id, since = find_person_id(lead), at - timedelta(days=days)
    return person_id is not None and Touch.objects.filter(person=person_id, at__gt=since).exists()


def find_person_id(lead: CanonicalLead) -> UUID | None:
    """Return the id of the person on file who made the inquiry; None if not on file."""
    identity = person_matching.inquiry_identity(lead)
    ids_by_key = person_lookup.people_by_match_key(person_lookup.contact_match_keys(identity))
    ids = {person_id for person_ids in ids_by_key.values() for person_id in person_ids if person_id}
    people = person_lookup.load_candidates(ids, is_test=False) if ids else {}
    candidates = [candidate for same_person in people.values() for candidate in same_person]
    match = person_matching.best_match(identity, candidates)
    return match.person_id if match else None


def _was_taken_before(envelope: Envelope, source: Source) -> bool:
    """Decide whether the inquiry repeats a stored one, which gets its first answer again."""
    key = envelope.idempotency_key
    return key is not None and DeliveryKey.objects.filter(key=delivery_key(source, key)).exists()
