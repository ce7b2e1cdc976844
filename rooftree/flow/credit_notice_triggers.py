"""The events that make a credit notice due and those that prove it went: Regulation B, TRID.

A notice is the creditor's and is sent from the LOS. This module detects that a notice is due,
from anything borrowers and staff wrote, and reads from the LOS what became of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture.intake.store_inquiries import StoredInquiry
from rooftree.compliance.credit import application_detection, credit_clocks, notice_rules
from rooftree.compliance.credit.application_detection import (
    APPLICATION_ITEM_LABELS,
    CreditStatement,
)
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.models import CreditClock
from rooftree.compliance.wording_rules import wording_check
from rooftree.flow import clock
from rooftree.flow.application_pieces import collect_pieces, message_text, pieces_in_touch
from rooftree.leads import lead_tasks, remarks, snooze
from rooftree.leads.models import Lead, Loan, Milestone, Remark, Source
from rooftree.los.loan_updates import LoanUpdate
from rooftree.money.company_day import company_day
from rooftree.nurture import sequence_enrollment
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.messages import cancel_messages, required_actions
from rooftree.outreach.models import Message
from rooftree.outreach.wording import typed_messages
from rooftree.tasks.live_updates import publish_update

# Causes of queued messages that stop for a borrower who was told no.
MARKETING_CAUSES = (*cancel_messages.OVERTAKEN_CAUSES, "watch:")
REVIEW_TASK = "fair_lending_review"
# The notice that ends a clock; adverse action for every other clock.
DISCLOSURE_BY_CLOCK = {"estimate": "loan_estimate"}
WITHDRAWN = ("withdrawn", ("withdrawn",))
# Clocks that the LOS's own milestones end: going on with the loan can notify of an approval
# (comment 9(a)(1)-2 to 12 CFR 1002) but not of a denial. An application denied within its three
# days needs no estimate.
DECISION_OUTCOMES = (
    WITHDRAWN,
    ("counteroffer", ("counter_offer",)),
    ("approved", ("conditional_approval", "final_approval", "clear_to_close", "docs_out")),
)
OUTCOMES_BY_CLOCK = {
    "estimate": (WITHDRAWN, ("denied", ("denied",))),
    "adverse_action": (),
    "counteroffer": (WITHDRAWN, ("accepted", ("docs_signed", "closed", "funded"))),
}
ALARMING_MILESTONES = (
    "denied",
    "pre_deny",
    "incomplete",
    "suspended",
    "counter_offer",
    "withdrawn",
)


# Information from borrowers.


def check_arrivals(stored: Sequence[StoredInquiry], *, at: datetime) -> None:
    """Check arrivals that can complete an application."""
    if stored:
        check_applications.enqueue(lead_ids=[str(inquiry.lead.pk) for inquiry in stored])
    for inquiry in stored:
        ruling = notice_rules.check_six_items(
            frozenset(pieces_in_touch(inquiry.touch)), on=None, is_lead_form=True
        )
        if ruling.decision is Decision.BLOCK:
            _alert_six_item_form(inquiry.touch.source, at)


@task(queue_name="soon", priority=40)
def check_applications(*, lead_ids: list[str]) -> None:
    """Check if leads have become applications."""
    for key in lead_ids:
        check_application(UUID(key), at=clock.now())


def check_application(lead_id: UUID, *, at: datetime) -> CreditClock | None:
    """Open the clocks of an application once all six pieces are on file, whatever their origin.

    The clocks count from the day the last piece arrived. Return the first clock opened, None
    if none was. Safe to repeat.
    """
    lead = Lead.objects.select_related("person").get(pk=lead_id)
    pieces = collect_pieces(lead)
    last_at = max((piece.at for piece in pieces.values()), default=None)
    if last_at is None or lead.is_test:
        return None
    began_on = company_day(last_at)
    ruling = notice_rules.check_six_items(frozenset(pieces), on=began_on, is_lead_form=False)
    if ruling.decision is Decision.ALLOW:
        return None
    origins = "; ".join(
        f"{APPLICATION_ITEM_LABELS[piece.item].lower()} from {piece.where}"
        for piece in pieces.values()
    )
    opened = [
        credit_clocks.start_clock(
            credit_clocks.NewClock(
                lead=lead,
                kind=kind,
                began_on=began_on,
                sentence=f"All six pieces of an application are on file: {origins}.",
                idempotency_key=f"{kind}:six:{lead.pk}",
                evidence=[piece.as_json() for piece in pieces.values()],
            ),
            at=at,
        )
        for kind in ("estimate", "decision")
        if not CreditClock.objects.filter(lead=lead, kind=kind).exists()
    ]
    publish_update("lead", lead=str(lead.pk))
    return next(filter(None, opened), None)


def check_borrower_message(message: Message, *, at: datetime) -> None:
    """Check a borrower's message for a piece of an application and for a withdrawal."""
    text = message_text(message)
    if application_detection.items_in_text(text):
        check_application(message.lead_id, at=at)
    if application_detection.classify_borrower_text(text) is CreditStatement.WITHDREW:
        title = "Borrower may have withdrawn the application: read the message"
        _add_compliance_task(message.lead_id, "withdrawal", title, at)


# Messages and notes to and about borrowers.


def send_staff_message(
    *, lead_id: UUID, medium: str, body: str, subject: str = "", by: User, at: datetime
) -> Message:
    """Send a message typed by staff; words of refusal count as a denial. Raises `CannotSend`."""
    message = typed_messages.send_typed_message(
        lead_id=lead_id, medium=medium, body=body, subject=subject, by=by, at=at
    )
    check_sent_message(message, at=at)
    return message


def check_sent_message(message: Message, *, at: datetime) -> None:
    """Check a sent message: if it tells the borrower no, a notice is due."""
    if message.sent_at and wording_check.sounds_like_denial(message.body):
        name = message.by.name if message.by else "An automatic message"
        how = f"{name} told the borrower no by {message.medium}"
        record_denial(message.lead_id, f"message:{message.pk}", how, at=at)


def record_denial(lead_id: UUID, origin: str, how: str, *, at: datetime) -> CreditClock | None:
    """Record that a borrower was told no: open the notice's clock and end marketing at once.

    Args:
        origin: the record that shows it, such as `message:<id>`.
        how: a clause that says who told the borrower no.
    """
    day = company_day(at)
    ruling = notice_rules.classify_event(CreditStatement.TOLD_NO, on=day)
    with transaction.atomic():
        lead = Lead.objects.get(pk=lead_id)
        evidence = [{"item": "told_no", "at": at.isoformat(), "origin": origin, "where": how}]
        credit_clock = credit_clocks.start_clock(
            credit_clocks.NewClock(
                lead=lead,
                kind="adverse_action",
                began_on=day,
                idempotency_key=f"adverse_action:{origin}",
                sentence=f"{how}: a credit decision, even without an application ({ruling.rule}).",
                evidence=evidence,
            ),
            at=at,
        )
        _stop_marketing(lead_id, "told no", at)
        publish_update("lead", lead=str(lead_id))
    return credit_clock


def add_note(*, lead_id: UUID, by: UUID, text: str, at: datetime) -> Remark:
    """Add a note of staff; check it for a piece of an application and for a credit decision.

    Raises `remarks.InvalidRemark`.
    """
    with transaction.atomic():
        note = remarks.add_remark(lead_id=lead_id, by=by, text=text, at=at)
        if application_detection.items_in_text(note.text):
            check_application(lead_id, at=at)
        _check_staff_words(lead_id, note.text, origin=f"remark:{note.pk}", how="A note", at=at)
    return note


def snooze_lead(*, lead_id: UUID, until: datetime, because: str, by: UUID, at: datetime) -> Lead:
    """Snooze a lead; a credit reason is a decision that the borrower was not told.

    Raises `snooze.CannotSnooze`.
    """
    with transaction.atomic():
        lead = snooze.snooze_lead(lead_id=lead_id, until=until, because=because, by=by, at=at)
        check_snooze_reason(lead_id, because, at=at)
    return lead


def check_snooze_reason(lead_id: UUID, because: str, *, at: datetime) -> None:
    """Check the reason of a snooze for a credit decision that the borrower was not told."""
    _check_staff_words(
        lead_id, f"do not call: {because}", origin=f"lead:{lead_id}", how="A reason", at=at
    )


# Information from the LOS.


def update_credit_clocks(news: LoanUpdate, *, at: datetime) -> None:
    """Open and close clocks from the LOS's data on a loan; end marketing where required.

    Safe to repeat: a clock is opened once per cause, and closed once. An application that
    was old when this installation started watching opens no clock.
    """
    loan = news.loan
    milestones = {
        milestone.code: milestone for milestone in loan.milestones.order_by("recorded_at", "id")
    }
    watched_from = company_day(at) - timedelta(days=notice_rules.DECISION_DAYS)
    if loan.application_date and (news.is_application_now or loan.application_date >= watched_from):
        _open_application_clocks(loan, at)
    _close_proven_clocks(loan, milestones, at)
    for step in news.steps:
        if step.code in ALARMING_MILESTONES and not step.is_inferred:
            _handle_alarming_milestone(loan, step, at)


def _open_application_clocks(loan: Loan, at: datetime) -> None:
    assert loan.application_date is not None
    day = loan.application_date
    for kind in ("estimate", "decision"):
        clocks = CreditClock.objects.filter(lead=loan.lead, kind=kind)
        if clocks.filter(loan=None).update(loan=loan) or clocks.filter(loan=loan).exists():
            continue
        new_clock = credit_clocks.NewClock(
            lead=loan.lead,
            loan=loan,
            kind=kind,
            began_on=day,
            idempotency_key=f"{kind}:loan:{loan.pk}",
            sentence=f"The LOS took an application on {day:%b} {day.day}.",
            evidence=[_build_los_evidence(loan, "application", day.isoformat())],
        )
        credit_clocks.start_clock(new_clock, at=at)


def _close_proven_clocks(loan: Loan, milestones: dict[str, Milestone], at: datetime) -> None:
    """Close the clocks whose end the LOS shows: a sent disclosure or an outcome of the file."""
    for credit_clock in credit_clocks.running_clocks(loan.lead_id):
        if credit_clock.loan_id not in (None, loan.pk):
            continue
        notice_day = loan.notices.get(DISCLOSURE_BY_CLOCK.get(credit_clock.kind, "adverse_action"))
        end: tuple[str, str, str] | None
        if notice_day and notice_day >= credit_clock.began_on.isoformat():
            end = ("sent", notice_day, "disclosure tracking")
        else:
            end = _find_file_outcome(credit_clock, milestones)
        if end:
            outcome, day, source_words = end
            proof = _build_los_evidence(loan, outcome, day) | {
                "from": loan.los,
                "said": source_words,
                "on_date": day,
            }
            credit_clocks.close_clock(credit_clock, outcome=outcome, proof=proof, by=None, at=at)


def _find_file_outcome(
    credit_clock: CreditClock, milestones: dict[str, Milestone]
) -> tuple[str, str, str] | None:
    """Return the outcome of a file, the LOS's day and the LOS's words; None if it is open."""
    for outcome, codes in OUTCOMES_BY_CLOCK.get(credit_clock.kind, DECISION_OUTCOMES):
        for step in (milestones[code] for code in codes if code in milestones):
            day = step.on_date or company_day(step.recorded_at)
            if outcome != "denied" or day <= credit_clock.due_on:
                return outcome, day.isoformat(), step.los_label or step.code
    return None


def _handle_alarming_milestone(loan: Loan, step: Milestone, at: datetime) -> None:
    """End marketing after an adverse milestone, notify compliance and start a clock if due."""
    milestone_name = step.code.replace("_", " ")
    _stop_marketing(loan.lead_id, f"file {milestone_name}", at)
    day = step.on_date or company_day(at)
    kind = {"counter_offer": "counteroffer", "denied": "adverse_action"}.get(step.code)
    is_due = kind and not credit_clocks.running_clocks(loan.lead_id, "decision", "completed", kind)
    if kind == "counteroffer":
        is_due = not credit_clocks.running_clocks(loan.lead_id, kind)
    if is_due and kind:
        new_clock = credit_clocks.NewClock(
            lead=loan.lead, loan=loan, kind=kind, began_on=day,
            idempotency_key=f"{kind}:milestone:{step.pk}",
            sentence=f"The LOS shows the file as {milestone_name} since {day:%b} {day.day}.",
            evidence=[_build_los_evidence(loan, step.code, day.isoformat())],
        )  # fmt: skip
        credit_clocks.start_clock(new_clock, at=at)
    _notify_compliance(
        f"file:{step.pk}", f"A file is {milestone_name}: marketing has stopped.",
        f"/leads/{loan.lead_id}/", at,
    )  # fmt: skip


def _build_los_evidence(loan: Loan, item: str, day: str) -> dict[str, str]:
    where = f"{loan.los.capitalize()}, loan {loan.loan_number or loan.los_loan_id}"
    return {"item": item, "at": day, "origin": f"loan:{loan.pk}", "where": where}


# Reminders and deadlines.


def process_due_clocks(*, at: datetime) -> None:
    """Send due reminders, and close reply clocks whose day passed without a reply."""
    credit_clocks.send_due_reminders(at=at)
    today = company_day(at)
    for credit_clock in CreditClock.objects.filter(kind="reply", closed_at=None, due_on__lt=today)[
        :100
    ]:
        ruling = notice_rules.check_incomplete_application(
            received_on=None,
            noi_sent_on=credit_clock.began_on,
            reply_by=credit_clock.due_on,
            reply_on=None,
            today=today,
        )
        if ruling.reason == "no_further_notice":
            proof = {"from": "clock", "said": "No reply is on file", "on_date": today.isoformat()}
            credit_clocks.close_clock(credit_clock, outcome="no_reply", proof=proof, by=None, at=at)


def _check_staff_words(lead_id: UUID, text: str, *, origin: str, how: str, at: datetime) -> None:
    """Check a text of staff for a denial, and for a borrower passed over without being told."""
    match application_detection.classify_staff_text(text):
        case CreditStatement.TOLD_NO:
            record_denial(lead_id, origin, f"{how} says that the borrower was told no", at=at)
        case CreditStatement.PASSED_OVER as statement:
            ruling = notice_rules.classify_event(statement, on=None)
            title = "Fair lending review: passed over for credit, borrower not told"
            _add_compliance_task(lead_id, ruling.reason, title, at)


def _add_compliance_task(lead_id: UUID, kind: str, title: str, at: datetime) -> None:
    due_at = required_actions.end_of_next_business_day(at)
    task_spec = lead_tasks.SystemTask(kind=kind, title=title, due_at=due_at, role="compliance")
    lead_tasks.add_or_update_task(task_spec, lead_id=lead_id, at=at)


def _stop_marketing(lead_id: UUID, because: str, at: datetime) -> None:
    """End the sequence and cancel queued marketing; the gate blocks any other marketing."""
    sequence_enrollment.stop_sequence(lead_id=lead_id, because=because, at=at)
    cancel_messages.cancel_overtaken(
        lead_id=lead_id, because=because, at=at, causes=MARKETING_CAUSES
    )


def _alert_six_item_form(source: Source, at: datetime) -> None:
    """Tell compliance that a lead form asks for all six pieces; the form has to be changed.

    The lead is stored and its social security number masked.
    """
    text = (
        f"{source.name} asks for all six pieces of an application. "
        "Change the form to ask for five at most. The social security number was masked, but "
        "each lead from this form is an application."
    )
    _notify_compliance(f"six:{source.pk}:{company_day(at)}", text, f"/sources/{source.pk}/", at)


def _notify_compliance(cause: str, text: str, link: str, at: datetime) -> None:
    users = list(User.objects.with_role("compliance"))
    users = users or staff_notices.alarm_users(None)
    staff_notices.notify_users(users, kind="credit", cause=cause, text=text, link=link, at=at)
