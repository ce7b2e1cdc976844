"""Holding one inquiry, as it arrives, against what its source may bring.

What is not taken is kept like any delivery, closed with its reason, and can be accepted by
hand. The vendor hears why where its contract has a word for it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.capture import match, on_file
from rooftree.capture.acceptance import Limits, limits_of, offered, refusal
from rooftree.capture.envelope import Answer, Envelope, Incoming, Outcome
from rooftree.capture.keep import key_at
from rooftree.capture.sources import SOURCES
from rooftree.capture.standing import standing
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import DeliveryKey, Source, Touch
from rooftree.leads.vocabulary import Channel

# A call has happened already, an ad's click is paid, and who asks us ourselves is never refused.
BY_THE_PIECE = frozenset({Channel.MARKETPLACE, Channel.AGGREGATOR, Channel.REFERRAL, Channel.EMAIL})
type _Answers = Callable[[str, Incoming], Answer]


def can_be_limited(source: Source) -> bool:
    """Whether its inquiries come one by one and may be refused; what is bid on, is by its bids."""
    usual = getattr(SOURCES.get(source.adapter), "CHANNEL", "")
    channel = source.setup.get("channel") or usual
    return channel in BY_THE_PIECE and source.adapter != "ping_post"


def limits_for(source: Source) -> Limits:
    """What its inquiries must be to be taken."""
    return limits_of(source.setup.get("acceptance"))


def answers_of(source: Source) -> _Answers | None:
    """How its sender is told why; None where its contract has no word for it."""
    found: _Answers | None = getattr(SOURCES.get(source.adapter), "not_taken", None)
    return found


def judged(envelope: Envelope, source: Source, incoming: Incoming, at: datetime) -> Envelope:
    """The envelope, with its answer and outcome where its inquiry is not taken.

    One that was taken before stays taken, however often it is sent. Must run in a transaction
    where there are caps.
    """
    limits = limits_for(source)
    is_asked = limits.are_set() and can_be_limited(source)
    if not is_asked or not is_one(envelope):
        return envelope
    lead = envelope.leads[0]
    one = offered(lead, usual_cents=source.cost_cents)
    stands = standing(
        source,
        limits,
        state=one.state,
        is_known=bool(limits.duplicate_days) and is_known(lead, limits.duplicate_days, at),
        at=at,
    )
    against = refusal(one, limits, stands)
    if against is None or _is_taken(envelope, source):
        return envelope
    tell = answers_of(source)
    return replace(
        envelope,
        http=tell(against.said, incoming) if tell else envelope.http,
        outcome=Outcome.NOT_ACCEPTED,
        reason=against.why,
        refusal=against,
        actions=(),
    )


def is_one(envelope: Envelope) -> bool:
    """Whether it is one usable inquiry of a real person."""
    is_whole = len(envelope.leads) == 1 and not envelope.lookups
    return envelope.outcome is Outcome.ACCEPTED and is_whole


def is_known(lead: CanonicalLead, days: int, at: datetime) -> bool:
    """Whether the same human asked within so many days, by whatever way."""
    person, since = person_of(lead), at - timedelta(days=days)
    return person is not None and Touch.objects.filter(person=person, at__gt=since).exists()


def person_of(lead: CanonicalLead) -> UUID | None:
    """The human on file who asks in it."""
    identity = match.identity_of(lead)
    found = on_file.known(on_file.names_of(identity))
    ids = {who for people in found.values() for who in people if who}
    people = on_file.candidates(ids, is_test=False) if ids else {}
    same = match.best_match(identity, [one for known in people.values() for one in known])
    return same.person_id if same else None


def _is_taken(envelope: Envelope, source: Source) -> bool:
    """Sent again: it is answered as the first time, whatever the limits are by now."""
    key = envelope.idempotency_key
    return key is not None and DeliveryKey.objects.filter(key=key_at(source, key)).exists()
