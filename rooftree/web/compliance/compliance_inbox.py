"""Compliance > Today: what has a deadline or needs a second person.

A line counts only what this user can see and do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from rooftree.capture.own_form.models import FormVersion
from rooftree.compliance.models import CreditClock, Finding, PayPlan
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.leads.models import Agreement
from rooftree.money.company_day import company_day
from rooftree.nurture.models import Sequence
from rooftree.org.models import AUTHORIZING_STATUSES, License, User
from rooftree.outreach.models import Template
from rooftree.outreach.releases.models import Release
from rooftree.reporting.models import ExportRequest
from rooftree.retention.models import PrivacyRequest, Purge
from rooftree.routing.permissions import has_company_permission, has_permission, leads_visible_to
from rooftree.web.setup.setup_guide import ENDS_SOON
from rooftree.web.shared import navigation_counts
from rooftree.web.shared.display_formats import count_noun

DUE_SOON = timedelta(days=5)  # deadlines this close are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """One line of the Today card, with its page."""

    text: str
    href: str
    is_late: bool = False


def list_inbox_lines(user: User, at: datetime) -> list[InboxLine]:
    """List what needs this user today, late items first."""
    today = company_day(at)
    lines = [line for source in LINE_SOURCES for line in source(user, today)]
    return sorted(lines, key=lambda line: not line.is_late)


def _deadline_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_permission(user, "see_clocks"):
        rows = CreditClock.objects.filter(closed_at=None, lead__in=leads_visible_to(user))
        days = rows.values_list("due_on", flat=True)
        yield from _due_lines(days, today, "credit notice", "clocks")


def _privacy_request_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "keep_records"):
        days = PrivacyRequest.objects.filter(answered_at=None).values_list("due_date", flat=True)
        yield from _due_lines(days, today, "privacy request", "privacy_requests")


def _campaign_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_permission(user, "approve_release"):
        waiting = Release.objects.filter(state="waiting").exclude(made_by=user).count()
        yield from _waiting_lines(waiting, "campaign", "your approval", "releases")
        looking = Release.objects.filter(state="looking").count()
        yield from _waiting_lines(looking, "campaign", "a results check", "releases")


def _wording_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_permission(user, "approve_wording"):
        for table, noun, name in (
            (Template, "template", "wording"), (Sequence, "sequence", "sequences"),
        ):  # fmt: skip
            waiting = navigation_counts.pending_approvals(table, user).count()
            yield from _waiting_lines(waiting, noun, "your approval", name)
        for version in navigation_counts.pending_approvals(FormVersion, user).select_related(
            "source"
        ):
            yield InboxLine(
                text=f"The form of {version.source.name} needs your approval",
                href=reverse("form_version", args=[version.source_id, version.number]),
            )


def _export_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "approve_export"):
        rows = ExportRequest.objects.filter(decided_at=None).exclude(requested_by=user)
        yield from _waiting_lines(rows.count(), "export", "your approval", "export_asks")


def _purge_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "keep_records"):
        rows = Purge.objects.filter(requested_at__isnull=False, approved_at=None, ended_at=None)
        waiting = rows.exclude(requested_by=user).count()
        yield from _waiting_lines(waiting, "deletion", "your approval", "keeping")


def _agreement_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "approve_agreements"):
        rows = Agreement.objects.filter(decision="require", approved_at=None, ended_at=None)
        waiting = rows.exclude(entered_by=user).count()
        yield from _waiting_lines(waiting, "agreement", "counsel’s document", "things_of_value")


def _pay_plan_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "approve_pay_plans"):
        rows = PayPlan.objects.filter(approved_at=None, dropped_at=None)
        waiting = rows.exclude(written_by=user).count()
        yield from _waiting_lines(waiting, "pay plan", "your approval", "pay_plans")


def _rule_change_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "change_rules"):
        rows = RuleChange.objects.filter(approved_at=None, dropped_at=None)
        waiting = rows.exclude(written_by=user).count()
        yield from _waiting_lines(waiting, "rule change", "your approval", "rules")


def _finding_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_company_permission(user, "see_fair_lending"):
        is_fair_lending = Q(rule="FLR-01")
        for rule, name in (
            (is_fair_lending, "fair_lending"),
            (~is_fair_lending, "things_of_value"),
        ):
            waiting = Finding.objects.filter(rule, closed_at=None).count()
            yield from _waiting_lines(waiting, "finding", "your review", name)


def _license_lines(user: User, today: date) -> Iterator[InboxLine]:
    if has_permission(user, "edit_licenses"):
        ending = License.objects.filter(
            status__in=AUTHORIZING_STATUSES, officer__terminated_at=None,
            until_date__range=(today + timedelta(days=1), today + ENDS_SOON),
        ).count()  # fmt: skip
        if ending:
            verb = "expires" if ending == 1 else "expire"
            text = f"{count_noun(ending, 'license')} {verb} within 30 days"
            yield InboxLine(text=text, href=reverse("setup_licenses"))


LINE_SOURCES: tuple[Callable[[User, date], Iterator[InboxLine]], ...] = (
    _deadline_lines, _privacy_request_lines, _campaign_lines, _wording_lines, _export_lines,
    _purge_lines, _agreement_lines, _pay_plan_lines, _rule_change_lines, _finding_lines,
    _license_lines,
)  # fmt: skip


def _due_lines(days: Iterable[date], today: date, noun: str, name: str) -> Iterator[InboxLine]:
    """Yield a line for overdue days and one for days that are near."""
    due_days = list(days)
    if late := sum(day < today for day in due_days):
        text = f"{count_noun(late, noun)} overdue"
        yield InboxLine(text=text, href=reverse(name), is_late=True)
    if soon := sum(today <= day <= today + DUE_SOON for day in due_days):
        text = f"{count_noun(soon, noun)} due within 5 days"
        yield InboxLine(text=text, href=reverse(name))


def _waiting_lines(number: int, noun: str, need: str, name: str) -> Iterator[InboxLine]:
    if number:
        verb = "needs" if number == 1 else "need"
        yield InboxLine(text=f"{count_noun(number, noun)} {verb} {need}", href=reverse(name))
