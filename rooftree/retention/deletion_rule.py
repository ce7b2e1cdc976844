"""Deletion rule: the longest retention period and any legal hold win (RET-01)."""

from datetime import date

from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.holidays import add_months
from rooftree.retention.retention_schedule import SCHEDULE

RET_01 = Rule(id="RET-01", cite="16 CFR 310.5; 12 CFR 1002.12(b); 12 CFR 1014.5(a)")
TELEMARKETING_MONTHS, TEN_YEARS_MONTHS = SCHEDULE["call_detail_record"].months, 120
RETENTION_REASONS = {
    24: "retention_24_months",
    25: "retention_25_months",
    36: "retention_3_years",
    60: "retention_5_years",
    84: "retention_7_years",
    TEN_YEARS_MONTHS: "retention_10_years",
}


def check_deletion(
    *, record: str, since: date | None, today: date, is_held: bool, is_telemarketing: bool = False
) -> Ruling:
    """Allow deletion only after every retention clock of a record has ended.

    Args:
        record: a key of `SCHEDULE` or a name it covers; unknown records are kept ten years.
        since: the date of the event that starts the clock; None keeps the record.
        is_telemarketing: whether the telemarketing rule also covers the record.
    """
    if is_held:
        return RET_01.block("legal_hold")
    if record in SCHEDULE:
        spans = [SCHEDULE[record].months]
    else:
        spans = [
            record_class.months for record_class in SCHEDULE.values() if record_class.covers(record)
        ]
    if None in spans:
        return RET_01.block("retention_10_years")
    months = max((span for span in spans if span is not None), default=TEN_YEARS_MONTHS)
    if is_telemarketing:
        months = max(months, TELEMARKETING_MONTHS or 0)
    if since is None or today < add_months(since, months):
        return RET_01.block(RETENTION_REASONS[months])
    return RET_01.allow("retention_elapsed")
