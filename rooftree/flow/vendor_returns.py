"""What follows when a paid lead proves to be one that its vendor takes back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
CHUNK = 500
REMIND_BATCH = 200  # claims of one pass
GROUND_GONE = "What it rests on is no longer so."
NOT_DUPLICATE = "They are two people after all: it is no duplicate, and they should be told."


def check_due_contracts(*, at: datetime) -> int:
    """Look at what arrived under each contract that is due; how many contracts.

    A contract rests when the last arrival it covers can be given back no more.
    """
    seen = 0
    while contract := _claim_due_contract(at):
        _check_costs(contract, return_facts.costs_under_contract(contract, at=at), at)
        seen += 1
    return seen


def check_leads(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Look at the arrivals of a few leads now: something was found out about them."""
    costs = Entry.objects.filter(lead__in=lead_ids, kind="cost")
    sources = costs.order_by().values_list("source", flat=True).distinct()
    for contract in _launched_contracts().filter(source__in=sources):
        _check_costs(
            contract,
            return_facts.costs_under_contract(contract, at=at).filter(lead__in=lead_ids),
            at,
        )
    _flag_doubtful_duplicates(lead_ids, at)


def send_returns(
    drafts: QuerySet[Claim], asked: ExportIntent, *, source_id: UUID, by: User, at: datetime
) -> tuple[ReturnFile, str]:
    """Put a vendor's drafts into a file, and the file's text; nothing is sent without its reason.

    Raises `CannotClaim`, `CannotExport`.
    """
    with transaction.atomic():
        made = return_claims.send_claims(drafts, source_id=source_id, by=by, at=at)
        return made, return_export.export_returns_csv(made, asked, at=at)


def draft_return_by_hand(
    *, touch_id: UUID, reason: str, sentence: str, by: User, at: datetime
) -> Claim:
    """Draft a return that a person asks for, within what its contract takes back.

    It rests on their word: looking again at what happened does not withdraw it. Raises
    `CannotClaim`.

    Args:
        sentence: why, as the vendor will read it.
    """
    with transaction.atomic():
        paid, contract = _returnable_arrival(touch_id, at)
        if reason not in contract.reasons:
            raise ClaimNotAllowed("Their contract does not take leads back for this.")
        if not sentence.strip():
            raise ClaimNotAllowed("Write down why: the vendor reads it.")
        facts = return_facts.collect_facts([paid])[paid.touch.pk]
        known = find_ground(
            facts, replace(vendor_contracts.return_terms(contract), reasons={reason})
        )
        found = ReturnGround(
            reason=ReturnReason(reason),
            sentence=sentence.strip(),
            evidence=(*(known.evidence if known else ()), ("Asked by hand by", by.name)),
        )
        claim = return_claims.draft_claim(paid, found, contract=contract, at=at, by=by)
        if claim is None:
            raise ClaimNotAllowed("A return of it is there already.")
    return claim


def allowed_reasons(touch_id: UUID, *, at: datetime) -> list[str]:
    """What a person may ask an arrival back for, now; raises `CannotClaim` with why not."""
    return list(_returnable_arrival(touch_id, at)[1].reasons)


def _returnable_arrival(touch_id: UUID, at: datetime) -> tuple[PaidArrival, Contract]:
    cost = Entry.objects.filter(kind="cost", cause=f"{return_facts.TOUCH_PREFIX}{touch_id}").first()
    paid = return_facts.paid_arrivals([cost])[0] if cost else None
    if paid is None or paid.left_cents <= 0:
        raise ClaimNotAllowed("Nothing was paid for it.")
    touch = paid.touch
    contract = vendor_contracts.contract_in_force(touch.source_id, company_day(touch.at))
    if contract is None or not contract.reasons:
        raise ClaimNotAllowed(f"No contract with {touch.source.name} takes leads of that day back.")
    if touch.lead.is_test:
        raise ClaimNotAllowed("It is a test.")
    if touch.source.launched_at is None:
        raise ClaimNotAllowed(f"{touch.source.name} is in audit: nothing of it is given back yet.")
    if vendor_contracts.return_deadline(contract, touch.at) <= at:
        raise ClaimNotAllowed(
            f"It could be given back for {contract.window_days} days, not longer."
        )
    if Claim.objects.filter(touch=touch).exclude(return_claims.UNSENT_FILTER).exists():
        raise ClaimNotAllowed("A return of it is there already.")
    return paid, contract


def record_credit(
    claim_id: UUID, *, cents: int, before_cents: int, by: User, at: datetime, note: str = ""
) -> None:
    """The vendor gave something back: it is booked, and every sum follows. Raises `CannotClaim`."""
    with transaction.atomic():
        made = return_claims.record_credit(
            claim_id, cents=cents, before_cents=before_cents, by=by, at=at, note=note
        )
        rollup_deltas.count_cost(made)


def remind_unsent_returns(*, at: datetime) -> int:
    """Warn whoever watches over a vendor of returns that are not sent, and let go what is too late.

    How many claims. Whoever is warned is warned daily, until the last is sent or too late.
    """
    with transaction.atomic():
        rows = Claim.objects.select_for_update(of=("self",), skip_locked=True)
        due = list(
            rows.filter(due_at__lte=at)
            .select_related("source", "contract", "touch")
            .order_by("due_at")[:REMIND_BATCH]
        )
        late = [row for row in due if row.send_by <= at]
        for one in late:
            return_claims.mark_missed(one, at=at)
        waiting: dict[UUID, list[Claim]] = defaultdict(list)
        for one in due:
            if one.send_by > at:
                waiting[one.source_id].append(one)
        for some in waiting.values():
            _warn_of_unsent_returns(some, at)
    return len(due)


def _launched_contracts() -> QuerySet[Contract]:
    """Contracts of sources that are not in audit: of those nothing is returned yet."""
    return Contract.objects.filter(source__launched_at__isnull=False)


def _claim_due_contract(at: datetime) -> Contract | None:
    with transaction.atomic():
        rows = (
            _launched_contracts()
            .select_for_update(of=("self",), skip_locked=True)
            .filter(look_at__lte=at)
        )
        contract = rows.order_by("look_at").first()
        if contract is not None:
            Contract.objects.filter(pk=contract.pk).update(
                look_at=None if _is_over(contract, at) else at + CHECK_INTERVAL
            )
    return contract


def _is_over(contract: Contract, at: datetime) -> bool:
    ends = contract.until_date
    return ends is not None and ends + timedelta(days=contract.window_days) < company_day(at)


def _check_costs(contract: Contract, costs: Iterable[Entry], at: datetime) -> None:
    some: list[Entry] = []
    for cost in costs:
        some.append(cost)
        if len(some) == CHUNK:
            _update_drafts(contract, some, at)
            some = []
    _update_drafts(contract, some, at)


def _update_drafts(contract: Contract, costs: Sequence[Entry], at: datetime) -> None:
    """Draft what may be given back, withdraw drafts whose ground is gone."""
    if not costs:
        return
    with transaction.atomic():
        paid = [
            paid_arrival
            for paid_arrival in return_facts.paid_arrivals(costs)
            if not paid_arrival.touch.lead.is_test
        ]
        drafts = {
            claim.touch_id: claim
            for claim in Claim.objects.filter(touch__in=[p.touch.pk for p in paid], state="drafted")
        }
        settled = set(
            Claim.objects.filter(touch__in=[one.touch.pk for one in paid])
            .exclude(return_claims.UNSENT_FILTER)
            .values_list("touch_id", flat=True)
        )
        open_ = [one for one in paid if one.touch.pk not in settled]
        for one, found in _find_grounds(contract, open_):
            mine = drafts.get(one.touch.pk)
            if mine and mine.asked_by_id:
                continue
            if mine and found and (mine.contract_id, mine.reason) == (contract.pk, found.reason):
                continue
            if mine:
                return_claims.withdraw_claim(mine, because=GROUND_GONE, at=at)
            if found:
                return_claims.draft_claim(one, found, contract=contract, at=at)


def _find_grounds(
    contract: Contract, paid: Sequence[PaidArrival]
) -> list[tuple[PaidArrival, ReturnGround | None]]:
    facts, agreed = return_facts.collect_facts(paid), vendor_contracts.return_terms(contract)
    return [
        (paid_arrival, find_ground(facts[paid_arrival.touch.pk], agreed)) for paid_arrival in paid
    ]


def _flag_doubtful_duplicates(lead_ids: Sequence[UUID], at: datetime) -> None:
    """What was sent as a duplicate and is none after all is not withdrawn behind anybody's back."""
    rows = Claim.objects.filter(
        touch__lead__in=lead_ids,
        reason__in=DUPLICATE_REASONS,
        state__in=["sent", "disputed", "credited"],
    )
    sent = list(rows.select_related("contract", "entry", "touch", "source"))
    for row in sent:
        paid = return_facts.paid_arrivals([row.entry])
        still = _find_grounds(row.contract, paid)[0][1]
        is_said = row.steps.filter(kind="noted", note=NOT_DUPLICATE).exists()
        if still is None and not is_said:
            return_claims.add_remark(row.pk, text=NOT_DUPLICATE, by=None, at=at)
            _notify_watchers(
                row, cause=f"claim:{row.pk}:doubt", at=at,
                text=f"A return to {row.source.name} rests on two people being one, "
                "and they were taken apart.", link=f"/returns/{row.pk}/",
            )  # fmt: skip


def _warn_of_unsent_returns(some: Sequence[Claim], at: datetime) -> None:
    first = min(some, key=lambda one: one.send_by)
    ends = first.send_by.astimezone(company_zone())
    unsent = Claim.objects.filter(source=first.source_id, state="drafted", send_by__gt=at)
    sums = list(unsent.values_list("asked_cents", flat=True))
    noun = "return is" if len(sums) == 1 else "returns are"
    _notify_watchers(
        first,
        cause=f"returns:{first.source_id}:{company_day(at)}",
        text=f"{len(sums)} {noun} not sent to {first.source.name} yet: "
        f"{money_amounts.format_cents(sum(sums))}. "
        f"The first must be there by {ends:%b} {ends.day}, {ends:%H:%M}.",
        link=f"/returns/?source={first.source_id}",
        at=at,
    )
    return_claims.schedule_next_warning(some, at=at)


def _notify_watchers(claim: Claim, *, cause: str, text: str, link: str, at: datetime) -> None:
    """Whoever watches over the vendor; who left is stood in for by who hears alarms."""
    watcher = User.objects.filter(pk=claim.contract.watcher_id, is_active=True)
    company = Company.objects.first()
    users = list(watcher) or staff_notices.alarm_users(company.alarm_user_id if company else None)
    for user in users:
        staff_notices.notify_user(
            user_id=user.pk, kind="returns", idempotency_key=cause, text=text, link=link, at=at
        )
