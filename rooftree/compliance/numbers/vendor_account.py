"""The account at the number check vendor: save with a test, test again, remove."""

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

VENDOR_KEY = "dncscrub"  # the only vendor


class BadVendorAccount(InvalidField):
    """The account settings can't be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """The account settings that staff enter. An empty key keeps the stored one."""

    key: str
    project: str
    covers: Sequence[str]
    asks_reassigned: bool


def active_service() -> NumberService | None:
    """Return the account in use, or None."""
    return NumberService.objects.first()


def save_account(account: AccountSettings, *, by: User, at: datetime) -> NumberService:
    """Test the account and use it from now on. Raises `BadVendorAccount`."""
    existing = NumberService.objects.filter(pk=VENDOR_KEY).first()
    row = existing or NumberService(id=VENDOR_KEY)
    row.key = account.key or row.key
    if not row.key:
        raise BadVendorAccount("key", "Enter the key.")
    if not (account.covers or account.asks_reassigned):
        raise BadVendorAccount("covers", "Choose at least one check.")
    row.project, row.covers = account.project, sorted(account.covers)
    row.asks_reassigned, row.changed_at = account.asks_reassigned, at
    if problem := check_account(row, at=at):
        raise BadVendorAccount("", problem)
    row.answered_at, row.failing_since, row.problem = at, None, ""
    with transaction.atomic():
        row.save(force_insert=existing is None)
        write_event(
            "compliance.numbers.kept", at=at, actor=f"user:{by.pk}", covers=list(row.covers)
        )
    return row


def remove_account(*, by: User, at: datetime) -> None:
    """Stop using the vendor; stored answers stay and age. May be repeated."""
    with transaction.atomic():
        if NumberService.objects.all().delete()[0]:
            write_event("compliance.numbers.stopped", at=at, actor=f"user:{by.pk}")


def check_account(row: NumberService, *, at: datetime) -> str:
    """Test the account with the company's own number; return "" or the problem to fix."""
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
    """Return the adapter module of the vendor."""
    adapter: NumberVendor = import_module(ADAPTERS[row.pk])
    return adapter


def account_for_vendor(row: NumberService) -> VendorAccount:
    """Return the account's credentials, with a simulator's address where one is configured."""
    urls = {
        kind: settings.UPSTREAMS.get(f"numbers_{kind}", url)
        for kind, url in vendor_adapter(row).ADDRESSES.items()
    }
    return VendorAccount(key=row.key, project=row.project, covers=tuple(row.covers), urls=urls)
