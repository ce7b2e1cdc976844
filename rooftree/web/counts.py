"""The small figures beside the links of the rail: how much waits behind each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.capture import likeness
from rooftree.compliance.models import CreditClock
from rooftree.leads.models import Delivery, Lead
from rooftree.money.company_day import company_day
from rooftree.money.models import Claim
from rooftree.nurture.models import Sequence
from rooftree.org.compiled import Counts
from rooftree.org.models import User
from rooftree.outreach.models import Message, Template
from rooftree.routing import promise
from rooftree.routing.models import Offer
from rooftree.routing.visible import leads_visible_to, may, officers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A figure and how loud it is: `new`, `late` or quiet."""

    number: int
    tone: str = ""


def queue(user: User, at: datetime) -> Count | None:
    """Leads whose promise runs or is broken, and offers to take."""
    if not may(user, "see_queue"):
        return None
    return _shown(how_many(_waiting, user), "new")


def conversations(user: User, at: datetime) -> Count | None:
    """Conversations with something unread."""
    return _shown(how_many(_unread, user), "new")


def sources(user: User, at: datetime) -> Count | None:
    """Deliveries that were set aside and wait for somebody."""
    if not may(user, "see_sources"):
        return None
    return _shown(Delivery.objects.filter(state="quarantined").count(), "late")


def clocks(user: User, at: datetime) -> Count | None:
    """Credit notices whose last day is over. Officers have a task for each of theirs."""
    if user.role not in ("manager", "compliance"):
        return None
    late = CreditClock.objects.filter(closed_at=None, due_on__lt=company_day(at))
    return _shown(late.filter(lead__in=leads_visible_to(user)).count(), "late")


def how_many(rows: Callable[[User], QuerySet[Any]], user: User) -> int:
    """How many rows of a kind are a user's.

    Every page of an officer or an assistant asks, and what they see depends on nothing but who
    they are and their role: for them the text of the question is made once.
    """
    if user.role in ("officer", "assistant") and user.is_active:
        return _counts(rows, user.role).of(user_id=user.pk)
    return rows(user).count()


@cache
def _counts(rows: Callable[[User], QuerySet[Any]], role: str) -> Counts:
    return Counts(lambda user_id: rows(User(pk=user_id, role=role)), user_id=UUID)


def _waiting(user: User) -> QuerySet[Any]:
    mine = officers_of(user)
    offered = Offer.objects.filter(officer__in=mine, taken_at=None, passed_at=None, lapsed_at=None)
    promised = Lead.objects.filter(promise.RUNS, officer__in=mine)
    # A union, not an OR: each half has its index, and every page of an officer asks this.
    return promised.values_list("pk").union(offered.values_list("lead_id"))


def _unread(user: User) -> QuerySet[Any]:
    seen = leads_visible_to(user).values("pk")
    unread = Message.objects.filter(direction="in", read_at=None, lead__in=seen)
    return unread.values("lead_id").distinct()


def matches(user: User, at: datetime) -> Count | None:
    """Pairs of records of which staff are to say whether they are one person."""
    if not may(user, "merge_leads"):
        return None
    return _shown(likeness.waiting(leads_visible_to(user)).count(), "")


def wording(user: User, at: datetime) -> Count | None:
    """Wording that waits for approval, for those who may give it."""
    if not may(user, "approve_wording"):
        return None
    return _shown(awaiting(Template, user).count(), "new")


def sequences(user: User, at: datetime) -> Count | None:
    """Sequences that wait for approval, as `wording`."""
    if not may(user, "approve_wording"):
        return None
    return _shown(awaiting(Sequence, user).count(), "new")


def awaiting(table: type[Template | Sequence], user: User) -> QuerySet[Any]:
    """What waits for approval by this user, or any other than who wrote it."""
    return table._default_manager.filter(decided_at=None).exclude(written_by=user)


def returns(user: User, at: datetime) -> Count | None:
    """Returns that must be sent to their vendors before long."""
    if not may(user, "see_returns"):
        return None
    claims = Claim.objects.filter(state="drafted")
    if user.branch_id is not None:
        claims = claims.filter(touch__lead__in=leads_visible_to(user))
    return _shown(claims.count(), "late")


def _shown(number: int, tone: str) -> Count | None:
    return Count(number=number, tone=tone) if number else None
