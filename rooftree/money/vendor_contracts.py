"""What was agreed with vendors about giving leads back: recorded by staff, in force by date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.money.models import Contract
from rooftree.money.return_grounds import (
    DUPLICATE_REASONS,
    REASON_LABELS,
    ReturnReason,
    ReturnTerms,
)
from rooftree.org.models import User

MAX_WINDOW_DAYS = 365  # of a window; more is a slip of the keyboard
# What a vendor may be told of its leads: how far they came, never why not further.
REPORTABLE_STATUSES = {
    "contacted": "A person of ours has talked with them",
    "application": "They applied",
    "funded": "Their loan funded",
    "closed": "We no longer work on it",
}


class InvalidContract(InvalidField):
    """A contract that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
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


def record_contract(
    *, source_id: UUID, from_date: date, terms: ContractTerms, by: User, at: datetime
) -> Contract:
    """Put terms in force from a day on; leads that arrived before keep the terms of their day.

    Terms recorded before that would begin on that day or later cover nothing any more: so a
    slip is mended. Raises `BadContract`.
    """
    _validate_terms(terms)
    if from_date > company_day(at) + timedelta(days=MAX_WINDOW_DAYS):
        raise InvalidContract("from_date", "That is more than a year away.")
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
        _end_contracts_from(source, from_date, at)
        made = Contract.objects.create(
            id=uuid7_at(at), source=source, from_date=from_date, look_at=at, made_by=by,
            made_at=at, window_days=terms.window_days, warn_days=terms.warn_days,
            reasons=dict(terms.reasons), duplicate_days=terms.duplicate_days,
            states=list(terms.states), watcher_id=terms.watcher_id, send_to=terms.send_to,
            statuses=dict(terms.statuses),
        )  # fmt: skip
        write_event(
            "money.contract.recorded", at=at, actor=f"user:{by.pk}", source_id=source.pk,
            contract=made.pk, from_date=str(from_date), window_days=terms.window_days,
            reasons=sorted(terms.reasons),
        )  # fmt: skip
    return made


def contract_in_force(source_id: UUID, on_date: date) -> Contract | None:
    """The contract that arrivals of a day go by."""
    rows = Contract.objects.filter(source=source_id, from_date__lte=on_date)
    fitting = rows.exclude(until_date__lte=on_date)
    return fitting.select_related("watcher").order_by("-from_date", "-id").first()


def return_terms(contract: Contract) -> ReturnTerms:
    """What it takes back."""
    return ReturnTerms(
        reasons=frozenset(contract.reasons),
        duplicate_days=contract.duplicate_days,
        states=tuple(contract.states),
    )


def return_deadline(contract: Contract, arrived_at: datetime) -> datetime:
    """Until when a lead that arrived then may be given back."""
    return arrived_at + timedelta(days=contract.window_days)


def vendor_reason(contract: Contract, reason: str) -> str:
    """A reason as the vendor calls it."""
    return str(contract.reasons.get(reason) or REASON_LABELS[ReturnReason(reason)])


def _end_contracts_from(source: Source, from_date: date, at: datetime) -> None:
    for contract in Contract.objects.filter(source=source).exclude(until_date__lte=from_date):
        ends = max(contract.from_date, from_date)
        Contract.objects.filter(pk=contract.pk).update(until_date=ends, look_at=at)


def _validate_terms(terms: ContractTerms) -> None:
    if terms.window_days > MAX_WINDOW_DAYS:
        raise InvalidContract("window_days", f"At most {MAX_WINDOW_DAYS} days.")
    if terms.reasons and terms.window_days < 1:
        raise InvalidContract("window_days", "Give the days in which a return is taken.")
    if terms.warn_days >= max(terms.window_days, 1):
        raise InvalidContract("warn_days", "Warn within the days in which a return is taken.")
    if set(DUPLICATE_REASONS) & terms.reasons.keys() and terms.duplicate_days < 1:
        raise InvalidContract("duplicate_days", "Say within how many days it is a duplicate.")
    if unknown := [reason for reason in terms.reasons if reason not in REASON_LABELS]:
        raise InvalidContract("reasons", f"{unknown[0]} is not a reason we know.")
    if unknown := [status for status in terms.statuses if status not in REPORTABLE_STATUSES]:
        raise InvalidContract("statuses", f"{unknown[0]} is not a status we know.")
