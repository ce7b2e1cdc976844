"""What makes a credit notice due, and what shows that it went: Regulation B and TRID.

A notice is the creditor's and goes from the LOS. Here it is seen that one is due,
from whatever anybody said anywhere, and what the LOS says of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.capture.intake.store_inquiries import StoredInquiry
from rooftree.compliance.credit import application_detection, credit_clocks, notice_rules
from rooftree.compliance.credit.application_detection import (
    APPLICATION_ITEM_LABELS,
    ApplicationPiece,
    CreditStatement,
)
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.models import CreditClock
from rooftree.compliance.wording_rules import wording_check
from rooftree.flow import clock
from rooftree.flow.application_pieces import (
    SSN_WARNING,
    collect_pieces,
    message_text,
    pieces_in_touch,
)
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

MARKETING_CAUSES = (
    *cancel_messages.OVERTAKEN_CAUSES,
    "watch:",
)  # what is in line for somebody who was told no
REVIEW_TASK = "fair_lending_review"
DISCLOSURE_BY_CLOCK = {
    "estimate": "loan_estimate"
}  # the notice that ends a clock; else adverse action
WITHDRAWN = ("withdrawn", ("withdrawn",))
# What the LOS's own steps end: an approval may be told by going on (comment 9(a)(1)-2 to 12 CFR
# 1002), a denial may not. Denied within its three days, an application needs no estimate.
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


# What borrowers give us.


def check_arrivals(stored: Sequence[StoredInquiry], *, at: datetime) -> None:
    """Look at those arrivals that may make an application: of five pieces or fewer none does."""
    telling = [
        stored_inquiry for stored_inquiry in stored if _can_complete_application(stored_inquiry)
    ]
    if telling:
        check_applications.enqueue(lead_ids=[str(one.lead.pk) for one in telling])
    for one in telling:
        form = notice_rules.check_six_items(
            frozenset(pieces_in_touch(one.touch)), on=None, is_lead_form=True
        )
        if form.decision is Decision.BLOCK:
            _alert_six_item_form(one.touch.source, at)


@task(queue_name="soon", priority=40)
def check_applications(*, lead_ids: list[str]) -> None:
    """Look whether leads have become applications."""
    for key in lead_ids:
        check_application(UUID(key), at=clock.now())


def check_application(lead_id: UUID, *, at: datetime) -> CreditClock | None:
    """Open the clocks of an application once all six pieces are here, wherever they came from.

    It counts from the day on which the last of them came. Safe to repeat.
    """
    lead = Lead.objects.select_related("person").get(pk=lead_id)
    held = collect_pieces(lead)
    last = max((one.at for one in held.values()), default=None)
    if last is None or lead.is_test:
        return None
    began_on = company_day(last)
    ruling = notice_rules.check_six_items(frozenset(held), on=began_on, is_lead_form=False)
    if ruling.decision is Decision.ALLOW:
        return None
    sentence = f"All six pieces of an application are here: {_list_pieces(held.values())}."
    opened = [
        credit_clocks.start_clock(
            credit_clocks.NewClock(
                lead=lead,
                kind=kind,
                began_on=began_on,
                sentence=sentence,
                idempotency_key=f"{kind}:six:{lead.pk}",
                evidence=[one.as_json() for one in held.values()],
            ),
            at=at,
        )
        for kind in ("estimate", "decision")
        if not CreditClock.objects.filter(lead=lead, kind=kind).exists()
    ]
    publish_update("lead", lead=str(lead.pk))
    return next(filter(None, opened), None)


def check_borrower_message(message: Message, *, at: datetime) -> None:
    """A borrower wrote: it may hold a piece, or withdraw what they asked for."""
    words = message_text(message)
    if application_detection.items_in_text(words):
        check_application(message.lead_id, at=at)
    if application_detection.classify_borrower_text(words) is CreditStatement.WITHDREW:
        _add_compliance_task(
            message.lead_id, "withdrawal", "They may have withdrawn their application: read it", at
        )


# What we tell them.


def send_staff_message(
    *, lead_id: UUID, medium: str, body: str, subject: str = "", by: User, at: datetime
) -> Message:
    """Send what staff typed; words that tell somebody no are a denial. Raises `CannotSend`."""
    sent = typed_messages.send_typed_message(
        lead_id=lead_id, medium=medium, body=body, subject=subject, by=by, at=at
    )
    check_sent_message(sent, at=at)
    return sent


def check_sent_message(message: Message, *, at: datetime) -> None:
    """A message of ours left: if it says no, its notice is due."""
    if message.sent_at and wording_check.sounds_like_denial(message.body):
        name = message.by.name if message.by else "An automatic message"
        record_denial(
            message.lead_id, f"message:{message.pk}", f"{name} told them no, by {message.medium}",
            at=at,
        )  # fmt: skip


def record_denial(lead_id: UUID, origin: str, how: str, *, at: datetime) -> CreditClock | None:
    """Somebody evaluated them, decided no and told them: a denial, and marketing ends at once."""
    day = company_day(at)
    ruling = notice_rules.classify_event(CreditStatement.TOLD_NO, on=day)
    with transaction.atomic():
        lead = Lead.objects.get(pk=lead_id)
        evidence = [{"item": "told_no", "at": at.isoformat(), "origin": origin, "where": how}]
        opened = credit_clocks.start_clock(
            credit_clocks.NewClock(
                lead=lead,
                kind="adverse_action",
                began_on=day,
                idempotency_key=f"adverse_action:{origin}",
                sentence=f"{how}: a decision on credit, even without an application "
                f"({ruling.rule}).",
                evidence=evidence,
            ),
            at=at,
        )
        _stop_marketing(lead_id, "told no", at)
        publish_update("lead", lead=str(lead_id))
    return opened


def add_note(*, lead_id: UUID, by: UUID, text: str, at: datetime) -> Remark:
    """Keep what staff write down; it may hold a piece, or tell of one passed over.

    Raises `remarks.CannotAdd`.
    """
    with transaction.atomic():
        kept = remarks.add_remark(lead_id=lead_id, by=by, text=text, at=at)
        if application_detection.items_in_text(kept.text):
            check_application(lead_id, at=at)
        _check_staff_words(lead_id, kept.text, origin=f"remark:{kept.pk}", how="A note", at=at)
    return kept


def snooze_lead(*, lead_id: UUID, until: datetime, because: str, by: UUID, at: datetime) -> Lead:
    """Set a lead aside; a reason of credit is a decision nobody was told of.

    Raises `snooze.CannotSnooze`.
    """
    with transaction.atomic():
        lead = snooze.snooze_lead(lead_id=lead_id, until=until, because=because, by=by, at=at)
        _check_staff_words(
            lead_id, f"do not call: {because}", origin=f"lead:{lead_id}", how="A reason", at=at
        )  # fmt: skip
    return lead


# What the LOS says.


def update_credit_clocks(news: LoanUpdate, *, at: datetime) -> None:
    """Open and close clocks by what the LOS holds of a loan, and end marketing where it must.

    Safe to repeat: a clock is opened once a cause, and closed once. An application that was
    old when this installation began to watch opens none.
    """
    loan = news.loan
    codes = {
        milestone.code: milestone for milestone in loan.milestones.order_by("recorded_at", "id")
    }
    watched_from = company_day(at) - timedelta(days=notice_rules.DECISION_DAYS)
    if loan.application_date and (news.is_application_now or loan.application_date >= watched_from):
        _open_application_clocks(loan, at)
    _close_proven_clocks(loan, codes, at)
    for step in news.steps:
        if step.code in ALARMING_MILESTONES and not step.is_inferred:
            _handle_alarming_milestone(loan, step, at)


def _open_application_clocks(loan: Loan, at: datetime) -> None:
    assert loan.application_date is not None
    day = loan.application_date
    for kind in ("estimate", "decision"):
        known = CreditClock.objects.filter(lead=loan.lead, kind=kind)
        if known.filter(loan=None).update(loan=loan) or known.filter(loan=loan).exists():
            continue
        wanted = credit_clocks.NewClock(
            lead=loan.lead,
            loan=loan,
            kind=kind,
            began_on=day,
            idempotency_key=f"{kind}:loan:{loan.pk}",
            sentence=f"The LOS took an application on {day:%b} {day.day}.",
            evidence=[_los_evidence(loan, "application", day.isoformat())],
        )
        credit_clocks.start_clock(wanted, at=at)


def _close_proven_clocks(loan: Loan, codes: dict[str, Milestone], at: datetime) -> None:
    """What the LOS shows ends the clocks that it answers."""
    for credit_clock in credit_clocks.running_clocks(loan.lead_id):
        if credit_clock.loan_id not in (None, loan.pk):
            continue
        if found := _disclosure_sent(credit_clock, loan) or _file_outcome(credit_clock, codes):
            outcome, day, said = found
            proof = _los_evidence(loan, outcome, day) | {
                "from": loan.los,
                "said": said,
                "on_date": day,
            }
            credit_clocks.close_clock(credit_clock, outcome=outcome, proof=proof, by=None, at=at)


def _disclosure_sent(clock: CreditClock, loan: Loan) -> tuple[str, str, str] | None:
    """The LOS's disclosure tracking shows that the notice went after the clock began."""
    day = loan.notices.get(DISCLOSURE_BY_CLOCK.get(clock.kind, "adverse_action"))
    is_ours = day and day >= clock.began_on.isoformat()
    return ("sent", day, "disclosure tracking") if is_ours else None


def _file_outcome(clock: CreditClock, codes: dict[str, Milestone]) -> tuple[str, str, str] | None:
    """How the file went on: the outcome, the LOS's day, and its words."""
    for outcome, steps in OUTCOMES_BY_CLOCK.get(clock.kind, DECISION_OUTCOMES):
        for step in (codes[code] for code in steps if code in codes):
            day = step.on_date or company_day(step.recorded_at)
            if outcome != "denied" or day <= clock.due_on:
                return outcome, day.isoformat(), step.said or step.code
    return None


def _handle_alarming_milestone(loan: Loan, step: Milestone, at: datetime) -> None:
    """The file takes a turn that ends marketing; compliance hears of it, and a clock may begin."""
    _stop_marketing(loan.lead_id, f"file {step.code.replace('_', ' ')}", at)
    day = step.on_date or company_day(at)
    words = {"counter_offer": "counteroffer", "denied": "adverse_action"}.get(step.code)
    is_owed = words and not credit_clocks.running_clocks(
        loan.lead_id, "decision", "completed", words
    )
    if words == "counteroffer":
        is_owed = not credit_clocks.running_clocks(loan.lead_id, words)
    if is_owed and words:
        said = step.code.replace("_", " ")
        wanted = credit_clocks.NewClock(
            lead=loan.lead, loan=loan, kind=words, began_on=day,
            idempotency_key=f"{words}:milestone:{step.pk}",
            sentence=f"The LOS shows the file as {said} since {day:%b} {day.day}.",
            evidence=[_los_evidence(loan, step.code, day.isoformat())],
        )  # fmt: skip
        credit_clocks.start_clock(wanted, at=at)
    _notify_compliance(
        f"file:{step.pk}", f"A file is {step.code.replace('_', ' ')}: marketing has stopped.",
        f"/leads/{loan.lead_id}/", at,
    )  # fmt: skip


def _los_evidence(loan: Loan, item: str, day: str) -> dict[str, str]:
    where = f"{loan.los.capitalize()}, loan {loan.loan_number or loan.los_loan_id}"
    return {"item": item, "at": day, "origin": f"loan:{loan.pk}", "where": where}


# The clock of the product.


def remind_and_close_due(*, at: datetime) -> None:
    """Say aloud what is due; a reply that did not come by its day closes its own credit_clock."""
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


def _can_complete_application(one: StoredInquiry) -> bool:
    """Nothing that arrives makes six without the number, now or of an earlier arrival."""
    return not one.lead.is_test and (
        SSN_WARNING in one.touch.delivery.warnings or not one.touch.is_first
    )


def _check_staff_words(lead_id: UUID, words: str, *, origin: str, how: str, at: datetime) -> None:
    """What staff wrote down may tell of a denial, or of one passed over and not told."""
    match application_detection.classify_staff_text(words):
        case CreditStatement.TOLD_NO:
            record_denial(lead_id, origin, f"{how} says that they were told no", at=at)
        case CreditStatement.PASSED_OVER as said:
            ruling = notice_rules.classify_event(said, on=None)
            title = "Fair lending: passed over for credit, and nobody told them"
            _add_compliance_task(lead_id, ruling.reason, title, at)


def _add_compliance_task(lead_id: UUID, kind: str, title: str, at: datetime) -> None:
    due_at = required_actions.end_of_next_business_day(at)
    wanted = lead_tasks.SystemTask(kind=kind, title=title, due_at=due_at, role="compliance")
    lead_tasks.add_or_update_task(wanted, lead_id=lead_id, at=at)


def _stop_marketing(lead_id: UUID, because: str, at: datetime) -> None:
    """Sequences end, and what is in line for them is taken back; the gate stops all else."""
    sequence_enrollment.stop_sequence(lead_id=lead_id, because=because, at=at)
    cancel_messages.cancel_overtaken(
        lead_id=lead_id, because=because, at=at, causes=MARKETING_CAUSES
    )


def _alert_six_item_form(source: Source, at: datetime) -> None:
    """A lead form stops at five. The lead is taken and the number masked; the form must change."""
    text = (
        f"{source.name} asks for all six pieces of an application. "
        "Have it stop at five: the number was masked, and each such lead is an application."
    )
    _notify_compliance(f"six:{source.pk}:{company_day(at)}", text, f"/sources/{source.pk}/", at)


def _notify_compliance(cause: str, text: str, link: str, at: datetime) -> None:
    people = list(User.objects.filter(role="compliance", is_active=True))
    heard = people or staff_notices.alarm_users(None)
    staff_notices.notify_users(heard, kind="credit", cause=cause, text=text, link=link, at=at)


def _list_pieces(pieces: Iterable[ApplicationPiece]) -> str:
    """Each with where it came from, in one line."""
    return "; ".join(
        f"{APPLICATION_ITEM_LABELS[piece.item].lower()} from {piece.where}" for piece in pieces
    )
