"""Questions about numbers: put in line once, asked in batches, answered or tried again.

Nobody waits for an answer: a question is a row with a due time, and what waits for it is
decided anew when it comes.
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
ANSWER_REUSE_PERIOD = timedelta(days=1)  # an answer so fresh is not asked for again
CLAIM_PERIOD = timedelta(minutes=3)  # longer than any answer may take
BACK_OFF = (30, 120, 600, 1800)  # seconds
ALERT_AFTER_TRIES = 3  # tries; then somebody hears that nobody answers


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    """A question as somebody needs it answered."""

    kind: QuestionKind
    number: str  # E.164
    since: date | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestions:
    """How many questions of a kind are open, and since when the oldest is."""

    count: int = 0
    since: datetime | None = None


def enqueue_questions(wanted: Collection[NewQuestion], *, at: datetime) -> set[NewQuestion]:
    """Put questions in line; those whose answer is to come. In a transaction; repeat-safe.

    Without a vendor for them none is, nor one that was answered within a day.
    """
    service = active_service() if wanted else None
    if service is None:
        return set()
    mine = {
        new_question
        for new_question in wanted
        if service.can_answer(new_question.kind) and AMERICAN_NUMBER.fullmatch(new_question.number)
    }
    fresh = NumberQuestion.objects.filter(
        number__in={one.number for one in mine}, answered_at__gt=at - ANSWER_REUSE_PERIOD
    )
    known = set(fresh.values_list("kind", "number", "since"))
    open_now = {one for one in mine if (one.kind, one.number, one.since) not in known}
    insert_new_rows(
        [
            NumberQuestion(
                id=uuid7_at(at),
                kind=one.kind,
                number=one.number,
                since=one.since,
                person_id=one.person_id,
                asked_at=at,
                due_at=at,
            )
            for one in open_now
        ]
    )
    return open_now


def ask_next_batch(*, at: datetime) -> list[NumberQuestion] | None:
    """Ask the vendor those that are longest due; the answered, None when none was due.

    Must not run in a transaction. Whoever calls it records what it gave.
    """
    service = active_service()
    for kind in QuestionKind if service else ():
        if service and service.can_answer(kind) and (rows := _claim_due_questions(service, kind, at)):
            said, failure = _ask_vendor(service, kind, rows)
            answered = [row for row in rows if row.number in said]
            left = [row for row in rows if row.number not in said]
            if left:
                _retry_later(service, left, failure or RetryLater("It left this number out."), at)
            for one in answered:
                _fill_answer(one, said[one.number], service, at)
            return answered
    return None


def store_answers(answered: Sequence[NumberQuestion], *, at: datetime) -> list[NumberQuestion]:
    """Keep answers; those that nobody kept before. In a transaction."""
    names = ("service", "answered_at", "due_at", "response", "covers", "listed", "said", "problem")
    rows = [
        {"id": number_question.pk} | {name: getattr(number_question, name) for name in names}
        for number_question in answered
    ]
    news = update_each(NumberQuestion, rows, where={"answered_at": None})
    kept = [number_question for number_question in answered if number_question.pk in news]
    if kept:
        NumberService.objects.update(answered_at=at, failing_since=None, problem="")
        write_event(
            "compliance.numbers.answered",
            at=at,
            service=kept[0].service,
            what=kept[0].kind,
            count=len(kept),
            questions=[str(one.pk) for one in kept],
        )
    return kept


def open_question_counts() -> dict[str, OpenQuestions]:
    """The open questions by their kind."""
    rows = NumberQuestion.objects.filter(answered_at=None).values("kind")
    found = rows.annotate(count=Count("pk"), since=Min("asked_at"))
    return {row["kind"]: OpenQuestions(count=row["count"], since=row["since"]) for row in found}


def answered_question_counts() -> dict[str, int]:
    """How many questions of each kind were answered."""
    rows = NumberQuestion.objects.filter(answered_at__isnull=False).values("kind")
    return {row["kind"]: row["count"] for row in rows.annotate(count=Count("pk"))}


def _claim_due_questions(
    service: NumberService, kind: QuestionKind, at: datetime
) -> list[NumberQuestion]:
    """Those that are due, of each number one; they fall due again should this program die."""
    with transaction.atomic():
        due = NumberQuestion.objects.select_for_update(skip_locked=True)
        due = due.filter(kind=kind, answered_at=None, due_at__lte=at).order_by("due_at", "pk")
        rows: dict[str, NumberQuestion] = {}
        for one in due[: vendor_adapter(service).MAX_NUMBERS]:
            rows.setdefault(one.number, one)
        for one in rows.values():
            one.attempts, one.due_at = one.attempts + 1, at + CLAIM_PERIOD
        NumberQuestion.objects.bulk_update(rows.values(), ["attempts", "due_at"])
    return [*rows.values()]


def _ask_vendor(
    service: NumberService, kind: QuestionKind, rows: Sequence[NumberQuestion]
) -> tuple[dict[str, NumberAnswer], VendorError | None]:
    """What it said. One number that it refuses fails all of a request: the halves go alone."""
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
        first, failed = _ask_vendor(service, kind, rows[:half])
        second, also = _ask_vendor(service, kind, rows[half:])
        return first | second, failed or also
    except VendorError as problem:
        return {}, problem


def _fill_answer(
    one: NumberQuestion, said: NumberAnswer, service: NumberService, at: datetime
) -> None:
    one.service, one.answered_at, one.due_at, one.problem = service.pk, at, None, ""
    one.response, one.said = said.response, dict(said.raw)
    one.covers, one.listed = list(said.covers), list(said.listed)


def _retry_later(
    service: NumberService, rows: Sequence[NumberQuestion], failure: VendorError, at: datetime
) -> None:
    """Try later, and tell somebody, once a day, if it does not pass."""
    for row in rows:
        row.due_at, row.problem = at + retry_delay(failure, row.attempts, BACK_OFF), str(failure)
    NumberQuestion.objects.bulk_update(rows, ["due_at", "problem"])
    if isinstance(failure, RequestRejected):  # of one number; the others are answered
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
        text=f"Numbers cannot be checked: {problem} What needs it waits.",
        link="/compliance/lists/",
        at=at,
    )
