"""Calls to loan officers about offers, connecting the borrower when the officer takes the lead.

The officer hears about the lead, presses 1 to take it and is connected. A voicemail box
presses nothing, so it never takes a lead.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists

from rooftree.compliance.gate import call_rules
from rooftree.compliance.gate.reason_sentences import ruling_sentence
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.us_states import STATES
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import RequestRejected, RetryLater, VendorError
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.bulk_update import update_each, update_where
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.org import sending_pause, shadow_mode
from rooftree.org.models import LoanOfficer, User
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.calls import call_record_check, call_recordings, call_script
from rooftree.outreach.facts.lead_records import is_our_number
from rooftree.outreach.media import twiml
from rooftree.outreach.media.active_carrier import Carrier, get_carrier
from rooftree.outreach.media.carrier_types import CarrierReceipt
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.messages.plan_messages import address_for, outbound_number
from rooftree.outreach.models import Ring
from rooftree.routing import answer_offer
from rooftree.routing.models import Offer, Ownership
from rooftree.tasks.batches import run_concurrently

log = logging.getLogger(__name__)
CLAIM_LIMIT = timedelta(seconds=60)
BATCH_SIZE = 10  # calls placed concurrently
RELATED_ROWS = ("officer__user", "offer__lead__person", "offer__lead__source")
DUE_RINGS = PreparedQuery(
    lambda at: (
        Ring.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related(*RELATED_ROWS)
        .filter(state="due", due_at__lte=at)
        .exclude(Exists(ACTIVE_PAUSE) | shadow_mode.shadow_is_on())
        .order_by("due_at", "pk")[:BATCH_SIZE]
    ),
    at=datetime,
)
RING_BY_ID = PreparedQuery(
    lambda id: Ring.objects.select_related(*RELATED_ROWS).filter(pk=id), id=UUID
)
LOAN_NAMES = {
    "purchase": "purchase",
    "refinance": "refinance",
    "refinance_rate_term": "refinance",
    "refinance_cash_out": "cash-out refinance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressResult:
    """The response to an officer's key: the markup, and the ownership if the lead was taken."""

    markup: str
    ownership: Ownership | None = None


def queue_officer_calls(offers: Sequence[tuple[UUID, UUID]], *, at: datetime) -> None:
    """Queue calls to officers about their offers, due now, one call per offer.

    Args:
        offers: pairs of offer id and officer id.
    """
    insert_new_rows(
        [
            Ring(id=uuid7_at(at), offer_id=offer_id, officer_id=officer_id, due_at=at)
            for offer_id, officer_id in offers
        ]
    )


def place_due_calls(*, at: datetime) -> int:
    """Place due calls and text the same officers; return how many calls were claimed.

    A call with an unknown outcome is not placed again: the page shows the offer anyway, and
    without a response it passes to the next officer.
    """
    due = _claim_due_rings(at)
    if not due:
        return 0
    rings = [ring for ring in due if _is_offer_open(ring.offer)]
    place = partial(_place_call, get_carrier(), outbound_number())
    answers = list(zip(rings, run_concurrently(place, rings), strict=True))
    placed = [(ring, answer) for ring, answer in answers if isinstance(answer, CarrierReceipt)]
    with transaction.atomic():
        _record_placed(placed, at)
        for ring, answer in answers:
            if isinstance(answer, VendorError):
                _record_not_placed(ring, answer, at)
    text_officers(rings, at=at)
    return len(due)


def _claim_due_rings(at: datetime) -> list[Ring]:
    with transaction.atomic():
        rings = DUE_RINGS.all(at=at)
        claimed = [ring.pk for ring in rings if _is_offer_open(ring.offer)]
        skipped = [ring.pk for ring in rings if not _is_offer_open(ring.offer)]
        update_where(Ring, where={"id": skipped}, to={"state": "skipped", "ended_at": at})
        update_where(Ring, where={"id": claimed}, to={"state": "claimed", "placed_at": at})
    return rings


def _place_call(carrier: Carrier, sender: str, ring: Ring) -> CarrierReceipt | VendorError:
    try:
        return carrier.place_call(
            to=ring.officer.phone,
            sender=sender,
            url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/",
            status_callback=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/status/",
        )
    except VendorError as problem:
        return problem
    except Exception as problem:  # a bug in one call must not affect those already placed
        log.exception("the call %s could not be placed", ring.pk)
        return RequestRejected(f"{type(problem).__name__} while placing it.")


def _record_placed(placed: Sequence[tuple[Ring, CarrierReceipt]], at: datetime) -> None:
    name = get_carrier().name
    receipts = [
        {"id": ring.pk, "carrier": name, "carrier_id": receipt.carrier_id, "problem": ""}
        for ring, receipt in placed
    ]
    update_each(Ring, receipts)
    keys = [ring.pk for ring, _ in placed]
    # Only if the officer has not picked up yet.
    update_where(Ring, where={"id": keys, "state": "claimed"}, to={"state": "placed"})
    write_events(
        build_event("outreach.officer.rung", at=at, lead_id=ring.offer.lead_id, offer=ring.offer_id)
        for ring, _ in placed
    )


def _record_not_placed(ring: Ring, problem: VendorError, at: datetime) -> None:
    claimed = Ring.objects.filter(pk=ring.pk, state="claimed")
    if isinstance(problem, RetryLater):
        due_at = at + timedelta(seconds=problem.retry_after_seconds or 5)
        claimed.update(state="due", due_at=due_at, problem=str(problem)[:300])
    else:
        claimed.update(state="failed", problem=str(problem)[:300], ended_at=at)


def text_officers(rings: Sequence[Ring], *, at: datetime) -> int:
    """Text officers about their offers too, once per offer; return how many were sent.

    The text contains only what the call says, and the link to take the lead. A text the
    carrier refuses is not retried, since the call and the page say the same.
    """
    rings_by_id = {
        ring.pk: ring for ring in rings if ring.officer.is_texted and _is_offer_open(ring.offer)
    }
    if not rings_by_id or sending_pause.is_sending_paused() or shadow_mode.is_shadow_on():
        return 0
    rows = [{"id": key, "texted_at": at} for key in rings_by_id]
    claimed = update_each(Ring, rows, where={"texted_at": None})
    to_text = [ring for ring in rings_by_id.values() if ring.pk in claimed]
    send = partial(_text_officer, get_carrier(), outbound_number())
    problems = {
        ring.pk: problem
        for ring, problem in zip(to_text, run_concurrently(send, to_text), strict=True)
        if problem
    }
    for key, problem in problems.items():
        Ring.objects.filter(pk=key).update(problem=f"By text: {problem}"[:300])
    return len(to_text) - len(problems)


def _text_officer(carrier: Carrier, sender: str, ring: Ring) -> VendorError | None:
    summary = _describe_lead(ring.offer.lead)
    try:
        carrier.send_text(
            to=ring.officer.phone,
            sender=sender,
            body=f"Rooftree: {summary} Take it: {settings.PUBLIC_URL}/queue/",
            status_callback="",
            reference=str(ring.pk),
        )
    except VendorError as problem:
        return problem
    return None


def text_user(user: User, *, body: str, status_callback: str) -> CarrierReceipt:
    """Text a member of staff at the phone on file. Raises `VendorError`."""
    return get_carrier().send_text(
        to=staff_phone(user),
        sender=outbound_number(),
        body=body,
        status_callback=status_callback,
        reference=str(user.pk),
    )


def call_user(user: User, *, url: str, status_callback: str) -> CarrierReceipt:
    """Call a member of staff at the phone on file; `url` has the markup. Raises `VendorError`."""
    return get_carrier().place_call(
        to=staff_phone(user), sender=outbound_number(), url=url, status_callback=status_callback
    )


def staff_phone(user: User) -> str:
    """Return the phone of a member of staff: the one that rings for an officer; "" if none."""
    officer = LoanOfficer.objects.filter(user=user, terminated_at=None).first()
    return officer.phone if officer else user.phone


def on_officer_answered(*, ring_id: UUID, at: datetime) -> str:
    """Return the markup when the officer picks up: describe the lead and wait for a key."""
    ring = _load_ring(ring_id)
    Ring.objects.filter(pk=ring.pk, answered_at=None).update(answered_at=at)
    Ring.objects.filter(pk=ring.pk, ended_at=None).update(state="answered")
    if not _is_offer_open(ring.offer):
        return twiml.say_and_hang_up("This lead was taken by another loan officer. Goodbye.")
    return twiml.ask_officer_for_key(
        f"Rooftree. {_describe_lead(ring.offer.lead)} Press 1 to take this lead and be connected.",
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/key/",
        goodbye="No key pressed. The lead stays in your queue until the offer expires. Goodbye.",
    )


def on_key_pressed(*, ring_id: UUID, digits: str, at: datetime) -> KeyPressResult:
    """Handle an officer's key: 1 takes the lead and connects the call if the gate allows it."""
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
            markup=twiml.say_and_hang_up("The lead is yours. No phone number on file yet."),
            ownership=owned,
        )
    caller_id = outbound_number(ring.officer.text_number)
    if why_not := _connect_problem(ring, caller_id, at):
        text = f"The lead is yours. The call can’t be connected now. {why_not}"
        return KeyPressResult(markup=twiml.say_and_hang_up(text), ownership=owned)
    attempt = _record_borrower_call(ring, lead, (caller_id, to), at)
    recording = call_recordings.plan_recording(attempt, at=at)
    markup = twiml.connect_call(
        to,
        caller_id=caller_id,
        action_url=f"{settings.PUBLIC_URL}/in/twilio/ring/{ring.pk}/after/",
        text=f"Connecting you. {call_recordings.OFFICER_NOTICE if recording else ''}".strip(),
        first_url=call_recordings.callback_url(recording, "notice") if recording else "",
    )
    return KeyPressResult(markup=markup, ownership=owned)


def on_officer_call_ended(*, ring_id: UUID, at: datetime) -> None:
    """Mark the call to the officer as ended."""
    Ring.objects.filter(pk=ring_id, ended_at=None).update(state="ended", ended_at=at)


def on_borrower_call_ended(
    *, ring_id: UUID, dial_status: str, seconds: int | None, at: datetime
) -> UUID | None:
    """Record the result of the connected call; return the lead's id if that is new.

    Args:
        seconds: the length of the call; None if the carrier doesn't say.
    """
    talked = dial_status == "completed"
    with transaction.atomic():
        ring = _load_ring(ring_id)
        rows = ContactAttempt.objects.filter(idempotency_key=f"ring:{ring.pk}")
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
            Lead.objects.filter(pk=ring.offer.lead_id, first_conversation_at=None).update(
                first_conversation_at=at
            )
        write_event(
            "outreach.call.ended",
            at=at,
            lead_id=ring.offer.lead_id,
            ring=ring.pk,
            result="spoken" if talked else "no_answer",
        )
    return ring.offer.lead_id


def fail_stale_rings(*, at: datetime) -> int:
    """Fail calls claimed before a crash: their outcome is unknown, so they aren't placed again."""
    stale = Ring.objects.filter(state="claimed", placed_at__lt=at - CLAIM_LIMIT)
    return stale.update(state="failed", problem="Rooftree stopped while placing it.", ended_at=at)


def _connect_problem(ring: Ring, caller_id: str, at: datetime) -> str:
    """Return why the borrower can't be called now from this number; "" if they can."""
    verdict = contact_permissions.decide_call(
        lead_id=ring.offer.lead_id, cause=f"ring:{ring.pk}", at=at
    )
    if verdict.decision != Decision.ALLOW:
        return verdict.sentence
    is_ours = is_our_number(caller_id)  # calls to our own numbers are answered, opt-outs included
    ruling = call_rules.check_caller_id(shown=caller_id, is_ours=is_ours, takes_requests=is_ours)
    return "" if ruling.decision is Decision.ALLOW else ruling_sentence(ruling, None)


def _load_ring(ring_id: UUID) -> Ring:
    return RING_BY_ID.get(id=ring_id)


def _is_offer_open(offer: Offer) -> bool:
    return offer.accepted_at is None and offer.declined_at is None and offer.expired_at is None


def _describe_lead(lead: Lead) -> str:
    """Return a spoken summary of the lead, without anything unfit for a voicemail box."""
    kind = LOAN_NAMES.get(lead.purpose, "mortgage")
    amount = f" for {lead.amount_cents // 100_000} thousand dollars" if lead.amount_cents else ""
    where = f" in {STATES[lead.property_state]}" if lead.property_state in STATES else ""
    language = " They prefer Spanish." if lead.person.language == "es" else ""
    name = lead.person.first_name or "No name"
    return f"{lead.source.name} {kind} lead{amount}{where}: {name}.{language}"


def _record_borrower_call(
    ring: Ring, lead: Lead, numbers: tuple[str, str], at: datetime
) -> ContactAttempt:
    """Record the call to the borrower before it is made, once per ring.

    Args:
        numbers: our number and the borrower's.
    """
    our_number, borrower_number = numbers
    with transaction.atomic():
        Ring.objects.filter(pk=ring.pk).update(connected_at=at)
        attempt, _ = ContactAttempt.objects.get_or_create(
            idempotency_key=f"ring:{ring.pk}",
            defaults={
                "id": uuid7_at(at),
                "lead": lead,
                "person_id": lead.person_id,
                "medium": "call",
                "address": borrower_number,
                "our_number": our_number,
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
