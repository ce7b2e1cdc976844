"""What follows from answers about numbers, and which are asked for as leads come in."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched

from django.db import transaction

from rooftree.capture.intake.store_inquiries import OPEN_STATES, StoredInquiry
from rooftree.compliance.consent import store_revocation
from rooftree.compliance.numbers import number_questions, vendor_account
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.number_questions import NewQuestion
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.messages import number_checks
from rooftree.outreach.messages.required_actions import end_of_next_business_day
from rooftree.tasks.live_updates import publish_update

NEW_NUMBER_TASK = "new_number"
QUESTION_BATCH = 1000  # questions put in one transaction


def save_number_service(
    wanted: vendor_account.AccountSettings, *, by: User, at: datetime
) -> NumberService:
    """Ask this account from now on, also about what waits for people. Raises `BadService`."""
    kept = vendor_account.save_account(wanted, by=by, at=at)
    with transaction.atomic():
        if kept.asks_reassigned and number_checks.redecide_reviewed_messages(at=at):
            send_messages.enqueue()
    return kept


def ask_due_questions(*, at: datetime) -> None:
    """Ask the vendor until no question is due. Must not run in a transaction."""
    while (answered := number_questions.ask_next_batch(at=at)) is not None:
        with transaction.atomic():
            _apply_answers(number_questions.store_answers(answered, at=at), at)


def ask_about_import(numbers: Iterable[str], *, at: datetime) -> None:
    """Have the lists asked about numbers of a file that may be imported, some at a time."""
    for some in batched(sorted(numbers), QUESTION_BATCH):
        with transaction.atomic():
            number_questions.enqueue_questions(
                {NewQuestion(kind=QuestionKind.LISTS, number=one) for one in some}, at=at
            )


def ask_about_arrivals(stored: Sequence[StoredInquiry], *, at: datetime) -> None:
    """Have the lists asked about the numbers of new leads, before anybody calls or writes."""
    number_questions.enqueue_questions(
        {
            NewQuestion(kind=QuestionKind.LISTS, number=phone["e164"])
            for stored_inquiry in stored
            for phone in stored_inquiry.touch.inquiry.get("phones", [])
            if phone.get("e164")
        },
        at=at,
    )


def _apply_answers(answered: Sequence[NumberQuestion], at: datetime) -> None:
    for number_question in answered:
        if number_question.response == "yes" and number_question.person_id:
            _handle_reassigned_number(number_question, at)
    if number_checks.make_answered_messages_due(answered, at=at):
        send_messages.enqueue()


def _handle_reassigned_number(one: NumberQuestion, at: datetime) -> None:
    """The number is no longer theirs: it is unlinked, and their officer asks for another."""
    assert one.person_id is not None  # asked for this person
    cause = f"reassigned:{one.pk}"
    store_revocation.unlink_number(
        person_id=one.person_id, number=one.number, origin=f"numbers:{one.service}",
        idempotency_key=cause, at=at,
    )  # fmt: skip
    wanted = lead_tasks.SystemTask(
        kind=NEW_NUMBER_TASK,
        title="Their number has changed hands: ask for the new one by e-mail or letter",
        due_at=end_of_next_business_day(at),
    )
    for lead in Lead.objects.filter(person=one.person_id, state__in=OPEN_STATES):
        lead_tasks.add_or_update_task(wanted, lead_id=lead.pk, at=at)
        publish_update("lead", lead=str(lead.pk))
