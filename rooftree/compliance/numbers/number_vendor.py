"""The interface of number check vendors: questions and answers; plain Python.

Lists have the codes of `do_not_call.load_list`: US, a state's letters, LITIGATOR, INTERNAL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class QuestionKind(StrEnum):
    """The kinds of questions about a number."""

    LISTS = "lists"  # the do-not-contact lists that a number is on
    REASSIGNED = "reassigned"  # permanently disconnected after a day, or not


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAccount:
    """Credentials and addresses of the account at the vendor."""

    key: str
    project: str
    covers: Sequence[str]  # the lists that the account checks
    urls: Mapping[QuestionKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAnswer:
    """The answer about one number; it says nothing about a list that isn't in `covers`."""

    raw: Mapping[str, Any]  # as received
    response: str = ""  # yes, no, no_data
    covers: Sequence[str] = ()
    listed: Sequence[str] = ()


class NumberVendor(Protocol):
    """The functions of a vendor's module; both can be repeated, and raise `VendorError`."""

    NAME: str
    ADDRESSES: Mapping[QuestionKind, str]
    MAX_NUMBERS: int  # per request

    def check_lists(
        self, account: VendorAccount, numbers: Sequence[str], /
    ) -> dict[str, NumberAnswer]:
        """Return, by number (E.164), its lists; a number that is left out wasn't answered."""
        ...

    def check_reassigned(
        self, account: VendorAccount, dates: Mapping[str, date], /
    ) -> dict[str, NumberAnswer]:
        """Return, by number, whether it was permanently disconnected after its day."""
        ...
