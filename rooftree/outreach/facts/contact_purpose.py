"""Judge what a contact by hand is for: a reply, a loan in process, or marketing.

Buttons, typed messages and dialed calls all ask here, so what a button says is what happens.

The law's reading stays strict. A written answer is a reply for 15 minutes (REQ-01), and later it
is marketing like any first word of ours. Whether the borrower waits for the contact is a fact of
its own: it lifts only the limits that the company sets itself.
"""

from datetime import datetime, timedelta

from rooftree.compliance.gate.contact_caps import CALLS_PER_ATTEMPT
from rooftree.compliance.gate.credit_file_stop import STOPPING_STATUSES
from rooftree.compliance.gate.facts import Medium, Purpose
from rooftree.compliance.gate.quiet_hours import REPLY_WITHIN, REQUEST_WITHIN
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.stored_rows import LoanFile

CONVERSATION_OPEN_FOR = timedelta(hours=24)  # house: after the borrower's last word
ANSWER_OWED_FOR = timedelta(days=7)  # house: an unanswered borrower waits that long
SERVICE_AFTER_FUNDING = timedelta(days=60)  # house: the first payment is due by then
APPLICATION_RANK = 40  # of the milestone `application`; earlier files are not applications
OPEN_STOPS = frozenset({"suspended"})  # staff must request what is missing
ENDED_OR_STOPPED = frozenset(STOPPING_STATUSES) - OPEN_STOPS


def judge_purpose(medium: Medium, records: LeadRecords, *, at: datetime) -> Purpose:
    """Return the purpose of a contact by hand at `at`, as the law sees it."""
    inbound = records.newest_inbound
    if (
        medium is not Medium.CALL
        and inbound is not None
        and inbound.created_at <= at <= inbound.created_at + REPLY_WITHIN
    ):
        return Purpose.REPLY
    if is_loan_in_service(records, at=at):
        return Purpose.TRANSACTIONAL
    return Purpose.MARKETING


def is_loan_in_service(records: LeadRecords, *, at: datetime) -> bool:
    """Return True from the application until 60 days after funding, unless the file is stopped."""
    if records.credit_stop and records.credit_stop not in OPEN_STOPS:
        return False
    return any(_is_in_service(loan, at) for loan in records.loan_files)


def find_awaited_contact(
    medium: Medium, records: LeadRecords, *, excluding: str, at: datetime
) -> str:
    """Return `reply` or `callback` if the borrower waits for this contact, otherwise "".

    A double dial answers a borrower who wrote or called; the call after it is one more attempt.

    Args:
        excluding: the idempotency key of the contact itself.
    """
    by_hand = [
        row for row in records.outbound_attempts(excluding=excluding) if not row.is_automated
    ]
    if medium is Medium.CALL:
        callback = records.agreed_callback
        if callback is not None and callback.due_at - REQUEST_WITHIN <= at:
            return "callback"
        heard_at = records.heard_at()
        calls = sorted(row.at for row in by_hand if row.medium == "call")
        if not _is_unanswered(heard_at, calls[-CALLS_PER_ATTEMPT] if calls[1:] else None, at):
            return ""
        return "callback" if heard_at == records.heard_at("call") else "reply"
    heard_at = records.heard_at()
    if heard_at is None:
        return ""
    answered_at = max((row.at for row in by_hand), default=None)
    is_open = at < heard_at + CONVERSATION_OPEN_FOR
    return "reply" if is_open or _is_unanswered(heard_at, answered_at, at) else ""


def find_invitation(
    medium: Medium, records: LeadRecords, *, excluding: str, at: datetime
) -> datetime | None:
    """Return when the borrower asked for this very contact; None if they did not (CON-04).

    They ask for a call by agreeing to one or by calling us, and for a text by texting us.
    """
    if medium is Medium.CALL and records.agreed_callback is not None:
        return records.agreed_callback.asked_at
    if medium not in (Medium.CALL, Medium.TEXT) or not find_awaited_contact(
        medium, records, excluding=excluding, at=at
    ):
        return None
    return records.heard_at(medium.value)


def _is_in_service(loan: LoanFile, at: datetime) -> bool:
    if loan.final_outcome or loan.current_milestone in ENDED_OR_STOPPED:
        return False
    if loan.funded_date is not None:
        return at.date() - loan.funded_date <= SERVICE_AFTER_FUNDING
    return loan.application_date is not None or loan.rank >= APPLICATION_RANK


def _is_unanswered(heard_at: datetime | None, answered_at: datetime | None, at: datetime) -> bool:
    return (
        heard_at is not None
        and at < heard_at + ANSWER_OWED_FOR
        and (answered_at is None or answered_at < heard_at)
    )
