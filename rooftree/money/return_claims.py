"""Claims for returned leads, from draft to close; each step is recorded once with its user."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from rooftree.core import money_amounts
from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.leads.models import Touch
from rooftree.ledger.write_events import write_event
from rooftree.money import book_entries
from rooftree.money.company_day import company_day
from rooftree.money.models import Claim, ClaimStep, Contract, Entry, ReturnFile
from rooftree.money.return_grounds import ReturnGround
from rooftree.money.vendor_contracts import return_deadline
from rooftree.org.models import User

ANSWERABLE_STATES = ("sent", "disputed", "credited")  # the vendor can credit or refuse now
MAX_NOTE_CHARS = 500  # characters of a note
# Claims a new check can still change: drafts and withdrawn claims.
UNSENT_FILTER = Q(state="drafted") | Q(state="closed", closed_as="withdrawn")


class ClaimNotAllowed(UserError):
    """A step the claim can't take now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidArrival:
    """One paid arrival, and the part of its cost not credited yet."""

    touch: Touch
    entry: Entry
    left_cents: int


def draft_claim(
    paid: PaidArrival,
    ground: ReturnGround,
    *,
    contract: Contract,
    at: datetime,
    by: User | None = None,
) -> Claim | None:
    """Draft the claim of a paid arrival, or reopen a withdrawn one.

    Returns None if the claim exists already or the return window is over.

    Args:
        by: the user who claims it by hand; None if it was found automatically.
    """
    send_by = return_deadline(contract, paid.touch.at)
    if send_by <= at or paid.left_cents <= 0:
        return None
    columns = {
        "contract_id": contract.pk, "reason": ground.reason.value,
        "sentence": ground.sentence[:400], "evidence": [list(pair) for pair in ground.evidence],
        "claimed_cents": paid.left_cents, "send_by": send_by, "drafted_at": at,
        "due_at": max(at, send_by - timedelta(days=contract.warn_days)), "requested_by": by,
    }  # fmt: skip
    claim = Claim(
        id=uuid7_at(at),
        source_id=paid.touch.source_id,
        touch=paid.touch,
        entry=paid.entry,
        **columns,
    )
    with transaction.atomic():
        if not insert_row_if_new(claim):
            withdrawn = Claim.objects.filter(
                touch=paid.touch, state="closed", closed_as="withdrawn"
            )
            if not withdrawn.update(state="drafted", closed_as="", **columns):
                return None
            claim = Claim.objects.get(touch=paid.touch)
        _record_step(claim, "drafted", at=at, by=by, note=ground.sentence)
    return claim


def withdraw_claim(claim: Claim, *, because: str, at: datetime) -> bool:
    """Withdraw a draft whose ground no longer holds; return False if it was sent meanwhile."""
    drafts = Claim.objects.filter(pk=claim.pk, state="drafted")
    with transaction.atomic():
        if not drafts.update(state="closed", closed_as="withdrawn", due_at=None):
            return False
        _record_step(claim, "withdrawn", at=at, by=None, note=because)
    return True


def send_claims(claims: QuerySet[Claim], *, source_id: UUID, by: User, at: datetime) -> ReturnFile:
    """Put drafts still within the return window into a file for their vendor.

    Raises `ClaimNotAllowed` when no draft is left to send.
    """
    with transaction.atomic():
        drafts = list(
            claims.filter(source=source_id, state="drafted", send_by__gt=at)
            .select_for_update(of=("self",))
            .order_by("send_by", "pk")
        )
        if not drafts:
            raise ClaimNotAllowed("No returns are left to send.")
        return_file = _create_return_file(source_id, by, at)
        Claim.objects.filter(pk__in=[draft.pk for draft in drafts]).update(
            state="sent", file=return_file, due_at=None
        )
        for draft in drafts:
            _record_step(draft, "sent", at=at, by=by, note=f"In file {return_file.number}")
    return return_file


def record_credit(
    claim_id: UUID, *, cents: int, before_cents: int, by: User, at: datetime, note: str = ""
) -> Entry:
    """Book a vendor's credit; a full credit closes the claim.

    Safe to repeat: `before_cents` is the total credited when the user entered the credit.
    Raises `ClaimNotAllowed`.
    """
    with transaction.atomic():
        claim = _lock_claim(claim_id)
        earlier = Entry.objects.filter(
            idempotency_key=_credit_idempotency_key(claim, before_cents), amount_cents=cents
        )
        if earlier:
            return earlier[0]
        _require_state(claim, ANSWERABLE_STATES, "This return can't be credited now.")
        _validate_credit(claim, cents, before_cents)
        paid = claim.entry
        entry = book_entries.book_entry(
            kind="credit", amount_cents=cents, on_date=company_day(at), source_id=paid.source_id,
            campaign_id=paid.campaign_id, lead_id=paid.lead_id, delivery_id=paid.delivery_id,
            basis="return", idempotency_key=_credit_idempotency_key(claim, before_cents), by=by,
            at=at,
        )  # fmt: skip
        claim.credited_cents += cents
        is_whole = claim.credited_cents == claim.claimed_cents
        claim.state, claim.closed_as = ("closed", "credited") if is_whole else ("credited", "")
        claim.save(update_fields=["credited_cents", "state", "closed_as"])
        _record_step(claim, "credited", at=at, by=by, note=note, cents=cents)
    return entry


def record_refusal(claim_id: UUID, *, note: str, by: User, at: datetime) -> None:
    """Record that the vendor refused the claim or its rest. Raises `ClaimNotAllowed`."""
    with transaction.atomic():
        claim = _lock_claim(claim_id)
        if claim.state == "refused":
            return
        _require_state(claim, ANSWERABLE_STATES, "This return can't be refused now.")
        _change_state(
            claim, "refused", note=_require_text(note, "Enter the vendor's reason."), by=by, at=at
        )


def dispute_claim(claim_id: UUID, *, note: str, by: User, at: datetime) -> None:
    """Dispute a refusal, once for each claim. Raises `ClaimNotAllowed`."""
    with transaction.atomic():
        claim = _lock_claim(claim_id)
        if claim.state == "disputed":
            return
        _require_state(claim, ("refused",), "Only a refused return can be disputed.")
        if claim.disputes:
            raise ClaimNotAllowed(
                "This return was disputed before. A vendor answers one dispute only."
            )
        claim.disputes = 1
        _change_state(
            claim,
            "disputed",
            note=_require_text(note, "Enter your answer to the vendor."),
            by=by,
            at=at,
        )


def close_claim(claim_id: UUID, *, note: str, by: User, at: datetime) -> None:
    """Close a claim with what was credited, or drop it. Raises `ClaimNotAllowed`."""
    with transaction.atomic():
        claim = _lock_claim(claim_id)
        if claim.state == "closed":
            return
        _require_state(
            claim, ("drafted", "refused", "credited"), "The vendor has not answered yet."
        )
        if claim.state == "drafted":
            claim.closed_as, note = (
                "dropped",
                _require_text(note, "Enter why you aren't sending this return."),
            )
        else:
            claim.closed_as = "credited" if claim.credited_cents else "refused"
        _change_state(claim, "closed", note=note, by=by, at=at)


def add_remark(claim_id: UUID, *, text: str, by: User | None, at: datetime) -> None:
    """Add a note to a claim. Raises `ClaimNotAllowed` if it is empty."""
    with transaction.atomic():
        _record_step(
            _lock_claim(claim_id),
            "noted",
            at=at,
            by=by,
            note=_require_text(text, "Enter a note."),
        )


def mark_missed(claim: Claim, *, at: datetime) -> bool:
    """Close a draft whose return window is over; return False if it was sent or closed."""
    unsent = Claim.objects.filter(pk=claim.pk, state="drafted", send_by__lte=at)
    with transaction.atomic():
        if not unsent.update(state="closed", closed_as="missed", due_at=None):
            return False
        lost = money_amounts.format_cents(claim.claimed_cents)
        _record_step(claim, "missed", at=at, by=None, note=f"Not sent in time. {lost} lost.")
    return True


def schedule_next_warning(claims: Iterable[Claim], *, at: datetime) -> None:
    """Set the next warning of claims just warned about: tomorrow, or when the window ends."""
    for claim in claims:
        due_at = min(claim.send_by, at + timedelta(days=1))
        Claim.objects.filter(pk=claim.pk, state="drafted").update(due_at=due_at)


def _create_return_file(source_id: UUID, by: User, at: datetime) -> ReturnFile:
    last = ReturnFile.objects.filter(source=source_id).order_by("-number").first()
    return ReturnFile.objects.create(
        id=uuid7_at(at), source_id=source_id, number=last.number + 1 if last else 1,
        made_by=by, made_at=at,
    )  # fmt: skip


def _lock_claim(claim_id: UUID) -> Claim:
    rows = Claim.objects.select_for_update(of=("self",)).select_related("entry", "touch")
    return rows.get(pk=claim_id)


def _require_state(claim: Claim, states: tuple[str, ...], problem: str) -> None:
    if claim.state not in states:
        raise ClaimNotAllowed(problem)


def _validate_credit(claim: Claim, cents: int, before_cents: int) -> None:
    if claim.credited_cents != before_cents:
        raise ClaimNotAllowed("Someone else recorded a credit. Reload the page and check.")
    left = claim.claimed_cents - claim.credited_cents
    if cents <= 0:
        raise ClaimNotAllowed("Enter the amount the vendor credited.")
    if cents > left:
        raise ClaimNotAllowed(f"Only {money_amounts.format_cents(left)} is left to credit.")


def _credit_idempotency_key(claim: Claim, before_cents: int) -> str:
    return f"claim:{claim.pk}:{before_cents}"


def _require_text(text: str, problem: str) -> str:
    cleaned = " ".join(text.split())[:MAX_NOTE_CHARS]
    if not cleaned:
        raise ClaimNotAllowed(problem)
    return cleaned


def _change_state(claim: Claim, state: str, *, note: str, by: User, at: datetime) -> None:
    claim.state, claim.due_at = state, None
    claim.save(update_fields=["state", "closed_as", "disputes", "due_at"])
    _record_step(claim, state, at=at, by=by, note=note)


def _record_step(
    claim: Claim, kind: str, *, at: datetime, by: User | None, note: str, cents: int | None = None
) -> None:
    ClaimStep.objects.create(
        id=uuid7_at(at),
        claim=claim,
        kind=kind,
        note=note[:MAX_NOTE_CHARS],
        cents=cents,
        by=by,
        at=at,
    )
    write_event(
        f"money.claim.{kind}", at=at, actor=f"user:{by.pk}" if by else "system:returns",
        lead_id=claim.touch.lead_id, claim=claim.pk, source_id=claim.source_id,
        reason=claim.reason, cents=cents,
    )  # fmt: skip
