"""The account at the vendor: set up with a try, tried again by a press, given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.db import transaction

from rooftree.compliance.numbers.adapters import ADAPTERS
from rooftree.compliance.numbers.models import NumberService
from rooftree.compliance.numbers.shapes import Account, Adapter, Kind
from rooftree.core.failures import Failure
from rooftree.core.refusal import WrongField
from rooftree.ledger.write import write
from rooftree.org.models import User
from rooftree.org.the_company import the_company

VENDOR = "dncscrub"  # the one that there is


class BadService(WrongField):
    """An account that cannot be used so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody types about the account. An empty key stays as it was."""

    key: str
    project: str
    covers: Sequence[str]
    asks_reassigned: bool


def the_service() -> NumberService | None:
    """The account that is asked; None when there is none."""
    return NumberService.objects.first()


def keep(wanted: Wanted, *, by: User, at: datetime) -> NumberService:
    """Ask this account from now on, once it was tried. Raises `BadService`."""
    held = NumberService.objects.filter(pk=VENDOR).first()
    row = held or NumberService(id=VENDOR)
    row.key = wanted.key or row.key
    if not row.key:
        raise BadService("key", "Give the key.")
    if not (wanted.covers or wanted.asks_reassigned):
        raise BadService("covers", "Choose at least one thing that it is asked.")
    row.project, row.covers = wanted.project, sorted(wanted.covers)
    row.asks_reassigned, row.changed_at = wanted.asks_reassigned, at
    if problem := tried(row, at=at):
        raise BadService("", problem)
    row.answered_at, row.failing_since, row.problem = at, None, ""
    with transaction.atomic():
        row.save(force_insert=held is None)
        write("compliance.numbers.kept", at=at, actor=f"user:{by.pk}", covers=list(row.covers))
    return row


def stop(*, by: User, at: datetime) -> None:
    """Ask nobody any more; what was answered stays, and ages. Stopping twice is once."""
    with transaction.atomic():
        if NumberService.objects.all().delete()[0]:
            write("compliance.numbers.stopped", at=at, actor=f"user:{by.pk}")


def tried(row: NumberService, *, at: datetime) -> str:
    """Ask about our own number what the account is for; "" when it answers, else what to mend."""
    number, adapter = the_company().phone, adapter_of(row)
    try:
        if row.answers(Kind.LISTS):
            adapter.lists(account_of(row), [number])
        if row.answers(Kind.REASSIGNED):
            adapter.reassigned(account_of(row), {number: at.date() - timedelta(days=1)})
    except Failure as problem:
        return str(problem)
    return ""


def adapter_of(row: NumberService) -> Adapter:
    """The module that talks to the vendor."""
    found: Adapter = import_module(ADAPTERS[row.pk])
    return found


def account_of(row: NumberService) -> Account:
    """Who we are there; a simulator stands in where one is set."""
    asked = adapter_of(row).ADDRESSES.items()
    addresses = {kind: settings.UPSTREAMS.get(f"numbers_{kind}", to) for kind, to in asked}
    return Account(key=row.key, project=row.project, covers=tuple(row.covers), addresses=addresses)
