"""What a vendor is asked about numbers and what it says, in our words; plain Python.

Lists go by the codes of `load_dnc`: US, a state's letters, LITIGATOR, INTERNAL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class Kind(StrEnum):
    """What is asked."""

    LISTS = "lists"  # which do-not-contact lists a number is on
    REASSIGNED = "reassigned"  # whether it was disconnected for good after a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who we are there, and where it answers."""

    key: str
    project: str
    covers: Sequence[str]  # the lists that the account is checked against
    addresses: Mapping[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What it said of one number. A list that is not in `covers` is one it did not speak of."""

    words: Mapping[str, Any]  # as it came
    response: str = ""  # yes, no, no_data
    covers: Sequence[str] = ()
    listed: Sequence[str] = ()


class Adapter(Protocol):
    """What the module of a vendor has. Both questions may be asked twice; both raise `Failure`."""

    NAME: str
    ADDRESSES: Mapping[Kind, str]
    MOST: int  # numbers of one question

    def lists(self, account: Account, numbers: Sequence[str], /) -> dict[str, Said]:
        """By number (E.164), which lists it is on. One that is left out was not answered."""
        ...

    def reassigned(self, account: Account, asked: Mapping[str, date], /) -> dict[str, Said]:
        """By number, whether it was disconnected for good after its day."""
        ...
