"""What may be deleted, and when; the longest rule and any hold win (RET-01)."""

import re
from datetime import date

from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

RET_01 = Rule(id="RET-01", cite="16 CFR 310.5; 12 CFR 1002.12(b); 12 CFR 1014.5(a)")
APPLICATION, ADVERTISING, TELEMARKETING, TEN_YEARS = 25, 24, 60, 120
NEVER = re.compile(r"suppress|internal_dnc|dnc_entry|do_not_call_entry")
# Months by the words of a record class; of several that fit, the longest.
MONTHS = tuple(
    (re.compile(words), months)
    for words, months in (
        (r"revocation|opt_?out|stop_", TEN_YEARS),
        (r"prescreen\w*criteria", 36),
        (r"application|adverse_action|prescreened|counteroffer|noi", APPLICATION),
        (r"consent|call_|script|prerecorded|recording|scrub", TELEMARKETING),
        (r"respa|affiliated_business|msa|comarketing|co_marketing", TELEMARKETING),
        (r"message|audit", 84),
        (r"compensation|comp_|loan_estimate|access_log", 36),
        (r"ad_copy|advert|_ads?$|reg_z|ccpa", ADVERTISING),
    )
)
WORDS = {
    APPLICATION: "retention_25_months",
    ADVERTISING: "retention_24_months",
    36: "retention_3_years",
    TELEMARKETING: "retention_5_years",
    84: "retention_7_years",
    TEN_YEARS: "retention_10_years",
}


def deletion(
    *, record: str, since: date | None, today: date, is_held: bool, is_telemarketing: bool
) -> Ruling:
    """A record goes only when every clock that runs on it has ended.

    Args:
        record: its class, by the words of `MONTHS`; an unknown one is kept ten years.
        since: the event the clock runs from; unknown keeps the record.
        is_telemarketing: it is also a record under the telemarketing rule.
    """
    if is_held:
        return RET_01.block("legal_hold")
    if NEVER.search(record):
        return RET_01.block("retention_10_years")
    months = max((one for words, one in MONTHS if words.search(record)), default=TEN_YEARS)
    if is_telemarketing:
        months = max(months, TELEMARKETING)
    if since is None or today < add_months(since, months):
        return RET_01.block(WORDS[months])
    return RET_01.allow("retention_elapsed")
