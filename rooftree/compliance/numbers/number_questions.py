"""The queue of number questions: enqueued once, sent in batches, answered or retried.

Nothing blocks on an answer: a question is a row with a due time, and the messages that need it
are decided again when it arrives.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min

from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.number_vendor import NumberAnswer, QuestionKind
from rooftree.compliance.numbers.vendor_account import (
    account_for_vendor,
    active_service,
    vendor_adapter,
)
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import (
    Misconfigured,
    RequestRejected,
    RetryLater,
    VendorError,
    retry_delay,
)
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.bulk_update import update_each
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices

AMERICAN_NUMBER = re.compile(r"\+1[2-9]\d\d[2-9]\d{6}")
ANSWER_REUSE_PERIOD = timedelta(days=1)  # no new question within this time
CLAIM_PERIOD = timedelta(minutes=3)  # longer than any request takes
BACK_OFF = (30, 120, 600, 1800)  # seconds
ALERT_AFTER_TRIES = 3  # failed tries before staff are notified


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    """A question to enqueue."""

    kind: QuestionKind
    number: str  # E.164
    since: date | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestions:
    """The number of open questions of a kind, and the age of the oldest."""

    count: int = 0
    since: datetime | None = None


def enqueue_questions(questions: Collection[NewQuestion], *, at: datetime) -> set[NewQuestion]:
    """Enqueue questions; return those whose answer is still to come.

    Needs a transaction; may be repeated. A question is skipped without a vendor for it, and when
    it was answered within a day.
    """
    service = active_service() if questions else None
    if service is None:
        return set()
    answerable = {
        question
        for question in questions
        if service.can_answer(question.kind) and AMERICAN_NUMBER.fullmatch(question.number)
    }
    recent = NumberQuestion.objects.filter(
        number__in={question.number for question in answerable},
        answered_at__gt=at - ANSWER_REUSE_PERIOD,
    )
    answered = set(recent.values_list("kind", "number", "since"))
    unanswered = {
        question
        for question in answerable
        if (question.kind, question.number, question.since) not in answered
    }
    insert_new_rows(
        [
            NumberQuestion(
                id=uuid7_at(at),
                kind=question.kind,
                number=question.number,
                since=question.since,
                person_id=question.person_id,
                asked_at=at,
                due_at=at,
            )
            for question in unanswered
        ]
    )
    return unanswered


def ask_next_batch(*, at: datetime) -> list[NumberQuestion] | None:
    """Send the vendor the questions longest due; return the answered ones, None if none was due.

    Must not run in a transaction. The caller stores the answers.
    """
    service = active_service()
    for kind in QuestionKind if service else ():
        if (
            service
            and service.can_answer(kind)
            and (rows := _claim_due_questions(service, kind, at))
        ):
            answers, failure = _ask_vendor(service, kind, rows)
            answered = [row for row in rows if row.number in answers]
            unanswered = [row for row in rows if row.number not in answers]
            if unanswered:
                failure = failure or RetryLater("The vendor didn't answer for this number.")
                _retry_later(service, unanswered, failure, at)
            for row in answered:
                _fill_answer(row, answers[row.number], service, at)
            return answered
    return None


def store_answers(answered: Sequence[NumberQuestion], *, at: datetime) -> list[NumberQuestion]:
    """Store answers; return the questions not answered before. Needs a transaction."""
    names = (
        "service",
        "answered_at",
        "due_at",
        "response",
        "covers",
        "listed",
        "answer",
        "problem",
    )
    rows = [
        {"id": question.pk} | {name: getattr(question, name) for name in names}
        for question in answered
    ]
    updated_ids = update_each(NumberQuestion, rows, where={"answered_at": None})
    stored = [question for question in answered if question.pk in updated_ids]
    if stored:
        NumberService.objects.update(answered_at=at, failing_since=None, problem="")
        write_event(
            "compliance.numbers.answered",
            at=at,
            service=stored[0].service,
            what=stored[0].kind,
            count=len(stored),
            questions=[str(question.pk) for question in stored],
        )
    return stored


def open_question_counts() -> dict[str, OpenQuestions]:
    """Return the open questions by kind."""
    rows = NumberQuestion.objects.filter(answered_at=None).values("kind")
    counts = rows.annotate(count=Count("pk"), since=Min("asked_at"))
    return {row["kind"]: OpenQuestions(count=row["count"], since=row["since"]) for row in counts}


def answered_question_counts() -> dict[str, int]:
    """Return the number of answered questions by kind."""
    rows = NumberQuestion.objects.filter(answered_at__isnull=False).values("kind")
    return {row["kind"]: row["count"] for row in rows.annotate(count=Count("pk"))}


def _claim_due_questions(
    service: NumberService, kind: QuestionKind, at: datetime
) -> list[NumberQuestion]:
    """Claim due questions, one per number; they become due again if this process dies."""
    with transaction.atomic():
        due = NumberQuestion.objects.select_for_update(skip_locked=True)
        due = due.filter(kind=kind, answered_at=None, due_at__lte=at).order_by("due_at", "pk")
        rows: dict[str, NumberQuestion] = {}
        for row in due[: vendor_adapter(service).MAX_NUMBERS]:
            rows.setdefault(row.number, row)
        for row in rows.values():
            row.attempts, row.due_at = row.attempts + 1, at + CLAIM_PERIOD
        NumberQuestion.objects.bulk_update(rows.values(), ["attempts", "due_at"])
    return [*rows.values()]


def _ask_vendor(
    service: NumberService, kind: QuestionKind, rows: Sequence[NumberQuestion]
) -> tuple[dict[str, NumberAnswer], VendorError | None]:
    """Return the answers by number, and a failure.

    One rejected number fails the whole request, so a rejected batch is split in halves.
    """
    adapter, account = vendor_adapter(service), account_for_vendor(service)
    try:
        if kind is QuestionKind.LISTS:
            return adapter.check_lists(account, [row.number for row in rows]), None
        since = {row.number: row.since for row in rows if row.since}
        return adapter.check_reassigned(account, since), None
    except RequestRejected as problem:
        if len(rows) == 1:
            return {}, problem
        half = len(rows) // 2
        first_answers, first_failure = _ask_vendor(service, kind, rows[:half])
        second_answers, second_failure = _ask_vendor(service, kind, rows[half:])
        return first_answers | second_answers, first_failure or second_failure
    except VendorError as problem:
        return {}, problem


def _fill_answer(
    row: NumberQuestion, answer: NumberAnswer, service: NumberService, at: datetime
) -> None:
    row.service, row.answered_at, row.due_at, row.problem = service.pk, at, None, ""
    row.response, row.answer = answer.response, dict(answer.raw)
    row.covers, row.listed = list(answer.covers), list(answer.listed)


def _retry_later(
    service: NumberService, rows: Sequence[NumberQuestion], failure: VendorError, at: datetime
) -> None:
    """Retry later; after several failures, notify staff once a day."""
    for row in rows:
        row.due_at, row.problem = at + retry_delay(failure, row.attempts, BACK_OFF), str(failure)
    NumberQuestion.objects.bulk_update(rows, ["due_at", "problem"])
    if isinstance(failure, RequestRejected):  # about one number; the others are answered
        return
    problem = str(failure)[:300]
    NumberService.objects.filter(failing_since=None).update(failing_since=at)
    NumberService.objects.update(problem=problem)
    tries = max(row.attempts for row in rows)
    if not isinstance(failure, Misconfigured) and tries < ALERT_AFTER_TRIES:
        return
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="numbers",
        cause=f"numbers:{at.date()}",
        text=f"Number checks fail: {problem} Messages that need a check are waiting.",
        link="/compliance/lists/",
        at=at,
    )
