"""Taking a delivery in: verify, mask, store, and know what to answer, in one transaction.

The answer may be given only after the transaction has committed.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from rooftree.capture import auction, retrieve
from rooftree.capture.envelope import Adapter, Answer, Endpoint, Envelope, Incoming, Outcome
from rooftree.capture.sources import SOURCES
from rooftree.core.masking import mask
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, DeliveryKey, Rejection, Source
from rooftree.ledger.write import write
from rooftree.org.insert import insert, insert_once

log = logging.getLogger(__name__)
LONGEST_KEY = 300
NOT_KEPT = frozenset({Outcome.REJECTED_AUTH, Outcome.REJECTED_TOO_LARGE})
WORTH_WORK = frozenset({Outcome.ACCEPTED, Outcome.ACCEPTED_TEST, Outcome.UPDATED})
STATES = {Outcome.QUARANTINED: "quarantined", Outcome.REJECTED_MALFORMED: "quarantined"}
PROVEN = {
    "header": "secret in a header",
    "basic": "user name and password",
    "hmac": "signature of the body",
}
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What to tell the sender, and the row to work on (None when nothing was kept or it is old)."""

    answer: Answer
    delivery: Delivery | None = None
    kept: Delivery | None = None  # the row, whether there is work in it or not


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
        credentials=retrieve.credentials_of(source),
    )


def receive(*, source: Source, incoming: Incoming, at: datetime) -> Received:
    """Store one delivery and answer it. Must run in a transaction.

    What fails authentication leaves a count. A repetition of something already
    stored gets the first answer again and starts nothing. All else is kept,
    masked: also what cannot be read, which waits for a person.
    """
    envelope = adapter_of(source).read(_at_market(incoming, source))
    if envelope.outcome in NOT_KEPT:
        count_rejection(source.adapter, envelope.outcome.value, at)
        return Received(answer=envelope.http)
    if envelope.outcome is Outcome.HANDSHAKE:
        return Received(answer=envelope.http)
    if envelope.offer:
        auction.keep(source, envelope, at=at)
        return Received(answer=envelope.http)
    delivery = _keep(source, incoming, envelope, at)
    if envelope.idempotency_key and _is_told_apart(envelope):
        earlier = _first_of(key_at(source, envelope.idempotency_key), delivery, envelope)
        if earlier is not None:
            Delivery.objects.filter(pk=delivery.pk).update(
                state="duplicate", outcome=Outcome.DUPLICATE_DELIVERY.value, due_at=None
            )
            delivery.state = "duplicate"
            return Received(answer=earlier, kept=delivery)
    if envelope.lookups:
        retrieve.want(delivery, envelope.lookups, at=at)
    write(
        "capture.delivery.received",
        at=at,
        actor=f"vendor:{source.adapter}",
        delivery=delivery.pk,
        outcome=envelope.outcome.value,
        sha256=delivery.body_sha256,
    )
    answer = envelope.http.filled(lead_id=str(delivery.pk), reference=reference_of(delivery))
    work = delivery if delivery.state == "received" else None
    return Received(answer=answer, delivery=work, kept=delivery)


def reread(delivery: Delivery) -> Envelope:
    """What today's adapter makes of a stored delivery. Pure: the proof was checked on arrival."""
    incoming = as_received(delivery)
    return adapter_of(delivery.source).read(_at_market(incoming, delivery.source))


def is_ours_to_work(delivery: Delivery, inquiry: CanonicalLead, envelope: Envelope) -> bool:
    """Whether an inquiry of a delivery is for it to work: usable now, and not another delivery's.

    Of a batch each id is its own: a vendor may send one again in another batch.
    """
    if envelope.outcome not in WORTH_WORK:
        return False
    vendor, _, ids = (envelope.idempotency_key or "").partition(":")
    if "," not in ids:
        return not envelope.lookups
    if not inquiry.is_workable():
        return False
    key, answer = key_at(delivery.source, f"{vendor}:{inquiry.vendor_lead_id}"), envelope.http
    is_first = insert_once(_key_row(key, delivery, answer))
    return is_first or DeliveryKey.objects.filter(key=key, delivery=delivery).exists()


def end_of(delivery: Delivery, envelope: Envelope, at: datetime) -> dict[str, object]:
    """The columns of a delivery that was read to its end; what cannot be used is set aside."""
    is_used = envelope.outcome in WORTH_WORK
    is_batch = len(envelope.leads) > 1
    is_whole = is_used and (not is_batch or all(one.is_workable() for one in envelope.leads))
    done: dict[str, object] = {"state": "worked", "worked_at": at, "due_at": None}
    if is_whole and delivery.outcome == envelope.outcome.value:
        return done
    kept = "quarantined" if is_used else STATES.get(envelope.outcome, "closed")
    return done | {
        "state": "worked" if is_whole else kept,
        "outcome": envelope.outcome.value,
        "reason": "" if is_whole else (envelope.reason or "part_unusable")[:80],
        "warnings": list(envelope.warnings),
    }


def as_received(delivery: Delivery) -> Incoming:
    """A stored delivery as an adapter takes it, by its source's set-up of today."""
    return Incoming(
        method=delivery.method,
        path=delivery.path,
        query=delivery.query,
        headers=delivery.headers,
        body=bytes(delivery.body),
        remote_addr=delivery.remote_addr,
        received_at=delivery.received_at,
        endpoint=endpoint_of(delivery.source),
        is_verified=True,
        told=retrieve.told(delivery),
    )


def _at_market(incoming: Incoming, source: Source) -> Incoming:
    """The delivery as its adapter reads it: of a source that is bid to, with what bids rest on."""
    market = auction.market_of(source, at=incoming.received_at)
    return replace(incoming, market=market) if market else incoming


def reference_of(delivery: Delivery) -> str:
    """What a borrower or vendor may quote to us: short, and not a key to anything."""
    return hashlib.sha256(delivery.pk.bytes).hexdigest()[:10].upper()


def count_rejection(adapter: str, reason: str, at: datetime) -> None:
    """One more delivery turned away today. Nothing of it is kept."""
    log.warning("a %s delivery was turned away: %s", adapter, reason)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {Rejection._meta.db_table} (id, adapter, reason, on_date, count) "  # noqa: S608
            "values (%s, %s, %s, %s, 1) on conflict (adapter, reason, on_date) "
            "do update set count = rejection.count + 1",
            [uuid7_at(at), adapter, reason[:24], at.date()],
        )


def _keep(source: Source, incoming: Incoming, envelope: Envelope, at: datetime) -> Delivery:
    waits = envelope.outcome in WORTH_WORK
    row = Delivery(
        id=uuid7_at(at),
        source=source,
        received_at=at,
        method=incoming.method,
        path=_storable(_without_token(incoming.path, source))[:300],
        query=_public(incoming.query, source),
        headers=_public(incoming.headers, source),
        body=_without_secret(incoming.masked.body, source),
        body_sha256=hashlib.sha256(incoming.body).hexdigest(),
        remote_addr=incoming.remote_addr,
        verification=_proof(source, incoming),
        state=STATES.get(envelope.outcome, "received" if waits else "closed"),
        outcome=envelope.outcome.value,
        reason=(envelope.reason or "")[:80],
        warnings=list(envelope.warnings),
        due_at=at if waits else None,
        worked_at=None if waits else at,
    )
    return insert(row)


def _is_told_apart(envelope: Envelope) -> bool:
    """Whether the key can only be this delivery's.

    Two unusable deliveries of one day without an id or a contact share the
    fallback key of canonical section 3; the second must not vanish as a repetition.
    """
    is_named = any(lead.vendor_lead_id for lead in envelope.leads)
    if envelope.outcome is Outcome.IGNORED:  # a post that was not bought may come again, right
        return False
    return envelope.outcome is not Outcome.QUARANTINED or is_named


def key_at(source: Source, key: str) -> str:
    """The key among those of this source, as the column can hold it.

    A vendor's id is unique at one account, and two accounts at one vendor are two
    sources here. It may be of any length.
    """
    own = f"{source.pk.hex}:{key}"
    if len(own) <= LONGEST_KEY:
        return own
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return f"{source.pk.hex}:{key.partition(':')[0]}:sha256:{hashed}"


def _first_of(key: str, delivery: Delivery, envelope: Envelope) -> Answer | None:
    """Claim the key for this delivery, or give the answer of the one that has it: what that
    one was told, or what the vendor's contract calls a repetition.

    A second arrival in the same instant waits here for the first to commit. One
    that can be used takes the place of one that could not: a vendor who sends
    the missing number under the same id must not be taken for a repetition.
    """
    answer = envelope.http.filled(lead_id=str(delivery.pk), reference=reference_of(delivery))
    if insert_once(_key_row(key, delivery, answer)):
        return None
    rows = DeliveryKey.objects.select_for_update(of=("self",)).select_related("delivery")
    owner = rows.get(pk=key)
    if envelope.outcome in WORTH_WORK and owner.delivery.state == "quarantined":
        _supersede(owner, delivery, answer, at=delivery.received_at)
        return None
    if envelope.again:
        first = owner.delivery
        return envelope.again.filled(lead_id=str(first.pk), reference=reference_of(first))
    return Answer(
        status=owner.answer_status,
        content_type=owner.answer_type or None,
        body=owner.answer_body or None,
        location=envelope.http.location,
    )


def _key_row(key: str, delivery: Delivery, answer: Answer) -> DeliveryKey:
    return DeliveryKey(
        key=key,
        delivery=delivery,
        answer_status=answer.status,
        answer_type=answer.content_type or "",
        answer_body=answer.to_bytes().decode(),
    )


def _supersede(owner: DeliveryKey, delivery: Delivery, answer: Answer, *, at: datetime) -> None:
    Delivery.objects.filter(pk=owner.delivery_id).update(
        state="duplicate", reason="superseded", worked_at=at
    )
    DeliveryKey.objects.filter(pk=owner.key).update(
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


def _public(said: Mapping[str, str], source: Source) -> dict[str, str]:
    """Headers or a query as they may be kept: no credentials, no number that must not be."""
    return {
        _storable(name)[:200]: _kept(_storable(name), _storable(value), source)[:500]
        for name, value in said.items()
        if name.lower() not in PRIVATE_HEADERS
    }


def _storable(text: str) -> str:
    """The text without what a database cannot keep; an authentic delivery is never lost to it."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _kept(name: str, value: str, source: Source) -> str:
    labelled = mask(f"{name}={value}".encode()).body.decode(errors="replace")
    return _without_token(labelled[len(name) + 1 :], source)


def _proof(source: Source, incoming: Incoming) -> str:
    if incoming.is_verified:
        return "the vendor's own list"
    if source.secret and hasattr(adapter_of(source), "CREDENTIALS"):
        return "signature or key"
    if incoming.header("x-rooftree-signature"):
        return "signature"
    usual = getattr(adapter_of(source), "PROOF", "")
    if asked := PROVEN.get(source.setup.get("proof") or usual):
        return asked
    return "path token" if source.token else "allowed origin"
