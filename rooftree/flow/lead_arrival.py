"""What happens to a lead from arrival to the first live conversation.

Read top to bottom: this file is the order of events. Each task makes one call
into a room and names what follows it; no room knows what comes next.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import Task, task

from rooftree.capture.certificates import certificate_claims
from rooftree.capture.intake import receive_delivery, store_inquiries, vendor_lookups
from rooftree.capture.intake.receive_delivery import ReceiveResult
from rooftree.capture.intake.store_inquiries import Arrival
from rooftree.capture.parsing.envelope import Envelope, IncomingDelivery
from rooftree.db.bulk_update import update_each, update_where
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow import clock, credit_notice_triggers, inbound_calls, lead_offers, number_lookups
from rooftree.flow.message_dispatch import ring_due_officers, send_messages, send_messages_by_id
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.outreach.messages import first_response, redecide_held_messages
from rooftree.outreach.releases import release_drafts
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import response_deadline
from rooftree.scoring.rescore_leads import rescore_lead, rescore_many
from rooftree.tasks.batches import requeue_individually, run_batch
from rooftree.tasks.dedupe import complete_waiting_duplicates
from rooftree.tasks.live_updates import publish_update, publish_updates

log = logging.getLogger(__name__)
DELIVERY_BATCH = 20  # deliveries of one transaction
DUE_DELIVERIES = PreparedQuery(
    lambda at: (
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("source")
        .filter(state="received", due_at__lte=at)
        .order_by("due_at")[:DELIVERY_BATCH]
    ),
    at=datetime,
)
MAX_ATTEMPTS = 5  # of our own bugs; then a person looks
REPLAYED_FIELDS = ["outcome", "reason", "warnings", "state", "due_at", "attempts", "problem"]
BACKOFF_SECONDS = (5, 30, 120, 600)  # seconds
LATE_AFTER = timedelta(hours=1)  # a first answer later than this goes as part of a release


def accept_delivery(*, source: Source, incoming: IncomingDelivery, at: datetime) -> ReceiveResult:
    """Take a delivery in and nudge the work on it. Answer the sender after this returns."""
    return receive_delivery.receive_delivery(
        source=source, incoming=incoming, at=at, choose_task=_next_task
    )


def _next_task(envelope: Envelope) -> "Task[[], None]":
    return look_up_deliveries if envelope.lookups else process_deliveries


@task(queue_name="soon", priority=60)
def look_up_deliveries() -> None:
    """Ask the vendors what deliveries wait for, until none is due, and work what was answered.

    Not among what is done now: a vendor that is slow must not hold up borrowers of others.
    """
    while vendor_lookups.run_next_lookup(at=clock.now()):
        process_deliveries.enqueue()


@task(queue_name="now", priority=40)
def process_deliveries() -> None:
    """Turn deliveries that are due into leads, until none is left."""
    complete_waiting_duplicates(process_deliveries)
    while process_next_batch(at=clock.now()) == DELIVERY_BATCH:
        pass


def process_next_batch(*, at: datetime) -> int:
    """Work on the deliveries that have waited longest; how many, 0 when none is due.

    A bug of ours in one delivery holds up no other: it is set aside, tried
    again later, and shown in quarantine in the end.
    """

    def work(some: Sequence[Delivery]) -> Sequence[Delivery]:
        with transaction.atomic():
            _process_batch(some, at)
        return some

    with transaction.atomic():
        deliveries = DUE_DELIVERIES.all(at=at)
        run_batch(
            work, deliveries, on_failure=lambda one, problem: _record_failure(one, problem, at)
        )
    return len(deliveries)


def replay_delivery(*, delivery_id: UUID, by: object, at: datetime) -> Delivery:
    """Read a stored delivery again with today's adapter, and work it if it can be used now.

    One that was refused by our limits is accepted by it, whatever they are.

    Repeat-safe: a delivery that was worked stays as it is.
    """
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("source")
            .get(pk=delivery_id)
        )
        if delivery.state not in ("quarantined", "closed") or delivery.outcome == "ignored":
            return delivery
        if vendor_lookups.expedite_lookups(delivery, at=at):
            look_up_deliveries.enqueue()
        envelope, was_refused = (
            receive_delivery.reread_delivery(delivery),
            delivery.outcome == "not_accepted",
        )
        delivery.problem = ""
        delivery.outcome = envelope.outcome.value
        delivery.reason = (envelope.reason or "")[:80]
        delivery.warnings = list(envelope.warnings)
        is_used = envelope.outcome in receive_delivery.WORKABLE_OUTCOMES
        if is_used and was_refused and not receive_delivery.claim_delivery_key(delivery, envelope):
            delivery.state, delivery.reason = "duplicate", "superseded"
            delivery.outcome = "duplicate_delivery"
        elif is_used:
            delivery.state, delivery.due_at, delivery.attempts = "received", at, 0
            process_deliveries.enqueue()
        delivery.save(update_fields=REPLAYED_FIELDS)
        write_event(
            "capture.delivery.replayed",
            at=at,
            actor=f"user:{by}",
            delivery=delivery.pk,
            outcome=delivery.outcome,
        )
    return delivery


def _process_batch(deliveries: Sequence[Delivery], at: datetime) -> None:
    """A word about a call or a chat may be more of one before it: each is worked by itself."""
    read = [(delivery, receive_delivery.reread_delivery(delivery)) for delivery in deliveries]
    _store_leads([one for one in read if not _is_conversation(one[1])], at)
    for one in read:
        if _is_conversation(one[1]):
            _store_leads([one], at)


def _is_conversation(envelope: Envelope) -> bool:
    return any(lead.interaction is not None for lead in envelope.leads)


def _store_leads(read: Sequence[tuple[Delivery, Envelope]], at: datetime) -> None:
    arrivals: list[Arrival] = []
    ended: list[dict[str, object]] = []
    for delivery, envelope in read:
        if ends_at := inbound_calls.call_wait_deadline(envelope, delivery, at=at):
            update_where(Delivery, where={"id": delivery.pk}, to={"due_at": ends_at})
            continue
        ours = _arrivals_to_store(delivery, envelope)
        arrivals += [
            arrival
            for arrival in ours
            if not inbound_calls.append_to_conversation(arrival.inquiry, delivery=delivery, at=at)
        ]
        if envelope.lookups:
            vendor_lookups.queue_lookups(delivery, envelope.lookups, at=at)
            look_up_deliveries.enqueue()
            continue
        end = receive_delivery.final_delivery_columns(delivery, envelope, at, is_ours=bool(ours))
        ended.append({"id": delivery.pk, **end})
    _start_responses(
        [
            store_inquiry
            for store_inquiry in store_inquiries.store_inquiries(arrivals, at=at)
            if store_inquiry.is_new
        ],
        at,
    )
    update_each(Delivery, ended)


def _arrivals_to_store(delivery: Delivery, envelope: Envelope) -> list[Arrival]:
    return [
        Arrival(inquiry=inquiry, delivery=delivery, position=position)
        for position, inquiry in enumerate(envelope.leads)
        if receive_delivery.claim_inquiry(delivery, inquiry, envelope)
    ]


def _start_responses(stored: Sequence[store_inquiries.StoredInquiry], at: datetime) -> None:
    """The replies and the assignments are committed together and run side by side."""
    count_arrivals(stored)
    real = [stored_inquiry for stored_inquiry in stored if not stored_inquiry.lead.is_test]
    wrote = [one for one in real if not inbound_calls.handle_call_touch(one.touch, at=at)]
    credit_notice_triggers.check_arrivals(real, at=at)
    number_lookups.ask_about_arrivals(real, at=at)
    if any([certificate_claims.queue_certificate(one.touch, at=at) for one in real]):
        claim_certificates.enqueue()
    late = [one for one in wrote if one.touch.delivery.received_at < at - LATE_AFTER]
    if late:
        _gather_late_greetings(late, at)
    if fresh := [str(one.touch.pk) for one in wrote if one not in late]:
        respond_to_touches.enqueue(touch_ids=fresh)
    if free := [str(one.lead.pk) for one in real if one.lead.officer_id is None]:
        assign_leads.enqueue(lead_ids=free)
    for one in wrote:
        if one.lead.officer_id is not None:
            notify_owner.enqueue(touch_id=str(one.touch.pk))
    publish_updates([("lead", None, {"lead": str(one.lead.pk)}) for one in real])


def _gather_late_greetings(stored: Sequence[store_inquiries.StoredInquiry], at: datetime) -> None:
    """They came long ago and are worked only now, perhaps thousands by one press of a replay.

    A few are answered within minutes; for many a second person looks first.
    """
    release_drafts.join_shared_draft(
        kind="greetings",
        title="First answers to deliveries that were worked late",
        about={"of": "late deliveries"},
        members={
            f"touch:{stored_inquiry.touch.pk}": stored_inquiry.lead for stored_inquiry in stored
        },
        at=at,
    )


def count_arrivals(stored: Sequence[store_inquiries.StoredInquiry]) -> None:
    """Count what was stored in this very transaction: new leads, and what each arrival cost."""
    rollup_deltas.count_new_leads(
        [stored_inquiry.lead for stored_inquiry in stored if stored_inquiry.touch.is_first]
    )
    for stored_inquiry in stored:
        if not stored_inquiry.touch.is_first:
            rollup_deltas.count_touch(stored_inquiry.lead, cost=stored_inquiry.cost)


def _record_failure(delivery: Delivery, problem: Exception, at: datetime) -> None:
    log.error("delivery %s could not be worked: %s", delivery.pk, type(problem).__name__)
    tries = delivery.attempts + 1
    is_over = tries >= MAX_ATTEMPTS
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=tries,
        state="quarantined" if is_over else "received",
        reason="our_fault" if is_over else delivery.reason,
        problem=f"{type(problem).__name__} while working on it.",
        due_at=None if is_over else at + timedelta(seconds=BACKOFF_SECONDS[tries - 1]),
    )


@task(queue_name="soon", priority=50)
def claim_certificates() -> None:
    """Claim what proves consents, until none is due."""
    while claim_next_certificate(at=clock.now()):
        pass


def claim_next_certificate(*, at: datetime) -> bool:
    """Claim one certificate; messages that waited for its proof are decided again."""
    lead_id = certificate_claims.claim_next_certificate(at=at)
    if lead_id is None:
        return False
    if redecide_held_messages.redecide_after_consent_proof(lead_id=lead_id, at=at):
        send_messages.enqueue()
    return True


@task(queue_name="now", priority=60)
def respond_to_touches(*, touch_ids: list[str]) -> None:
    """Text and e-mail people as the gate allows; runs beside `assign_leads`.

    The messages are in line, committed, before the first is carried out: if the
    program stops between, the clock sends what is left.
    """
    with requeue_individually(respond_to_touches, touch_ids=touch_ids):
        with transaction.atomic():
            planned = first_response.queue_first_responses(
                [UUID(one) for one in touch_ids], at=clock.now()
            )
        send_messages_by_id(
            [queue_first_response.pk for queue_first_response in planned], at=clock.now()
        )


@task(queue_name="now", priority=50)
def assign_leads(*, lead_ids: list[str]) -> None:
    """Score the leads, then choose a loan officer for each, whose phone rings.

    The calls are in line, committed, before the first is placed: as with messages.
    """
    with requeue_individually(assign_leads, lead_ids=lead_ids):
        at, keys = clock.now(), [UUID(one) for one in lead_ids]
        rescore_many(keys, because="arrived", at=at)
        lead_offers.assign_officers(keys, at=at)
    ring_due_officers()


@task(queue_name="now")
def notify_owner(*, touch_id: str) -> None:
    """The lead's officer hears that the borrower asked again, and by which way."""
    at = clock.now()
    touch = Touch.objects.select_related("source", "lead__officer", "lead__person").get(pk=touch_id)
    lead = touch.lead
    rescore_lead(lead_id=lead.pk, because="asked_again", at=at)
    if lead.officer is None:
        return
    with transaction.atomic():
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="asked_again",
            idempotency_key=f"touch:{touch.pk}",
            text=f"{lead.person.first_name or 'A borrower'} asked again, through {touch.source}.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
        due = response_deadline.callable_deadline_of_lead(
            lead, by=at + lead_offers.RESPONSE_TIME, at=at
        )
        Lead.objects.filter(pk=lead.pk, promise_at=None).update(promise_at=due)
        publish_update("lead", lead=str(lead.pk))
