"""The order of events from a lead's arrival to the first live conversation.

Read top to bottom. Each task makes one call into a room and names the next step; no room
knows what comes next.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import transaction
from django.tasks import Task, task

from rooftree.capture.certificates import certificate_claims
from rooftree.capture.intake import receive_delivery, store_inquiries, vendor_lookups
from rooftree.capture.intake.receive_delivery import ReceiveResult
from rooftree.capture.intake.store_inquiries import Arrival
from rooftree.capture.parsing.envelope import Envelope, IncomingDelivery, Outcome
from rooftree.capture.sources.staff_entry import ENTRY_METHOD
from rooftree.compliance.numbers.models import NumberService
from rooftree.db.bulk_update import update_each, update_where
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow import (
    clock,
    credit_notice_triggers,
    inbound_calls,
    lead_offers,
    number_lookups,
    stops_by_text,
)
from rooftree.flow.message_dispatch import SEND_BATCH, ring_due_officers, send_messages
from rooftree.leads import shadow_leads
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree.ledger.write_events import write_event
from rooftree.org import shadow_mode, staff_notices
from rooftree.outreach.messages import first_response, redecide_held_messages, send
from rooftree.outreach.releases import release_drafts
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import response_deadline
from rooftree.scoring.rescore_leads import rescore_lead, rescore_many
from rooftree.tasks.batches import requeue_individually, run_batch
from rooftree.tasks.dedupe import complete_waiting_duplicates
from rooftree.tasks.live_updates import publish_update, publish_updates

log = logging.getLogger(__name__)
DELIVERY_BATCH = 20  # deliveries per transaction
DUE_DELIVERIES = PreparedQuery(
    lambda at: (
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("source")
        .filter(state="received", due_at__lte=at)
        .order_by("due_at")[:DELIVERY_BATCH]
    ),
    at=datetime,
)
MAX_ATTEMPTS = 5  # after failures of our own; then the delivery is quarantined for staff
REPLAYED_FIELDS = ["outcome", "reason", "warnings", "state", "due_at", "attempts", "problem"]
BACKOFF_SECONDS = (5, 30, 120, 600)  # before the next try, by attempts made
LATE_AFTER = timedelta(hours=1)  # a later first response is sent as part of a release


def accept_delivery(*, source: Source, incoming: IncomingDelivery, at: datetime) -> ReceiveResult:
    """Store a delivery and enqueue its processing. Answer the sender after this returns."""

    def choose_task(envelope: Envelope) -> "Task[[], None]":
        return look_up_deliveries if envelope.lookups else process_deliveries

    return receive_delivery.receive_delivery(
        source=source, incoming=incoming, at=at, choose_task=choose_task
    )


@task(queue_name="soon", priority=60)
def look_up_deliveries() -> None:
    """Run due vendor look-ups until none is left, and process the deliveries they answer.

    Not on the "now" queue: a slow vendor must not delay the borrowers of other vendors.
    """
    while vendor_lookups.run_next_lookup(at=clock.now()):
        process_deliveries.enqueue()


@task(queue_name="now", priority=40)
def process_deliveries() -> None:
    """Turn due deliveries into leads until none is left."""
    complete_waiting_duplicates(process_deliveries)
    while process_next_batch(at=clock.now()) == DELIVERY_BATCH:
        pass


def process_next_batch(*, at: datetime) -> int:
    """Process the deliveries that have waited longest; return how many, 0 if none is due.

    A bug of ours in one delivery does not affect the others. That delivery is retried later
    and quarantined in the end.
    """

    def process(batch: Sequence[Delivery]) -> Sequence[Delivery]:
        with transaction.atomic():
            _process_batch(batch, at)
        return batch

    with transaction.atomic():
        deliveries = DUE_DELIVERIES.all(at=at)
        run_batch(
            process,
            deliveries,
            on_failure=lambda delivery, problem: _record_failure(delivery, problem, at),
        )
    return len(deliveries)


def process_delivery(delivery: Delivery, *, at: datetime) -> None:
    """Process a delivery that the caller stored in the same transaction."""
    _process_batch([delivery], at)


def replay_delivery(*, delivery_id: UUID, by: object, at: datetime) -> Delivery:
    """Parse a stored delivery again with the current adapter, and process it if usable now.

    A replay accepts a delivery that acceptance rules refused, whatever the rules are now.
    Safe to repeat: a processed delivery stays as it is.
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
        was_refused = delivery.outcome == "not_accepted"
        envelope = receive_delivery.reread_delivery(delivery)
        delivery.problem = ""
        delivery.outcome = envelope.outcome.value
        delivery.reason = (envelope.reason or "")[:80]
        delivery.warnings = list(envelope.warnings)
        is_usable = envelope.outcome in receive_delivery.WORKABLE_OUTCOMES
        if (
            is_usable
            and was_refused
            and not receive_delivery.claim_delivery_key(delivery, envelope)
        ):
            delivery.state, delivery.reason = "duplicate", "superseded"
            delivery.outcome = "duplicate_delivery"
        elif is_usable:
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
    """Store deliveries together, but calls and chats one by one.

    A delivery about a call or a chat can continue the conversation of an earlier one.
    """
    parsed = [(delivery, receive_delivery.reread_delivery(delivery)) for delivery in deliveries]
    _store_leads([pair for pair in parsed if not _is_conversation(pair[1])], at)
    for pair in parsed:
        if _is_conversation(pair[1]):
            _store_leads([pair], at)


def _is_conversation(envelope: Envelope) -> bool:
    return any(lead.interaction is not None for lead in envelope.leads)


def _store_leads(parsed: Sequence[tuple[Delivery, Envelope]], at: datetime) -> None:
    arrivals: list[Arrival] = []
    finished_rows: list[dict[str, object]] = []
    for delivery, envelope in parsed:
        is_conversation = _is_conversation(envelope)
        if is_conversation and (
            ends_at := inbound_calls.call_wait_deadline(envelope, delivery, at=at)
        ):
            update_where(Delivery, where={"id": delivery.pk}, to={"due_at": ends_at})
            continue
        claimed = _claim_arrivals(delivery, envelope)
        inquiries = [
            arrival
            for arrival in claimed
            if not (arrival.inquiry.is_text() and stops_by_text.receive_stop(arrival, at=at))
        ]
        new = [
            arrival
            for arrival in inquiries
            if not is_conversation
            or not inbound_calls.append_to_conversation(arrival.inquiry, delivery=delivery, at=at)
        ]
        arrivals += new
        if envelope.lookups:
            vendor_lookups.queue_lookups(delivery, envelope.lookups, at=at)
            look_up_deliveries.enqueue()
            continue
        columns = receive_delivery.final_delivery_columns(
            delivery, envelope, at, is_ours=bool(claimed)
        )
        if claimed and not inquiries:
            columns |= stops_by_text.CLOSED_COLUMNS
        elif claimed and not new:  # a call's beginning can be processed after its end
            columns["outcome"] = Outcome.UPDATED.value
        finished_rows.append({"id": delivery.pk, **columns})
    stored = store_inquiries.store_inquiries(arrivals, at=at)
    _start_responses([inquiry for inquiry in stored if inquiry.is_new], at)
    update_each(Delivery, finished_rows)


def _claim_arrivals(delivery: Delivery, envelope: Envelope) -> list[Arrival]:
    return [
        Arrival(inquiry=inquiry, delivery=delivery, position=position)
        for position, inquiry in enumerate(envelope.leads)
        if receive_delivery.claim_inquiry(delivery, inquiry, envelope)
    ]


def _start_responses(stored: Sequence[store_inquiries.StoredInquiry], at: datetime) -> None:
    """Enqueue responses and assignments; they are committed together and run in parallel."""
    count_arrivals(stored)
    real = [inquiry for inquiry in stored if not inquiry.lead.is_test]
    marks = shadow_leads.mark_leads([inquiry.touch for inquiry in real], at=at)
    real = [inquiry for inquiry in real if inquiry.touch.pk not in marks.late_touch_ids]
    written = [
        inquiry
        for inquiry in real
        if "interaction" not in inquiry.touch.inquiry
        or not inbound_calls.handle_call_touch(inquiry.touch, at=at)
    ]
    _start_checks(real, at, is_shadow=marks.is_on)
    late = [
        inquiry
        for inquiry in written
        if inquiry.touch.delivery.received_at < at - LATE_AFTER and not marks.is_on
    ]
    if late:
        _gather_late_greetings(late, at)
    touch_ids = [
        str(inquiry.touch.pk)
        for inquiry in written
        if inquiry not in late and inquiry.touch.delivery.method != ENTRY_METHOD
    ]
    if touch_ids:  # staff who type a lead in are talking to the borrower
        respond_to_touches.enqueue(touch_ids=touch_ids)
    if lead_ids := [str(inquiry.lead.pk) for inquiry in real if inquiry.lead.officer_id is None]:
        assign_leads.enqueue(lead_ids=lead_ids)
    for inquiry in written:
        if inquiry.lead.officer_id is not None:
            notify_owner.enqueue(touch_id=str(inquiry.touch.pk))
    publish_updates([("lead", None, {"lead": str(inquiry.lead.pk)}) for inquiry in real])


def _start_checks(
    stored: Sequence[store_inquiries.StoredInquiry], at: datetime, *, is_shadow: bool
) -> None:
    """Start the checks that only some leads need: application, phone number, certificate.

    In shadow mode the other system keeps the deadlines of an application.
    """
    sixth_pieces = [inquiry for inquiry in stored if inquiry.can_complete_application]
    if sixth_pieces and not is_shadow:
        credit_notice_triggers.check_arrivals(sixth_pieces, at=at)
    if stored and NumberService.objects.exists():
        number_lookups.ask_about_arrivals(stored, at=at)
    certified = [
        inquiry.touch
        for inquiry in stored
        if inquiry.touch.inquiry.get("consent", {}).get("certificate_url")
    ]
    for touch in certified:
        certificate_claims.queue_certificate(touch, at=at)
    if certified:
        claim_certificates.enqueue()


def _gather_late_greetings(stored: Sequence[store_inquiries.StoredInquiry], at: datetime) -> None:
    """Gather first responses to deliveries processed late into a shared release draft.

    One replay can process thousands of old deliveries. A few are answered within minutes;
    many wait for a second person's approval.
    """
    release_drafts.join_shared_draft(
        kind="greetings",
        title="First responses to deliveries processed late",
        about={"of": "late deliveries"},
        members={f"touch:{inquiry.touch.pk}": inquiry.lead for inquiry in stored},
        at=at,
    )


def count_arrivals(stored: Sequence[store_inquiries.StoredInquiry]) -> None:
    """Count new leads and the cost of each arrival, in the transaction that stored them."""
    rollup_deltas.count_new_leads([inquiry.lead for inquiry in stored if inquiry.touch.is_first])
    for inquiry in stored:
        if not inquiry.touch.is_first:
            rollup_deltas.count_touch(inquiry.lead, cost=inquiry.cost)


def _record_failure(delivery: Delivery, problem: Exception, at: datetime) -> None:
    log.error("delivery %s could not be processed: %s", delivery.pk, type(problem).__name__)
    attempts = delivery.attempts + 1
    gives_up = attempts >= MAX_ATTEMPTS
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=attempts,
        state="quarantined" if gives_up else "received",
        reason="our_fault" if gives_up else delivery.reason,
        problem=f"{type(problem).__name__} while processing the delivery.",
        due_at=None if gives_up else at + timedelta(seconds=BACKOFF_SECONDS[attempts - 1]),
    )


@task(queue_name="soon", priority=50)
def claim_certificates() -> None:
    """Claim consent certificates until none is due."""
    while claim_next_certificate(at=clock.now()):
        pass


def claim_next_certificate(*, at: datetime) -> bool:
    """Claim one certificate and decide the messages that waited for it; False if none is due."""
    lead_id = certificate_claims.claim_next_certificate(at=at)
    if lead_id is None:
        return False
    if redecide_held_messages.redecide_after_consent_proof(lead_id=lead_id, at=at):
        send_messages.enqueue()
    return True


@task(queue_name="now", priority=60)
def respond_to_touches(*, touch_ids: list[str]) -> None:
    """Text and e-mail borrowers as the gate allows; runs in parallel with `assign_leads`.

    The messages are queued and committed before the first is sent: if the process stops in
    between, the scheduler sends the rest.
    """
    with requeue_individually(respond_to_touches, touch_ids=touch_ids):
        with transaction.atomic():
            messages = first_response.queue_first_responses(
                [UUID(touch_id) for touch_id in touch_ids], at=clock.now()
            )
        for batch in batched([message.pk for message in messages], SEND_BATCH):
            send.deliver_messages(batch, at=clock.now())


@task(queue_name="now", priority=50)
def assign_leads(*, lead_ids: list[str]) -> None:
    """Score the leads, then choose a loan officer for each and ring their phones.

    As with messages, the calls are queued and committed before the first is placed.
    """
    with requeue_individually(assign_leads, lead_ids=lead_ids):
        at, ids = clock.now(), [UUID(lead_id) for lead_id in lead_ids]
        rescore_many(ids, because="arrived", at=at)
        lead_offers.assign_officers(ids, at=at)
    ring_due_officers()


@task(queue_name="now")
def notify_owner(*, touch_id: str) -> None:
    """Notify a lead's officer that the borrower inquired again, and through which source."""
    at = clock.now()
    touch = Touch.objects.select_related("source", "lead__officer", "lead__person").get(pk=touch_id)
    lead = touch.lead
    rescore_lead(lead_id=lead.pk, because="asked_again", at=at)
    if lead.officer is None or shadow_mode.is_shadow_on():
        return
    with transaction.atomic():
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="asked_again",
            idempotency_key=f"touch:{touch.pk}",
            text=f"{lead.person.short_name} inquired again through {touch.source}.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
        due = response_deadline.callable_deadline_of_lead(
            lead, by=at + lead_offers.RESPONSE_TIME, at=at
        )
        Lead.objects.filter(pk=lead.pk, response_due_at=None).update(response_due_at=due)
        publish_update("lead", lead=str(lead.pk))
