"""The small figures beside the links of the rail: how much waits behind each."""

from dataclasses import dataclass
from datetime import datetime

from rooftree.org.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A figure and how loud it is: `new`, `late` or quiet."""

    number: int
    tone: str = ""


def queue(user: User, at: datetime) -> Count | None:
    """Leads whose promise runs or is broken, of the officers this user works for."""
    return None


def conversations(user: User, at: datetime) -> Count | None:
    """Conversations with something unread."""
    return None


def sources(user: User, at: datetime) -> Count | None:
    """Deliveries that were set aside and wait for somebody."""
    return None
