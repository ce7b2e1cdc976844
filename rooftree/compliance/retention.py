"""What may be deleted, and when; the longest rule and any hold win (RET-01)."""

from datetime import date

from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

RET_01 = Rule(id="RET-01", cite="16 CFR 310.5; 12 CFR 1002.12(b); 12 CFR 1014.5(a)")
APPLICATION, ADVERTISING, TELEMARKETING, TEN_YEARS = 25, 24, 60, 120
NEVER = frozenset({"suppression", "internal_dnc", "dnc_entry"})
MONTHS = {
    "application": APPLICATION,
    "prescreened_offer": APPLICATION,
    "ad_copy": ADVERTISING,
    "consent_record": TELEMARKETING,
    "call_record": TELEMARKETING,
    "call_detail": TELEMARKETING,
    "script": TELEMARKETING,
    "scrub_log": TELEMARKETING,
    "revocation": TEN_YEARS,
    "message_audit": 84,
    "compensation": 36,
    "loan_estimate": 36,
}
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
        record: a key of `MONTHS`; an unknown class is kept ten years.
        since: the event the clock runs from; unknown keeps the record.
        is_telemarketing: it is also a record under the telemarketing rule.
    """
    if is_held:
        return RET_01.block("legal_hold")
    if record in NEVER:
        return RET_01.block("retention_10_years")
    months = MONTHS.get(record, TEN_YEARS)
    if is_telemarketing:
        months = max(months, TELEMARKETING)
    if since is None or today < add_months(since, months):
        return RET_01.block(WORDS[months])
    return RET_01.allow("retention_elapsed")
