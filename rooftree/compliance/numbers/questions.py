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
from rooftree.compliance.numbers.service import account_of, adapter_of, the_service
from rooftree.compliance.numbers.shapes import Kind, Said
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, pause_after
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org import notices
from rooftree.org.change import change_each
from rooftree.org.insert import insert_all_once

AMERICAN = re.compile(r"\+1[2-9]\d\d[2-9]\d{6}")
ASKED_LATELY = timedelta(days=1)  # an answer so fresh is not asked for again
HELD = timedelta(minutes=3)  # longer than any answer may take
BACK_OFF = (30, 120, 600, 1800)  # seconds
SHOWN_AFTER = 3  # tries; then somebody hears that nobody answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A question as somebody needs it answered."""

    kind: Kind
    number: str  # E.164
    since: date | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many questions of a kind are open, and since when the oldest is."""

    count: int = 0
    since: datetime | None = None


def ask(wanted: Collection[Wanted], *, at: datetime) -> set[Wanted]:
    """Put questions in line; those whose answer is to come. In a transaction; repeat-safe.

    Without a vendor for them none is, nor one that was answered within a day.
    """
    service = the_service() if wanted else None
    if service is None:
        return set()
    mine = {one for one in wanted if service.answers(one.kind) and AMERICAN.fullmatch(one.number)}
    fresh = NumberQuestion.objects.filter(
        number__in={one.number for one in mine}, answered_at__gt=at - ASKED_LATELY
    )
    known = set(fresh.values_list("kind", "number", "since"))
    open_now = {one for one in mine if (one.kind, one.number, one.since) not in known}
    insert_all_once(
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


def ask_next(*, at: datetime) -> list[NumberQuestion] | None:
    """Ask the vendor those that are longest due; the answered, None when none was due.

    Must not run in a transaction. Whoever calls it records what it gave.
    """
    service = the_service()
    for kind in Kind if service else ():
        if service and service.answers(kind) and (rows := _claimed(service, kind, at)):
            said, failure = _asked(service, kind, rows)
            answered = [one for one in rows if one.number in said]
            left = [one for one in rows if one.number not in said]
            if left:
                _fail(service, left, failure or TryLater("It left this number out."), at)
            for one in answered:
                _fill(one, said[one.number], service, at)
            return answered
    return None


def record(answered: Sequence[NumberQuestion], *, at: datetime) -> list[NumberQuestion]:
    """Keep answers; those that nobody kept before. In a transaction."""
    names = ("service", "answered_at", "due_at", "response", "covers", "listed", "said", "problem")
    rows = [{"id": one.pk} | {name: getattr(one, name) for name in names} for one in answered]
    news = change_each(NumberQuestion, rows, where={"answered_at": None})
    kept = [one for one in answered if one.pk in news]
    if kept:
        NumberService.objects.update(answered_at=at, failing_since=None, problem="")
        write(
            "compliance.numbers.answered",
            at=at,
            service=kept[0].service,
            what=kept[0].kind,
            count=len(kept),
            questions=[str(one.pk) for one in kept],
        )
    return kept


def waiting() -> dict[str, Waiting]:
    """The open questions by their kind."""
    rows = NumberQuestion.objects.filter(answered_at=None).values("kind")
    found = rows.annotate(count=Count("pk"), since=Min("asked_at"))
    return {one["kind"]: Waiting(count=one["count"], since=one["since"]) for one in found}


def answered() -> dict[str, int]:
    """How many questions of each kind were answered."""
    rows = NumberQuestion.objects.filter(answered_at__isnull=False).values("kind")
    return {one["kind"]: one["count"] for one in rows.annotate(count=Count("pk"))}


def _claimed(service: NumberService, kind: Kind, at: datetime) -> list[NumberQuestion]:
    """Those that are due, of each number one; they fall due again should this program die."""
    with transaction.atomic():
        due = NumberQuestion.objects.select_for_update(skip_locked=True)
        due = due.filter(kind=kind, answered_at=None, due_at__lte=at).order_by("due_at", "pk")
        rows: dict[str, NumberQuestion] = {}
        for one in due[: adapter_of(service).MOST]:
            rows.setdefault(one.number, one)
        for one in rows.values():
            one.attempts, one.due_at = one.attempts + 1, at + HELD
        NumberQuestion.objects.bulk_update(rows.values(), ["attempts", "due_at"])
    return [*rows.values()]


def _asked(
    service: NumberService, kind: Kind, rows: Sequence[NumberQuestion]
) -> tuple[dict[str, Said], Failure | None]:
    """What it said. One number that it refuses fails all of a request: the halves go alone."""
    adapter, account = adapter_of(service), account_of(service)
    try:
        if kind is Kind.LISTS:
            return adapter.lists(account, [one.number for one in rows]), None
        since = {one.number: one.since for one in rows if one.since}
        return adapter.reassigned(account, since), None
    except Refused as problem:
        if len(rows) == 1:
            return {}, problem
        half = len(rows) // 2
        first, failed = _asked(service, kind, rows[:half])
        second, also = _asked(service, kind, rows[half:])
        return first | second, failed or also
    except Failure as problem:
        return {}, problem


def _fill(one: NumberQuestion, said: Said, service: NumberService, at: datetime) -> None:
    one.service, one.answered_at, one.due_at, one.problem = service.pk, at, None, ""
    one.response, one.said = said.response, dict(said.words)
    one.covers, one.listed = list(said.covers), list(said.listed)


def _fail(
    service: NumberService, rows: Sequence[NumberQuestion], failure: Failure, at: datetime
) -> None:
    """Try later, and tell somebody, once a day, if it does not pass."""
    for one in rows:
        one.due_at, one.problem = at + pause_after(failure, one.attempts, BACK_OFF), str(failure)
    NumberQuestion.objects.bulk_update(rows, ["due_at", "problem"])
    if isinstance(failure, Refused):  # of one number; the others are answered
        return
    problem = str(failure)[:300]
    NumberService.objects.filter(failing_since=None).update(failing_since=at)
    NumberService.objects.update(problem=problem)
    tries = max(one.attempts for one in rows)
    if not isinstance(failure, Misconfigured) and tries < SHOWN_AFTER:
        return
    notices.tell_each(
        notices.alarm_users(None),
        kind="numbers",
        cause=f"numbers:{at.date()}",
        text=f"Numbers cannot be checked: {problem} What needs it waits.",
        link="/compliance/lists/",
        at=at,
    )
