"""When each credit notice is due, and on which days somebody is reminded. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rooftree.compliance.credit.notice_rules import (
    COUNTEROFFER_DAYS,
    DECISION_DAYS,
    ESTIMATE_DAYS,
    RGB_01,
    RGB_02,
    RGB_03,
    RGB_04,
    TRI_01,
)
from rooftree.compliance.gate.verdict import Rule
from rooftree.core.holidays import add_business_days, business_day_on_or_before

REMINDER_HOUR, DUE_HOUR = (
    time(9),
    time(17),
)  # of the house's day: reminded in the morning, due by the evening
DECISION_REMINDER_DAYS = (
    15,
    20,
    25,
)  # day of thirty (rulebook RGB-02); the house's last day comes beside


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockKind:
    """One kind of clock: what is owed when it runs, and whose work it is."""

    title: str
    short: str
    rule: Rule
    role: str  # whose task it is; "": the lead's owner
    task: str


CLOCK_KINDS = {
    "estimate": ClockKind(
        title="Loan Estimate",
        short="Loan Estimate",
        rule=TRI_01,
        role="",
        task="Hand it to the LOS: a Loan Estimate is due",
    ),
    "decision": ClockKind(
        title="Decision or notice of incompleteness",
        short="Decision",
        rule=RGB_03,
        role="compliance",
        task="See that the creditor's decision, or a notice of incompleteness, goes out",
    ),
    "completed": ClockKind(
        title="Decision on a completed application",
        short="Completed",
        rule=RGB_02,
        role="compliance",
        task="See that the creditor's decision goes out",
    ),
    "adverse_action": ClockKind(
        title="Adverse action notice",
        short="Adverse action",
        rule=RGB_01,
        role="compliance",
        task="See that the creditor's adverse action notice goes out",
    ),
    "counteroffer": ClockKind(
        title="Answer to the counteroffer",
        short="Counteroffer",
        rule=RGB_04,
        role="compliance",
        task="Not taken, a counteroffer needs the adverse action notice",
    ),
    "reply": ClockKind(
        title="Their reply to the notice of incompleteness",
        short="Reply",
        rule=RGB_03,
        role="compliance",
        task="Look whether they sent what was missing",
    ),
}


def legal_due_date(kind: str, began_on: date) -> date:
    """The last day by law; a reply has none: it is the day that the notice gives."""
    if kind == "estimate":
        return add_business_days(began_on, ESTIMATE_DAYS)
    days = COUNTEROFFER_DAYS if kind == "counteroffer" else DECISION_DAYS
    return began_on + timedelta(days=days)


def house_due_date(due: date) -> date:
    """The last business day on or before it: no weekend extends the law's day."""
    return business_day_on_or_before(due)


def reminder_days(kind: str, began_on: date, due: date) -> list[date]:
    """The days on which it is said that the clock runs, the house's last day among them."""
    last = house_due_date(due)
    if kind == "estimate":
        days = [add_business_days(began_on, nth) for nth in range(1, ESTIMATE_DAYS)]
    elif kind == "counteroffer":
        days = [due - timedelta(days=before) for before in (15, 5)]
    elif kind == "reply":
        days = []
    else:
        days = [began_on + timedelta(days=nth) for nth in DECISION_REMINDER_DAYS]
    return sorted({*(day for day in days if day < last), last})


def next_reminder_at(
    kind: str, began_on: date, due: date, *, at: datetime, zone: ZoneInfo
) -> datetime:
    """When to say it next: on the days above, the morning after the last, then each business day.

    An overdue notice is never let rest.
    """
    days = [*reminder_days(kind, began_on, due), due + timedelta(days=1)]
    mornings = (reminder_time(day, zone) for day in days)
    coming = next((morning for morning in mornings if morning > at), None)
    return coming or reminder_time(add_business_days(at.astimezone(zone).date(), 1), zone)


def reminder_time(day: date, zone: ZoneInfo) -> datetime:
    """When people are reminded on a day."""
    return datetime.combine(day, REMINDER_HOUR, zone)


def due_time(day: date, zone: ZoneInfo) -> datetime:
    """When what is due on a day must be done."""
    return datetime.combine(day, DUE_HOUR, zone)
