"""Ad spend and fees by day: what an upload or a form would book, and what is booked already."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Campaign, Source
from rooftree.money import book_entries
from rooftree.money.models import Entry
from rooftree.org.models import User

AD_SPEND, MONTHLY_FEE = "ad_spend", "monthly_fee"
MAX_SPEND_DAYS = 366
MAX_FEE_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLine:
    """The spend of one day at a source and, if known, a campaign."""

    source_id: UUID
    on_date: date  # the company's day
    amount_cents: int
    campaign: str = ""  # its name
    line: int = 0  # of the file it came from

    @property
    def key(self) -> str:
        """The idempotency key: one amount per source, campaign and day."""
        campaign = hashlib.sha256(self.campaign.casefold().encode()).hexdigest()[:16]
        return f"spend:{self.source_id}:{campaign if self.campaign else ''}:{self.on_date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPeriod:
    """Ad spend of some days (both included), as staff enter it."""

    source: Source
    first: date
    last: date
    amount_cents: int
    campaign: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyFee:
    """A fee that a source costs each month."""

    source: Source
    name: str
    first: date  # any day of the first month
    months: int
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPlan:
    """The effect of booking some lines; every line is in exactly one part."""

    new: tuple[SpendLine, ...]
    booked: tuple[SpendLine, ...]  # already booked with this amount
    changed: tuple[tuple[SpendLine, Entry, int], ...]  # with its entry, and the change in cents

    @property
    def new_cents(self) -> int:
        """The sum of the new lines."""
        return sum(line.amount_cents for line in self.new)

    @property
    def changed_cents(self) -> int:
        """The sum of all changes, with their signs."""
        return sum(change for _, _, change in self.changed)

    @property
    def fingerprint(self) -> str:
        """A digest of the plan, to notice that the books changed after it was shown."""
        parts = (
            [(line.key, line.amount_cents) for line in self.new],
            [(line.key, line.amount_cents) for line in self.booked],
            [(line.key, change) for line, _, change in self.changed],
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def plan_spend(lines: Sequence[SpendLine]) -> SpendPlan:
    """Compare lines with the booked entries; books nothing. Each key can occur once."""
    keys = {line.key: line for line in lines}
    entries = {
        entry.idempotency_key: entry for entry in Entry.objects.filter(idempotency_key__in=keys)
    }
    amounts = book_entries.net_amounts(entries.values())
    new, booked, changed = [], [], []
    for key, line in keys.items():
        if (entry := entries.get(key)) is None:
            new.append(line)
        elif change := line.amount_cents - amounts[entry.pk]:
            changed.append((line, entry, change))
        else:
            booked.append(line)
    return SpendPlan(new=tuple(new), booked=tuple(booked), changed=tuple(changed))


def book_plan(plan: SpendPlan, *, reason: str, by: User, at: datetime) -> list[Entry]:
    """Book a plan: its new lines, and a correction of each changed one. Return the new entries."""
    campaigns = ensure_campaigns(plan.new)
    entries = [
        Entry(
            kind="cost", amount_cents=line.amount_cents, on_date=line.on_date,
            source_id=line.source_id, basis=AD_SPEND, idempotency_key=line.key, reason=reason,
            campaign_id=campaigns.get((line.source_id, line.campaign.casefold())),
            booked_by=by, booked_at=at,
        )
        for line in plan.new
    ]  # fmt: skip
    booked = book_entries.insert_entries(entries, by=by, at=at)
    for line, entry, _ in plan.changed:
        correction = book_entries.correct_entry(
            entry, right_cents=line.amount_cents, reason=reason, by=by, at=at
        )
        booked += [correction] if correction else []
    return booked


def spread_amount(amount_cents: int, *, first: date, last: date) -> list[tuple[date, int]]:
    """Spread an amount evenly over days (both included); early days get the odd cents.

    Raises `InvalidField` if the days are in the wrong order or too many.
    """
    days = (last - first).days + 1
    if days < 1:
        raise InvalidField("last", "The last day is before the first.")
    if days > MAX_SPEND_DAYS:
        raise InvalidField("last", f"Enter at most {MAX_SPEND_DAYS} days at a time.")
    share, odd = divmod(amount_cents, days)
    return [(first + timedelta(days=n), share + (n < odd)) for n in range(days)]


def following_months(first: date, count: int) -> list[date]:
    """Return the first day of `count` months, beginning with the month of `first`."""
    months = [first.year * 12 + first.month - 1 + n for n in range(count)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def ensure_campaigns(lines: Iterable[SpendLine]) -> dict[tuple[UUID, str], UUID]:
    """Return campaign ids by source and lower-case name; create the campaigns that are missing."""
    named = [line for line in lines if line.campaign]
    rows = Campaign.objects.filter(source__in={line.source_id for line in named})
    ids = {(row.source_id, row.name.casefold()): row.pk for row in rows}
    for line in named:
        key = (line.source_id, line.campaign.casefold())
        if key not in ids:
            campaign, _ = Campaign.objects.get_or_create(
                source_id=line.source_id, name=line.campaign
            )
            ids[key] = campaign.pk
    return ids
