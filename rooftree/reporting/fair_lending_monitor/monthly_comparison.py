"""The fair-lending monitor: how each month's leads were served, by language and by place.

Only compliance uses it: no rule, score, message or figure reads its results.
Source of rule: FLR-01 (12 CFR 1002.4(a); 42 USC 3605; 3 NYCRR 120).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from rooftree.capture.source_setup.source_health_alerts import FILE_ADAPTERS
from rooftree.compliance.fair_lending import compliance_findings
from rooftree.compliance.fair_lending.permitted_factors import FLR_01
from rooftree.core import spreadsheet_csv
from rooftree.core.holidays import add_months
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.db.statements import query_rows
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
LOOKBACK_MONTHS = 3  # closed months to check, in case the monitor did not run for a while
LEADS_SQL = """
select p.language, l.property_zip, l.property_state, l.details->'property'->>'county',
       case when l.first_attempt_at < l.created_at + %(worked)s
            then extract(epoch from l.first_attempt_at - l.created_at) / 60 end,
       (select o.accepted_at is not null from offer o where o.lead_id = l.id
         order by o.offered_at, o.id limit 1),
       l.first_conversation_at < l.created_at + %(worked)s
           or (select count(*) from contact_attempt a
                where a.lead_id = l.id and a.direction = 'out' and not a.is_automated
                  and a.at < l.created_at + %(worked)s) >= %(tries)s,
       exists (select from handoff h where h.lead_id = l.id and h.state <> 'rejected'
                  and h.requested_at < l.created_at + %(handed)s)
  from lead l join person p on p.id = l.person_id join source s on s.id = l.source_id
 where l.created_at >= %(from)s and l.created_at < %(until)s and not l.is_test
   and not s.is_test and s.adapter <> all (%(files)s)
"""


def compare_due_months(*, at: datetime) -> int:
    """Compare the months whose follow-up period is over; return the number of new reports."""
    return sum(compare_month(month, measure, at=at) for month, measure in _due_comparisons(at))


def compare_month(month: date, measure: Measure, *, at: datetime) -> bool:
    """Compare one month by one measure; return False if already compared or without leads."""
    file = minority_shares.newest_file()
    groups = compare_groups(_served_leads(month, file), measure)
    if not any(groups.values()):
        return False
    report = FairLendingReport(
        id=uuid7_at(at), month=month, measure=measure, places=file, at=at,
        groups={by: [group.to_json() for group in row] for by, row in groups.items()},
    )  # fmt: skip
    with transaction.atomic():
        if not insert_row_if_new(report):
            return False
        write_event(
            "reporting.fair_lending.compared", at=at, actor="system:reporting", report=report.pk,
            month=f"{month:%Y-%m}", measure=measure,
        )  # fmt: skip
        for by, compared in groups.items():
            for group in compared:
                if group.needs_review:
                    compliance_findings.open_finding(_build_finding(report, by, group), at=at)
    return True


def report_groups(report: FairLendingReport) -> dict[Grouping, list[Group]]:
    """Return the groups that a report compared, by grouping."""
    return {by: [Group(**row) for row in report.groups.get(by, ())] for by in Grouping}


def group_label(by: Grouping, name: str) -> str:
    """Return the label of a group: the language name, or the band."""
    return SPOKEN_LANGUAGES.get(name, name or "not stated") if by is Grouping.LANGUAGE else name


def export_csv(month: date, intent: ExportIntent, *, at: datetime) -> str:
    """Render a month's reports as CSV for counsel, and record the export.

    Raises `export_approval.CannotExport` without a reason.
    """
    reports = FairLendingReport.objects.filter(month=month).order_by("measure")
    rows = [row for report in reports for row in _report_rows(report)]
    with transaction.atomic():
        text, number = spreadsheet_csv.render_csv(HEADING, rows)
        lead_export.log_export(intent, number=number, at=at)
    return text


HEADING = (
    "Marking", "Month", "Measure", "By", "Group", "Reference", "Leads", "Value", "Low, 95%",
    "High, 95%", "Ratio to the reference", "Ratio low", "Ratio high", "Needs review",
)  # fmt: skip


def _report_rows(report: FairLendingReport) -> Iterator[tuple[Any, ...]]:
    for by, groups in report_groups(report).items():
        for group in groups:
            intervals = (group.low, group.high, group.ratio, group.ratio_low, group.ratio_high)
            figures = (group.value, *intervals)
            yield (
                PRIVILEGED, f"{report.month:%Y-%m}", MEASURES[Measure(report.measure)].label,
                by.value, group_label(by, group.name), "yes" if group.is_reference else "",
                "too few" if group.is_small else group.leads,
                *(None if figure is None else round(figure, 4) for figure in figures),
                "yes" if group.needs_review else "",
            )  # fmt: skip


def _due_comparisons(at: datetime) -> list[tuple[date, Measure]]:
    """Return the months and measures that are due and have no report."""
    this_month = company_day(at).replace(day=1)
    months = [add_months(this_month, -back) for back in range(LOOKBACK_MONTHS, 0, -1)]
    done = set(FairLendingReport.objects.filter(month__in=months).values_list("month", "measure"))
    return [
        (month, measure)
        for month in months
        for measure, info in MEASURES.items()
        if (month, measure.value) not in done
        and _month_end(month) + timedelta(days=info.days) <= at
    ]  # fmt: skip


def _served_leads(month: date, file: MinorityShareFile | None) -> Iterator[LeadOutcome]:
    shares = minority_shares.load_shares(file)
    params: dict[str, Any] = {
        "from": _month_start(month),
        "until": _month_end(month),
        "worked": timedelta(days=WORKED_WITHIN_DAYS),
        "handed": timedelta(days=MEASURES[Measure.HANDED_OFF].days),
        "tries": MIN_ATTEMPTS,
        "files": FILE_ADAPTERS,
    }
    rows = query_rows(LEADS_SQL, params)
    for language, zip_code, state, county, minutes, first_offer, worked, handed_off in rows:
        by_county = shares.get(minority_shares.county_key(state, county or ""))
        yield LeadOutcome(
            language=language, minority_pct=shares.get(zip_code, by_county),
            minutes=None if minutes is None else float(minutes), first_offer=first_offer,
            worked=bool(worked), handed_off=handed_off,
        )  # fmt: skip


def _build_finding(
    report: FairLendingReport, by: Grouping, group: Group
) -> compliance_findings.NewFinding:
    label = MEASURES[Measure(report.measure)].label.lower()
    ratio = "infinite" if group.ratio is None else f"{group.ratio:.2f}"
    chance = "could be chance" if group.may_be_chance else "unlikely to be chance"
    return compliance_findings.NewFinding(
        rule=FLR_01.id,
        idempotency_key=f"fair:{report.month:%Y-%m}:{report.measure}:{by}:{group.name}",
        sentence=f"{report.month:%B %Y}, {label} by {by}: {group_label(by, group.name)} against "
        f"the reference group, ratio {ratio}; {chance}.",
        notice=f"The fair-lending comparison of {report.month:%B %Y} needs your review.",
        link=PAGE,
    )


def _month_start(month: date) -> datetime:
    return datetime.combine(month, time(), company_zone())


def _month_end(month: date) -> datetime:
    return _month_start(add_months(month, 1))
