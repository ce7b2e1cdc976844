"""Takes officers who miss offers in a row off the rotation, as the company's rule says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.org import officer_availability, staff_notices, working_hours
from rooftree.org.models import Company, LoanOfficer
from rooftree.routing import promise_staff, time_off
from rooftree.routing.lapsed_offers import SILENCE
from rooftree.routing.models import Offer

LIMITS = {1: "an offer", 2: "two offers", 3: "three offers", 4: "four offers", 5: "five offers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedOfferRule:
    """A company's rule: after how many missed offers an officer is off, and for how long."""

    limit: int = 2  # house; 0: never
    hours: int | None = None  # within them; None: however long ago the offers were
    off_hours: int | None = None  # None: until the officer's next working day

    @property
    def phrase(self) -> str:
        """What the officer did: `missed two offers in a row`."""
        return f"missed {LIMITS[self.limit]}{' in a row' if self.limit > 1 else ''}"


def load_rule() -> MissedOfferRule:
    """Load the company's rule; the house default without a company."""
    company = Company.objects.first()
    if company is None:
        return MissedOfferRule()
    return MissedOfferRule(
        limit=company.missed_offers_limit,
        hours=company.missed_offers_hours,
        off_hours=company.missed_offers_off_hours,
    )


def pause_absent_officers(officer_ids: Iterable[UUID], *, at: datetime) -> list[UUID]:
    """Pause those officers whose last offers got no answer; return their ids.

    Offers from before the officer last turned the switch on don't count. Safe to repeat.
    """
    officers = LoanOfficer.objects.filter(pk__in=set(officer_ids), paused_at=None)
    paused: list[UUID] = []
    if not officer_ids or not (rule := load_rule()).limit:
        return paused
    for officer in officers.select_related("user", "branch").order_by("pk"):
        if _has_missed_too_many(officer, rule, at):
            _pause(officer, rule, at)
            paused.append(officer.pk)
    return paused


def _has_missed_too_many(officer: LoanOfficer, rule: MissedOfferRule, at: datetime) -> bool:
    ended = Offer.objects.filter(officer=officer).exclude(
        accepted_at=None, declined_at=None, expired_at=None
    )
    if officer.resumed_at:
        ended = ended.filter(offered_at__gte=officer.resumed_at)
    if rule.hours:
        ended = ended.filter(offered_at__gt=at - timedelta(hours=rule.hours))
    reasons = ended.order_by("-offered_at", "-id").values_list("end_reason", flat=True)
    return list(reasons[: rule.limit]) == [SILENCE] * rule.limit


def _end_of_pause(officer: LoanOfficer, rule: MissedOfferRule, at: datetime) -> datetime | None:
    if rule.off_hours:
        return at + timedelta(hours=rule.off_hours)
    tomorrow = (at.astimezone(working_hours.zone_of(officer.zone)) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    days_off = time_off.find_days_off([officer], at=at)[officer.pk]
    return time_off.next_working_time(officer, days_off, at=tomorrow)


def _pause(officer: LoanOfficer, rule: MissedOfferRule, at: datetime) -> None:
    zone = working_hours.zone_of(officer.zone)
    until = _end_of_pause(officer, rule, at)
    officer_availability.pause_officer(
        officer_id=officer.pk, by=None, at=at, until=until, reason=rule.phrase
    )
    end = f"until {until.astimezone(zone):%A %I:%M %p}".replace(" 0", " ") if until else "for now"
    cause = f"offers_missed:{officer.pk}:{at.isoformat()}"
    staff_notices.notify_user(
        user_id=officer.user_id,
        kind="offers_missed",
        idempotency_key=cause,
        text=f"You {rule.phrase}, so new leads go to others {end}. "
        "Turn on Taking leads to get them again.",
        link="/queue/",
        at=at,
    )
    staff_notices.notify_users(
        promise_staff.managers_of_officer(officer),
        kind="offers_missed",
        cause=cause,
        text=f"{officer.user.name} {rule.phrase} and gets no new leads {end}.",
        link=f"/team/{officer.pk}/",
        at=at,
    )
