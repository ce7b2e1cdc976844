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

from rooftree.compliance.gate import call_rules
from rooftree.compliance.gate.reason_sentences import ruling_sentence
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import RequestRejected, RetryLater, VendorError
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.bulk_update import update_each, update_where
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.org import sending_pause
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.calls import call_record_check, call_recordings, call_script
from rooftree.outreach.media import twiml
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.media.carrier_types import CarrierReceipt
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.messages.send import address_for
from rooftree.outreach.messages.sender_identity import is_our_number, outbound_number
from rooftree.outreach.models import Ring
from rooftree.routing import answer_offer
from rooftree.routing.models import Offer, Ownership
from rooftree.tasks.batches import run_concurrently

log = logging.getLogger(__name__)
CLAIM_LIMIT = timedelta(seconds=60)
BATCH_SIZE = 10  # calls placed at once
RELATED_ROWS = ("officer__user", "offer__lead__person", "offer__lead__source")
DUE_RINGS = PreparedQuery(
    lambda at: (
        Ring.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related(*RELATED_ROWS)
        .filter(state="due", due_at__lte=at)
        .exclude(Exists(ACTIVE_PAUSE))
        .order_by("due_at", "pk")[:BATCH_SIZE]
    ),
    at=datetime,
)
LOAN_NAMES = {
    "purchase": "purchase",
    "refinance": "refinance",
    "refinance_rate_term": "refinance",
    "refinance_cash_out": "cash-out refinance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressResult:
    """What the officer's key did: the markup to answer with, and the offer when it was taken."""

    markup: str
    ownership: Ownership | None = None


def queue_officer_calls(offers: Sequence[tuple[UUID, UUID]], *, at: datetime) -> None:
    """Put the calls to officers about their offers in line, due now. One call an offer.

    Args:
        offers: each with its officer.
    """
    insert_new_rows(
        [
            Ring(id=uuid7_at(at), offer_id=offer_id, officer_id=officer_id, due_at=at)
            for offer_id, officer_id in offers
        ]
    )


def place_due_calls(*, at: datetime) -> int:
    """Place calls that are due, and text the same officers; how many were in hand.

    A call of unknown fate is not placed again: the page shows the offer anyway,
    and silence passes it on.
    """
    due = _claim_due_rings(at)
    if not due:
        return 0
    rings = [ring for ring in due if _is_offer_open(ring.offer)]
    answers = list(zip(rings, run_concurrently(_place_call, rings), strict=True))
    placed = [(one, said) for one, said in answers if isinstance(said, CarrierReceipt)]
    with transaction.atomic():
        _record_placed(placed, at)
        for one, said in answers:
            if isinstance(said, VendorError):
                _record_not_placed(one, said, at)
    text_officers(rings, at=at)
    return len(due)


def _claim_due_rings(at: datetime) -> list[Ring]:
    with transaction.atomic():
        rings = DUE_RINGS.all(at=at)
        taken = [ring for ring in rings if _is_offer_open(ring.offer)]
        gone = [ring.pk for ring in rings if not _is_offer_open(ring.offer)]
        update_where(Ring, where={"id": gone}, to={"state": "skipped", "ended_at": at})
        claimed = {"state": "claimed", "placed_at": at}
        update_where(Ring, where={"id": [one.pk for one in taken]}, to=claimed)
    return rings


def _place_call(ring: Ring) -> CarrierReceipt | VendorError:
    try:
        return get_carrier().place_call(
            to=ring.officer.phone,
            sender=outbound_number(),
            url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/",
            status_callback=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/status/",
        )
    except VendorError as problem:
        return problem
    except Exception as problem:  # a bug of ours in one call must not harm those already placed
        log.exception("the call %s could not be placed", ring.pk)
        return RequestRejected(f"{type(problem).__name__} while placing it.")


def _record_placed(placed: Sequence[tuple[Ring, CarrierReceipt]], at: datetime) -> None:
    name = get_carrier().name
    said = [
        {"id": one.pk, "carrier": name, "carrier_id": answer.carrier_id, "problem": ""}
        for one, answer in placed
    ]
    update_each(Ring, said)
    keys = [one.pk for one, _ in placed]
    # Unless they picked up already.
    update_where(Ring, where={"id": keys, "state": "claimed"}, to={"state": "placed"})
    write_events(
        build_event("outreach.officer.rung", at=at, lead_id=one.offer.lead_id, offer=one.offer_id)
        for one, _ in placed
    )


def _record_not_placed(ring: Ring, problem: VendorError, at: datetime) -> None:
    mine = Ring.objects.filter(pk=ring.pk, state="claimed")
    if isinstance(problem, RetryLater):
        due_at = at + timedelta(seconds=problem.retry_after_seconds or 5)
        mine.update(state="due", due_at=due_at, problem=str(problem)[:300])
    else:
        mine.update(state="failed", problem=str(problem)[:300], ended_at=at)


def text_officers(rings: Sequence[Ring], *, at: datetime) -> int:
    """Tell officers of their offers by text as well, once, whatever comes of it; how many.

    No more than the whisper says, and where to take it. A text the carrier did
    not take is not tried again: the call and the page say the same.
    """
    wanted = {
        ring.pk: ring for ring in rings if ring.officer.is_texted and _is_offer_open(ring.offer)
    }
    if not wanted or sending_pause.is_sending_paused():
        return 0
    rows = [{"id": key, "texted_at": at} for key in wanted]
    mine = update_each(Ring, rows, where={"texted_at": None})
    told = [one for one in wanted.values() if one.pk in mine]
    problems = {
        one.pk: said
        for one, said in zip(told, run_concurrently(_text_officer, told), strict=True)
        if said
    }
    for key, problem in problems.items():
        Ring.objects.filter(pk=key).update(problem=f"By text: {problem}"[:300])
    return len(told) - len(problems)


def _text_officer(ring: Ring) -> VendorError | None:
    try:
        get_carrier().send_text(
            to=ring.officer.phone,
            sender=outbound_number(),
            body=f"Rooftree: {_describe_lead(ring.offer.lead)} Take it: {settings.PUBLIC_URL}/queue/",
            status_callback="",
            reference=str(ring.pk),
        )
    except VendorError as problem:
        return problem
    return None


def on_officer_answered(*, ring_id: UUID, at: datetime) -> str:
    """The officer picked up: say who it is and wait for a key."""
    ring = _load_ring(ring_id)
    Ring.objects.filter(pk=ring.pk, answered_at=None).update(answered_at=at)
    Ring.objects.filter(pk=ring.pk, ended_at=None).update(state="answered")
    if not _is_offer_open(ring.offer):
        return twiml.say_and_hang_up("This lead has gone to another loan officer. Goodbye.")
    return twiml.ask_officer_for_key(
        f"Rooftree. {_describe_lead(ring.offer.lead)} Press 1 to take this lead and be connected.",
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/key/",
        goodbye="No key was pressed. The lead stays in your queue until its time is up. Goodbye.",
    )


def on_key_pressed(*, ring_id: UUID, digits: str, at: datetime) -> KeyPressResult:
    """The officer pressed a key. 1 takes the lead and, where a call is lawful now, connects it."""
    ring = _load_ring(ring_id)
    Ring.objects.filter(pk=ring.pk, pressed="").update(pressed=digits[:2])
    if digits != "1":
        return KeyPressResult(markup=twiml.say_and_hang_up("Not taken. Goodbye."))
    try:
        owned = answer_offer.take_offer(offer_id=ring.offer_id, officer_id=ring.officer_id, at=at)
    except answer_offer.CannotTake as problem:
        return KeyPressResult(markup=twiml.say_and_hang_up(f"{problem} Goodbye."))
    lead = ring.offer.lead
    to = address_for(lead, "text")
    if not to:
        return KeyPressResult(
            markup=twiml.say_and_hang_up("It is yours. There is no phone number yet."), ownership=owned
        )
    shown = outbound_number(ring.officer.text_number)
    if why_not := _connect_problem(ring, shown, at):
        told = f"It is yours. You may not be connected now. {why_not}"
        return KeyPressResult(markup=twiml.say_and_hang_up(told), ownership=owned)
    attempt = _record_borrower_call(ring, lead, (shown, to), at)
    recording = call_recordings.plan_recording(attempt, at=at)
    markup = twiml.connect_call(
        to,
        caller_id=shown,
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/after/",
        said=f"Connecting you. {call_recordings.OFFICER_NOTICE if recording else ''}".strip(),
        first_url=call_recordings.callback_url(recording, "notice") if recording else "",
    )
    return KeyPressResult(markup=markup, ownership=owned)


def on_officer_call_ended(*, ring_id: UUID, at: datetime) -> None:
    """The call to the officer is over, whatever came of it."""
    Ring.objects.filter(pk=ring_id, ended_at=None).update(state="ended", ended_at=at)


def on_borrower_call_ended(
    *, ring_id: UUID, dial_status: str, seconds: int | None, at: datetime
) -> UUID | None:
    """Note what became of the connected call; the lead's id when that was news.

    Args:
        seconds: how long it lasted; None when the carrier did not say.
    """
    talked = dial_status == "completed"
    with transaction.atomic():
        ring = _load_ring(ring_id)
        rows = ContactAttempt.objects.filter(cause=f"ring:{ring.pk}")
        rows.filter(seconds=None).update(seconds=seconds if talked else 0)
        is_news = rows.filter(result="").update(
            result="spoken" if talked else "no_answer",
            failed_at=at if dial_status == "failed" else None,
        )
        for attempt in rows.select_related("lead"):
            call_record_check.mark_complete(attempt, at=at)
        if not is_news:
            return None
        if talked:
            Lead.objects.filter(pk=ring.offer.lead_id, first_talk_at=None).update(first_talk_at=at)
        write_event(
            "outreach.call.ended",
            at=at,
            lead_id=ring.offer.lead_id,
            ring=ring.pk,
            result="spoken" if talked else "no_answer",
        )
    return ring.offer.lead_id


def fail_stale_rings(*, at: datetime) -> int:
    """Calls claimed before a crash: their fate is unknown and they are not placed again."""
    stale = Ring.objects.filter(state="claimed", placed_at__lt=at - CLAIM_LIMIT)
    return stale.update(state="failed", problem="The program stopped mid-way.", ended_at=at)


def _connect_problem(ring: Ring, shown: str, at: datetime) -> str:
    """Why the borrower may not be called now, or not under this number; "" when they may."""
    verdict = contact_permissions.decide_call(
        lead_id=ring.offer.lead_id, cause=f"ring:{ring.pk}", at=at
    )
    if verdict.decision != Decision.ALLOW:
        return verdict.sentence
    ours = is_our_number(
        shown
    )  # what comes in on a number of ours is answered, and a STOP is heard
    ruling = call_rules.check_caller_id(shown=shown, is_ours=ours, takes_requests=ours)
    return "" if ruling.decision is Decision.ALLOW else ruling_sentence(ruling, None)


def _load_ring(ring_id: UUID) -> Ring:
    return Ring.objects.select_related(*RELATED_ROWS).get(pk=ring_id)


def _is_offer_open(offer: Offer) -> bool:
    return offer.taken_at is None and offer.passed_at is None and offer.lapsed_at is None


def _describe_lead(lead: Lead) -> str:
    """Enough to pick up the thread, and nothing that should not be said to a voicemail box."""
    kind = LOAN_NAMES.get(lead.purpose, "mortgage")
    amount = f" for {lead.amount_cents // 100_000} thousand dollars" if lead.amount_cents else ""
    where = f" in {lead.property_state}" if lead.property_state else ""
    speaks = " They prefer Spanish." if lead.person.language == "es" else ""
    first = lead.person.first_name or "No name"
    return f"{lead.source.name} {kind} lead{amount}{where}: {first}.{speaks}"


def _record_borrower_call(
    ring: Ring, lead: Lead, numbers: tuple[str, str], at: datetime
) -> ContactAttempt:
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
        write_event(
            "outreach.call.placed",
            at=at,
            lead_id=lead.pk,
            person_id=lead.person_id,
            ring=ring.pk,
            attempt=attempt.pk,
            opening=call_script.script_version_id(lead, by=ring.officer.user, at=at),
        )
    return attempt
