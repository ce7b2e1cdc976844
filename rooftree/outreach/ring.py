"""Ringing the loan officer about an offer, and connecting the borrower when they take it.

The officer hears who it is, presses 1 to take the lead and is put through. A
voicemail box presses nothing, so it never takes a lead.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists

from rooftree.compliance import calling
from rooftree.compliance.reasons import sentence
from rooftree.compliance.verdict import Decision
from rooftree.core.failures import Failure, Refused, TryLater
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write import event, write, write_all
from rooftree.org import pause
from rooftree.org.change import change, change_each
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_all_once
from rooftree.org.pause import PAUSED
from rooftree.outreach import call_detail, may, opening, recordings
from rooftree.outreach.media import twiml
from rooftree.outreach.media.line import line
from rooftree.outreach.media.shapes import Accepted
from rooftree.outreach.models import Ring
from rooftree.outreach.send import address_for
from rooftree.outreach.sender import is_ours, our_number
from rooftree.routing import acknowledge
from rooftree.routing.models import Offer, Ownership
from rooftree.tasks.together import at_once

log = logging.getLogger(__name__)
CLAIM_LIMIT = timedelta(seconds=60)
TOGETHER = 10  # calls placed at once
LOADED = ("officer__user", "offer__lead__person", "offer__lead__source")
DUE = Reads(
    lambda at: (
        Ring.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related(*LOADED)
        .filter(state="due", due_at__lte=at)
        .exclude(Exists(PAUSED))
        .order_by("due_at", "pk")[:TOGETHER]
    ),
    at=datetime,
)
KINDS = {
    "purchase": "purchase",
    "refinance": "refinance",
    "refinance_rate_term": "refinance",
    "refinance_cash_out": "cash-out refinance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What the officer's key did: the markup to answer with, and the offer when it was taken."""

    markup: str
    taken: Ownership | None = None


def plan(offers: Sequence[tuple[UUID, UUID]], *, at: datetime) -> None:
    """Put the calls to officers about their offers in line, due now. One call an offer.

    Args:
        offers: each with its officer.
    """
    insert_all_once(
        [
            Ring(id=uuid7_at(at), offer_id=offer_id, officer_id=officer_id, due_at=at)
            for offer_id, officer_id in offers
        ]
    )


def ring_due(*, at: datetime) -> int:
    """Place calls that are due, and text the same officers; how many were in hand.

    A call of unknown fate is not placed again: the page shows the offer anyway,
    and silence passes it on.
    """
    due = _claim(at)
    if not due:
        return 0
    rings = [one for one in due if _is_open(one.offer)]
    answers = list(zip(rings, at_once(_answer, rings), strict=True))
    placed = [(one, said) for one, said in answers if isinstance(said, Accepted)]
    with transaction.atomic():
        _record(placed, at)
        for one, said in answers:
            if isinstance(said, Failure):
                _not_placed(one, said, at)
    text(rings, at=at)
    return len(due)


def _claim(at: datetime) -> list[Ring]:
    with transaction.atomic():
        rings = DUE.all(at=at)
        taken = [one for one in rings if _is_open(one.offer)]
        gone = [one.pk for one in rings if not _is_open(one.offer)]
        change(Ring, where={"id": gone}, to={"state": "skipped", "ended_at": at})
        claimed = {"state": "claimed", "placed_at": at}
        change(Ring, where={"id": [one.pk for one in taken]}, to=claimed)
    return rings


def _answer(ring: Ring) -> Accepted | Failure:
    try:
        return line().place_call(
            to=ring.officer.phone,
            sender=our_number(),
            url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/",
            status_callback=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/status/",
        )
    except Failure as problem:
        return problem
    except Exception as problem:  # a bug of ours in one call must not harm those already placed
        log.exception("the call %s could not be placed", ring.pk)
        return Refused(f"{type(problem).__name__} while placing it.")


def _record(placed: Sequence[tuple[Ring, Accepted]], at: datetime) -> None:
    name = line().name
    said = [
        {"id": one.pk, "carrier": name, "carrier_id": answer.carrier_id, "problem": ""}
        for one, answer in placed
    ]
    change_each(Ring, said)
    keys = [one.pk for one, _ in placed]
    # Unless they picked up already.
    change(Ring, where={"id": keys, "state": "claimed"}, to={"state": "placed"})
    write_all(
        event("outreach.officer.rung", at=at, lead_id=one.offer.lead_id, offer=one.offer_id)
        for one, _ in placed
    )


def _not_placed(ring: Ring, problem: Failure, at: datetime) -> None:
    mine = Ring.objects.filter(pk=ring.pk, state="claimed")
    if isinstance(problem, TryLater):
        due_at = at + timedelta(seconds=problem.after or 5)
        mine.update(state="due", due_at=due_at, problem=str(problem)[:300])
    else:
        mine.update(state="failed", problem=str(problem)[:300], ended_at=at)


def text(rings: Sequence[Ring], *, at: datetime) -> int:
    """Tell officers of their offers by text as well, once, whatever comes of it; how many.

    No more than the whisper says, and where to take it. A text the carrier did
    not take is not tried again: the call and the page say the same.
    """
    wanted = {one.pk: one for one in rings if one.officer.is_texted and _is_open(one.offer)}
    if not wanted or pause.is_on():
        return 0
    rows = [{"id": key, "texted_at": at} for key in wanted]
    mine = change_each(Ring, rows, where={"texted_at": None})
    told = [one for one in wanted.values() if one.pk in mine]
    problems = {one.pk: said for one, said in zip(told, at_once(_text, told), strict=True) if said}
    for key, problem in problems.items():
        Ring.objects.filter(pk=key).update(problem=f"By text: {problem}"[:300])
    return len(told) - len(problems)


def _text(ring: Ring) -> Failure | None:
    try:
        line().send_text(
            to=ring.officer.phone,
            sender=our_number(),
            body=f"Rooftree: {_who(ring.offer.lead)} Take it: {settings.PUBLIC_URL}/queue/",
            status_callback="",
            reference=str(ring.pk),
        )
    except Failure as problem:
        return problem
    return None


def answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up: say who it is and wait for a key."""
    ring = _ring(ring_id)
    Ring.objects.filter(pk=ring.pk, answered_at=None).update(answered_at=at)
    Ring.objects.filter(pk=ring.pk, ended_at=None).update(state="answered")
    if not _is_open(ring.offer):
        return twiml.say("This lead has gone to another loan officer. Goodbye.")
    return twiml.whisper(
        f"Rooftree. {_who(ring.offer.lead)} Press 1 to take this lead and be connected.",
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/key/",
        goodbye="No key was pressed. The lead stays in your queue until its time is up. Goodbye.",
    )


def pressed(*, ring_id: UUID, digits: str, at: datetime) -> Pressed:
    """The officer pressed a key. 1 takes the lead and, where a call is lawful now, connects it."""
    ring = _ring(ring_id)
    Ring.objects.filter(pk=ring.pk, pressed="").update(pressed=digits[:2])
    if digits != "1":
        return Pressed(markup=twiml.say("Not taken. Goodbye."))
    try:
        owned = acknowledge.take(offer_id=ring.offer_id, officer_id=ring.officer_id, at=at)
    except acknowledge.CannotTake as problem:
        return Pressed(markup=twiml.say(f"{problem} Goodbye."))
    lead = ring.offer.lead
    to = address_for(lead, "text")
    if not to:
        return Pressed(markup=twiml.say("It is yours. There is no phone number yet."), taken=owned)
    shown = our_number(ring.officer.text_number)
    if why_not := _refused(ring, shown, at):
        told = f"It is yours. You may not be connected now. {why_not}"
        return Pressed(markup=twiml.say(told), taken=owned)
    attempt = _record_call(ring, lead, (shown, to), at)
    recording = recordings.plan(attempt, at=at)
    markup = twiml.connect(
        to,
        caller_id=shown,
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/after/",
        said=f"Connecting you. {recordings.TO_OFFICER if recording else ''}".strip(),
        first_url=recordings.address_of(recording, "notice") if recording else "",
    )
    return Pressed(markup=markup, taken=owned)


def ended(*, ring_id: UUID, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    Ring.objects.filter(pk=ring_id, ended_at=None).update(state="ended", ended_at=at)


def after_borrower(
    *, ring_id: UUID, dial_status: str, seconds: int | None, at: datetime
) -> UUID | None:
    """Note what became of the connected call; the lead's id when that was news.

    Args:
        seconds: how long it lasted; None when the carrier did not say.
    """
    talked = dial_status == "completed"
    with transaction.atomic():
        ring = _ring(ring_id)
        rows = ContactAttempt.objects.filter(cause=f"ring:{ring.pk}")
        rows.filter(seconds=None).update(seconds=seconds if talked else 0)
        is_news = rows.filter(result="").update(
            result="spoken" if talked else "no_answer",
            failed_at=at if dial_status == "failed" else None,
        )
        for attempt in rows.select_related("lead"):
            call_detail.close(attempt, at=at)
        if not is_news:
            return None
        if talked:
            Lead.objects.filter(pk=ring.offer.lead_id, first_talk_at=None).update(first_talk_at=at)
        write(
            "outreach.call.ended",
            at=at,
            lead_id=ring.offer.lead_id,
            ring=ring.pk,
            result="spoken" if talked else "no_answer",
        )
    return ring.offer.lead_id


def forget_stale(*, at: datetime) -> int:
    """Calls claimed before a crash: their fate is unknown and they are not placed again."""
    stale = Ring.objects.filter(state="claimed", placed_at__lt=at - CLAIM_LIMIT)
    return stale.update(state="failed", problem="The program stopped mid-way.", ended_at=at)


def _refused(ring: Ring, shown: str, at: datetime) -> str:
    """Why the borrower may not be called now, or not under this number; "" when they may."""
    verdict = may.call(lead_id=ring.offer.lead_id, cause=f"ring:{ring.pk}", at=at)
    if verdict.decision != Decision.ALLOW:
        return verdict.sentence
    ours = is_ours(shown)  # what comes in on a number of ours is answered, and a STOP is heard
    ruling = calling.caller_id(shown=shown, is_ours=ours, takes_requests=ours)
    return "" if ruling.decision is Decision.ALLOW else sentence(ruling, None)


def _ring(ring_id: UUID) -> Ring:
    return Ring.objects.select_related(*LOADED).get(pk=ring_id)


def _is_open(offer: Offer) -> bool:
    return offer.taken_at is None and offer.passed_at is None and offer.lapsed_at is None


def _who(lead: Lead) -> str:
    """Enough to pick up the thread, and nothing that should not be said to a voicemail box."""
    kind = KINDS.get(lead.purpose, "mortgage")
    amount = f" for {lead.amount_cents // 100_000} thousand dollars" if lead.amount_cents else ""
    where = f" in {lead.property_state}" if lead.property_state else ""
    speaks = " They prefer Spanish." if lead.person.language == "es" else ""
    first = lead.person.first_name or "No name"
    return f"{lead.source.name} {kind} lead{amount}{where}: {first}.{speaks}"


def _record_call(ring: Ring, lead: Lead, numbers: tuple[str, str], at: datetime) -> ContactAttempt:
    """The call from our number to theirs, written down before it is made. Once for a ring."""
    ours, theirs = numbers
    with transaction.atomic():
        Ring.objects.filter(pk=ring.pk).update(connected_at=at)
        attempt, _ = ContactAttempt.objects.get_or_create(
            cause=f"ring:{ring.pk}",
            defaults={
                "id": uuid7_at(at),
                "lead": lead,
                "person_id": lead.person_id,
                "medium": "call",
                "address": theirs,
                "our_number": ours,
                "by_id": ring.officer.user_id,
                "at": at,
            },
        )
        Lead.objects.filter(pk=lead.pk, first_attempt_at=None).update(first_attempt_at=at)
        write(
            "outreach.call.placed",
            at=at,
            lead_id=lead.pk,
            person_id=lead.person_id,
            ring=ring.pk,
            attempt=attempt.pk,
            opening=opening.edition_for(lead, by=ring.officer.user, at=at),
        )
    return attempt
