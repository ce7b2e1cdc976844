"""An officer's own month: what funded, what is on its way, how fast the first call was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Q, Sum
from django.utils.timezone import localtime

from rooftree.leads.models import Lead, Loan
from rooftree.org.models import LoanOfficer

SHOWN = 3  # sources by name in the bar; the rest together


class Median(Aggregate):
    """The middle value of a group."""

    function = "percentile_cont"
    template = "%(function)s(0.5) within group (order by %(expressions)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One source's piece of the bar, in hundredths of its length."""

    name: str
    funded: int
    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The figures, each with its denominator."""

    name: str
    funded: int
    funded_cents: int
    in_process: int
    applications: int
    pulled: int  # of those applications, funded by now
    speed_seconds: float | None
    tried: int  # leads behind the median
    parts: list[Part]


def of_officer(officer: LoanOfficer, at: datetime) -> Month:
    """From the first of the month, by the officer's clock, through `at`. Three queries."""
    today = localtime(at)
    first = today.date().replace(day=1)
    loans = Loan.objects.filter(officer=officer)
    sums = loans.aggregate(
        funded=Count("id", filter=Q(funded_date__gte=first)),
        funded_cents=Sum("amount_cents", filter=Q(funded_date__gte=first)),
        in_process=Count("id", filter=Q(funded_date=None, ended_as="")),
        applications=Count("id", filter=Q(application_date__gte=first)),
        pulled=Count("id", filter=Q(application_date__gte=first, funded_date__isnull=False)),
    )
    start = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    speed = Lead.objects.filter(
        officer=officer, created_at__gte=start, first_attempt_at__isnull=False
    ).aggregate(
        median=Median(F("first_attempt_at") - F("created_at"), output_field=DurationField()),
        tried=Count("id"),
    )
    by_source = (
        loans.filter(funded_date__gte=first)
        .values(name=F("lead__source__name"))
        .annotate(funded=Count("id"))
        .order_by("-funded", "name")
    )
    return Month(
        name=f"{today:%B}",
        funded=sums["funded"],
        funded_cents=sums["funded_cents"] or 0,
        in_process=sums["in_process"],
        applications=sums["applications"],
        pulled=sums["pulled"],
        speed_seconds=speed["median"].total_seconds() if speed["median"] is not None else None,
        tried=speed["tried"],
        parts=_parts([*by_source]),
    )


def _parts(rows: list[dict[str, Any]]) -> list[Part]:
    total = sum(row["funded"] for row in rows)
    named = [(row["name"], row["funded"]) for row in rows[: SHOWN - 1]]
    rest = total - sum(funded for _, funded in named)
    if rest:
        named.append((rows[SHOWN - 1]["name"] if len(rows) == SHOWN else "Others", rest))
    made, x = [], 0.0
    for (name, funded), tone in zip(named, ("", "2", "q"), strict=False):
        width = funded / total * 100
        made.append(Part(name=name, funded=funded, x=round(x, 2), width=round(width, 2), tone=tone))
        x += width
    return made
