"""Regulation B and TRID: when an inquiry becomes an application, and when notices are due."""

import re
from datetime import date, timedelta

from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.holidays import add_business_days, business_day_on_or_before

RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.2(f) and comment 2(f)-3; 12 CFR 1002.9")
RGB_02 = Rule(id="RGB-02", cite="12 CFR 1002.9(a)(1)(i)")
RGB_03 = Rule(id="RGB-03", cite="12 CFR 1002.9(a)(1)(ii),(c)")
RGB_04 = Rule(id="RGB-04", cite="12 CFR 1002.9(a)(1)(iv) and comment 9(a)(1)-6")
RGB_05 = Rule(id="RGB-05", cite="12 CFR 1002.9(a)(2),(b)(2); 15 USC 1681m")
TRI_01 = Rule(id="TRI-01", cite="12 CFR 1026.2(a)(3)(ii); 12 CFR 1026.19(e)")
ESG_01 = Rule(id="ESG-01", cite="15 USC 7001(c); 12 CFR 1002.4(d)(2)")
DECISION_DAYS, COUNTEROFFER_DAYS, ESTIMATE_DAYS = 30, 90, 3
APPLICATION_ITEMS = frozenset(
    {"name", "income", "ssn", "property_address", "value_estimate", "loan_amount"}
)
TOLD_NO_PATTERN = re.compile(
    r"not_qualify|unqualified|cannot_help|can_?t_help|declin|denied|denial|turned_down|not_eligible"
    r"|ineligible|not_approved|rejected|said_no(_|$)|told_(\w+_)?no(_|$)|no_program|_too_(low|high)"
    r"|(^|_)dnq(_|$)|(^|_)((bad|poor|low|insufficient)_)?credit(_score)?$"
)
PASSED_OVER_PATTERN = re.compile(
    r"suppress|silent|(never|not)_(contact|rout|call)|deprioriti|skipped|hidden"
)
CREDIT_FACT_PATTERN = re.compile(r"credit|score|fico|income|dti|ltv")
VAGUE_REASON_PATTERN = re.compile(
    r"(internal|company|lender|creditor|bank|our)\W*(s\b\W*)?(standards|polic)"
    r"|did not (meet|pass)|insufficient score|credit score too low|^\W*(credit )?score\W*$"
    r"|failed to (achieve|meet)|qualifying score|does not qualify|other\b",
    re.IGNORECASE,
)


def classify_event(event: str, *, on: date | None, trigger: str = "") -> Ruling:
    """Classify a conversation, an automatic answer or a disposition under Regulation B.

    Evaluating a person, deciding no and telling them is a denial, even before an application and
    even by a program. Silently passing over a person because of known credit facts needs a
    fair-lending review.

    Args:
        trigger: the cause of the event, such as self_reported_credit_band_lt_580.
    """
    event = re.sub(r"[\s_-]+", "_", event.strip().casefold())
    if "withdrew" in event or "withdrawn" in event:
        return RGB_02.allow("no_notice_keep_25_months")
    if TOLD_NO_PATTERN.search(event):
        due = None if on is None else on + timedelta(days=DECISION_DAYS)
        return RGB_01.require("treat_as_application_send_adverse_action", due)
    if PASSED_OVER_PATTERN.search(event) or CREDIT_FACT_PATTERN.search(trigger):
        return RGB_01.require("fair_lending_review")
    return RGB_01.allow("inquiry_only")


def check_decision_notice(*, completed_on: date, sent_on: date | None, today: date) -> Ruling:
    """Require the decision notice within thirty calendar days of a complete application."""
    due = completed_on + timedelta(days=DECISION_DAYS)
    if sent_on is not None and sent_on <= due:
        return RGB_02.allow("timely")
    if sent_on is not None or today > due:
        return RGB_02.require("overdue_escalate", due)
    return RGB_02.require("decision_notice_due", due, business_day_on_or_before(due))


def check_incomplete_application(
    *,
    received_on: date | None,
    noi_sent_on: date | None,
    reply_by: date | None,
    reply_on: date | None,
    today: date,
) -> Ruling:
    """Require a timely notice of incompleteness, or a denial, for an incomplete application.

    Args:
        noi_sent_on: the day the notice of incompleteness was sent.
        reply_on: the day the applicant completed the application.
    """
    if reply_on is not None:
        due = reply_on + timedelta(days=DECISION_DAYS)
        return RGB_03.require("decision_notice_due", due, business_day_on_or_before(due))
    if noi_sent_on is None:
        due_on = None if received_on is None else received_on + timedelta(days=DECISION_DAYS)
        return RGB_03.require("noi_or_adverse_action_due", due_on)
    if reply_by is not None and today > reply_by:
        return RGB_03.allow("no_further_notice")
    return RGB_03.allow("timely")


def check_counteroffer(
    *, notified_on: date, is_accepted: bool, is_combined: bool, today: date | None
) -> Ruling:
    """Require the denial notice for a counteroffer not accepted within ninety days."""
    if is_accepted:
        return RGB_04.allow("accepted_no_notice")
    if is_combined:
        return RGB_04.allow("combined_notice_suffices")
    due = notified_on + timedelta(days=COUNTEROFFER_DAYS)
    if today is None or today < due:
        return RGB_04.allow("timely")
    return RGB_04.require("adverse_action_due_today" if today == due else "overdue_escalate", due)


def check_reasons(reasons: list[str]) -> Ruling:
    """Require specific reasons; an internal standard is not one."""
    if not reasons or any(VAGUE_REASON_PATTERN.search(reason) for reason in reasons):
        return RGB_05.block("reason_not_specific")
    return RGB_05.allow("complete")


def check_score_disclosure(*, has_score: bool) -> Ruling:
    """Require a decision based on a consumer report to disclose the score used."""
    return RGB_05.allow("complete") if has_score else RGB_05.block("fcra_score_disclosure_missing")


def check_notice_per_consumer(*, reports_used: int, notices: int) -> Ruling:
    """Require a notice for each person whose report was used."""
    if notices < reports_used:
        return RGB_05.require("fcra_notice_each_consumer")
    return RGB_05.allow("complete")


def check_electronic_delivery(
    *, has_consented: bool, has_shown_access: bool, is_ended: bool
) -> Ruling:
    """Allow electronic delivery of a required notice only with valid E-SIGN consent."""
    if has_consented and has_shown_access and not is_ended:
        return ESG_01.allow("esign_ok")
    return ESG_01.require("mail_paper_notice")


def check_six_items(fields: frozenset[str], *, on: date | None, is_lead_form: bool) -> Ruling:
    """Block lead forms that collect all six items; for others, require the Loan Estimate.

    Six items make an application. The Loan Estimate is due three business days after `on`.
    """
    if not fields >= APPLICATION_ITEMS:
        return TRI_01.allow("five_of_six")
    if is_lead_form:
        return TRI_01.block("six_items_outside_los")
    due = None if on is None else add_business_days(on, ESTIMATE_DAYS)
    return TRI_01.require("loan_estimate_due", due)
