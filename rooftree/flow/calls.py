"""What follows when an officer calls a borrower, or answers the call about an offer."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import moment
from rooftree.flow.messages import send_messages
from rooftree.flow.offers import ANSWER_IN
from rooftree.leads import snooze
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.nurture import enrol
from rooftree.org import notices
from rooftree.org.models import User
from rooftree.outreach import call_detail, call_in, callbacks, dial, recordings, ring, take_back
from rooftree.outreach.dial import CannotCall, Dialled
from rooftree.outreach.models import CallRecording, Ring
from rooftree.outreach.recordings import NothingToStop
from rooftree.reporting import count
from rooftree.routing import promise
from rooftree.scoring.rescore import rescore
from rooftree.tasks.absorb import absorb
from rooftree.tasks.announce import announce

__all__ = [
    "CannotCall", "NothingToStop", "after_borrower", "answered", "came_in", "came_in_ended",
    "joined", "notice", "object_to_recording", "pressed", "recorded", "start", "status",
    "tend_recordings", "told",
]  # fmt: skip
LOOKED_UP = 20  # calls at a time
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def start(*, lead_id: UUID, by: User, at: datetime) -> Dialled:
    """A member of staff calls the borrower now; answers with what to dial.

    Its outcome is `attempts.record`. Raises `CannotCall` with the gate's
    sentence, whose verdict is kept.
    """
    with transaction.atomic():
        begun = dial.begin(lead_id=lead_id, by=by, at=at)
        if isinstance(begun, Dialled) and begun.is_new:
            count.attempted(begun.attempt.lead)
            announce("lead", lead=str(lead_id))
    if not isinstance(begun, Dialled):
        raise CannotCall(begun.sentence)
    return begun


def answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up; what they hear."""
    return ring.answered(ring_id=ring_id, at=at)


def pressed(*, ring_id: UUID, digits: str, at: datetime) -> str:
    """The officer pressed a key; what they hear. Taking the lead moves its sums with it."""
    with transaction.atomic():
        done = ring.pressed(ring_id=ring_id, digits=digits, at=at)
        if done.taken:
            taken = done.taken
            notices.settled(officer_id=taken.officer_id, cause=f"offer:{taken.offer_id}", at=at)
            lead = Lead.objects.get(pk=taken.lead_id)
            count.lead_moved(lead)
            count.attempted(lead)
            announce("offer", lead=str(lead.pk))
    return done.markup


def after_borrower(
    *, ring_id: UUID, dial_status: str, seconds: int | None = None, at: datetime
) -> None:
    """The connected call is over."""
    with transaction.atomic():
        lead_id = ring.after_borrower(
            ring_id=ring_id, dial_status=dial_status, seconds=seconds, at=at
        )
        if lead_id:
            lead = Lead.objects.get(pk=lead_id)
            count.attempted(lead)
            rescore(lead_id=lead.pk, because="called", at=at)
            announce("lead", lead=str(lead.pk))
            announce("offer", lead=str(lead.pk))  # its opening words leave the officer's page


def came_in(*, sender: str, called: str = "", call_id: str, at: datetime) -> str:
    """A borrower calls one of our numbers; what the caller hears. Their sequence ends."""
    with transaction.atomic():
        call = call_in.begin(sender=sender, called=called, call_id=call_id, at=at)
        if call.attempt and call.is_news:
            lead_id = call.attempt.lead_id
            enrol.stop(lead_id=lead_id, because="called", at=at)
            snooze.wake(lead_id=lead_id, because="called", at=at)
            take_back.cancel_waiting(lead_id=lead_id, because="called", at=at)
            rescore(lead_id=lead_id, because="called", at=at)
            announce("lead", lead=str(lead_id))
    return call.markup


def came_in_ended(
    *, call_id: str, dial_status: str, seconds: int | None = None, at: datetime
) -> str:
    """That call is over. A missed one becomes a promise, and its officer hears of it."""
    with transaction.atomic():
        call = call_in.end(call_id=call_id, dial_status=dial_status, seconds=seconds, at=at)
        if call.attempt and call.is_news:
            if call.attempt.result == "missed":
                _missed(call.attempt, at)
            count.attempted(Lead.objects.get(pk=call.attempt.lead_id))
            announce("lead", lead=str(call.attempt.lead_id))
    return call.markup


def _missed(attempt: ContactAttempt, at: datetime) -> None:
    lead = attempt.lead
    due = promise.due(lead, by=at + ANSWER_IN, at=at)
    Lead.objects.filter(pk=lead.pk).update(promise_at=due)
    if call_in.answer_missed(attempt, at=at):
        send_messages.enqueue()
    if lead.officer:
        notices.tell(
            user_id=lead.officer.user_id,
            kind="called",
            cause=attempt.cause,
            text=f"{lead.person.first_name or 'A borrower'} called, and nobody could answer.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )


def status(*, ring_id: UUID, said: str, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    if said in OVER:
        ring.ended(ring_id=ring_id, at=at)


def notice(*, recording_id: UUID) -> str:
    """A borrower we called picked up; what they hear before they are connected."""
    return recordings.notice(CallRecording.objects.get(pk=recording_id))


def told(*, recording_id: UUID, call_id: str, digits: str, at: datetime) -> str:
    """They heard that the call is recorded; how it goes on."""
    with transaction.atomic():
        one = recordings.told(recording_id=recording_id, call_id=call_id, digits=digits, at=at)
        _nudge(one)
    return call_in.go_on(one)


def joined(*, recording_id: UUID, at: datetime) -> str:
    """The officer answered a call that came in, whose caller was told; what the officer hears."""
    with transaction.atomic():
        one = recordings.joined(recording_id=recording_id, at=at)
        _nudge(one)
    return recordings.words_for_officer(one)


def recorded(form: Mapping[str, str], *, recording_id: UUID, at: datetime) -> None:
    """The carrier tells what became of a recording."""
    with transaction.atomic():
        one = recordings.heard(form, recording_id=recording_id, at=at)
        _nudge(one)


def object_to_recording(*, lead: Lead, by: User, at: datetime) -> None:
    """They said that they do not want to be recorded. Raises `NothingToStop`."""
    with transaction.atomic():
        _nudge(recordings.object_to(lead, by=by, at=at))


def look_up_ends(*, at: datetime) -> None:
    """Ask the carrier how calls ended of which nobody told us."""
    for attempt in call_detail.without_length(at=at)[:LOOKED_UP]:
        kind, _, key = attempt.cause.partition(":")
        rung = Ring.objects.filter(pk=key).first() if kind == "ring" else None
        told = callbacks.end_of_call(rung.carrier_id if rung else key)
        if told is None:
            continue
        if rung:
            after_borrower(
                ring_id=rung.pk, dial_status=told.said, seconds=told.duration_seconds, at=at
            )
        else:
            came_in_ended(call_id=key, dial_status=told.said, seconds=told.duration_seconds, at=at)


def _nudge(one: CallRecording) -> None:
    if one.due_at:
        tend_recordings.enqueue()
    if one.attempt:
        announce("lead", lead=str(one.attempt.lead_id))


@task(queue_name="now", priority=60)
def tend_recordings() -> None:
    """Begin, look up and erase what is due at the carrier."""
    absorb(tend_recordings)
    tend_due(at=moment.now())


def tend_due(*, at: datetime) -> None:
    """The same, by whoever comes by."""
    while recordings.tend_due(at=at) == recordings.TOGETHER:
        pass
