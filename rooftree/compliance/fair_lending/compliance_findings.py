"""Findings of rules for compliance review: reported once, closed with a conclusion."""

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
    """The conclusion is too short. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """A finding of a rule.

    `idempotency_key` makes it unique; `sentence` is for the page only, `notice` goes by email.
    """

    rule: str
    idempotency_key: str
    sentence: str
    notice: str
    link: str


def open_finding(finding: NewFinding, *, at: datetime) -> bool:
    """Open a finding and notify company-wide compliance; return False if it was found before."""
    row = Finding(
        id=uuid7_at(at),
        rule=finding.rule,
        idempotency_key=finding.idempotency_key,
        sentence=finding.sentence[:400],
        link=finding.link,
        found_at=at,
    )
    with transaction.atomic():
        if not insert_row_if_new(row):
            return False
        officers = User.objects.with_role("compliance").filter(branch=None)
        staff_notices.save_notices(
            [
                staff_notices.build_notice(
                    user_id=officer.pk,
                    kind="finding",
                    cause=f"finding:{finding.idempotency_key}"[:160],
                    text=finding.notice,
                    link=finding.link,
                    at=at,
                )
                for officer in officers.order_by("pk")
            ]
        )
        write_event(
            "compliance.finding.opened", at=at, actor="system:compliance", finding=row.pk,
            rule=finding.rule,
        )  # fmt: skip
    return True


def close_finding(*, finding_id: UUID, words: str, by: User, at: datetime) -> bool:
    """Close a finding with a conclusion; return False if it is already closed.

    Raises `BadConclusion`.
    """
    conclusion = " ".join(words.split())
    if len(conclusion) < MIN_CONCLUSION_LENGTH:
        raise BadConclusion("Enter your conclusion and the action taken.")
    with transaction.atomic():
        is_closed = Finding.objects.filter(pk=finding_id, closed_at=None).update(
            closed_at=at, closed_by=by, conclusion=conclusion[:500]
        )
        if is_closed:
            write_event(
                "compliance.finding.concluded", at=at, actor=f"user:{by.pk}", finding=finding_id
            )
    return bool(is_closed)
