"""The account at the vendor: set up with a try, tried again by a press, given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.db import transaction

from rooftree.compliance.numbers.adapters import ADAPTERS
from rooftree.compliance.numbers.models import NumberService
from rooftree.compliance.numbers.number_vendor import NumberVendor, QuestionKind, VendorAccount
from rooftree.core.user_errors import InvalidField
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.org.current_company import current_company
from rooftree.org.models import User

VENDOR_KEY = "dncscrub"  # the one that there is


class BadVendorAccount(InvalidField):
    """An account that cannot be used so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What somebody types about the account. An empty key stays as it was."""

    key: str
    project: str
    covers: Sequence[str]
    asks_reassigned: bool


def active_service() -> NumberService | None:
    """The account that is asked; None when there is none."""
    return NumberService.objects.first()


def save_account(wanted: AccountSettings, *, by: User, at: datetime) -> NumberService:
    """Ask this account from now on, once it was tried. Raises `BadService`."""
    held = NumberService.objects.filter(pk=VENDOR_KEY).first()
    row = held or NumberService(id=VENDOR_KEY)
    row.key = wanted.key or row.key
    if not row.key:
        raise BadVendorAccount("key", "Give the key.")
    if not (wanted.covers or wanted.asks_reassigned):
        raise BadVendorAccount("covers", "Choose at least one thing that it is asked.")
    row.project, row.covers = wanted.project, sorted(wanted.covers)
    row.asks_reassigned, row.changed_at = wanted.asks_reassigned, at
    if problem := check_account(row, at=at):
        raise BadVendorAccount("", problem)
    row.answered_at, row.failing_since, row.problem = at, None, ""
    with transaction.atomic():
        row.save(force_insert=held is None)
        write_event(
            "compliance.numbers.kept", at=at, actor=f"user:{by.pk}", covers=list(row.covers)
        )
    return row


def remove_account(*, by: User, at: datetime) -> None:
    """Ask nobody any more; what was answered stays, and ages. Stopping twice is once."""
    with transaction.atomic():
        if NumberService.objects.all().delete()[0]:
            write_event("compliance.numbers.stopped", at=at, actor=f"user:{by.pk}")


def check_account(row: NumberService, *, at: datetime) -> str:
    """Ask about our own number what the account is for; "" when it answers, else what to mend."""
    number, adapter = current_company().phone, vendor_adapter(row)
    try:
        if row.can_answer(QuestionKind.LISTS):
            adapter.check_lists(account_for_vendor(row), [number])
        if row.can_answer(QuestionKind.REASSIGNED):
            adapter.check_reassigned(
                account_for_vendor(row), {number: at.date() - timedelta(days=1)}
            )
    except VendorError as problem:
        return str(problem)
    return ""


def vendor_adapter(row: NumberService) -> NumberVendor:
    """The module that talks to the vendor."""
    found: NumberVendor = import_module(ADAPTERS[row.pk])
    return found


def account_for_vendor(row: NumberService) -> VendorAccount:
    """Who we are there; a simulator stands in where one is set."""
    asked = vendor_adapter(row).ADDRESSES.items()
    addresses = {kind: settings.UPSTREAMS.get(f"numbers_{kind}", to) for kind, to in asked}
    return VendorAccount(
        key=row.key, project=row.project, covers=tuple(row.covers), urls=addresses
    )
