"""Holding one inquiry, as it arrives, against what its source may bring.

What is not taken is kept like any delivery, closed with its reason, and can be accepted by
hand. The vendor hears why where its contract has a word for it.
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

# A call has happened already, an ad's click is paid, and who asks us ourselves is never refused.
LIMITABLE_CHANNELS = frozenset(
    {Channel.MARKETPLACE, Channel.AGGREGATOR, Channel.REFERRAL, Channel.EMAIL}
)
type _RejectionAnswer = Callable[[str, IncomingDelivery], Answer]


def can_be_limited(source: Source) -> bool:
    """Whether its inquiries come one by one and may be refused; what is bid on, is by its bids."""
    usual = getattr(SOURCES.get(source.adapter), "CHANNEL", "")
    channel = source.setup.get("channel") or usual
    return channel in LIMITABLE_CHANNELS and source.adapter != "ping_post"


def source_limits(source: Source) -> AcceptanceLimits:
    """What its inquiries must be to be taken."""
    return parse_limits(source.setup.get("acceptance"))


def rejection_answer_for(source: Source) -> _RejectionAnswer | None:
    """How its sender is told why; None where its contract has no word for it."""
    found: _RejectionAnswer | None = getattr(SOURCES.get(source.adapter), "rejection_answer", None)
    return found


def apply_source_limits(
    envelope: Envelope, source: Source, incoming: IncomingDelivery, at: datetime
) -> Envelope:
    """The envelope, with its answer and outcome where its inquiry is not taken.

    One that was taken before stays taken, however often it is sent. Must run in a transaction
    where there are caps.
    """
    limits = source_limits(source)
    is_asked = limits.are_set() and can_be_limited(source)
    if not is_asked or not is_single_inquiry(envelope):
        return envelope
    lead = envelope.leads[0]
    one = describe_offered_lead(lead, usual_cents=source.cost_cents)
    stands = load_limit_facts(
        source,
        limits,
        state=one.state,
        has_asked_recently=bool(limits.duplicate_days)
        and has_asked_recently(lead, limits.duplicate_days, at),
        at=at,
    )
    against = find_refusal(one, limits, stands)
    if against is None or _was_taken_before(envelope, source):
        return envelope
    tell = rejection_answer_for(source)
    return replace(
        envelope,
        http=tell(against.vendor_reason, incoming) if tell else envelope.http,
        outcome=Outcome.NOT_ACCEPTED,
        reason=against.reason_code,
        refusal=against,
        actions=(),
    )


def is_single_inquiry(envelope: Envelope) -> bool:
    """Whether it is one usable inquiry of a real person."""
    is_whole = len(envelope.leads) == 1 and not envelope.lookups
    return envelope.outcome is Outcome.ACCEPTED and is_whole


def has_asked_recently(lead: CanonicalLead, days: int, at: datetime) -> bool:
    """Whether the same human asked within so many days, by whatever way."""
    person, since = find_person_id(lead), at - timedelta(days=days)
    return person is not None and Touch.objects.filter(person=person, at__gt=since).exists()


def find_person_id(lead: CanonicalLead) -> UUID | None:
    """The human on file who asks in it."""
    identity = person_matching.inquiry_identity(lead)
    found = person_lookup.people_by_match_key(person_lookup.contact_match_keys(identity))
    ids = {who for people in found.values() for who in people if who}
    people = person_lookup.load_candidates(ids, is_test=False) if ids else {}
    same = person_matching.best_match(identity, [one for known in people.values() for one in known])
    return same.person_id if same else None


def _was_taken_before(envelope: Envelope, source: Source) -> bool:
    """Sent again: it is answered as the first time, whatever the limits are by now."""
    key = envelope.idempotency_key
    return key is not None and DeliveryKey.objects.filter(key=delivery_key(source, key)).exists()
