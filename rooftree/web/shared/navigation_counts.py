"""The counts next to navigation links: how many items wait on each page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from rooftree.capture.identity import duplicate_review
from rooftree.capture.own_form.models import FormVersion
from rooftree.compliance.models import CreditClock
from rooftree.db.prepared_queries import PreparedCount
from rooftree.leads.models import Delivery, Lead
from rooftree.money.company_day import company_day
from rooftree.money.models import Claim
from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.inbound import unmatched_texts
from rooftree.outreach.models import Message, Template
from rooftree.routing import response_deadline
from rooftree.routing.models import Offer
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationCount:
    """A count and its tone: `new`, `late` or "" for quiet."""

    number: int
    tone: str = ""


def count_queue(user: User, at: datetime) -> NavigationCount | None:
    """Count the user's leads that are owed a first call, and open offers."""
    if not has_permission(user, "see_queue"):
        return None
    return _navigation_count(count_for_user(_waiting_lead_ids, user), "new")


def count_unread_conversations(user: User, at: datetime) -> NavigationCount | None:
    """Count conversations with unread messages."""
    return _navigation_count(count_for_user(_unread_lead_ids, user), "new")


def count_unknown_texts(user: User, at: datetime) -> NavigationCount | None:
    """Count the texts from unknown numbers that wait for a decision."""
    return _navigation_count(unmatched_texts.list_open_texts().count(), "new")


def count_quarantined_deliveries(user: User, at: datetime) -> NavigationCount | None:
    """Count quarantined deliveries."""
    if not has_permission(user, "see_sources"):
        return None
    return _navigation_count(Delivery.objects.filter(state="quarantined").count(), "late")


def count_overdue_deadlines(user: User, at: datetime) -> NavigationCount | None:
    """Count overdue credit notices, for managers and compliance; officers get tasks instead."""
    if not user.has_role("manager", "compliance"):
        return None
    overdue = CreditClock.objects.filter(closed_at=None, due_on__lt=company_day(at))
    return _navigation_count(overdue.filter(lead__in=leads_visible_to(user)).count(), "late")


def count_for_user(rows: Callable[[User], QuerySet[Any]], user: User) -> int:
    """Count the rows that `rows` returns for a user.

    Every page of an officer or assistant needs this, and their rows depend only on their id and
    roles, so the query is prepared once for each.
    """
    if user.is_desk_only and user.is_active:
        return _prepared_count(rows, *user.roles).count(user_id=user.pk)
    return rows(user).count()


@cache
def _prepared_count(rows: Callable[[User], QuerySet[Any]], *roles: str) -> PreparedCount:
    return PreparedCount(lambda user_id: rows(User(pk=user_id, roles=roles)), user_id=UUID)


def _waiting_lead_ids(user: User) -> QuerySet[Any]:
    officers = officers_of(user)
    offered = Offer.objects.filter(
        officer__in=officers, accepted_at=None, declined_at=None, expired_at=None
    )
    promised = Lead.objects.filter(response_deadline.FIRST_CALL_OWED, officer__in=officers)
    # A union, not an OR, so that each half uses its index: every officer page runs this.
    return promised.values_list("pk").union(offered.values_list("lead_id"))


def _unread_lead_ids(user: User) -> QuerySet[Any]:
    leads = leads_visible_to(user).values("pk")
    unread = Message.objects.filter(direction="in", read_at=None, lead__in=leads)
    return unread.values("lead_id").distinct()


def count_duplicates(user: User, at: datetime) -> NavigationCount | None:
    """Count possible duplicates to decide."""
    if not has_permission(user, "merge_leads"):
        return None
    pairs = duplicate_review.unanswered_pairs(leads_visible_to(user, "merge_leads"))
    return _navigation_count(pairs.count(), "")


def count_wording_approvals(user: User, at: datetime) -> NavigationCount | None:
    """Count templates that the user can approve."""
    if not has_permission(user, "approve_wording"):
        return None
    return _navigation_count(pending_approvals(Template, user).count(), "new")


def count_sequence_approvals(user: User, at: datetime) -> NavigationCount | None:
    """Count sequences that the user can approve."""
    if not has_permission(user, "approve_wording"):
        return None
    return _navigation_count(pending_approvals(Sequence, user).count(), "new")


def pending_approvals(table: type[Template | Sequence | FormVersion], user: User) -> QuerySet[Any]:
    """Return the undecided rows that someone other than the user wrote."""
    return table._default_manager.filter(decided_at=None).exclude(written_by=user)


def count_unsent_returns(user: User, at: datetime) -> NavigationCount | None:
    """Count drafted returns that still have to go to their vendors."""
    if not has_permission(user, "see_returns"):
        return None
    claims = Claim.objects.filter(state="drafted")
    if user.branch_id is not None:
        claims = claims.filter(touch__lead__in=leads_visible_to(user))
    return _navigation_count(claims.count(), "late")


def _navigation_count(number: int, tone: str) -> NavigationCount | None:
    return NavigationCount(number=number, tone=tone) if number else None
