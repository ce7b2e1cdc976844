"""What follows when a paid lead proves to be one that its vendor takes back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.core import money
from rooftree.flow import return_facts
from rooftree.money import claims, contracts
from rooftree.money.claims import CannotClaim, Paid
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.grounds import DUPLICATES, Ground, Reason, ground
from rooftree.money.models import Claim, Contract, Entry, ReturnFile
from rooftree.org import notices
from rooftree.org.models import Company, User
from rooftree.reporting import count, return_file
from rooftree.reporting.second_person import Asked

EVERY = timedelta(minutes=10)
CHUNK = 500
WARNED = 200  # claims of one pass
NO_MORE = "What it rests on is no longer so."
NOT_THE_SAME = "They are two people after all: it is no duplicate, and they should be told."


def go_through(*, at: datetime) -> int:
    """Look at what arrived under each contract that is due; how many contracts.

    A contract rests when the last arrival it covers can be given back no more.
    """
    seen = 0
    while contract := _next_due(at):
        _look(contract, return_facts.paid_under(contract, at=at), at)
        seen += 1
    return seen


def look_at(lead_ids: Sequence[UUID], *, at: datetime) -> None:
    """Look at the arrivals of a few leads now: something was found out about them."""
    costs = Entry.objects.filter(lead__in=lead_ids, kind="cost")
    sources = costs.order_by().values_list("source", flat=True).distinct()
    for contract in _launched().filter(source__in=sources):
        _look(contract, return_facts.paid_under(contract, at=at).filter(lead__in=lead_ids), at)
    _doubt(lead_ids, at)


def send(
    drafts: QuerySet[Claim], asked: Asked, *, source_id: UUID, by: User, at: datetime
) -> tuple[ReturnFile, str]:
    """Put a vendor's drafts into a file, and the file's text; nothing is sent without its reason.

    Raises `CannotClaim`, `CannotExport`.
    """
    with transaction.atomic():
        made = claims.send(drafts, source_id=source_id, by=by, at=at)
        return made, return_file.taken(made, asked, at=at)


def ask_by_hand(*, touch_id: UUID, reason: str, sentence: str, by: User, at: datetime) -> Claim:
    """Draft a return that a person asks for, within what its contract takes back.

    It rests on their word: looking again at what happened does not withdraw it. Raises
    `CannotClaim`.

    Args:
        sentence: why, as the vendor will read it.
    """
    with transaction.atomic():
        paid, contract = _may_be_asked(touch_id, at)
        if reason not in contract.reasons:
            raise CannotClaim("Their contract does not take leads back for this.")
        if not sentence.strip():
            raise CannotClaim("Write down why: the vendor reads it.")
        facts = return_facts.of_arrivals([paid])[paid.touch.pk]
        known = ground(facts, replace(contracts.agreed(contract), reasons={reason}))
        found = Ground(
            reason=Reason(reason),
            sentence=sentence.strip(),
            evidence=(*(known.evidence if known else ()), ("Asked by hand by", by.name)),
        )
        claim = claims.draft(paid, found, contract=contract, at=at, by=by)
        if claim is None:
            raise CannotClaim("A return of it is there already.")
    return claim


def reasons_for(touch_id: UUID, *, at: datetime) -> list[str]:
    """What a person may ask an arrival back for, now; raises `CannotClaim` with why not."""
    return list(_may_be_asked(touch_id, at)[1].reasons)


def _may_be_asked(touch_id: UUID, at: datetime) -> tuple[Paid, Contract]:
    cost = Entry.objects.filter(kind="cost", cause=f"{return_facts.TOUCH}{touch_id}").first()
    paid = return_facts.arrivals([cost])[0] if cost else None
    if paid is None or paid.left_cents <= 0:
        raise CannotClaim("Nothing was paid for it.")
    touch = paid.touch
    contract = contracts.in_force(touch.source_id, company_day(touch.at))
    if contract is None or not contract.reasons:
        raise CannotClaim(f"No contract with {touch.source.name} takes leads of that day back.")
    if touch.lead.is_test:
        raise CannotClaim("It is a test.")
    if touch.source.launched_at is None:
        raise CannotClaim(f"{touch.source.name} is in audit: nothing of it is given back yet.")
    if contracts.ends_at(contract, touch.at) <= at:
        raise CannotClaim(f"It could be given back for {contract.window_days} days, not longer.")
    if Claim.objects.filter(touch=touch).exclude(claims.UNSENT).exists():
        raise CannotClaim("A return of it is there already.")
    return paid, contract


def credited(
    claim_id: UUID, *, cents: int, before_cents: int, by: User, at: datetime, note: str = ""
) -> None:
    """The vendor gave something back: it is booked, and every sum follows. Raises `CannotClaim`."""
    with transaction.atomic():
        made = claims.credit(
            claim_id, cents=cents, before_cents=before_cents, by=by, at=at, note=note
        )
        count.spend(made)


def remind(*, at: datetime) -> int:
    """Warn whoever watches over a vendor of returns that are not sent, and let go what is too late.

    How many claims. Whoever is warned is warned daily, until the last is sent or too late.
    """
    with transaction.atomic():
        rows = Claim.objects.select_for_update(of=("self",), skip_locked=True)
        due = list(
            rows.filter(due_at__lte=at)
            .select_related("source", "contract", "touch")
            .order_by("due_at")[:WARNED]
        )
        late = [one for one in due if one.send_by <= at]
        for one in late:
            claims.miss(one, at=at)
        waiting: dict[UUID, list[Claim]] = defaultdict(list)
        for one in due:
            if one.send_by > at:
                waiting[one.source_id].append(one)
        for some in waiting.values():
            _warn(some, at)
    return len(due)


def _launched() -> QuerySet[Contract]:
    """Contracts of sources that are not in audit: of those nothing is returned yet."""
    return Contract.objects.filter(source__launched_at__isnull=False)


def _next_due(at: datetime) -> Contract | None:
    with transaction.atomic():
        rows = _launched().select_for_update(of=("self",), skip_locked=True).filter(look_at__lte=at)
        contract = rows.order_by("look_at").first()
        if contract is not None:
            Contract.objects.filter(pk=contract.pk).update(
                look_at=None if _is_over(contract, at) else at + EVERY
            )
    return contract


def _is_over(contract: Contract, at: datetime) -> bool:
    ends = contract.until_date
    return ends is not None and ends + timedelta(days=contract.window_days) < company_day(at)


def _look(contract: Contract, costs: Iterable[Entry], at: datetime) -> None:
    some: list[Entry] = []
    for one in costs:
        some.append(one)
        if len(some) == CHUNK:
            _settle(contract, some, at)
            some = []
    _settle(contract, some, at)


def _settle(contract: Contract, costs: Sequence[Entry], at: datetime) -> None:
    """Draft what may be given back, withdraw drafts whose ground is gone."""
    if not costs:
        return
    with transaction.atomic():
        paid = [one for one in return_facts.arrivals(costs) if not one.touch.lead.is_test]
        drafts = {
            one.touch_id: one
            for one in Claim.objects.filter(touch__in=[p.touch.pk for p in paid], state="drafted")
        }
        settled = set(
            Claim.objects.filter(touch__in=[one.touch.pk for one in paid])
            .exclude(claims.UNSENT)
            .values_list("touch_id", flat=True)
        )
        open_ = [one for one in paid if one.touch.pk not in settled]
        for one, found in _grounds(contract, open_):
            mine = drafts.get(one.touch.pk)
            if mine and mine.asked_by_id:
                continue
            if mine and found and (mine.contract_id, mine.reason) == (contract.pk, found.reason):
                continue
            if mine:
                claims.withdraw(mine, because=NO_MORE, at=at)
            if found:
                claims.draft(one, found, contract=contract, at=at)


def _grounds(contract: Contract, paid: Sequence[Paid]) -> list[tuple[Paid, Ground | None]]:
    facts, agreed = return_facts.of_arrivals(paid), contracts.agreed(contract)
    return [(one, ground(facts[one.touch.pk], agreed)) for one in paid]


def _doubt(lead_ids: Sequence[UUID], at: datetime) -> None:
    """What was sent as a duplicate and is none after all is not withdrawn behind anybody's back."""
    rows = Claim.objects.filter(
        touch__lead__in=lead_ids, reason__in=DUPLICATES, state__in=["sent", "disputed", "credited"]
    )
    sent = list(rows.select_related("contract", "entry", "touch", "source"))
    for one in sent:
        paid = return_facts.arrivals([one.entry])
        still = _grounds(one.contract, paid)[0][1]
        is_said = one.steps.filter(kind="noted", note=NOT_THE_SAME).exists()
        if still is None and not is_said:
            claims.remark(one.pk, text=NOT_THE_SAME, by=None, at=at)
            _tell(
                one, cause=f"claim:{one.pk}:doubt", at=at,
                text=f"A return to {one.source.name} rests on two people being one, "
                "and they were taken apart.", link=f"/returns/{one.pk}/",
            )  # fmt: skip


def _warn(some: Sequence[Claim], at: datetime) -> None:
    first = min(some, key=lambda one: one.send_by)
    ends = first.send_by.astimezone(company_zone())
    unsent = Claim.objects.filter(source=first.source_id, state="drafted", send_by__gt=at)
    sums = list(unsent.values_list("asked_cents", flat=True))
    noun = "return is" if len(sums) == 1 else "returns are"
    _tell(
        first,
        cause=f"returns:{first.source_id}:{company_day(at)}",
        text=f"{len(sums)} {noun} not sent to {first.source.name} yet: {money.shown(sum(sums))}. "
        f"The first must be there by {ends:%b} {ends.day}, {ends:%H:%M}.",
        link=f"/returns/?source={first.source_id}",
        at=at,
    )
    claims.warn_again(some, at=at)


def _tell(claim: Claim, *, cause: str, text: str, link: str, at: datetime) -> None:
    """Whoever watches over the vendor; who left is stood in for by who hears alarms."""
    watcher = User.objects.filter(pk=claim.contract.watcher_id, is_active=True)
    company = Company.objects.first()
    users = list(watcher) or notices.alarm_users(company.alarm_user_id if company else None)
    for user in users:
        notices.tell(user_id=user.pk, kind="returns", cause=cause, text=text, link=link, at=at)
