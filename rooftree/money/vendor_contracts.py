"""Vendor contracts about returning leads, recorded by staff and in force by date."""

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

MAX_WINDOW_DAYS = 365  # of a return window; more is a typo
# Statuses a vendor can be told: how far a lead came, never why it stopped.
REPORTABLE_STATUSES = {
    "contacted": "We talked with the borrower",
    "application": "Borrower applied",
    "funded": "Loan funded",
    "closed": "We stopped working the lead",
}


class InvalidContract(InvalidField):
    """An invalid contract term, with its field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """The terms of a contract.

    `reasons` and `statuses` map our codes to the vendor's own word, or "" to use ours.
    """

    window_days: int
    warn_days: int
    reasons: Mapping[str, str]
    watcher_id: UUID  # the user warned before a window ends
    duplicate_days: int = 0
    states: tuple[str, ...] = ()
    send_to: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)


def record_contract(
    *, source_id: UUID, from_date: date, terms: ContractTerms, by: User, at: datetime
) -> Contract:
    """Put terms in force from a day on; leads that arrived earlier keep their terms.

    Earlier recorded terms that would begin on that day or later no longer apply, so a
    mistake can be corrected. Raises `InvalidContract`.
    """
    _validate_terms(terms)
    if from_date > company_day(at) + timedelta(days=MAX_WINDOW_DAYS):
        raise InvalidContract("from_date", "That is more than a year away.")
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
        replaced = Contract.objects.filter(source=source).exclude(until_date__lte=from_date)
        for contract in replaced:
            until_date = max(contract.from_date, from_date)
            Contract.objects.filter(pk=contract.pk).update(until_date=until_date, next_check_at=at)
        recorded = Contract.objects.create(
            id=uuid7_at(at), source=source, from_date=from_date, next_check_at=at, made_by=by,
            made_at=at, window_days=terms.window_days, warn_days=terms.warn_days,
            reasons=dict(terms.reasons), duplicate_days=terms.duplicate_days,
            states=list(terms.states), watcher_id=terms.watcher_id, send_to=terms.send_to,
            statuses=dict(terms.statuses),
        )  # fmt: skip
        write_event(
            "money.contract.recorded", at=at, actor=f"user:{by.pk}", source_id=source.pk,
            contract=recorded.pk, from_date=str(from_date), window_days=terms.window_days,
            reasons=sorted(terms.reasons),
        )  # fmt: skip
    return recorded


def find_contract_in_force(source_id: UUID, on_date: date) -> Contract | None:
    """Find the contract that applies to arrivals of a day, or None."""
    rows = Contract.objects.filter(source=source_id, from_date__lte=on_date)
    in_force = rows.exclude(until_date__lte=on_date)
    return in_force.select_related("watcher").order_by("-from_date", "-id").first()


def return_terms(contract: Contract) -> ReturnTerms:
    """Return the return terms of a contract."""
    return ReturnTerms(
        reasons=frozenset(contract.reasons),
        duplicate_days=contract.duplicate_days,
        states=tuple(contract.states),
    )


def return_deadline(contract: Contract, arrived_at: datetime) -> datetime:
    """Return the time until which a lead that arrived at `arrived_at` can be returned."""
    return arrived_at + timedelta(days=contract.window_days)


def vendor_reason(contract: Contract, reason: str) -> str:
    """Return the vendor's word for a reason, or ours if it has none."""
    return str(contract.reasons.get(reason) or REASON_LABELS[ReturnReason(reason)])


def _validate_terms(terms: ContractTerms) -> None:
    if terms.window_days > MAX_WINDOW_DAYS:
        raise InvalidContract("window_days", f"At most {MAX_WINDOW_DAYS} days.")
    if terms.reasons and terms.window_days < 1:
        raise InvalidContract("window_days", "Enter how many days the vendor accepts returns.")
    if terms.warn_days >= max(terms.window_days, 1):
        raise InvalidContract("warn_days", "Choose fewer days than the return window.")
    if set(DUPLICATE_REASONS) & terms.reasons.keys() and terms.duplicate_days < 1:
        raise InvalidContract(
            "duplicate_days", "Enter within how many days a lead counts as a duplicate."
        )
    if unknown := [reason for reason in terms.reasons if reason not in REASON_LABELS]:
        raise InvalidContract("reasons", f"{unknown[0]} is not a known reason.")
    if unknown := [status for status in terms.statuses if status not in REPORTABLE_STATUSES]:
        raise InvalidContract("statuses", f"{unknown[0]} is not a known status.")
