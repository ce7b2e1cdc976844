"""How promises, their alarms and what was decided about them are said to staff."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer, User
from rooftree.routing.models import Promise, TimeOff

CALLBACK_GRACE = timedelta(minutes=5)  # after the agreed time, part of `due_at`
_DUE_TEXTS = {
    "first_attempt": "Call {name} by {when}: the first call is due.",
    "reply": "Reply to {name} by {when}.",
    "callback": "You agreed to call {name} back at {when}.",
}
_LATE_TEXTS = {
    "first_attempt": "The first call to {name} was due {when}. Call now.",
    "reply": "{name} has waited for your reply since {when}.",
    "callback": "You agreed to call {name} back at {when}. Call now.",
}
_COVER_TEXTS = {
    "first_attempt": "Call {name} for {officer}: the first call was due {when}.",
    "reply": "Reply to {name} for {officer}: a reply was due {when}.",
    "callback": "Call {name} back for {officer}: the call was agreed for {when}.",
}
_OVERDUE = {
    "first_attempt": "{officer} hasn’t called {name}. The first call was due {when}.",
    "reply": "{officer} hasn’t replied to {name}. A reply was due {when}.",
    "callback": "{officer} hasn’t called {name} back. The call was agreed for {when}.",
}


def alarm_text(promise: Promise) -> str:
    """Return the named alarm: `Late first call: Dana hasn’t called Ben. ...`."""
    return f"{promise.alarm_name}: {describe_late_promise(promise)}"


def describe_late_promise(promise: Promise) -> str:
    """Describe who owes what to whom since when, without a borrower's last name."""
    officer = promise.officer
    who = officer.user.name if officer else "No one"
    text = _OVERDUE[promise.kind] if officer else _OVERDUE[promise.kind].replace("hasn’t", "has")
    return text.format(officer=who, name=_first_name(promise), when=_due_text(promise, None))


def describe_escalation(
    promise: Promise, backup: LoanOfficer | None, managers: Sequence[User]
) -> str:
    """Describe what was done about a late promise, and why."""
    told = ", ".join(user.name for user in managers) or "no one: the branch has no manager"
    text = f"{describe_late_promise(promise)} Told {told}."
    officer = promise.officer
    if backup and officer:
        return f"{text} {backup.user.name}, the backup of {officer.user.name}, can take over."[:300]
    if officer and officer.backup:
        return f"{text} The backup, {officer.backup.user.name}, isn’t available."[:300]
    return text[:300]


def describe_cover(officer: LoanOfficer, backup: LoanOfficer, off: TimeOff) -> str:
    """Describe why a backup covers: the officer is off until a day."""
    day = off.until_date
    return f"{officer.user.name} is off until {day:%b} {day.day}. {backup.user.name} covers."


def describe_postponement(officer: LoanOfficer, due_at: datetime) -> str:
    """Describe why a reply is due later than usual."""
    when = _clock_text(due_at, working_hours.zone_of(officer.zone), with_day=True)
    return f"Due {when}: {officer.user.name} was off work when the borrower wrote."


def officer_text(promise: Promise, reader: LoanOfficer, stage: str) -> str:
    """Return a notice to an officer: `due` soon, `late`, or `cover` for someone else."""
    texts = {"due": _DUE_TEXTS, "late": _LATE_TEXTS, "cover": _COVER_TEXTS}[stage]
    owner = promise.officer.user.name if promise.officer else "the branch"
    return texts[promise.kind].format(
        name=_first_name(promise), officer=owner, when=_due_text(promise, reader)
    )


def format_due_time(promise: Promise) -> str:
    """Format when a promise is due in its officer's zone, with the day if made on another day."""
    zone = _zone_of(promise, None)
    due_at = _due_time(promise)
    is_another_day = due_at.astimezone(zone).date() != promise.made_at.astimezone(zone).date()
    return _clock_text(due_at, zone, with_day=is_another_day)


def _due_text(promise: Promise, reader: LoanOfficer | None) -> str:
    due_at = _due_time(promise)
    late_by = (promise.breached_at or due_at) - due_at
    return _clock_text(due_at, _zone_of(promise, reader), with_day=late_by > timedelta(hours=12))


def _due_time(promise: Promise) -> datetime:
    """Return the time that was said: an agreed callback is late only after its grace."""
    grace = CALLBACK_GRACE if promise.kind == "callback" else timedelta(0)
    return promise.due_at - grace


def _zone_of(promise: Promise, reader: LoanOfficer | None) -> ZoneInfo:
    officer, branch = reader or promise.officer, promise.lead.branch
    return ZoneInfo(officer.zone if officer else branch.zone if branch else "America/New_York")


def _clock_text(moment: datetime, zone: ZoneInfo, *, with_day: bool) -> str:
    local = moment.astimezone(zone)
    clock = f"{local:%I:%M %p}".lstrip("0")
    return f"{local:%b} {local.day}, {clock}" if with_day else clock


def _first_name(promise: Promise) -> str:
    return promise.lead.person.first_name or "a borrower"
