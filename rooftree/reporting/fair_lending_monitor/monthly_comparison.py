"""The fair-lending monitor: how each month's leads were served, by language and by place.

For compliance alone, and an input to nothing: no rule, score, message or figure reads it.
Source of rule: FLR-01 (12 CFR 1002.4(a); 42 USC 3605; 3 NYCRR 120).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from rooftree.capture.source_setup.source_health_alerts import FILE_ADAPTERS
from rooftree.compliance.fair_lending import compliance_findings
from rooftree.compliance.fair_lending.permitted_factors import FLR_01
from rooftree.core import spreadsheet_csv
from rooftree.core.holidays import add_months
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day, company_zone
from rooftree.reporting.exports import lead_export
from rooftree.reporting.exports.export_approval import ExportIntent
from rooftree.reporting.fair_lending_monitor import minority_shares
from rooftree.reporting.fair_lending_monitor.group_outcomes import (
    MEASURES,
    MIN_ATTEMPTS,
    WORKED_WITHIN_DAYS,
    Group,
    Grouping,
    LeadOutcome,
    Measure,
    compare_groups,
)
from rooftree.reporting.models import FairLendingReport, MinorityShareFile
from rooftree.routing.rule_sentences import SPOKEN_LANGUAGES

PRIVILEGED = "Privileged and confidential – prepared at the direction of counsel"
PAGE = "/compliance/fair-lending/"
LOOKBACK_MONTHS = 3  # months that are looked at again when none was closed for a while
LEADS_SQL = """
select p.language, l.property_zip, l.property_state, l.details->'property'->>'county',
       case when l.first_attempt_at < l.created_at + %(worked)s
            then extract(epoch from l.first_attempt_at - l.created_at) / 60 end,
       (select o.taken_at is not null from offer o where o.lead_id = l.id
         order by o.offered_at, o.id limit 1),
       l.first_talk_at < l.created_at + %(worked)s
           or (select count(*) from contact_attempt a
                where a.lead_id = l.id and a.direction = 'out' and not a.is_automated
                  and a.at < l.created_at + %(worked)s) >= %(tries)s,
       exists (select from handoff h where h.lead_id = l.id and h.state <> 'rejected'
                  and h.asked_at < l.created_at + %(handed)s)
  from lead l join person p on p.id = l.person_id join source s on s.id = l.source_id
 where l.created_at >= %(from)s and l.created_at < %(until)s and not l.is_test
   and not s.is_test and s.adapter <> all (%(files)s)
"""


def compare_due_months(*, at: datetime) -> int:
    """Compare the months whose leads have been followed long enough; how many reports are new."""
    return sum(compare_month(month, measure, at=at) for month, measure in _due_comparisons(at))


def compare_month(month: date, measure: Measure, *, at: datetime) -> bool:
    """Compare one month by one measure; False when that was done, or without a lead."""
    file = minority_shares.newest_file()
    groups = compare_groups(_served_leads(month, file), measure)
    if not any(groups.values()):
        return False
    row = FairLendingReport(
        id=uuid7_at(at), month=month, measure=measure, places=file, at=at,
        groups={by: [one.to_json() for one in some] for by, some in groups.items()},
    )  # fmt: skip
    with transaction.atomic():
        if not insert_row_if_new(row):
            return False
        write_event(
            "reporting.fair_lending.compared", at=at, actor="system:reporting", report=row.pk,
            month=f"{month:%Y-%m}", measure=measure,
        )  # fmt: skip
        for by, some in groups.items():
            for one in some:
                if one.needs_review:
                    compliance_findings.open_finding(_build_finding(row, by, one), at=at)
    return True


def report_groups(report: FairLendingReport) -> dict[Grouping, list[Group]]:
    """What a report compared."""
    return {by: [Group(**one) for one in report.groups.get(by, ())] for by in Grouping}


def group_label(by: Grouping, name: str) -> str:
    """A group as people call it."""
    return SPOKEN_LANGUAGES.get(name, name or "not stated") if by is Grouping.LANGUAGE else name


def export_csv(month: date, asked: ExportIntent, *, at: datetime) -> str:
    """A month's reports as a file for counsel; who took it and why is written down.

    Raises `second_person.CannotExport`.
    """
    reports = FairLendingReport.objects.filter(month=month).order_by("measure")
    rows = [row for report in reports for row in _report_rows(report)]
    with transaction.atomic():
        text, number = spreadsheet_csv.render_csv(HEADING, rows)
        lead_export.log_export(asked, number=number, at=at)
    return text


HEADING = (
    "Marking", "Month", "Measure", "By", "Group", "Reference", "Leads", "Value", "Low, 95%",
    "High, 95%", "Ratio to the reference", "Ratio low", "Ratio high", "Needs review",
)  # fmt: skip


def _report_rows(report: FairLendingReport) -> Iterator[tuple[Any, ...]]:
    for by, some in report_groups(report).items():
        for one in some:
            figures = (one.value, one.low, one.high, one.ratio, one.ratio_low, one.ratio_high)
            yield (
                PRIVILEGED, f"{report.month:%Y-%m}", MEASURES[Measure(report.measure)].label,
                by.value, group_label(by, one.name), "yes" if one.is_reference else "",
                "too few" if one.is_small else one.leads,
                *(None if figure is None else round(figure, 4) for figure in figures),
                "yes" if one.needs_review else "",
            )  # fmt: skip


def _due_comparisons(at: datetime) -> list[tuple[date, Measure]]:
    """The months and measures whose time has come and that have no report."""
    this = company_day(at).replace(day=1)
    months = [add_months(this, -back) for back in range(LOOKBACK_MONTHS, 0, -1)]
    done = set(FairLendingReport.objects.filter(month__in=months).values_list("month", "measure"))
    return [
        (month, measure)
        for month in months
        for measure, said in MEASURES.items()
        if (month, measure.value) not in done
        and _month_end(month) + timedelta(days=said.days) <= at
    ]  # fmt: skip


def _served_leads(month: date, file: MinorityShareFile | None) -> Iterator[LeadOutcome]:
    shares = minority_shares.load_shares(file)
    about: dict[str, Any] = {
        "from": _month_start(month),
        "until": _month_end(month),
        "worked": timedelta(days=WORKED_WITHIN_DAYS),
        "handed": timedelta(days=MEASURES[Measure.HANDED_OFF].days),
        "tries": MIN_ATTEMPTS,
        "files": FILE_ADAPTERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEADS_SQL, about)
        rows = cursor.fetchall()
    for language, code, state, county, minutes, first, worked, handed in rows:
        by_county = shares.get(minority_shares.county_key(state, county or ""))
        yield LeadOutcome(
            language=language, minority_pct=shares.get(code, by_county),
            minutes=None if minutes is None else float(minutes), first_offer=first,
            worked=bool(worked), handed_off=handed,
        )  # fmt: skip


def _build_finding(
    report: FairLendingReport, by: Grouping, group: Group
) -> compliance_findings.NewFinding:
    label = MEASURES[Measure(report.measure)].label.lower()
    ratio = "beyond any limit" if group.ratio is None else f"{group.ratio:.2f}"
    chance = "chance alone may explain it" if group.may_be_chance else "more than chance explains"
    return compliance_findings.NewFinding(
        rule=FLR_01.id,
        idempotency_key=f"fair:{report.month:%Y-%m}:{report.measure}:{by}:{group.name}",
        sentence=f"{report.month:%B %Y}, {label} by {by}: {group_label(by, group.name)} against "
        f"its reference, ratio {ratio}; {chance}.",
        notice=f"A comparison of {report.month:%B %Y} needs your review.",
        link=PAGE,
    )


def _month_start(month: date) -> datetime:
    return datetime.combine(month, time(), company_zone())


def _month_end(month: date) -> datetime:
    return _month_start(add_months(month, 1))
