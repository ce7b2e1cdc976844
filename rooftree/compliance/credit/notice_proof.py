"""Recording that a credit notice went out, or why none is owed. What is no proof is refused.

We send none of these: the notice is the creditor's. A person of compliance writes
down which document went, when and how, and the rules read what it says.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from rooftree.compliance.credit import credit_clocks, notice_rules
from rooftree.compliance.gate.verdict import Decision, Ruling
from rooftree.compliance.models import CreditClock
from rooftree.core.user_errors import InvalidField
from rooftree.money.company_day import company_day
from rooftree.org.models import User

ALLOWED_OUTCOMES = {  # by kind: what a person may record of it
    "estimate": ("sent", "denied", "withdrawn", "mistaken"),
    "decision": ("sent", "approved", "counteroffer", "incomplete", "withdrawn", "mistaken"),
    "completed": ("sent", "approved", "counteroffer", "withdrawn", "mistaken"),
    "adverse_action": ("sent", "mistaken"),
    "counteroffer": ("accepted", "sent", "withdrawn", "mistaken"),
    "reply": ("completed", "no_reply", "withdrawn"),
}
OUTCOMES_WITH_DOCUMENT = frozenset(
    {"sent", "approved", "counteroffer", "incomplete"}
)  # a paper went
REFUSAL_MESSAGES = {  # reason: (field of the form, what to do)
    "mail_paper_notice": (
        "delivery",
        "Electronic delivery takes an E-SIGN consent that they gave, tried and did not lose. "
        "Have the notice mailed on paper, and record that.",
    ),
    "reason_not_specific": (
        "reasons",
        "Give the specific reasons of the notice, one a line: an internal standard, a score that "
        "was too low or “other” is no reason.",
    ),
    "fcra_score_disclosure_missing": (
        "score_disclosed",
        "A report was used, so the notice must disclose the score. Have the creditor send it "
        "again with the score.",
    ),
    "fcra_notice_each_consumer": (
        "notices",
        "Everybody whose report was used gets a notice of their own; some did not.",
    ),
}


class BadNoticeProof(InvalidField):
    """What was typed proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeProof:
    """What a person of compliance writes down."""

    outcome: str
    on_date: date  # when the notice went, or when the thing happened
    reference: str = ""  # the document in the LOS
    note: str = ""
    delivery: str = ""  # mail, electronic
    has_consented: bool = False  # E-SIGN
    has_shown_access: bool = False
    is_ended: bool = False  # withdrawn, or the address bounced
    is_adverse: bool = False
    reasons: tuple[str, ...] = ()
    reports_used: int = 0
    notices: int = 0
    score_disclosed: bool = False
    is_combined: bool = False  # a counteroffer whose letter was the denial as well
    reply_by: date | None = None


def record_notice_proof(
    *, clock_id: UUID, noted: NoticeProof, by: User, at: datetime
) -> CreditClock:
    """Close a clock with what a person saw, and open what follows from it. Raises `NoProof`."""
    with transaction.atomic():
        clock = CreditClock.objects.select_for_update(of=("self",)).get(pk=clock_id)
        if clock.closed_at is not None:
            raise BadNoticeProof("outcome", "Somebody has closed this clock already.")
        _validate_proof(clock, noted, at)
        proof = {key: value for key, value in asdict(noted).items() if value}
        plain = {k: v.isoformat() if isinstance(v, date) else v for k, v in proof.items()}
        plain |= {"by": by.name, "role": by.role, "from": "compliance"}
        credit_clocks.close_clock(clock, outcome=noted.outcome, proof=plain, by=by, at=at)
        start_follow_up_clock(clock, noted, at=at)
    return clock


def start_follow_up_clock(clock: CreditClock, noted: NoticeProof, *, at: datetime) -> None:
    """A counteroffer, a notice of incompleteness and what completes it start clocks of their own.

    12 CFR 1002.9(a)(1)(iv), (c)(2): ninety days; the time that was given to reply; thirty days.
    """
    day = f"{noted.on_date:%b} {noted.on_date.day}"
    begins: tuple[str, str] | None = None
    match noted.outcome:
        case "counteroffer" if not noted.is_combined:
            begins = "counteroffer", f"A counteroffer was made on {day}."
        case "incomplete" if noted.reply_by:
            begins = "reply", f"A notice of incompleteness went out on {day}."
        case "completed":
            begins = "completed", f"They sent what was missing on {day}."
    if begins:
        kind, sentence = begins
        wanted = credit_clocks.NewClock(
            lead=clock.lead, loan=clock.loan, kind=kind, began_on=noted.on_date, sentence=sentence,
            idempotency_key=f"{kind}:clock:{clock.pk}", evidence=clock.evidence,
            due_on=noted.reply_by if kind == "reply" else None,
        )  # fmt: skip
        credit_clocks.start_clock(wanted, at=at)


def _validate_proof(clock: CreditClock, noted: NoticeProof, at: datetime) -> None:
    if noted.outcome not in ALLOWED_OUTCOMES[clock.kind]:
        raise BadNoticeProof("outcome", "Say what became of it.")
    if noted.on_date > company_day(at):
        raise BadNoticeProof("on_date", "This day is still to come; record it once it happened.")
    if noted.outcome in OUTCOMES_WITH_DOCUMENT:
        _validate_document(clock, noted)
    elif not noted.note.strip():
        raise BadNoticeProof("note", "Write down how you know; an examiner will ask.")
    if noted.outcome == "no_reply" and company_day(at) <= clock.due_on:
        raise BadNoticeProof(
            "outcome", "They may still reply; the day they were given is not over."
        )


def _validate_document(clock: CreditClock, noted: NoticeProof) -> None:
    if noted.on_date < clock.began_on:
        raise BadNoticeProof(
            "on_date", "This is before the clock began, so it is about something else."
        )
    if not noted.reference.strip():
        raise BadNoticeProof(
            "reference", "Name the document in the LOS; without it nothing is proven."
        )
    if noted.outcome == "incomplete" and (not noted.reply_by or noted.reply_by <= noted.on_date):
        raise BadNoticeProof("reply_by", "Give the day by which they may reply, after the notice.")
    for ruling in _notice_rulings(noted):
        if ruling.decision is not Decision.ALLOW:
            raise BadNoticeProof(*REFUSAL_MESSAGES[ruling.reason])


def _notice_rulings(noted: NoticeProof) -> list[Ruling]:
    """What the rules say of the notice itself (ESG-01, RGB-05)."""
    if noted.delivery not in ("mail", "electronic"):
        raise BadNoticeProof("delivery", "Say how it went: by mail or electronically.")
    said = []
    if noted.delivery == "electronic":
        said.append(
            notice_rules.check_electronic_delivery(
                has_consented=noted.has_consented,
                has_shown_access=noted.has_shown_access,
                is_ended=noted.is_ended,
            )
        )
    if noted.is_adverse:
        said.append(notice_rules.check_reasons(list(noted.reasons)))
        if noted.reports_used:
            said.append(notice_rules.check_score_disclosure(has_score=noted.score_disclosed))
            said.append(
                notice_rules.check_notice_per_consumer(
                    reports_used=noted.reports_used, notices=noted.notices
                )
            )
    return said
