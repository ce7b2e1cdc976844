"""Taking a delivery in: verify, mask, store, and know what to answer.

The answer may be given only after what was stored is committed.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction
from django.tasks import Task

from rooftree.capture.bidding import placed_bids
from rooftree.capture.intake import vendor_lookups
from rooftree.capture.intake.source_limits_check import (
    apply_source_limits,
    is_single_inquiry,
    source_limits,
)
from rooftree.capture.intake.source_lookup import require_current_source
from rooftree.capture.intake.store_delivery import DeliveryWrite, delivery_key, store_delivery
from rooftree.capture.parsing.envelope import (
    Adapter,
    Answer,
    Endpoint,
    Envelope,
    IncomingDelivery,
    Outcome,
)
from rooftree.capture.source_setup.acceptance_limits import lead_price_cents
from rooftree.capture.sources import SOURCES
from rooftree.core.masking import mask_numbers
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row, insert_row_if_new
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, DeliveryKey, RejectionCount, Source
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event

log = logging.getLogger(__name__)
UNSTORED_OUTCOMES = frozenset({Outcome.REJECTED_AUTH, Outcome.REJECTED_TOO_LARGE})
WORKABLE_OUTCOMES = frozenset({Outcome.ACCEPTED, Outcome.ACCEPTED_TEST, Outcome.UPDATED})
UNBOUGHT_OUTCOMES = frozenset({Outcome.IGNORED, Outcome.NOT_ACCEPTED})
STATE_BY_OUTCOME = {Outcome.QUARANTINED: "quarantined", Outcome.REJECTED_MALFORMED: "quarantined"}
PROOF_DESCRIPTIONS = {
    "header": "secret in a header",
    "basic": "user name and password",
    "hmac": "signature of the body",
}
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveResult:
    """What to tell the sender, and the row to work on (None when nothing was kept or it is old)."""

    answer: Answer
    envelope: Envelope  # as the adapter read it now
    delivery: Delivery | None = None
    stored_delivery: Delivery | None = None  # the row, whether there is work in it or not


def adapter_of(source: Source) -> Adapter:
    """The module that reads this source's deliveries."""
    return SOURCES[source.adapter]


def endpoint_of(source: Source) -> Endpoint:
    """How this source was set up, as its adapter wants it."""
    origins = frozenset(source.allowed_origins)
    return Endpoint(
        token=source.token or None,
        secret=source.secret or None,
        allowed_origins=origins,
        return_hosts=frozenset(origin.split("://")[-1] for origin in origins),
        zone=source.zone,
        is_test=source.is_test,
        setup=source.setup,
        credentials=vendor_lookups.load_credentials(source),
    )


def receive_delivery(
    *,
    source: Source,
    incoming: IncomingDelivery,
    at: datetime,
    choose_task: "Callable[[Envelope], Task[[], None]] | None" = None,
) -> ReceiveResult:
    """Store one delivery and answer it; it is committed unless a transaction is open.

    What fails authentication leaves a count. A repetition of something already
    stored gets the first answer again and starts nothing. All else is kept,
    masked: also what cannot be read, which waits for a person. Raises `Outdated`
    when the source was changed since it was looked up.

    Args:
        follows: names the task that works on what is stored; it is committed with it.
    """
    if not (placed_bids.takes_bids(source) or source_limits(source).has_caps()):
        return _process_delivery(source, incoming, at, choose_task)
    with transaction.atomic():  # of two at once one waits for what becomes of the other
        return _process_delivery(source, incoming, at, choose_task)


def _process_delivery(
    source: Source,
    incoming: IncomingDelivery,
    at: datetime,
    follows: "Callable[[Envelope], Task[[], None]] | None",
) -> ReceiveResult:
    envelope = adapter_of(source).read(_with_market(incoming, source))
    if envelope.outcome in UNSTORED_OUTCOMES or envelope.outcome is Outcome.HANDSHAKE:
        require_current_source(source)
        if envelope.outcome in UNSTORED_OUTCOMES:
            count_rejection(source.adapter, envelope.outcome.value, at)
        return ReceiveResult(answer=envelope.http, envelope=envelope)
    if envelope.placed_bid:
        require_current_source(source)
        placed_bids.store_bid(source, envelope.placed_bid, at=at)
        return ReceiveResult(answer=envelope.http, envelope=envelope)
    envelope = apply_source_limits(envelope, source, incoming, at)
    delivery = _build_delivery(source, incoming, envelope, at)
    answer = envelope.http.with_values(lead_id=str(delivery.pk), reference=public_reference(delivery))
    what = DeliveryWrite(
        delivery=delivery,
        event=_received_event(delivery),
        key=_key_row_if_unique(delivery, envelope, answer),
        wake_task=follows(envelope) if follows and delivery.state == "received" else None,
    )
    if _store_with_lookups(what, envelope):
        return _build_result(delivery, answer, envelope)
    with transaction.atomic():
        return _store_repeated(what, envelope, answer)


def _store_with_lookups(what: DeliveryWrite, envelope: Envelope) -> bool:
    """Keep it, with the look-ups it waits for; False where another delivery has the key."""
    if not envelope.lookups:
        return store_delivery(what)
    with transaction.atomic():
        is_first = store_delivery(what)
        if is_first:
            vendor_lookups.queue_lookups(
                what.delivery, envelope.lookups, at=what.delivery.received_at
            )
    return is_first


def reread_delivery(delivery: Delivery) -> Envelope:
    """What today's adapter makes of a stored delivery. Pure: the proof was checked on arrival."""
    incoming = rebuild_incoming(delivery)
    return adapter_of(delivery.source).read(_with_market(incoming, delivery.source))


def claim_inquiry(delivery: Delivery, inquiry: CanonicalLead, envelope: Envelope) -> bool:
    """Whether an inquiry of a delivery is for it to work: usable now, and not another delivery's.

    Of a batch each id is its own: a vendor may send one again in another batch.
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
    """The columns of a delivery that was read to its end; what cannot be used is set aside.

    Args:
        is_ours: an inquiry of it was for it to work, and no other delivery's.
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
    """Make a delivery that was not taken at first the one of its key.

    False where it came again and was taken since.
    """
    key = _key_row_if_unique(delivery, envelope, envelope.http)
    return key is None or insert_row_if_new(key)


def rebuild_incoming(delivery: Delivery) -> IncomingDelivery:
    """A stored delivery as an adapter takes it, by its source's set-up of today."""
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
        vendor_answers=vendor_lookups.load_vendor_answers(delivery),
    )


def _with_market(incoming: IncomingDelivery, source: Source) -> IncomingDelivery:
    """The delivery as its adapter reads it: of a source that is bid to, with what bids rest on."""
    market = placed_bids.market_of(source, at=incoming.received_at)
    return replace(incoming, market=market) if market else incoming


def public_reference(delivery: Delivery) -> str:
    """What a borrower or vendor may quote to us: short, and not a key to anything."""
    return hashlib.sha256(delivery.pk.bytes).hexdigest()[:10].upper()


def count_rejection(adapter: str, reason: str, at: datetime) -> None:
    """One more delivery turned away today. Nothing of it is kept."""
    log.warning("a %s delivery was turned away: %s", adapter, reason)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {RejectionCount._meta.db_table} (id, adapter, reason, on_date, count) "  # noqa: S608
            "values (%s, %s, %s, %s, 1) on conflict (adapter, reason, on_date) "
            "do update set count = rejection.count + 1",
            [uuid7_at(at), adapter, reason[:24], at.date()],
        )


def _build_delivery(
    source: Source, incoming: IncomingDelivery, envelope: Envelope, at: datetime
) -> Delivery:
    """The row, not written yet."""
    waits = envelope.outcome in WORKABLE_OUTCOMES
    return Delivery(
        id=uuid7_at(at),
        source=source,
        received_at=at,
        method=incoming.method,
        path=_drop_unstorable(_without_token(incoming.path, source))[:300],
        query=_storable_pairs(incoming.query, source),
        headers=_storable_pairs(incoming.headers, source),
        body=_without_secret(incoming.masked.body, source),
        body_sha256=hashlib.sha256(incoming.body).hexdigest(),
        remote_addr=incoming.remote_addr,
        verification=_describe_verification(source, incoming),
        state=STATE_BY_OUTCOME.get(envelope.outcome, "received" if waits else "closed"),
        outcome=envelope.outcome.value,
        reason=(envelope.reason or "")[:80],
        problem=envelope.refusal.sentence if envelope.refusal else "",
        price_cents=_offered_price_cents(envelope, source),
        warnings=list(envelope.warnings),
        due_at=at if waits else None,
        worked_at=None if waits else at,
    )


def _offered_price_cents(envelope: Envelope, source: Source) -> int | None:
    """What it costs as it was offered; of several inquiries together nothing is said."""
    if not is_single_inquiry(envelope) and envelope.outcome is not Outcome.NOT_ACCEPTED:
        return None
    return lead_price_cents(envelope.leads[0], usual_cents=source.cost_cents)


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
    work = delivery if delivery.state == "received" else None
    return ReceiveResult(answer=answer, envelope=envelope, delivery=work, stored_delivery=delivery)


def _has_unique_key(envelope: Envelope) -> bool:
    """Whether the key can only be this delivery's.

    Two unusable deliveries of one day without an id or a contact share the
    fallback key of canonical section 3; the second must not vanish as a repetition.
    """
    is_named = any(lead.vendor_lead_id for lead in envelope.leads)
    if envelope.outcome in UNBOUGHT_OUTCOMES:  # it may come again, right or in time
        return False
    return envelope.outcome is not Outcome.QUARANTINED or is_named


def _key_row_if_unique(
    delivery: Delivery, envelope: Envelope, answer: Answer
) -> DeliveryKey | None:
    """What makes it the same one again, with the answer it gets then."""
    if not envelope.idempotency_key or not _has_unique_key(envelope):
        return None
    return _build_key_row(delivery_key(delivery.source, envelope.idempotency_key), delivery, answer)


def _store_repeated(what: DeliveryWrite, envelope: Envelope, answer: Answer) -> ReceiveResult:
    """Keep a delivery whose key another one has, and give that one's answer.

    One that can be used takes the place of one that could not: a vendor who sends
    the missing number under the same id must not be taken for a repetition.
    """
    delivery, key = what.delivery, what.key
    assert key is not None
    owner = DeliveryKey.objects.select_for_update().get(pk=key.pk)
    if envelope.outcome in WORKABLE_OUTCOMES and _was_unusable(owner.delivery):
        Delivery.objects.filter(pk=owner.delivery_id).update(
            state="duplicate", reason="superseded", worked_at=delivery.received_at
        )
        _store_with_lookups(replace(what, key=None), envelope)
        key.save(force_update=True)  # it is never gone: others may be waiting for its row
        return _build_result(delivery, answer, envelope)
    delivery.state, delivery.outcome = "duplicate", Outcome.DUPLICATE_DELIVERY.value
    delivery.due_at = None
    insert_row(delivery)
    if envelope.repeat_answer:
        was = owner.delivery
        again = envelope.repeat_answer.with_values(lead_id=str(was.pk), reference=public_reference(was))
        return ReceiveResult(answer=again, envelope=envelope, stored_delivery=delivery)
    first = Answer(
        status=owner.answer_status,
        content_type=owner.answer_type or None,
        body=owner.answer_body or None,
        location=envelope.http.location,
    )
    return ReceiveResult(answer=first, envelope=envelope, stored_delivery=delivery)


def _was_unusable(delivery: Delivery) -> bool:
    """Whether it waits for a person, or was set aside as a row of an import is."""
    is_aside = delivery.state == "closed" and delivery.outcome == Outcome.QUARANTINED.value
    return is_aside or delivery.state == "quarantined"


def _build_key_row(key: str, delivery: Delivery, answer: Answer) -> DeliveryKey:
    return DeliveryKey(
        key=key,
        delivery=delivery,
        answer_status=answer.status,
        answer_type=answer.content_type or "",
        answer_body=answer.to_bytes().decode(),
    )


def _without_token(text: str, source: Source) -> str:
    for secret, name in ((source.token, "<token>"), (source.secret, "<secret>")):
        text = text.replace(secret, name) if secret else text
    return text


def _without_secret(body: bytes, source: Source) -> bytes:
    """Some vendors prove themselves by a word in the body; it is checked, and not kept."""
    return body.replace(source.secret.encode(), b"<secret>") if source.secret else body


def _storable_pairs(said: Mapping[str, str], source: Source) -> dict[str, str]:
    """Headers or a query as they may be kept: no credentials, no number that must not be."""
    return {
        _drop_unstorable(name)[:200]: _mask_value(
            _drop_unstorable(name), _drop_unstorable(value), source
        )[:500]
        for name, value in said.items()
        if name.lower() not in PRIVATE_HEADERS
    }


def _drop_unstorable(text: str) -> str:
    """The text without what a database cannot keep; an authentic delivery is never lost to it."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _mask_value(name: str, value: str, source: Source) -> str:
    labelled = mask_numbers(f"{name}={value}".encode()).body.decode(errors="replace")
    return _without_token(labelled[len(name) + 1 :], source)


def _describe_verification(source: Source, incoming: IncomingDelivery) -> str:
    if incoming.is_verified:
        return "the vendor's own list"
    if source.secret and hasattr(adapter_of(source), "CREDENTIALS"):
        return "signature or key"
    if incoming.header("x-rooftree-signature"):
        return "signature"
    usual = getattr(adapter_of(source), "PROOF", "")
    if asked := PROOF_DESCRIPTIONS.get(source.setup.get("proof") or usual):
        return asked
    return "path token" if source.token else "allowed origin"
