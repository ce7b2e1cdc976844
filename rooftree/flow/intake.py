"""What happens to a lead from arrival to the first live conversation.

Read top to bottom: this file is the order of events. Each task makes one call
into a room and names what follows it; no room knows what comes next.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import Task, task

from rooftree.capture import intake, receive, retrieve
from rooftree.capture.certificates import claim
from rooftree.capture.envelope import Envelope, Incoming
from rooftree.capture.receive import Received
from rooftree.flow import called_in, moment, offers, scores
from rooftree.flow.messages import send_messages, send_these
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.change import change
from rooftree.org.compiled import Reads
from rooftree.outreach import first_response, reconsider
from rooftree.reporting import count
from rooftree.routing import promise
from rooftree.tasks.announce import announce

log = logging.getLogger(__name__)
NEXT = Reads(
    lambda at: (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("source")
        .filter(state="received", due_at__lte=at)
        .order_by("due_at")[:1]
    ),
    at=datetime,
)
TRIES = 5  # of our own bugs; then a person looks
BACK_OFF = (5, 30, 120, 600)  # seconds


def accept(*, source: Source, incoming: Incoming, at: datetime) -> Received:
    """Take a delivery in and nudge the work on it. Answer the sender after this returns."""
    return receive.receive(source=source, incoming=incoming, at=at, follows=_follows)


def _follows(envelope: Envelope) -> "Task[[], None]":
    return look_up if envelope.lookups else work_deliveries


@task(queue_name="soon", priority=60)
def look_up() -> None:
    """Ask the vendors what deliveries wait for, until none is due, and work what was answered.

    Not among what is done now: a vendor that is slow must not hold up borrowers of others.
    """
    while retrieve.carry_out_next(at=moment.now()):
        work_deliveries.enqueue()


@task(queue_name="now", priority=40)
def work_deliveries() -> None:
    """Turn deliveries that are due into leads, until none is left."""
    while work_next(at=moment.now()):
        pass


def work_next(*, at: datetime) -> bool:
    """Work on the delivery that has waited longest; False when none is due.

    A bug of ours in one delivery holds up no other: it is set aside, tried
    again later, and shown in quarantine in the end.
    """
    with transaction.atomic():
        delivery = NEXT.first(at=at)
        if delivery is None:
            return False
        try:
            with transaction.atomic():
                _work(delivery, at)
        except Exception as problem:  # the edge: one poisoned row must not stop the rest
            _set_aside(delivery, problem, at)
    return True


def replay(*, delivery_id: UUID, by: object, at: datetime) -> Delivery:
    """Read a stored delivery again with today's adapter, and work it if it can be used now.

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
        if retrieve.hurry(delivery, at=at):
            look_up.enqueue()
        envelope = receive.reread(delivery)
        delivery.outcome = envelope.outcome.value
        delivery.reason = (envelope.reason or "")[:80]
        delivery.warnings = list(envelope.warnings)
        if envelope.outcome in receive.WORTH_WORK:
            delivery.state, delivery.due_at, delivery.attempts = "received", at, 0
            work_deliveries.enqueue()
        delivery.save(
            update_fields=["outcome", "reason", "warnings", "state", "due_at", "attempts"]
        )
        write(
            "capture.delivery.replayed",
            at=at,
            actor=f"user:{by}",
            delivery=delivery.pk,
            outcome=delivery.outcome,
        )
    return delivery


def _work(delivery: Delivery, at: datetime) -> None:
    envelope = receive.reread(delivery)
    if ends_at := called_in.waits_until(envelope, delivery, at=at):
        change(Delivery, where={"id": delivery.pk}, to={"due_at": ends_at})
        return
    is_ours = False
    for position, inquiry in enumerate(envelope.leads):
        if not receive.is_ours_to_work(delivery, inquiry, envelope):
            continue
        is_ours = True
        if called_in.is_more(inquiry, delivery=delivery, at=at):
            continue
        stored = intake.store(inquiry, delivery=delivery, position=position, at=at)
        if stored.is_new:
            _start_clocks(stored, at)
    if envelope.lookups:
        retrieve.want(delivery, envelope.lookups, at=at)
        look_up.enqueue()
        return
    change(
        Delivery,
        where={"id": delivery.pk},
        to=receive.end_of(delivery, envelope, at, is_ours=is_ours),
    )


def _start_clocks(stored: intake.Stored, at: datetime) -> None:
    """The reply and the assignment are committed together and run side by side."""
    lead = stored.lead
    count.touch_arrived(lead, cost=stored.cost)
    if lead.is_test:
        return
    is_call = called_in.settle(stored.touch, at=at)
    if not is_call:
        respond_to_touch.enqueue(touch_id=str(stored.touch.pk))
    if claim.want(stored.touch, at=at):
        claim_certificates.enqueue()
    if lead.officer_id is None:
        assign_lead.enqueue(lead_id=str(lead.pk))
    elif not is_call:
        tell_owner.enqueue(touch_id=str(stored.touch.pk))
    announce("lead", lead=str(lead.pk))


def _set_aside(delivery: Delivery, problem: Exception, at: datetime) -> None:
    log.error("delivery %s could not be worked: %s", delivery.pk, type(problem).__name__)
    tries = delivery.attempts + 1
    is_over = tries >= TRIES
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=tries,
        state="quarantined" if is_over else "received",
        reason="our_fault" if is_over else delivery.reason,
        problem=f"{type(problem).__name__} while working on it.",
        due_at=None if is_over else at + timedelta(seconds=BACK_OFF[tries - 1]),
    )


@task(queue_name="soon", priority=50)
def claim_certificates() -> None:
    """Claim what proves consents, until none is due."""
    while claim_next(at=moment.now()):
        pass


def claim_next(*, at: datetime) -> bool:
    """Claim one certificate; messages that waited for its proof are decided again."""
    lead_id = claim.carry_out_next(at=at)
    if lead_id is None:
        return False
    if reconsider.now_proven(lead_id=lead_id, at=at):
        send_messages.enqueue()
    return True


@task(queue_name="now", priority=60)
def respond_to_touch(*, touch_id: str) -> None:
    """Text and e-mail the person as the gate allows; runs beside `assign_lead`.

    The messages are in line, committed, before the first is carried out: if the
    program stops between, the clock sends what is left.
    """
    touch = Touch.objects.get(pk=touch_id)
    with transaction.atomic():
        planned = first_response.plan(touch=touch, at=moment.now())
    send_these([one.pk for one in planned], at=moment.now())


@task(queue_name="now", priority=50)
def assign_lead(*, lead_id: str) -> None:
    """Score the lead, then choose a loan officer, whose phone rings."""
    at = moment.now()
    scores.rescore(lead_id=UUID(lead_id), because="arrived", at=at)
    offers.assign(lead_id=UUID(lead_id), at=at)


@task(queue_name="now")
def tell_owner(*, touch_id: str) -> None:
    """The lead's officer hears that the borrower asked again, and by which way."""
    at = moment.now()
    touch = Touch.objects.select_related("source", "lead__officer", "lead__person").get(pk=touch_id)
    lead = touch.lead
    scores.rescore(lead_id=lead.pk, because="asked_again", at=at)
    if lead.officer is None:
        return
    with transaction.atomic():
        notices.tell(
            user_id=lead.officer.user_id,
            kind="asked_again",
            cause=f"touch:{touch.pk}",
            text=f"{lead.person.first_name or 'A borrower'} asked again, through {touch.source}.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
        due = promise.due(lead, by=at + offers.ANSWER_IN, at=at)
        Lead.objects.filter(pk=lead.pk, promise_at=None).update(promise_at=due)
        announce("lead", lead=str(lead.pk))
