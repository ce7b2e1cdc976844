"""Receive a delivery: verify it, mask it, store it, and decide the answer to its sender.

The answer must be sent only after the stored rows are committed.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.tasks import Task

from rooftree.capture.bidding import placed_bids
from rooftree.capture.intake import source_limits_check, store_delivery, vendor_lookups
from rooftree.capture.intake.source_admission import require_current_source
from rooftree.capture.intake.store_delivery import DeliveryWrite, delivery_key
from rooftree.capture.parsing.envelope import (
    Adapter,
    Answer,
    Endpoint,
    Envelope,
    IncomingDelivery,
    Outcome,
)
from rooftree.capture.parsing.vendor_api import Upstream
from rooftree.capture.sources import SOURCES
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row, insert_row_if_new
from rooftree.db.statements import execute
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, DeliveryKey, RejectionCount, Source
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event

log = logging.getLogger(__name__)
UNSTORED_OUTCOMES = frozenset({Outcome.REJECTED_AUTH, Outcome.REJECTED_TOO_LARGE})
WORKABLE_OUTCOMES = frozenset({Outcome.ACCEPTED, Outcome.ACCEPTED_TEST, Outcome.UPDATED})
UNBOUGHT_OUTCOMES = frozenset({Outcome.IGNORED, Outcome.NOT_ACCEPTED})
STATE_BY_OUTCOME = {Outcome.QUARANTINED: "quarantined", Outcome.REJECTED_MALFORMED: "quarantined"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveResult:
    """The answer for the sender, and the stored rows."""

    answer: Answer
    envelope: Envelope  # as the adapter read it just now
    delivery: Delivery | None = None  # the row to process; None if nothing is left to process
    stored_delivery: Delivery | None = None  # the row, whether it is to be processed or not


def adapter_of(source: Source) -> Adapter:
    """Return the module that reads this source's deliveries."""
    return SOURCES[source.adapter]


def takes_bids(source: Source) -> bool:
    """Decide whether a source sends pings that we answer with bids."""
    return getattr(adapter_of(source), "TAKES_BIDS", False)


def endpoint_of(source: Source) -> Endpoint:
    """Return this source's settings in the form its adapter takes."""
    origins = frozenset(source.allowed_origins)
    return Endpoint(
        token=source.token or None,
        secret=source.secret or None,
        signed_only=source.setup.get("signed_only") is True,
        allowed_origins=origins,
        return_hosts=frozenset(origin.split("://")[-1] for origin in origins),
        zone=source.zone,
        is_test=source.is_test,
        setup=source.setup,
        credentials=source.vendor_credentials,
    )


def receive_delivery(
    *,
    source: Source,
    incoming: IncomingDelivery,
    at: datetime,
    choose_task: "Callable[[Envelope], Task[[], None]] | None" = None,
) -> ReceiveResult:
    """Store one delivery and return its answer; committed unless a transaction is open.

    A delivery that fails authentication is only counted. A repeated delivery gets
    the first answer again and starts no work. Every other delivery is stored, masked:
    an unreadable one is quarantined for staff. Raises `SourceChanged` when the source
    was changed since it was looked up.

    Args:
        choose_task: returns the task that processes the stored delivery; it is enqueued
            in the same transaction.
    """
    has_caps = _has_rules(source) and source_limits_check.source_limits(source).has_caps()
    if not (takes_bids(source) or has_caps):
        return _process_delivery(source, incoming, at, choose_task)
    with transaction.atomic():  # two concurrent deliveries are decided one after the other
        return _process_delivery(source, incoming, at, choose_task)


def _process_delivery(
    source: Source,
    incoming: IncomingDelivery,
    at: datetime,
    choose_task: "Callable[[Envelope], Task[[], None]] | None",
) -> ReceiveResult:
    if takes_bids(source):
        market = placed_bids.SourceMarket(source=source, at=incoming.received_at)
        incoming = replace(incoming, market=market)
    envelope = adapter_of(source).read(incoming)
    if envelope.outcome in UNSTORED_OUTCOMES or envelope.outcome is Outcome.HANDSHAKE:
        require_current_source(source)
        if envelope.outcome in UNSTORED_OUTCOMES:
            count_rejection(source.adapter, envelope.outcome.value, at)
        return ReceiveResult(answer=envelope.http, envelope=envelope)
    if envelope.placed_bid:
        require_current_source(source)
        placed_bids.store_bid(source, envelope.placed_bid, at=at)
        return ReceiveResult(answer=envelope.http, envelope=envelope)
    if _has_rules(source):
        envelope = source_limits_check.apply_source_limits(envelope, source, incoming, at)
    delivery = _build_delivery(source, incoming, envelope, at)
    answer = envelope.http.with_values(
        lead_id=str(delivery.pk), reference=public_reference(delivery)
    )
    write = DeliveryWrite(
        delivery=delivery,
        event=_received_event(delivery),
        key=_key_row_if_unique(delivery, envelope, answer),
        wake_task=choose_task(envelope) if choose_task and delivery.state == "received" else None,
    )
    if _store_with_lookups(write, envelope):
        return _build_result(delivery, answer, envelope)
    with transaction.atomic():
        return _store_repeated(write, envelope, answer)


def _store_with_lookups(write: DeliveryWrite, envelope: Envelope) -> bool:
    """Store a delivery with the look-ups it waits for; False if another has its key."""
    if not envelope.lookups:
        return store_delivery.store_delivery(write)
    with transaction.atomic():
        is_first = store_delivery.store_delivery(write)
        if is_first:
            vendor_lookups.queue_lookups(
                write.delivery, envelope.lookups, at=write.delivery.received_at
            )
    return is_first


def reread_delivery(delivery: Delivery) -> Envelope:
    """Read a stored delivery with today's adapter; its proof was checked on arrival."""
    source, incoming = delivery.source, rebuild_incoming(delivery)
    if takes_bids(source):
        market = placed_bids.SourceMarket(source=source, at=delivery.received_at)
        incoming = replace(incoming, market=market)
    return adapter_of(source).read(incoming)


def claim_inquiry(delivery: Delivery, inquiry: CanonicalLead, envelope: Envelope) -> bool:
    """Claim an inquiry for its delivery; return True if this delivery is to process it.

    False if the inquiry is not usable now or belongs to another delivery. In a batch
    each inquiry has its own key, because a vendor can repeat it in another batch.
    """
    if envelope.outcome not in WORKABLE_OUTCOMES:
        return False
    vendor, _, ids = (envelope.idempotency_key or "").partition(":")
    if "," not in ids:
        return not envelope.lookups
    if not inquiry.is_workable():
        return False
    key, answer = delivery_key(delivery.source, f"{vendor}:{inquiry.vendor_lead_id}"), envelope.http
    is_first = insert_row_if_new(_build_key_row(key, delivery, answer))
    return is_first or DeliveryKey.objects.filter(key=key, delivery=delivery).exists()


def final_delivery_columns(
    delivery: Delivery, envelope: Envelope, at: datetime, *, is_ours: bool
) -> dict[str, object]:
    """Return the columns of a fully read delivery; an unusable one is quarantined.

    Args:
        is_ours: True if at least one of its inquiries was claimed by this delivery.
    """
    done: dict[str, object] = {
        "state": "worked",
        "outcome": delivery.outcome,
        "reason": delivery.reason,
        "warnings": delivery.warnings,
        "worked_at": at,
        "due_at": None,
    }
    is_used = envelope.outcome in WORKABLE_OUTCOMES
    is_whole = len(envelope.leads) == 1 or all(lead.is_workable() for lead in envelope.leads)
    if is_used and is_whole and not is_ours:
        return done | {"state": "duplicate", "outcome": Outcome.DUPLICATE_DELIVERY.value}
    if is_used and is_whole and delivery.outcome == envelope.outcome.value:
        return done
    state = STATE_BY_OUTCOME.get(envelope.outcome, "closed")
    if is_used:
        state = "worked" if is_whole else "quarantined"
    return done | {
        "state": state,
        "outcome": envelope.outcome.value,
        "reason": "" if is_used and is_whole else (envelope.reason or "part_unusable")[:80],
        "warnings": list(envelope.warnings),
    }


def claim_delivery_key(delivery: Delivery, envelope: Envelope) -> bool:
    """Register the key of a delivery that was rejected at first.

    Return False if the delivery was sent again and accepted meanwhile.
    """
    key = _key_row_if_unique(delivery, envelope, envelope.http)
    return key is None or insert_row_if_new(key)


def rebuild_incoming(delivery: Delivery) -> IncomingDelivery:
    """Return a stored delivery in the form an adapter reads, with today's source settings."""
    return IncomingDelivery(
        method=delivery.method,
        path=delivery.path,
        query=delivery.query,
        headers=delivery.headers,
        body=bytes(delivery.body),
        remote_addr=delivery.remote_addr,
        received_at=delivery.received_at,
        endpoint=endpoint_of(delivery.source),
        is_verified=True,
        vendor_answers=vendor_lookups.load_vendor_answers(delivery)
        if isinstance(adapter_of(delivery.source), Upstream)
        else {},
    )


def _has_rules(source: Source) -> bool:
    return bool(source.setup.get("acceptance"))


def public_reference(delivery: Delivery) -> str:
    """Return a short reference that a borrower or vendor can quote; it grants no access."""
    return hashlib.sha256(delivery.pk.bytes).hexdigest()[:10].upper()


def count_rejection(adapter: str, reason: str, at: datetime) -> None:
    """Add one to today's count of rejected deliveries; nothing else of the delivery is stored."""
    log.warning("rejected a %s delivery: %s", adapter, reason)
    execute(
        f"insert into {RejectionCount._meta.db_table} (id, adapter, reason, on_date, count) "  # noqa: S608
        "values (%s, %s, %s, %s, 1) on conflict (adapter, reason, on_date) "
        "do update set count = rejection_count.count + 1",
        [uuid7_at(at), adapter, reason[:24], at.date()],
    )


def _build_delivery(
    source: Source, incoming: IncomingDelivery, envelope: Envelope, at: datetime
) -> Delivery:
    """Build the delivery's row without saving it."""
    is_workable = envelope.outcome in WORKABLE_OUTCOMES
    price_cents = None  # of a batch or an unusable delivery
    if envelope.is_single_inquiry or envelope.outcome is Outcome.NOT_ACCEPTED:
        price_cents = envelope.leads[0].price_cents(usual_cents=source.cost_cents)
    return Delivery(
        id=uuid7_at(at),
        source=source,
        received_at=at,
        method=incoming.method,
        path=store_delivery.storable_path(incoming.path, source),
        query=store_delivery.storable_pairs(incoming.query, source),
        headers=store_delivery.storable_pairs(incoming.headers, source),
        body=store_delivery.storable_body(incoming, source),
        body_sha256=hashlib.sha256(incoming.body).hexdigest(),
        remote_addr=incoming.remote_addr,
        verification=store_delivery.describe_verification(incoming, source, adapter_of(source)),
        state=STATE_BY_OUTCOME.get(envelope.outcome, "received" if is_workable else "closed"),
        outcome=envelope.outcome.value,
        reason=(envelope.reason or "")[:80],
        problem=envelope.refusal.sentence if envelope.refusal else "",
        price_cents=price_cents,
        warnings=list(envelope.warnings),
        due_at=at if is_workable else None,
        worked_at=None if is_workable else at,
    )


def _received_event(delivery: Delivery) -> Event:
    return build_event(
        "capture.delivery.received",
        at=delivery.received_at,
        actor=f"vendor:{delivery.source.adapter}",
        delivery=delivery.pk,
        outcome=delivery.outcome,
        sha256=delivery.body_sha256,
    )


def _build_result(delivery: Delivery, answer: Answer, envelope: Envelope) -> ReceiveResult:
    to_process = delivery if delivery.state == "received" else None
    return ReceiveResult(
        answer=answer, envelope=envelope, delivery=to_process, stored_delivery=delivery
    )


def _has_unique_key(envelope: Envelope) -> bool:
    """Decide whether the key identifies only this delivery.

    Two unusable deliveries of one day without an id or contact share the fallback
    key of canonical section 3; the second must not be dropped as a repetition.
    """
    has_vendor_id = any(lead.vendor_lead_id for lead in envelope.leads)
    if envelope.outcome in UNBOUGHT_OUTCOMES:  # the vendor can send it again, corrected or in time
        return False
    return envelope.outcome is not Outcome.QUARANTINED or has_vendor_id


def _key_row_if_unique(
    delivery: Delivery, envelope: Envelope, answer: Answer
) -> DeliveryKey | None:
    """Return the row that identifies repetitions and holds their answer; None if not unique."""
    if not envelope.idempotency_key or not _has_unique_key(envelope):
        return None
    return _build_key_row(delivery_key(delivery.source, envelope.idempotency_key), delivery, answer)


def _store_repeated(write: DeliveryWrite, envelope: Envelope, answer: Answer) -> ReceiveResult:
    """Store a delivery whose key another delivery has, and return that delivery's answer.

    A usable delivery replaces an unusable one: a vendor that sends a missing phone
    number later under the same id must not be treated as repeating itself.
    """
    delivery, key = write.delivery, write.key
    assert key is not None
    owner = DeliveryKey.objects.select_for_update().get(pk=key.pk)
    if envelope.outcome in WORKABLE_OUTCOMES and _was_unusable(owner.delivery):
        Delivery.objects.filter(pk=owner.delivery_id).update(
            state="duplicate", reason="superseded", worked_at=delivery.received_at
        )
        _store_with_lookups(replace(write, key=None), envelope)
        key.save(force_update=True)  # never delete the row: other transactions can wait for it
        return _build_result(delivery, answer, envelope)
    delivery.state, delivery.outcome = "duplicate", Outcome.DUPLICATE_DELIVERY.value
    delivery.due_at = None
    insert_row(delivery)
    if envelope.repeat_answer:
        repeat_answer = envelope.repeat_answer.with_values(
            lead_id=str(owner.delivery.pk), reference=public_reference(owner.delivery)
        )
        return ReceiveResult(answer=repeat_answer, envelope=envelope, stored_delivery=delivery)
    first_answer = Answer(
        status=owner.answer_status,
        content_type=owner.answer_type or None,
        body=owner.answer_body or None,
        location=envelope.http.location,
    )
    return ReceiveResult(answer=first_answer, envelope=envelope, stored_delivery=delivery)


def _was_unusable(delivery: Delivery) -> bool:
    """Decide whether a delivery is quarantined, or is an unusable row of an import."""
    is_unusable_import = (
        delivery.state == "closed" and delivery.outcome == Outcome.QUARANTINED.value
    )
    return is_unusable_import or delivery.state == "quarantined"


def _build_key_row(key: str, delivery: Delivery, answer: Answer) -> DeliveryKey:
    return DeliveryKey(
        key=key,
        delivery=delivery,
        answer_status=answer.status,
        answer_type=answer.content_type or "",
        answer_body=answer.to_bytes().decode(),
    )
