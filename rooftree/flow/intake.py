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

from rooftree.capture import intake, receive, retrieve
from rooftree.capture.certificates import claim
from rooftree.capture.envelope import Envelope, Incoming
from rooftree.capture.intake import Arrival
from rooftree.capture.receive import Received
from rooftree.flow import called_in, credit, moment, numbers, offers
from rooftree.flow.messages import ring_due, send_messages, send_these
from rooftree.leads.models import Delivery, Lead, Source, Touch
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.change import change, change_each
from rooftree.org.compiled import Reads
from rooftree.outreach import first_response, reconsider
from rooftree.outreach.releases import gather
from rooftree.reporting import count
from rooftree.routing import promise
from rooftree.scoring.rescore import rescore, rescore_all
from rooftree.tasks.absorb import absorb
from rooftree.tasks.announce import announce, announce_all
from rooftree.tasks.together import apart, together

log = logging.getLogger(__name__)
TOGETHER = 20  # deliveries of one transaction
NEXT = Reads(
    lambda at: (
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("source")
        .filter(state="received", due_at__lte=at)
        .order_by("due_at")[:TOGETHER]
    ),
    at=datetime,
)
TRIES = 5  # of our own bugs; then a person looks
REPLAYED = ["outcome", "reason", "warnings", "state", "due_at", "attempts", "problem"]
BACK_OFF = (5, 30, 120, 600)  # seconds
LATE = timedelta(hours=1)  # a first answer later than this goes as part of a release


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
    absorb(work_deliveries)
    while work_next(at=moment.now()) == TOGETHER:
        pass


def work_next(*, at: datetime) -> int:
    """Work on the deliveries that have waited longest; how many, 0 when none is due.

    A bug of ours in one delivery holds up no other: it is set aside, tried
    again later, and shown in quarantine in the end.
    """

    def work(some: Sequence[Delivery]) -> Sequence[Delivery]:
        with transaction.atomic():
            _work(some, at)
        return some

    with transaction.atomic():
        deliveries = NEXT.all(at=at)
        together(work, deliveries, aside=lambda one, problem: _set_aside(one, problem, at))
    return len(deliveries)


def replay(*, delivery_id: UUID, by: object, at: datetime) -> Delivery:
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
        if retrieve.hurry(delivery, at=at):
            look_up.enqueue()
        envelope, was_refused = receive.reread(delivery), delivery.outcome == "not_accepted"
        delivery.problem = ""
        delivery.outcome = envelope.outcome.value
        delivery.reason = (envelope.reason or "")[:80]
        delivery.warnings = list(envelope.warnings)
        is_used = envelope.outcome in receive.WORTH_WORK
        if is_used and was_refused and not receive.claim_key(delivery, envelope):
            delivery.state, delivery.reason = "duplicate", "superseded"
            delivery.outcome = "duplicate_delivery"
        elif is_used:
            delivery.state, delivery.due_at, delivery.attempts = "received", at, 0
            work_deliveries.enqueue()
        delivery.save(update_fields=REPLAYED)
        write(
            "capture.delivery.replayed",
            at=at,
            actor=f"user:{by}",
            delivery=delivery.pk,
            outcome=delivery.outcome,
        )
    return delivery


def _work(deliveries: Sequence[Delivery], at: datetime) -> None:
    """A word about a call or a chat may be more of one before it: each is worked by itself."""
    read = [(one, receive.reread(one)) for one in deliveries]
    _work_on([one for one in read if not _talks(one[1])], at)
    for one in read:
        if _talks(one[1]):
            _work_on([one], at)


def _talks(envelope: Envelope) -> bool:
    return any(one.interaction is not None for one in envelope.leads)


def _work_on(read: Sequence[tuple[Delivery, Envelope]], at: datetime) -> None:
    arrivals: list[Arrival] = []
    ended: list[dict[str, object]] = []
    for delivery, envelope in read:
        if ends_at := called_in.waits_until(envelope, delivery, at=at):
            change(Delivery, where={"id": delivery.pk}, to={"due_at": ends_at})
            continue
        ours = _ours(delivery, envelope)
        arrivals += [
            one for one in ours if not called_in.is_more(one.inquiry, delivery=delivery, at=at)
        ]
        if envelope.lookups:
            retrieve.want(delivery, envelope.lookups, at=at)
            look_up.enqueue()
            continue
        end = receive.end_of(delivery, envelope, at, is_ours=bool(ours))
        ended.append({"id": delivery.pk, **end})
    _start_clocks([one for one in intake.store(arrivals, at=at) if one.is_new], at)
    change_each(Delivery, ended)


def _ours(delivery: Delivery, envelope: Envelope) -> list[Arrival]:
    return [
        Arrival(inquiry=inquiry, delivery=delivery, position=position)
        for position, inquiry in enumerate(envelope.leads)
        if receive.is_ours_to_work(delivery, inquiry, envelope)
    ]


def _start_clocks(stored: Sequence[intake.Stored], at: datetime) -> None:
    """The replies and the assignments are committed together and run side by side."""
    count_arrivals(stored)
    real = [one for one in stored if not one.lead.is_test]
    wrote = [one for one in real if not called_in.settle(one.touch, at=at)]
    credit.arrived(real, at=at)
    numbers.arrived(real, at=at)
    if any([claim.want(one.touch, at=at) for one in real]):
        claim_certificates.enqueue()
    late = [one for one in wrote if one.touch.delivery.received_at < at - LATE]
    if late:
        _greet_late(late, at)
    if fresh := [str(one.touch.pk) for one in wrote if one not in late]:
        respond_to_touches.enqueue(touch_ids=fresh)
    if free := [str(one.lead.pk) for one in real if one.lead.officer_id is None]:
        assign_leads.enqueue(lead_ids=free)
    for one in wrote:
        if one.lead.officer_id is not None:
            tell_owner.enqueue(touch_id=str(one.touch.pk))
    announce_all([("lead", None, {"lead": str(one.lead.pk)}) for one in real])


def _greet_late(stored: Sequence[intake.Stored], at: datetime) -> None:
    """They came long ago and are worked only now, perhaps thousands by one press of a replay.

    A few are answered within minutes; for many a second person looks first.
    """
    gather.join(
        kind="greetings",
        title="First answers to deliveries that were worked late",
        about={"of": "late deliveries"},
        members={f"touch:{one.touch.pk}": one.lead for one in stored},
        at=at,
    )


def count_arrivals(stored: Sequence[intake.Stored]) -> None:
    """Count what was stored in this very transaction: new leads, and what each arrival cost."""
    count.leads_arrived([one.lead for one in stored if one.touch.is_first])
    for one in stored:
        if not one.touch.is_first:
            count.touch_arrived(one.lead, cost=one.cost)


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
def respond_to_touches(*, touch_ids: list[str]) -> None:
    """Text and e-mail people as the gate allows; runs beside `assign_leads`.

    The messages are in line, committed, before the first is carried out: if the
    program stops between, the clock sends what is left.
    """
    with apart(respond_to_touches, touch_ids=touch_ids):
        with transaction.atomic():
            planned = first_response.plan([UUID(one) for one in touch_ids], at=moment.now())
        send_these([one.pk for one in planned], at=moment.now())


@task(queue_name="now", priority=50)
def assign_leads(*, lead_ids: list[str]) -> None:
    """Score the leads, then choose a loan officer for each, whose phone rings.

    The calls are in line, committed, before the first is placed: as with messages.
    """
    with apart(assign_leads, lead_ids=lead_ids):
        at, keys = moment.now(), [UUID(one) for one in lead_ids]
        rescore_all(keys, because="arrived", at=at)
        offers.assign(keys, at=at)
    ring_due()


@task(queue_name="now")
def tell_owner(*, touch_id: str) -> None:
    """The lead's officer hears that the borrower asked again, and by which way."""
    at = moment.now()
    touch = Touch.objects.select_related("source", "lead__officer", "lead__person").get(pk=touch_id)
    lead = touch.lead
    rescore(lead_id=lead.pk, because="asked_again", at=at)
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
