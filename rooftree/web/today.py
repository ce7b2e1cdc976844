"""What needs a compliance officer today: everything that has a day, or waits for a second person.

Each line is counted for who asks: what they may not see or do is not in it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from rooftree.compliance.amending.models import RuleChange
from rooftree.compliance.keeping.models import PrivacyRequest, Purge
from rooftree.compliance.models import CreditClock, Finding, PayPlan
from rooftree.leads.models import Agreement
from rooftree.money.company_day import company_day
from rooftree.nurture.models import Sequence
from rooftree.org.models import AUTHORIZING, License, User
from rooftree.outreach.models import Template
from rooftree.outreach.releases.models import Release
from rooftree.reporting.models import ExportAsk
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web import counts
from rooftree.web.page import may_for_all
from rooftree.web.setup_guide import ENDS_SOON
from rooftree.web.words import plural

SOON = timedelta(days=5)  # a day that is so near is named before it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to see to: in words, how loud, and where."""

    said: str
    href: str
    is_late: bool = False


def lines(user: User, at: datetime) -> list[Line]:
    """What waits for this user, what is late first."""
    today = company_day(at)
    found = [line for part in PARTS for line in part(user, today)]
    return sorted(found, key=lambda line: not line.is_late)


def _clocks(user: User, today: date) -> Iterator[Line]:
    if may(user, "see_clocks"):
        rows = CreditClock.objects.filter(closed_at=None, lead__in=leads_visible_to(user))
        days = rows.values_list("due_on", flat=True)
        yield from _dated(days, today, "credit notice", "clocks")


def _requests(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "keep_records"):
        days = PrivacyRequest.objects.filter(answered_at=None).values_list("due_date", flat=True)
        yield from _dated(days, today, "data request", "privacy_requests")


def _releases(user: User, today: date) -> Iterator[Line]:
    if may(user, "approve_release"):
        waiting = Release.objects.filter(state="waiting").exclude(made_by=user).count()
        yield from _waiting(waiting, "release", "for a second person", "releases")
        looking = Release.objects.filter(state="looking").count()
        yield from _waiting(looking, "release", "for a look at its first few", "releases")


def _wording(user: User, today: date) -> Iterator[Line]:
    if may(user, "approve_wording"):
        for table, noun, name in (
            (Template, "wording", "wording"), (Sequence, "sequence", "sequences"),
        ):  # fmt: skip
            waiting = counts.awaiting(table, user).count()
            yield from _waiting(waiting, noun, "for your approval", name)


def _taken_out(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "approve_export"):
        rows = ExportAsk.objects.filter(decided_at=None).exclude(asked_by=user)
        yield from _waiting(rows.count(), "export", "for a second person", "export_asks")


def _removals(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "keep_records"):
        rows = Purge.objects.filter(asked_at__isnull=False, approved_at=None, ended_at=None)
        waiting = rows.exclude(asked_by=user).count()
        yield from _waiting(waiting, "removal", "for a second person", "keeping")


def _agreements(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "approve_agreements"):
        rows = Agreement.objects.filter(decision="require", approved_at=None, ended_at=None)
        waiting = rows.exclude(entered_by=user).count()
        yield from _waiting(waiting, "agreement", "for counsel’s document", "things_of_value")


def _pay(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "approve_pay_plans"):
        rows = PayPlan.objects.filter(approved_at=None, dropped_at=None)
        waiting = rows.exclude(written_by=user).count()
        yield from _waiting(waiting, "pay plan", "for a second person", "pay_plans")


def _rules(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "change_rules"):
        rows = RuleChange.objects.filter(approved_at=None, dropped_at=None)
        waiting = rows.exclude(written_by=user).count()
        yield from _waiting(waiting, "rule change", "for a second person", "rules")


def _findings(user: User, today: date) -> Iterator[Line]:
    if may_for_all(user, "see_fair_lending"):
        fair = Q(rule="FLR-01")
        for rule, name in ((fair, "fair_lending"), (~fair, "things_of_value")):
            waiting = Finding.objects.filter(rule, closed_at=None).count()
            yield from _waiting(waiting, "finding", "for your conclusion", name)


def _licenses(user: User, today: date) -> Iterator[Line]:
    if may(user, "edit_licenses"):
        ending = License.objects.filter(
            status__in=AUTHORIZING, officer__terminated_at=None,
            until_date__range=(today + timedelta(days=1), today + ENDS_SOON),
        ).count()  # fmt: skip
        if ending:
            said = f"{plural(ending, 'license')} end{'s' if ending == 1 else ''} within 30 days"
            yield Line(said=said, href=reverse("setup_licenses"))


PARTS: tuple[Callable[[User, date], Iterator[Line]], ...] = (
    _clocks, _requests, _releases, _wording, _taken_out, _removals, _agreements, _pay, _rules,
    _findings, _licenses,
)  # fmt: skip


def _dated(days: Iterable[date], today: date, noun: str, name: str) -> Iterator[Line]:
    """Those whose last day is over, and those whose last day is near."""
    listed = list(days)
    if late := sum(day < today for day in listed):
        said = f"{plural(late, noun)} {'is' if late == 1 else 'are'} late"
        yield Line(said=said, href=reverse(name), is_late=True)
    if soon := sum(today <= day <= today + SOON for day in listed):
        said = f"{plural(soon, noun)} {'is' if soon == 1 else 'are'} due within 5 days"
        yield Line(said=said, href=reverse(name))


def _waiting(number: int, noun: str, what: str, name: str) -> Iterator[Line]:
    if number:
        said = f"{plural(number, noun)} wait{'s' if number == 1 else ''} {what}"
        yield Line(said=said, href=reverse(name))
