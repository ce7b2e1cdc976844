"""Look-ups of phone numbers at a vendor, and the steps that follow its answers."""

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
QUESTION_BATCH = 1000  # questions per transaction


def save_number_service(
    account_settings: vendor_account.AccountSettings, *, by: User, at: datetime
) -> NumberService:
    """Use this vendor account from now on, also for messages already in review.

    Raises `vendor_account.BadVendorAccount`.
    """
    service = vendor_account.save_account(account_settings, by=by, at=at)
    with transaction.atomic():
        if service.asks_reassigned and number_checks.redecide_reviewed_messages(at=at):
            send_messages.enqueue()
    return service


def ask_due_questions(*, at: datetime) -> None:
    """Ask the vendor until no question is due. Don't call in a transaction."""
    while (answered := number_questions.ask_next_batch(at=at)) is not None:
        with transaction.atomic():
            _apply_answers(number_questions.store_answers(answered, at=at), at)


def ask_about_import(numbers: Iterable[str], *, at: datetime) -> None:
    """Queue look-ups in the do-not-call lists for the numbers of a checked file, in batches."""
    for batch in batched(sorted(numbers), QUESTION_BATCH):
        with transaction.atomic():
            number_questions.enqueue_questions(
                {NewQuestion(kind=QuestionKind.LISTS, number=number) for number in batch}, at=at
            )


def ask_about_arrivals(stored: Sequence[StoredInquiry], *, at: datetime) -> None:
    """Queue look-ups in the do-not-call lists for numbers of new leads, before any contact."""
    number_questions.enqueue_questions(
        {
            NewQuestion(kind=QuestionKind.LISTS, number=phone["e164"])
            for inquiry in stored
            for phone in inquiry.touch.inquiry.get("phones", [])
            if phone.get("e164")
        },
        at=at,
    )


def _apply_answers(answered: Sequence[NumberQuestion], at: datetime) -> None:
    for question in answered:
        if question.response == "yes" and question.person_id:
            _handle_reassigned_number(question, at)
    if number_checks.make_answered_messages_due(answered, at=at):
        send_messages.enqueue()


def _handle_reassigned_number(question: NumberQuestion, at: datetime) -> None:
    """Unlink a number that no longer belongs to the borrower; task the officer to get another."""
    assert question.person_id is not None  # asked for this person
    cause = f"reassigned:{question.pk}"
    store_revocation.unlink_number(
        person_id=question.person_id, number=question.number, origin=f"numbers:{question.service}",
        idempotency_key=cause, at=at,
    )  # fmt: skip
    task_spec = lead_tasks.SystemTask(
        kind=NEW_NUMBER_TASK,
        title="Phone number reassigned: ask for the new one by email or letter",
        due_at=end_of_next_business_day(at),
    )
    for lead in Lead.objects.filter(person=question.person_id, state__in=OPEN_STATES):
        lead_tasks.add_or_update_task(task_spec, lead_id=lead.pk, at=at)
        publish_update("lead", lead=str(lead.pk))
