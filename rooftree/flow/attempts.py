"""What an officer did about a lead, in one tap, and what follows from it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.compliance import revoke
from rooftree.core.uuid7 import uuid7_at
from rooftree.flow import credit, returns
from rooftree.leads import to_do
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write import write
from rooftree.nurture import default_sequence, enrol
from rooftree.org.models import User
from rooftree.outreach import call_detail, callbacks, send, take_back
from rooftree.reporting import count
from rooftree.scoring.rescore import rescore
from rooftree.tasks.announce import announce

RESULTS = {
    "spoken": "Spoke",
    "voicemail": "Voicemail",
    "no_answer": "No answer",
    "call_back": "Call back",
    "wrong_number": "Wrong number",
    "bad_number": "Not in service",
    "not_interested": "Not interested",
    "told_no": "Told: does not qualify",
}
OPEN_FOR = timedelta(hours=12)  # after that an outcome is about another call
SAME_TAP = timedelta(minutes=1)  # the same outcome said again within it is one tap
KEPT_FROM = timedelta(minutes=30)  # a call that much before an agreed one keeps the agreement
ONE_CALL = timedelta(hours=1)  # within it a tap is about the call that the ring connected
NOT_REACHED = frozenset({"voicemail", "no_answer"})
REACHED = frozenset({"spoken", "call_back", "not_interested", "told_no"})
ENDS = {"not_interested": "not interested", "told_no": "told they do not qualify"}


class NotAResult(Exception):
    """The page sent something that is no disposition, or one that lacks its time."""


def record(
    *,
    lead_id: UUID,
    result: str,
    by: User,
    at: datetime,
    call_back_at: datetime | None = None,
    cause: str = "",
) -> ContactAttempt:
    """Write down what came of a call. Once per `cause`, when the page gives one.

    Not reached starts the short sequence; reached stops it; a wrong number is
    unlinked at once; one that is not in service counts as nobody's where the carrier
    could not complete a call to it either; "not interested" closes the lead, and so does
    telling them that they do not qualify, which is a decision with a notice of its own.
    """
    if result not in RESULTS:
        raise NotAResult(f"{result} is not one of: {', '.join(RESULTS.values())}.")
    if result == "call_back" and call_back_at is None:
        raise NotAResult("Say when to call back.")
    with transaction.atomic():
        lead = (
            Lead.objects.select_for_update(of=("self",), no_key=True)
            .select_related("person")
            .get(pk=lead_id)
        )
        attempt, is_new = _attempt(lead, result, by, at, cause)
        if not is_new:
            return attempt
        _move(lead, result, at)
        _follow(lead, result, by, at, call_back_at)
        if result == "told_no":
            credit.said_no(lead.pk, f"attempt:{attempt.pk}", f"{by.name} told them no", at=at)
        write(
            "flow.attempt.recorded",
            at=at,
            actor=f"user:{by.pk}",
            lead_id=lead.pk,
            person_id=lead.person_id,
            attempt=attempt.pk,
            result=result,
        )
        count.attempted(lead)
        rescore(lead_id=lead.pk, because=result, at=at)
        announce("lead", lead=str(lead.pk))
    return attempt


def open_calls(lead_id: UUID, at: datetime) -> QuerySet[ContactAttempt]:
    """Calls to the borrower that were begun and whose outcome nobody has said, newest first."""
    begun = Q(cause__startswith="ring:") | Q(cause__startswith="call:")
    rows = ContactAttempt.objects.filter(begun, lead_id=lead_id, medium="call", result="")
    return rows.filter(at__gt=at - OPEN_FOR, at__lte=at).order_by("-at", "-id")


def on_the_line(by: User, at: datetime) -> ContactAttempt | None:
    """The call on which a ring put somebody through, until anybody says that it is over."""
    rows = ContactAttempt.objects.filter(
        by=by, medium="call", cause__startswith="ring:", result="", at__gt=at - ONE_CALL, at__lte=at
    )
    return rows.select_related("lead__person", "lead__officer__user").order_by("-at").first()


def _attempt(
    lead: Lead, result: str, by: User, at: datetime, cause: str
) -> tuple[ContactAttempt, bool]:
    """A call that the ring connected is the same attempt: it gets its result, not a twin.

    The lead's row is locked, so that of two taps at once the second finds the
    first: the same outcome within a minute is one tap.
    """
    if known := _tapped(lead, result, by, at, cause):
        return known, False
    cause = cause or f"tap:{uuid7_at(at)}"
    if begun := open_calls(lead.pk, at).first() or _put_through(lead, at):
        begun.result, begun.result_at = result, at
        begun.save(update_fields=["result", "result_at"])
        call_detail.close(begun, at=at)
        return begun, True
    return ContactAttempt.objects.get_or_create(
        cause=cause,
        defaults={
            "id": uuid7_at(at),
            "lead": lead,
            "person_id": lead.person_id,
            "medium": "call",
            "address": send.address_for(lead, "text"),
            "result": result,
            "result_at": at,
            "by": by,
            "at": at,
        },
    )


def _tapped(lead: Lead, result: str, by: User, at: datetime, cause: str) -> ContactAttempt | None:
    """The attempt whose outcome this tap, or this page, has told already."""
    said = Q(by=by, result=result, result_at__gt=at - SAME_TAP, result_at__lte=at)
    rows = ContactAttempt.objects.filter(said | Q(cause=cause) if cause else said, lead=lead)
    return rows.filter(medium="call").order_by("-at").first()


def _put_through(lead: Lead, at: datetime) -> ContactAttempt | None:
    """The call the ring connected, of which only the carrier has told the end so far."""
    rows = ContactAttempt.objects.filter(
        lead=lead,
        medium="call",
        cause__startswith="ring:",
        result_at=None,  # nobody of ours has said how it went
        at__gt=at - ONE_CALL,
        at__lte=at,
    )
    return rows.order_by("-at").first()


def _move(lead: Lead, result: str, at: datetime) -> None:
    """The stamps and the state that follow from the result."""
    changes: dict[str, object] = {"promise_at": None}
    if lead.first_attempt_at is None:
        changes["first_attempt_at"] = at
    if result in REACHED and lead.first_talk_at is None:
        changes["first_talk_at"] = at
    if lead.state == "new":
        changes["state"] = "working"
    if result in ENDS:
        changes |= {"state": "retired", "retired_at": at, "retired_reason": ENDS[result]}
    Lead.objects.filter(pk=lead.pk).update(**changes)
    for name, value in changes.items():
        setattr(lead, name, value)


def _follow(lead: Lead, result: str, by: User, at: datetime, call_back_at: datetime | None) -> None:
    _agreed_calls(lead, result, by, at, call_back_at)
    if result in NOT_REACHED:
        enrol.enrol(lead_id=lead.pk, key=default_sequence.NOT_REACHED, at=at)
        return
    enrol.stop(lead_id=lead.pk, because=result, at=at)
    if result == "wrong_number":
        _unlink(lead, at)
        returns.look_at([lead.pk], at=at)
    if result == "bad_number":
        _give_up(lead, at)
        returns.look_at([lead.pk], at=at)
    if result in REACHED:  # a hello that waits for the morning would come too late
        take_back.cancel_waiting(lead_id=lead.pk, because=result, at=at)


def _agreed_calls(
    lead: Lead, result: str, by: User, at: datetime, call_back_at: datetime | None
) -> None:
    """A new time takes the old one's place; a call at its time keeps it; a closed lead ends it."""
    if call_back_at:
        wanted = to_do.Wanted(
            kind=to_do.CALL_BACK,
            title="Call back as agreed",
            due_at=call_back_at,
            user_id=by.pk,
            moves=True,
        )
        to_do.ask_for(wanted, lead_id=lead.pk, at=at)
    elif result in ("wrong_number", "bad_number") or result in ENDS:
        to_do.cancel(lead_id=lead.pk, kind=to_do.CALL_BACK, because=result, at=at)
    else:
        to_do.finish_kind(
            lead_id=lead.pk, kind=to_do.CALL_BACK, by=by.pk, at=at, due_by=at + KEPT_FROM
        )


def _give_up(lead: Lead, at: datetime) -> None:
    """The carrier failed at the number, and whoever dialed it heard that it is nobody's."""
    number = send.address_for(lead, "text")
    tries = ContactAttempt.objects.filter(person=lead.person, address=number, medium="call")
    if number and tries.filter(failed_at__isnull=False).exists():
        callbacks.record_dead(number, at=at)


def _unlink(lead: Lead, at: datetime) -> None:
    number = send.address_for(lead, "text")
    if number:
        cause = f"wrong_number:{lead.pk}:{number}"
        revoke.unlink(
            person_id=lead.person_id, number=number, origin="page:disposition", cause=cause, at=at
        )
