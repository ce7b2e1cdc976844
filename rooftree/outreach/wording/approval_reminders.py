"""Telling somebody before an approval ends, and when it has: the clock asks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from rooftree.org import staff_notices
from rooftree.org.models import Company, User
from rooftree.outreach.models import ContentVersion
from rooftree.outreach.wording.version_approval import approvers

REMINDER_DAYS = (30, 7, 1, 0)  # days


def send_approval_reminders(table: type[ContentVersion], *, at: datetime) -> int:
    """Tell of editions in use whose approval ends soon or is over; how many notices are new.

    Once a month, a week and a day before, and at the end: whoever approved it while they
    may still approve, else all who may, else whoever hears alarms. Those that end on one
    day are told together. Safe to repeat.
    """
    ending = table._default_manager.filter(
        from_at__lte=at, until_at=None, approved_until__lte=at + timedelta(days=REMINDER_DAYS[0])
    )
    found: dict[tuple[User, date, int], list[ContentVersion]] = defaultdict(list)
    for one in ending.select_related("decided_by").order_by("approved_until", "pk"):
        assert one.approved_until is not None
        for user in _choose_recipients(one):
            found[
                user, one.approved_until.date(), _reached_reminder(one.approved_until - at)
            ].append(one)
    told = [
        staff_notices.build_notice(
            user_id=user.pk,
            kind="approval_ends",
            cause=f"approval:{table._meta.db_table}:{day}:{before}",
            text=_reminder_text(some, day, before),
            link=table.PAGE_PATH,
            at=at,
        )
        for (user, day, before), some in found.items()
    ]
    return len(staff_notices.save_notices(told))


def _reached_reminder(left: timedelta) -> int:
    """The last of the days before the end that has come."""
    return min(
        before
        for before in REMINDER_DAYS
        if left <= timedelta(days=before) or before == REMINDER_DAYS[0]
    )


def _reminder_text(some: Sequence[ContentVersion], day: date, before: int) -> str:
    what = f"{some[0]}" + (f" and {len(some) - 1} more" if len(some) > 1 else "")
    if not before:
        return f"The approval of {what} is over: nothing automatic is sent with it."
    return f"The approval of {what} ends on {day:%B} {day.day}. Have it approved anew before."


def _choose_recipients(one: ContentVersion) -> Iterable[User]:
    may = list(approvers())
    if one.decided_by in may:
        return [one.decided_by]
    company = Company.objects.first()
    return may or staff_notices.alarm_users(company.alarm_user_id if company else None)
