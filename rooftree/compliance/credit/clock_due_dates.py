"""Due dates of the credit notices and the days of their reminders. Pure."""

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

REMINDER_HOUR, DUE_HOUR = time(9), time(17)  # local time of the company
DECISION_REMINDER_DAYS = (15, 20, 25)  # of thirty (rulebook RGB-02), plus the house due date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockKind:
    """One kind of disclosure deadline: the notice due and the role that handles it."""

    title: str
    short: str
    rule: Rule
    role: str  # the role that gets the task; "": the lead's owner
    task: str


CLOCK_KINDS = {
    "estimate": ClockKind(
        title="Loan Estimate",
        short="Loan Estimate",
        rule=TRI_01,
        role="",
        task="Send the application to the LOS: a Loan Estimate is due",
    ),
    "decision": ClockKind(
        title="Decision or notice of incompleteness",
        short="Decision",
        rule=RGB_03,
        role="compliance",
        task="Make sure the creditor's decision or a notice of incompleteness goes out",
    ),
    "completed": ClockKind(
        title="Decision on a completed application",
        short="Completed",
        rule=RGB_02,
        role="compliance",
        task="Make sure the creditor's decision goes out",
    ),
    "adverse_action": ClockKind(
        title="Adverse action notice",
        short="Adverse action",
        rule=RGB_01,
        role="compliance",
        task="Make sure the creditor's adverse action notice goes out",
    ),
    "counteroffer": ClockKind(
        title="Answer to the counteroffer",
        short="Counteroffer",
        rule=RGB_04,
        role="compliance",
        task="If the counteroffer isn't accepted, make sure the adverse action notice goes out",
    ),
    "reply": ClockKind(
        title="Reply to the notice of incompleteness",
        short="Reply",
        rule=RGB_03,
        role="compliance",
        task="Check whether the applicant sent the missing information",
    ),
}


def legal_due_date(kind: str, began_on: date) -> date:
    """Return the last day by law. A reply has none: the notice itself sets its day."""
    if kind == "estimate":
        return add_business_days(began_on, ESTIMATE_DAYS)
    days = COUNTEROFFER_DAYS if kind == "counteroffer" else DECISION_DAYS
    return began_on + timedelta(days=days)


def house_due_date(due: date) -> date:
    """Return the last business day on or before the legal date; no weekend extends it."""
    return business_day_on_or_before(due)


def reminder_days(kind: str, began_on: date, due: date) -> list[date]:
    """Return the reminder days of a clock, including the house due date."""
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
    """Return the time of the next reminder.

    Reminders go out on the reminder days, on the morning after the due date, and then on each
    business day: reminders of an overdue notice never end.
    """
    days = [*reminder_days(kind, began_on, due), due + timedelta(days=1)]
    mornings = (reminder_time(day, zone) for day in days)
    upcoming = next((morning for morning in mornings if morning > at), None)
    return upcoming or reminder_time(add_business_days(at.astimezone(zone).date(), 1), zone)


def reminder_time(day: date, zone: ZoneInfo) -> datetime:
    """Return the time of day at which reminders go out on a day."""
    return datetime.combine(day, REMINDER_HOUR, zone)


def due_time(day: date, zone: ZoneInfo) -> datetime:
    """Return the time by which a notice due on a day must be done."""
    return datetime.combine(day, DUE_HOUR, zone)
