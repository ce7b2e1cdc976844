"""The small figures beside the links of the rail: how much waits behind each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.capture.identity import duplicate_review
from rooftree.compliance.models import CreditClock
from rooftree.db.prepared_queries import PreparedCount
from rooftree.leads.models import Delivery, Lead
from rooftree.money.company_day import company_day
from rooftree.money.models import Claim
from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.models import Message, Template
from rooftree.routing import response_deadline
from rooftree.routing.models import Offer
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationCount:
    """A figure and how loud it is: `new`, `late` or quiet."""

    number: int
    tone: str = ""


def count_queue(user: User, at: datetime) -> NavigationCount | None:
    """Leads whose promise runs or is broken, and offers to take."""
    if not has_permission(user, "see_queue"):
        return None
    return _navigation_count(count_for_user(_waiting_lead_ids, user), "new")


def count_unread_conversations(user: User, at: datetime) -> NavigationCount | None:
    """Conversations with something unread."""
    return _navigation_count(count_for_user(_unread_lead_ids, user), "new")


def count_quarantined_deliveries(user: User, at: datetime) -> NavigationCount | None:
    """Deliveries that were set aside and wait for somebody."""
    if not has_permission(user, "see_sources"):
        return None
    return _navigation_count(Delivery.objects.filter(state="quarantined").count(), "late")


def count_overdue_deadlines(user: User, at: datetime) -> NavigationCount | None:
    """Credit notices whose last day is over. Officers have a task for each of theirs."""
    if user.role not in ("manager", "compliance"):
        return None
    late = CreditClock.objects.filter(closed_at=None, due_on__lt=company_day(at))
    return _navigation_count(late.filter(lead__in=leads_visible_to(user)).count(), "late")


def count_for_user(rows: Callable[[User], QuerySet[Any]], user: User) -> int:
    """How many rows of a kind are a user's.

    Every page of an officer or an assistant asks, and what they see depends on nothing but who
    they are and their role: for them the text of the question is made once.
    """
    if user.role in ("officer", "assistant") and user.is_active:
        return _prepared_count(rows, user.role).count(user_id=user.pk)
    return rows(user).count()


@cache
def _prepared_count(rows: Callable[[User], QuerySet[Any]], role: str) -> PreparedCount:
    return PreparedCount(lambda user_id: rows(User(pk=user_id, role=role)), user_id=UUID)


def _waiting_lead_ids(user: User) -> QuerySet[Any]:
    mine = officers_of(user)
    offered = Offer.objects.filter(officer__in=mine, taken_at=None, passed_at=None, lapsed_at=None)
    promised = Lead.objects.filter(response_deadline.FIRST_CALL_OWED, officer__in=mine)
    # A union, not an OR: each half has its index, and every page of an officer asks this.
    return promised.values_list("pk").union(offered.values_list("lead_id"))


def _unread_lead_ids(user: User) -> QuerySet[Any]:
    seen = leads_visible_to(user).values("pk")
    unread = Message.objects.filter(direction="in", read_at=None, lead__in=seen)
    return unread.values("lead_id").distinct()


def count_duplicates(user: User, at: datetime) -> NavigationCount | None:
    """Pairs of records of which staff are to say whether they are one person."""
    if not has_permission(user, "merge_leads"):
        return None
    return _navigation_count(duplicate_review.unanswered_pairs(leads_visible_to(user)).count(), "")


def count_wording_approvals(user: User, at: datetime) -> NavigationCount | None:
    """Wording that waits for approval, for those who may give it."""
    if not has_permission(user, "approve_wording"):
        return None
    return _navigation_count(pending_approvals(Template, user).count(), "new")


def count_sequence_approvals(user: User, at: datetime) -> NavigationCount | None:
    """Sequences that wait for approval, as `wording`."""
    if not has_permission(user, "approve_wording"):
        return None
    return _navigation_count(pending_approvals(Sequence, user).count(), "new")


def pending_approvals(table: type[Template | Sequence], user: User) -> QuerySet[Any]:
    """What waits for approval by this user, or any other than who wrote it."""
    return table._default_manager.filter(decided_at=None).exclude(written_by=user)


def count_unsent_returns(user: User, at: datetime) -> NavigationCount | None:
    """Returns that must be sent to their vendors before long."""
    if not has_permission(user, "see_returns"):
        return None
    claims = Claim.objects.filter(state="drafted")
    if user.branch_id is not None:
        claims = claims.filter(touch__lead__in=leads_visible_to(user))
    return _navigation_count(claims.count(), "late")


def _navigation_count(number: int, tone: str) -> NavigationCount | None:
    return NavigationCount(number=number, tone=tone) if number else None
