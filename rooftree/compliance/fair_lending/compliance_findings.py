"""What rules found that a compliance officer must look at: told once, closed with a conclusion."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.compliance.models import Finding
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import User

MIN_CONCLUSION_LENGTH = 10  # characters of a conclusion


class BadConclusion(Exception):
    """A conclusion that says nothing. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """What a rule found.

    `cause` makes it once; `sentence` is for the page alone, `notice` goes into mailboxes.
    """

    rule: str
    idempotency_key: str
    sentence: str
    notice: str
    link: str


def open_finding(found: NewFinding, *, at: datetime) -> bool:
    """Put it before compliance of the whole company; False when the same was found before."""
    row = Finding(
        id=uuid7_at(at),
        rule=found.rule,
        cause=found.idempotency_key,
        sentence=found.sentence[:400],
        link=found.link,
        found_at=at,
    )
    with transaction.atomic():
        if not insert_row_if_new(row):
            return False
        officers = User.objects.filter(is_active=True, role="compliance", branch=None)
        staff_notices.save_notices(
            [
                staff_notices.build_notice(
                    user_id=officer.pk,
                    kind="finding",
                    cause=f"finding:{found.idempotency_key}"[:160],
                    text=found.notice,
                    link=found.link,
                    at=at,
                )
                for officer in officers.order_by("pk")
            ]
        )
        write_event(
            "compliance.finding.opened", at=at, actor="system:compliance", finding=row.pk,
            rule=found.rule,
        )  # fmt: skip
    return True


def close_finding(*, finding_id: UUID, words: str, by: User, at: datetime) -> bool:
    """Close it with what was concluded; False when it is closed already.

    Raises `BadConclusion`.
    """
    said = " ".join(words.split())
    if len(said) < MIN_CONCLUSION_LENGTH:
        raise BadConclusion("Write down what you found and what is done about it.")
    with transaction.atomic():
        is_closed = Finding.objects.filter(pk=finding_id, closed_at=None).update(
            closed_at=at, closed_by=by, conclusion=said[:500]
        )
        if is_closed:
            write_event(
                "compliance.finding.concluded", at=at, actor=f"user:{by.pk}", finding=finding_id
            )
    return bool(is_closed)
