"""Returns of paid leads to their vendors: draft, send, credit and remind."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.core import money_amounts
from rooftree.flow import return_facts
from rooftree.money import return_claims, vendor_contracts
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Claim, Contract, Entry, ReturnFile
from rooftree.money.return_claims import ClaimNotAllowed, PaidArrival
from rooftree.money.return_grounds import DUPLICATE_REASONS, ReturnGround, ReturnReason, find_ground
from rooftree.org import staff_notices
from rooftree.org.models import Company, User
from rooftree.reporting.exports import return_export
from rooftree.reporting.exports.export_approval import ExportIntent
from rooftree.reporting.rollups import rollup_deltas

CHECK_INTERVAL = timedelta(minutes=10)
CHUNK = 500  # costs checked at once
REMIND_BATCH = 200  # claims per run
GROUND_GONE = "The reason for the return no longer applies."
NOT_DUPLICATE = "Not a duplicate: these are two people. Tell the vendor."


def check_due_contracts(*, at: datetime) -> int:
    """Check the arrivals under each due contract for returns; return how many contracts.

    A contract is no longer checked once the last arrival it covers can't be returned.
    """
    count = 0
    while contract := _claim_due_contract(at):
        _check_costs(contract, return_facts.find_contract_costs(contract, at=at), at)
        count += 1
    return count


def check_leads(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Check the arrivals of a few leads for returns now, because facts about them changed."""
    costs = Entry.objects.filter(lead__in=lead_ids, kind="cost")
    sources = costs.order_by().values_list("source", flat=True).distinct()
    for contract in _select_launched_contracts().filter(source__in=sources):
        _check_costs(
            contract,
            return_facts.find_contract_costs(contract, at=at).filter(lead__in=lead_ids),
            at,
        )
    _flag_doubtful_duplicates(lead_ids, at)


def send_returns(
    drafts: QuerySet[Claim], intent: ExportIntent, *, source_id: UUID, by: User, at: datetime
) -> tuple[ReturnFile, str]:
    """Put a vendor's drafts into a file; return the file and its CSV text.

    Raises `ClaimNotAllowed`, and `CannotExport` without a reason for the export.
    """
    with transaction.atomic():
        return_file = return_claims.send_claims(drafts, source_id=source_id, by=by, at=at)
        return return_file, return_export.export_returns_csv(return_file, intent, at=at)


def draft_return_by_hand(
    *, touch_id: UUID, reason: str, sentence: str, by: User, at: datetime
) -> Claim:
    """Draft a return that a person requests, for a reason the contract accepts.

    The return rests on the person's word, so later checks do not withdraw it. Raises
    `ClaimNotAllowed`.

    Args:
        sentence: the reason as the vendor will read it.
    """
    with transaction.atomic():
        paid, contract = _find_returnable_arrival(touch_id, at)
        if reason not in contract.reasons:
            raise ClaimNotAllowed(
                "The contract with this vendor doesn't allow returns for this reason."
            )
        if not sentence.strip():
            raise ClaimNotAllowed("Enter a reason. The vendor will read it.")
        facts = return_facts.collect_facts([paid])[paid.touch.pk]
        detected = find_ground(
            facts, replace(vendor_contracts.return_terms(contract), reasons={reason})
        )
        ground = ReturnGround(
            reason=ReturnReason(reason),
            sentence=sentence.strip(),
            evidence=(*(detected.evidence if detected else ()), ("Requested by", by.name)),
        )
        claim = return_claims.draft_claim(paid, ground, contract=contract, at=at, by=by)
        if claim is None:
            raise ClaimNotAllowed("This lead already has a return.")
    return claim


def find_return_reasons(touch_id: UUID, *, at: datetime) -> list[str]:
    """Return the reasons for which an arrival can be returned now.

    Raises `ClaimNotAllowed` if it can't be returned.
    """
    return list(_find_returnable_arrival(touch_id, at)[1].reasons)


def _find_returnable_arrival(touch_id: UUID, at: datetime) -> tuple[PaidArrival, Contract]:
    cost = Entry.objects.filter(
        kind="cost", idempotency_key=f"{return_facts.TOUCH_PREFIX}{touch_id}"
    ).first()
    paid = return_facts.load_paid_arrivals([cost])[0] if cost else None
    if paid is None or paid.left_cents <= 0:
        raise ClaimNotAllowed("Nothing was paid for this lead.")
    touch = paid.touch
    contract = vendor_contracts.find_contract_in_force(touch.source_id, company_day(touch.at))
    if contract is None or not contract.reasons:
        raise ClaimNotAllowed(
            f"No contract with {touch.source.name} allows returns of leads from that day."
        )
    if touch.lead.is_test:
        raise ClaimNotAllowed("This is a test lead.")
    if touch.source.launched_at is None:
        raise ClaimNotAllowed(f"{touch.source.name} is in audit. Its leads can't be returned yet.")
    if vendor_contracts.return_deadline(contract, touch.at) <= at:
        raise ClaimNotAllowed(f"The {contract.window_days}-day return period is over.")
    if Claim.objects.filter(touch=touch).exclude(return_claims.UNSENT_FILTER).exists():
        raise ClaimNotAllowed("This lead already has a return.")
    return paid, contract


def record_credit(
    claim_id: UUID, *, cents: int, before_cents: int, by: User, at: datetime, note: str = ""
) -> None:
    """Book a vendor's credit for a claim and update the totals. Raises `ClaimNotAllowed`."""
    with transaction.atomic():
        entry = return_claims.record_credit(
            claim_id, cents=cents, before_cents=before_cents, by=by, at=at, note=note
        )
        rollup_deltas.count_cost(entry)


def remind_unsent_returns(*, at: datetime) -> int:
    """Warn a vendor's watchers of unsent returns and mark the late ones as missed.

    Return how many claims. Warnings repeat daily until the last return is sent or too late.
    """
    with transaction.atomic():
        rows = Claim.objects.select_for_update(of=("self",), skip_locked=True)
        due = list(
            rows.filter(due_at__lte=at)
            .select_related("source", "contract", "touch")
            .order_by("due_at")[:REMIND_BATCH]
        )
        unsent_by_source: dict[UUID, list[Claim]] = defaultdict(list)
        for claim in due:
            if claim.send_by <= at:
                return_claims.mark_missed(claim, at=at)
            else:
                unsent_by_source[claim.source_id].append(claim)
        for claims in unsent_by_source.values():
            _warn_of_unsent_returns(claims, at)
    return len(due)


def _select_launched_contracts() -> QuerySet[Contract]:
    """Select contracts of launched sources; leads of a source in audit can't be returned."""
    return Contract.objects.filter(source__launched_at__isnull=False)


def _claim_due_contract(at: datetime) -> Contract | None:
    with transaction.atomic():
        rows = (
            _select_launched_contracts()
            .select_for_update(of=("self",), skip_locked=True)
            .filter(next_check_at__lte=at)
        )
        contract = rows.order_by("next_check_at").first()
        if contract is not None:
            end, window = contract.until_date, timedelta(days=contract.window_days)
            is_over = end is not None and end + window < company_day(at)
            Contract.objects.filter(pk=contract.pk).update(
                next_check_at=None if is_over else at + CHECK_INTERVAL
            )
    return contract


def _check_costs(contract: Contract, costs: Iterable[Entry], at: datetime) -> None:
    for chunk in batched(costs, CHUNK):
        _update_drafts(contract, chunk, at)


def _update_drafts(contract: Contract, costs: Sequence[Entry], at: datetime) -> None:
    """Draft possible returns and withdraw drafts whose ground is gone."""
    with transaction.atomic():
        paid = [
            arrival
            for arrival in return_facts.load_paid_arrivals(costs)
            if not arrival.touch.lead.is_test
        ]
        claims = Claim.objects.filter(touch__in=[arrival.touch.pk for arrival in paid])
        drafts = {claim.touch_id: claim for claim in claims.filter(state="drafted")}
        settled = set(
            claims.exclude(return_claims.UNSENT_FILTER).values_list("touch_id", flat=True)
        )
        unsettled = [arrival for arrival in paid if arrival.touch.pk not in settled]
        for arrival, ground in _find_grounds(contract, unsettled):
            draft = drafts.get(arrival.touch.pk)
            if draft and draft.requested_by_id:
                continue
            terms = (contract.pk, ground.reason) if ground else None
            if draft and terms == (draft.contract_id, draft.reason):
                continue
            if draft:
                return_claims.withdraw_claim(draft, because=GROUND_GONE, at=at)
            if ground:
                return_claims.draft_claim(arrival, ground, contract=contract, at=at)


def _find_grounds(
    contract: Contract, paid: Sequence[PaidArrival]
) -> list[tuple[PaidArrival, ReturnGround | None]]:
    facts, terms = return_facts.collect_facts(paid), vendor_contracts.return_terms(contract)
    return [(arrival, find_ground(facts[arrival.touch.pk], terms)) for arrival in paid]


def _flag_doubtful_duplicates(lead_ids: Sequence[UUID], at: datetime) -> None:
    """Note and notify of sent returns that no longer are duplicates; never withdraw them."""
    rows = Claim.objects.filter(
        touch__lead__in=lead_ids,
        reason__in=DUPLICATE_REASONS,
        state__in=["sent", "disputed", "credited"],
    )
    for claim in list(rows.select_related("contract", "entry", "touch", "source")):
        paid = return_facts.load_paid_arrivals([claim.entry])
        (_, ground), *_ = _find_grounds(claim.contract, paid)
        has_note = claim.steps.filter(kind="noted", note=NOT_DUPLICATE).exists()
        if ground is None and not has_note:
            return_claims.add_remark(claim.pk, text=NOT_DUPLICATE, by=None, at=at)
            _notify_watchers(
                claim, cause=f"claim:{claim.pk}:doubt", at=at,
                text=f"A duplicate returned to {claim.source.name} turned out to be two people.",
                link=f"/returns/{claim.pk}/",
            )  # fmt: skip


def _warn_of_unsent_returns(claims: Sequence[Claim], at: datetime) -> None:
    first = min(claims, key=lambda claim: claim.send_by)
    send_by = first.send_by.astimezone(company_zone())
    clock_time = send_by.strftime("%I:%M %p").lstrip("0")
    unsent = Claim.objects.filter(source=first.source_id, state="drafted", send_by__gt=at)
    amounts = list(unsent.values_list("claimed_cents", flat=True))
    noun = "return" if len(amounts) == 1 else "returns"
    _notify_watchers(
        first,
        cause=f"returns:{first.source_id}:{company_day(at)}",
        text=f"{len(amounts)} {noun} to {first.source.name} not sent yet: "
        f"{money_amounts.format_cents(sum(amounts))}. "
        f"Send the first by {send_by:%b} {send_by.day}, {clock_time}.",
        link=f"/returns/?source={first.source_id}",
        at=at,
    )
    return_claims.schedule_next_warning(claims, at=at)


def _notify_watchers(claim: Claim, *, cause: str, text: str, link: str, at: datetime) -> None:
    """Notify the contract's watcher, or the users who receive alarms if the watcher left."""
    watcher = User.objects.filter(pk=claim.contract.watcher_id, is_active=True)
    company = Company.objects.first()
    users = list(watcher) or staff_notices.alarm_users(company.alarm_user_id if company else None)
    for user in users:
        staff_notices.notify_user(
            user_id=user.pk, kind="returns", idempotency_key=cause, text=text, link=link, at=at
        )
