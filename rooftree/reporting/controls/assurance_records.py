"""Records of security work that staff do outside the program, and when it is due again.

The kinds come from the Safeguards Rule (16 CFR 314.4) and SOC 2. The interval comes from the rule
if the rule sets one, and is a house interval otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.reporting.models import Assurance

ACCESS_REVIEW = "access_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssuranceKind:
    """A kind of security work that staff repeat at an interval."""

    title: str
    days: int  # due again this many days after the last record
    cite: str
    criteria: str  # SOC 2 criteria (Trust Services Criteria of 2017)
    is_law: bool = True  # True: the rule sets the interval; False: a house interval


KINDS = {
    ACCESS_REVIEW: AssuranceKind(
        title="Access review",
        days=92, cite="16 CFR 314.4(c)(1)", criteria="CC6.2, CC6.3", is_law=False,
    ),
    "risk_assessment": AssuranceKind(
        title="Written risk assessment",
        days=365, cite="16 CFR 314.4(b)", criteria="CC3.2", is_law=False,
    ),
    "restore": AssuranceKind(
        title="Test restore of a backup",
        days=92, cite="16 CFR 314.4(c)", criteria="A1.3", is_law=False,
    ),
    "disks": AssuranceKind(
        title="Disk and backup encryption check",
        days=365, cite="16 CFR 314.4(c)(3)", criteria="CC6.1, CC6.7", is_law=False,
    ),
    "penetration_test": AssuranceKind(
        title="Penetration test", days=365, cite="16 CFR 314.4(d)(2)(i)", criteria="CC4.1"
    ),
    "vulnerabilities": AssuranceKind(
        title="Vulnerability assessment",
        days=183, cite="16 CFR 314.4(d)(2)(ii)", criteria="CC7.1",
    ),
    "training": AssuranceKind(
        title="Security training for staff",
        days=365, cite="16 CFR 314.4(e)(1)", criteria="CC1.4, CC2.2", is_law=False,
    ),
    "providers": AssuranceKind(
        title="Service provider assessment",
        days=365, cite="16 CFR 314.4(f)(3)", criteria="CC9.2", is_law=False,
    ),
    "response_plan": AssuranceKind(
        title="Incident response plan review",
        days=365, cite="16 CFR 314.4(h)", criteria="CC7.4, CC7.5", is_law=False,
    ),
    "board": AssuranceKind(
        title="Qualified individual’s written report",
        days=365, cite="16 CFR 314.4(a), (i)", criteria="CC1.2, CC1.3",
    ),
}  # fmt: skip


class BadRecord(UserError):
    """A record with invalid input. The text is fit to show."""


def record_assurance(
    kind: str, *, on: date, summary: str, document: str, by: User, at: datetime
) -> Assurance:
    """Record that staff did a kind of security work. Raises `BadRecord`."""
    if kind not in KINDS or kind == ACCESS_REVIEW:
        raise BadRecord("Choose a type from the list.", "kind")
    if on > company_day(at):
        raise BadRecord("Enter a date that isn’t in the future.", "on_date")
    return _save_record(
        Assurance(kind=kind, on_date=on, statement=summary, document=document, by=by, at=at)
    )


def record_access_review(
    decisions: Mapping[UUID, str], *, summary: str, on: date, by: User, at: datetime
) -> Assurance:
    """Record whose access is correct and whose must change. Raises `BadRecord`.

    Args:
        decisions: `keep` or `change` by user id, for each user who can sign in.
    """
    users = users_to_review()
    missing = [user.name for user in users if decisions.get(user.pk) not in ("keep", "change")]
    if missing:
        others = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise BadRecord(f"Decide about {', '.join(missing[:3])}{others} as well.")
    figures = {
        decision: [str(user.pk) for user in users if decisions[user.pk] == decision]
        for decision in ("keep", "change")
    }
    return _save_record(
        Assurance(kind=ACCESS_REVIEW, on_date=on, statement=summary, figures=figures, by=by, at=at)
    )


def users_to_review() -> list[User]:
    """Return all staff who can sign in, by name."""
    rows = User.objects.staff().filter(is_active=True).select_related("branch")
    return list(rows.order_by("name", "id"))


def latest_by_kind() -> dict[str, Assurance]:
    """Return the newest record of each kind that has one."""
    rows = Assurance.objects.select_related("by").order_by("kind", "-on_date", "-at")
    return {row.kind: row for row in rows.distinct("kind")}


def next_due_date(kind: str, last: Assurance | None) -> date | None:
    """Return the date the work is due again; None if it was never recorded."""
    return last.on_date + timedelta(days=KINDS[kind].days) if last else None


def _save_record(record: Assurance) -> Assurance:
    record.pk = uuid7_at(record.at)
    with atomic():
        record.save(force_insert=True)
        write_event(
            "reporting.assurance.recorded",
            at=record.at,
            actor=f"user:{record.by_id}",
            record=record.pk,
            of=record.kind,
            on=record.on_date.isoformat(),
        )
    return record
