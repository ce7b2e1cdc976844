"""What a vendor is asked about numbers and what it says, in our words; plain Python.

Lists go by the codes of `load_dnc`: US, a state's letters, LITIGATOR, INTERNAL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class QuestionKind(StrEnum):
    """What is asked."""

    LISTS = "lists"  # which do-not-contact lists a number is on
    REASSIGNED = "reassigned"  # whether it was disconnected for good after a day


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAccount:
    """Who we are there, and where it answers."""

    key: str
    project: str
    covers: Sequence[str]  # the lists that the account is checked against
    urls: Mapping[QuestionKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAnswer:
    """What it said of one number. A list that is not in `covers` is one it did not speak of."""

    raw: Mapping[str, Any]  # as it came
    response: str = ""  # yes, no, no_data
    covers: Sequence[str] = ()
    listed: Sequence[str] = ()


class NumberVendor(Protocol):
    """What the module of a vendor has. Both questions may be asked twice; both raise `Failure`."""

    NAME: str
    ADDRESSES: Mapping[QuestionKind, str]
    MAX_NUMBERS: int  # numbers of one question

    def check_lists(
        self, account: VendorAccount, numbers: Sequence[str], /
    ) -> dict[str, NumberAnswer]:
        """By number (E.164), which lists it is on. One that is left out was not answered."""
        ...

    def check_reassigned(
        self, account: VendorAccount, asked: Mapping[str, date], /
    ) -> dict[str, NumberAnswer]:
        """By number, whether it was disconnected for good after its day."""
        ...
