"""Proof that a credit notice went out, or the reason why none is due; incomplete proof is refused.

Rooftree sends none of these notices: the creditor does. A compliance user records which document
went out, when and how, and the rules check the record.
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

ALLOWED_OUTCOMES = {  # the outcomes staff can record, by kind of clock
    "estimate": ("sent", "denied", "withdrawn", "mistaken"),
    "decision": ("sent", "approved", "counteroffer", "incomplete", "withdrawn", "mistaken"),
    "completed": ("sent", "approved", "counteroffer", "withdrawn", "mistaken"),
    "adverse_action": ("sent", "mistaken"),
    "counteroffer": ("accepted", "sent", "withdrawn", "mistaken"),
    "reply": ("completed", "no_reply", "withdrawn"),
}
# A document was sent.
OUTCOMES_WITH_DOCUMENT = frozenset({"sent", "approved", "counteroffer", "incomplete"})
REFUSAL_MESSAGES = {  # reason: (form field, next step)
    "mail_paper_notice": (
        "delivery",
        "Electronic delivery requires an E-SIGN consent that was given, tested and not withdrawn. "
        "Have the notice mailed on paper and record that.",
    ),
    "reason_not_specific": (
        "reasons",
        "Enter the specific reasons in the notice, one per line. An internal standard, a low score "
        "or “other” is not a specific reason.",
    ),
    "fcra_score_disclosure_missing": (
        "score_disclosed",
        "A credit report was used, so the notice must disclose the score. Have the creditor send "
        "it again with the score.",
    ),
    "fcra_notice_each_consumer": (
        "notices",
        "Each person whose report was used must get their own notice. Some didn’t.",
    ),
}


class BadNoticeProof(InvalidField):
    """The recorded facts do not prove a notice. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeProof:
    """The facts about a notice that a compliance user records."""

    outcome: str
    on_date: date  # the day the notice was sent, or the day of the event
    reference: str = ""  # the document in the LOS
    note: str = ""
    delivery: str = ""  # mail, electronic
    has_consented: bool = False  # E-SIGN
    has_shown_access: bool = False
    is_ended: bool = False  # consent withdrawn, or the address bounced
    is_adverse: bool = False
    reasons: tuple[str, ...] = ()
    reports_used: int = 0
    notices: int = 0
    score_disclosed: bool = False
    is_combined: bool = False  # the counteroffer letter was also the denial
    reply_by: date | None = None


def record_notice_proof(
    *, clock_id: UUID, notice: NoticeProof, by: User, at: datetime
) -> CreditClock:
    """Close a clock with its proof and start the follow-up clock. Raises `BadNoticeProof`."""
    with transaction.atomic():
        clock = CreditClock.objects.select_for_update(of=("self",)).get(pk=clock_id)
        if clock.closed_at is not None:
            raise BadNoticeProof("outcome", "This deadline is already closed.")
        _validate_proof(clock, notice, at)
        proof = {
            key: value.isoformat() if isinstance(value, date) else value
            for key, value in asdict(notice).items()
            if value
        }
        proof |= {"by": by.name, "role": ", ".join(by.roles), "from": "compliance"}
        credit_clocks.close_clock(clock, outcome=notice.outcome, proof=proof, by=by, at=at)
        start_follow_up_clock(clock, notice, at=at)
    return clock


def start_follow_up_clock(clock: CreditClock, notice: NoticeProof, *, at: datetime) -> None:
    """Start the next clock after a counteroffer, a notice of incompleteness or its completion.

    12 CFR 1002.9(a)(1)(iv), (c)(2): ninety days; the time given for the reply; thirty days.
    """
    day = f"{notice.on_date:%b} {notice.on_date.day}"
    follow_up: tuple[str, str] | None = None
    match notice.outcome:
        case "counteroffer" if not notice.is_combined:
            follow_up = "counteroffer", f"A counteroffer was made on {day}."
        case "incomplete" if notice.reply_by:
            follow_up = "reply", f"A notice of incompleteness went out on {day}."
        case "completed":
            follow_up = "completed", f"The applicant sent the missing information on {day}."
    if follow_up:
        kind, sentence = follow_up
        new_clock = credit_clocks.NewClock(
            lead=clock.lead, loan=clock.loan, kind=kind, began_on=notice.on_date, sentence=sentence,
            idempotency_key=f"{kind}:clock:{clock.pk}", evidence=clock.evidence,
            due_on=notice.reply_by if kind == "reply" else None,
        )  # fmt: skip
        credit_clocks.start_clock(new_clock, at=at)


def _validate_proof(clock: CreditClock, notice: NoticeProof, at: datetime) -> None:
    if notice.outcome not in ALLOWED_OUTCOMES[clock.kind]:
        raise BadNoticeProof("outcome", "Choose the outcome.")
    if notice.on_date > company_day(at):
        raise BadNoticeProof("on_date", "This day is in the future. Record it after it happens.")
    if notice.outcome in OUTCOMES_WITH_DOCUMENT:
        _validate_document(clock, notice)
    elif not notice.note.strip():
        raise BadNoticeProof("note", "Explain how you know. An examiner will ask.")
    if notice.outcome == "no_reply" and company_day(at) <= clock.due_on:
        raise BadNoticeProof(
            "outcome", "The applicant can still reply: the time to reply isn’t over."
        )


def _validate_document(clock: CreditClock, notice: NoticeProof) -> None:
    if notice.on_date < clock.began_on:
        raise BadNoticeProof(
            "on_date", "This is before the deadline started, so it can’t be its notice."
        )
    if not notice.reference.strip():
        raise BadNoticeProof("reference", "Name the document in the LOS. It is the proof.")
    if notice.outcome == "incomplete" and (
        not notice.reply_by or notice.reply_by <= notice.on_date
    ):
        raise BadNoticeProof("reply_by", "Enter the last day to reply, after the notice.")
    for ruling in _notice_rulings(notice):
        if ruling.decision is not Decision.ALLOW:
            raise BadNoticeProof(*REFUSAL_MESSAGES[ruling.reason])


def _notice_rulings(notice: NoticeProof) -> list[Ruling]:
    """Check the notice itself against the rules (ESG-01, RGB-05)."""
    if notice.delivery not in ("mail", "electronic"):
        raise BadNoticeProof("delivery", "Choose how it was sent: by mail or electronically.")
    rulings = []
    if notice.delivery == "electronic":
        rulings.append(
            notice_rules.check_electronic_delivery(
                has_consented=notice.has_consented,
                has_shown_access=notice.has_shown_access,
                is_ended=notice.is_ended,
            )
        )
    if notice.is_adverse:
        rulings.append(notice_rules.check_reasons(list(notice.reasons)))
        if notice.reports_used:
            rulings.append(notice_rules.check_score_disclosure(has_score=notice.score_disclosed))
            rulings.append(
                notice_rules.check_notice_per_consumer(
                    reports_used=notice.reports_used, notices=notice.notices
                )
            )
    return rulings
