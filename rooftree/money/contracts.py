"""What was agreed with vendors about giving leads back: recorded by staff, in force by date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.core.refusal import WrongField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write import write
from rooftree.money.company_day import company_day
from rooftree.money.grounds import DUPLICATES, REASONS, Agreed, Reason
from rooftree.money.models import Contract
from rooftree.org.models import User

LONGEST_DAYS = 365  # of a window; more is a slip of the keyboard
STATUSES = {  # what a vendor may be told of its leads: how far they came, never why not further
    "contacted": "A person of ours has talked with them",
    "application": "They applied",
    "funded": "Their loan funded",
    "closed": "We no longer work on it",
}


class BadContract(WrongField):
    """A contract that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a contract says.

    `reasons` and `statuses` are ours, each with the vendor's own word or "" for ours.
    """

    window_days: int
    warn_days: int
    reasons: Mapping[str, str]
    watcher_id: UUID  # who is warned before a window ends
    duplicate_days: int = 0
    states: tuple[str, ...] = ()
    send_to: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)


def record(*, source_id: UUID, from_date: date, terms: Terms, by: User, at: datetime) -> Contract:
    """Put terms in force from a day on; leads that arrived before keep the terms of their day.

    Terms recorded before that would begin on that day or later cover nothing any more: so a
    slip is mended. Raises `BadContract`.
    """
    _check(terms)
    if from_date > company_day(at) + timedelta(days=LONGEST_DAYS):
        raise BadContract("from_date", "That is more than a year away.")
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
        _end_before(source, from_date, at)
        made = Contract.objects.create(
            id=uuid7_at(at), source=source, from_date=from_date, look_at=at, made_by=by,
            made_at=at, window_days=terms.window_days, warn_days=terms.warn_days,
            reasons=dict(terms.reasons), duplicate_days=terms.duplicate_days,
            states=list(terms.states), watcher_id=terms.watcher_id, send_to=terms.send_to,
            statuses=dict(terms.statuses),
        )  # fmt: skip
        write(
            "money.contract.recorded", at=at, actor=f"user:{by.pk}", source_id=source.pk,
            contract=made.pk, from_date=str(from_date), window_days=terms.window_days,
            reasons=sorted(terms.reasons),
        )  # fmt: skip
    return made


def in_force(source_id: UUID, on_date: date) -> Contract | None:
    """The contract that arrivals of a day go by."""
    rows = Contract.objects.filter(source=source_id, from_date__lte=on_date)
    fitting = rows.exclude(until_date__lte=on_date)
    return fitting.select_related("watcher").order_by("-from_date", "-id").first()


def agreed(contract: Contract) -> Agreed:
    """What it takes back."""
    return Agreed(
        reasons=frozenset(contract.reasons),
        duplicate_days=contract.duplicate_days,
        states=tuple(contract.states),
    )


def ends_at(contract: Contract, arrived_at: datetime) -> datetime:
    """Until when a lead that arrived then may be given back."""
    return arrived_at + timedelta(days=contract.window_days)


def word_for(contract: Contract, reason: str) -> str:
    """A reason as the vendor calls it."""
    return str(contract.reasons.get(reason) or REASONS[Reason(reason)])


def _end_before(source: Source, from_date: date, at: datetime) -> None:
    for one in Contract.objects.filter(source=source).exclude(until_date__lte=from_date):
        ends = max(one.from_date, from_date)
        Contract.objects.filter(pk=one.pk).update(until_date=ends, look_at=at)


def _check(terms: Terms) -> None:
    if terms.window_days > LONGEST_DAYS:
        raise BadContract("window_days", f"At most {LONGEST_DAYS} days.")
    if terms.reasons and terms.window_days < 1:
        raise BadContract("window_days", "Give the days in which a return is taken.")
    if terms.warn_days >= max(terms.window_days, 1):
        raise BadContract("warn_days", "Warn within the days in which a return is taken.")
    if set(DUPLICATES) & terms.reasons.keys() and terms.duplicate_days < 1:
        raise BadContract("duplicate_days", "Say within how many days it is a duplicate.")
    if unknown := [one for one in terms.reasons if one not in REASONS]:
        raise BadContract("reasons", f"{unknown[0]} is not a reason we know.")
    if unknown := [one for one in terms.statuses if one not in STATUSES]:
        raise BadContract("statuses", f"{unknown[0]} is not a status we know.")
