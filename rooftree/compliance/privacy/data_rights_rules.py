"""Rules for data access, exports, breaches and consumer privacy requests."""

import re
from datetime import date, timedelta

from rooftree.compliance.gate.rulebook import DATA_LEVEL_STATES
from rooftree.compliance.gate.verdict import Rule, Ruling

SEC_01 = Rule(id="SEC-01", cite="16 CFR 314.4(c)(1),(3),(5),(8)")
SEC_02 = Rule(id="SEC-02", cite="16 CFR 314.4(j); 16 CFR 314.2(m)")
PRV_01 = Rule(id="PRV-01", cite="Cal. Civ. Code 1798.145(e); MT SB 297; CT SB 1295")
BREACH_NOTIFY_CONSUMERS, BREACH_NOTIFY_DAYS = 500, 30
RIGHTS_STATES = DATA_LEVEL_STATES
# Data under GLBA is exempt from state privacy law; data that matches this isn't.
NON_GLBA_DATA = re.compile(
    r"web|device|analytic|cookie|brows|pixel|advert|marketing|no_application|never_applied"
)


def check_login(*, has_mfa: bool) -> Ruling:
    """Block access to customer data without a second factor."""
    return SEC_01.allow("audited") if has_mfa else SEC_01.block("mfa_required")


def check_export(*, has_reason: bool, has_second_approver: bool) -> Ruling:
    """Require a reason and a second approver for an export."""
    if has_reason and has_second_approver:
        return SEC_01.allow("audited")
    return SEC_01.require("reason_and_second_approver")


def refuse_other_branch() -> Ruling:
    """Return the block for a lead of another branch."""
    return SEC_01.block("least_privilege")


def check_breach(
    *, consumers: int, is_encrypted: bool, was_key_taken: bool, discovered_on: date | None
) -> Ruling:
    """Require notice to the FTC within 30 days for readable data of 500 or more consumers."""
    if consumers < BREACH_NOTIFY_CONSUMERS:
        return SEC_02.allow("below_ftc_threshold")
    if is_encrypted and not was_key_taken:
        return SEC_02.allow("encrypted_no_key")
    due = None if discovered_on is None else discovered_on + timedelta(days=BREACH_NOTIFY_DAYS)
    return SEC_02.require("notify_ftc", due)


def check_deletion_request(*, data: str) -> Ruling:
    """Require deletion of non-GLBA data on request; suppression and legal records stay."""
    if NON_GLBA_DATA.search(data):
        return PRV_01.require("delete_except_suppression_and_legal_records")
    return PRV_01.allow("legitimate_need")


def check_sharing(*, has_opt_out_signal: bool) -> Ruling:
    """Block sharing when the browser sends a global privacy signal."""
    return PRV_01.block("opt_out_signal") if has_opt_out_signal else PRV_01.allow("state_clear")


def check_state_rights(*, state: str, data: str) -> Ruling:
    """Apply the privacy rights of states that cover a lender's non-GLBA data."""
    if state in RIGHTS_STATES and NON_GLBA_DATA.search(data):
        return PRV_01.require("state_privacy_rights_apply")
    return PRV_01.allow("state_clear")
