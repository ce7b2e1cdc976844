"""What people do to keep data safe, beyond what the program does: written down, and due again.

The kinds are those the Safeguards Rule asks for (16 CFR 314.4) and SOC 2 looks for; how often
comes from the rule where it says so, else from the house.
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
from rooftree.org.models import PARTNER, User
from rooftree.reporting.models import Assurance

ACCESS_REVIEW = "access_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssuranceKind:
    """One thing to be done again and again."""

    title: str
    days: int  # after which it is due again
    cite: str
    criteria: str  # of SOC 2, the Trust Services Criteria of 2017
    is_law: bool = True  # the interval is the rule's own, else the house's


KINDS = {
    ACCESS_REVIEW: AssuranceKind(
        title="Who has access was looked through",
        days=92, cite="16 CFR 314.4(c)(1)", criteria="CC6.2, CC6.3", is_law=False,
    ),
    "risk_assessment": AssuranceKind(
        title="Risks were assessed in writing",
        days=365, cite="16 CFR 314.4(b)", criteria="CC3.2", is_law=False,
    ),
    "restore": AssuranceKind(
        title="A backup was restored, to try it",
        days=92, cite="16 CFR 314.4(c)", criteria="A1.3", is_law=False,
    ),
    "disks": AssuranceKind(
        title="Disks and backups were seen to be encrypted",
        days=365, cite="16 CFR 314.4(c)(3)", criteria="CC6.1, CC6.7", is_law=False,
    ),
    "penetration_test": AssuranceKind(
        title="Somebody tried to break in", days=365, cite="16 CFR 314.4(d)(2)(i)", criteria="CC4.1"
    ),
    "vulnerabilities": AssuranceKind(
        title="Weaknesses were looked for",
        days=183, cite="16 CFR 314.4(d)(2)(ii)", criteria="CC7.1",
    ),
    "training": AssuranceKind(
        title="Staff were trained",
        days=365, cite="16 CFR 314.4(e)(1)", criteria="CC1.4, CC2.2", is_law=False,
    ),
    "providers": AssuranceKind(
        title="Service providers were assessed",
        days=365, cite="16 CFR 314.4(f)(3)", criteria="CC9.2", is_law=False,
    ),
    "response_plan": AssuranceKind(
        title="The plan for incidents was gone through",
        days=365, cite="16 CFR 314.4(h)", criteria="CC7.4, CC7.5", is_law=False,
    ),
    "board": AssuranceKind(
        title="The qualified individual reported in writing",
        days=365, cite="16 CFR 314.4(a), (i)", criteria="CC1.2, CC1.3",
    ),
}  # fmt: skip


class BadRecord(UserError):
    """What was typed cannot be kept."""


def record_assurance(
    kind: str, *, on: date, said: str, document: str, by: User, at: datetime
) -> Assurance:
    """Write down that something was done. Raises `BadRecord`."""
    if kind not in KINDS or kind == ACCESS_REVIEW:
        raise BadRecord("This is none of the things that are written down here.", "kind")
    if on > company_day(at):
        raise BadRecord("This day has not come yet.", "on_date")
    return _save_record(
        Assurance(kind=kind, on_date=on, said=said, document=document, by=by, at=at)
    )


def record_access_review(
    decisions: Mapping[UUID, str], *, said: str, on: date, by: User, at: datetime
) -> Assurance:
    """Write down who keeps access and whose must change. Raises `BadRecord`.

    Args:
        decisions: `keep` or `change`, of every member of staff who can sign in.
    """
    people = users_to_review()
    missing = [
        person.name for person in people if decisions.get(person.pk) not in ("keep", "change")
    ]
    if missing:
        others = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise BadRecord(f"Decide about {', '.join(missing[:3])}{others} as well.")
    figures = {
        word: [str(person.pk) for person in people if decisions[person.pk] == word]
        for word in ("keep", "change")
    }
    return _save_record(
        Assurance(kind=ACCESS_REVIEW, on_date=on, said=said, figures=figures, by=by, at=at)
    )


def users_to_review() -> list[User]:
    """Every member of staff who can sign in, by name."""
    rows = User.objects.filter(is_active=True).exclude(role=PARTNER).select_related("branch")
    return list(rows.order_by("name", "id"))


def latest_by_kind() -> dict[str, Assurance]:
    """The newest record of each kind there is one of."""
    rows = Assurance.objects.select_related("by").order_by("kind", "-on_date", "-at")
    return {row.kind: row for row in rows.distinct("kind")}


def next_due_date(kind: str, last: Assurance | None) -> date | None:
    """When it must be done again; None when it never was."""
    return last.on_date + timedelta(days=KINDS[kind].days) if last else None


def _save_record(made: Assurance) -> Assurance:
    made.pk = uuid7_at(made.at)
    with atomic():
        made.save(force_insert=True)
        write_event(
            "reporting.assurance.recorded",
            at=made.at,
            actor=f"user:{made.by_id}",
            record=made.pk,
            of=made.kind,
            on=made.on_date.isoformat(),
        )
    return made
