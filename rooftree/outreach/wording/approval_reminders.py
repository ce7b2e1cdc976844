"""Notices to staff before an approval ends, and when it has ended."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from rooftree.org import staff_notices
from rooftree.org.models import Company, User
from rooftree.outreach.models import ContentVersion
from rooftree.outreach.wording.version_approval import approvers

REMINDER_DAYS = (30, 7, 1, 0)  # before the end


def send_approval_reminders(table: type[ContentVersion], *, at: datetime) -> int:
    """Notify staff of live versions whose approval ends soon or is over; return the new notices.

    Reminds a month, a week and a day before, and at the end. The notice goes to the approver
    if they can still approve, otherwise to everyone who can, otherwise to the users who get
    alarms. Versions that end on the same day share a notice. Safe to repeat.
    """
    ending = table._default_manager.filter(
        from_at__lte=at, until_at=None, approved_until__lte=at + timedelta(days=REMINDER_DAYS[0])
    )
    groups: dict[tuple[User, date, int], list[ContentVersion]] = defaultdict(list)
    for version in ending.select_related("decided_by").order_by("approved_until", "pk"):
        assert version.approved_until is not None
        for user in _choose_recipients(version):
            days = _reached_reminder(version.approved_until - at)
            groups[user, version.approved_until.date(), days].append(version)
    notices = []
    for (user, day, before), versions in groups.items():
        names = f"{versions[0]}" + (f" and {len(versions) - 1} more" if len(versions) > 1 else "")
        text = f"The approval of {names} ends on {day:%B} {day.day}. Renew it before then."
        if not before:
            text = f"The approval of {names} is over. Nothing automatic is sent with it."
        cause = f"approval:{table._meta.db_table}:{day}:{before}"
        notices.append(
            staff_notices.build_notice(
                user_id=user.pk,
                kind="approval_ends",
                cause=cause,
                text=text,
                link=table.PAGE_PATH,
                at=at,
            )
        )
    return len(staff_notices.save_notices(notices))


def _reached_reminder(left: timedelta) -> int:
    """Return the latest entry of REMINDER_DAYS that has been reached."""
    return min(
        before
        for before in REMINDER_DAYS
        if left <= timedelta(days=before) or before == REMINDER_DAYS[0]
    )


def _choose_recipients(version: ContentVersion) -> Iterable[User]:
    users = list(approvers())
    if version.decided_by in users:
        return [version.decided_by]
    company = Company.objects.first()
    return users or staff_notices.alarm_users(company.alarm_user_id if company else None)
