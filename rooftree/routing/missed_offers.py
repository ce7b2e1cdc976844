"""Takes officers who miss two offers in a row off the rotation until their next working day."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.org import officer_availability, staff_notices, working_hours
from rooftree.org.models import LoanOfficer
from rooftree.routing import promise_staff, time_off
from rooftree.routing.models import Offer

MAX_MISSED = 2  # house: offers in a row without an answer
LAPSED = "silence"  # why an offer ended that nobody answered
REASON = "missed two offers in a row"


def pause_absent_officers(officer_ids: Iterable[UUID], *, at: datetime) -> list[UUID]:
    """Pause those officers whose last two offers got no answer; return their ids.

    Offers from before the officer last turned the switch on don't count. Safe to repeat.
    """
    officers = LoanOfficer.objects.filter(pk__in=set(officer_ids), paused_at=None)
    paused = []
    for officer in officers.select_related("user", "branch").order_by("pk"):
        if _has_missed_too_many(officer):
            _pause(officer, at)
            paused.append(officer.pk)
    return paused


def _has_missed_too_many(officer: LoanOfficer) -> bool:
    ended = Offer.objects.filter(officer=officer).exclude(
        accepted_at=None, declined_at=None, expired_at=None
    )
    if officer.resumed_at:
        ended = ended.filter(offered_at__gte=officer.resumed_at)
    reasons = list(
        ended.order_by("-offered_at", "-id").values_list("end_reason", flat=True)[:MAX_MISSED]
    )
    return reasons == [LAPSED] * MAX_MISSED


def _pause(officer: LoanOfficer, at: datetime) -> None:
    zone = working_hours.zone_of(officer.zone)
    tomorrow = (at.astimezone(zone) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    days_off = time_off.find_days_off([officer], at=at)[officer.pk]
    until = time_off.next_working_time(officer, days_off, at=tomorrow)
    officer_availability.pause_officer(
        officer_id=officer.pk, by=None, at=at, until=until, reason=REASON
    )
    end = f"until {until.astimezone(zone):%A %I:%M %p}".replace(" 0", " ") if until else "for now"
    cause = f"offers_missed:{officer.pk}:{at.isoformat()}"
    staff_notices.notify_user(
        user_id=officer.user_id,
        kind="offers_missed",
        idempotency_key=cause,
        text=f"You missed two offers in a row, so new leads go to others {end}. "
        "Turn on Taking leads to get them again.",
        link="/queue/",
        at=at,
    )
    staff_notices.notify_users(
        promise_staff.managers_of_officer(officer),
        kind="offers_missed",
        cause=cause,
        text=f"{officer.user.name} missed two offers in a row and gets no new leads {end}.",
        link=f"/team/{officer.pk}/",
        at=at,
    )
