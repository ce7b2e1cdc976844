"""What we pay partners and sellers of leads for: each under rule RSP-01 before it is kept.

What the rule forbids is refused; what needs counsel binds nobody until a second person has
approved it on counsel's document.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.compliance.fair_lending import things_of_value_rules
from rooftree.compliance.gate import reason_sentences
from rooftree.compliance.gate.verdict import Decision, Ruling
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Agreement, Partner, Source
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_zone
from rooftree.org.models import User

GIFT, CO_MARKETING = "gift", "co_marketing"
PAYMENT_BASES = {  # what an amount may depend on, in the words of the rule; most are never lawful
    GIFT: "Nothing: a gift, a meal, something free",
    CO_MARKETING: "Our share of joint advertising",
    "msa_fixed_price": "Services at a fixed price",
    "flat_per_lead": "A flat price for each lead",
    "msa_varies_with_referrals": "Services, at a price that moves with referrals",
    "per_referral": "Each borrower they refer",
    "per_application": "Each application",
    "per_closed_loan": "Each closed loan",
    "per_funded_loan": "Each funded loan",
    "higher_fee_for_rank": "A better place in a list",
}
SELLER_KINDS = {  # whom a rule tells apart; a partner is what their account says
    "lead_vendor": "Sells leads",
    "comparison_platform": "Compares lenders",
    "advertiser": "Sells advertising",
}
OWN_EMPLOYEE = "own_employee"
MAX_DAYS = 3 * 366


class BadAgreement(InvalidField):
    """An agreement that cannot be so."""


def rule_on_agreement(said: Agreement) -> Ruling:
    """What rule RSP-01 says of an agreement, kept or not."""
    if said.basis == CO_MARKETING:
        return things_of_value_rules.check_co_marketing(
            our_cost_share=said.our_cost_pct or 0, our_benefit_share=said.our_benefit_pct or 0
        )
    return rule_on_payment(
        said.payee, said.basis, endorses_us=said.endorses_us,
        is_fair_value=bool(said.fair_value_document),
    )  # fmt: skip


def rule_on_payment(
    payee: str, basis: str, *, endorses_us: bool = False, is_fair_value: bool = False
) -> Ruling:
    """What the rule says of paying somebody on a basis."""
    if basis == GIFT and payee != OWN_EMPLOYEE:
        return things_of_value_rules.refuse_gift()
    return things_of_value_rules.check_payment(
        payee=payee, basis=basis, endorses_us=endorses_us, is_fair_value=is_fair_value
    )


def enter_agreement(*, typed: Mapping[str, Any], by: User, at: datetime) -> Agreement:
    """Keep an agreement, in force at once where the rule allows it.

    Args:
        typed: `with_whom` (`partner:` or `source:` and a key), `payee` of a source,
            `is_employee` of a partner, and the columns of `Agreement`.

    Raises `BadAgreement`, for what the rule forbids too.
    """
    made = _build_agreement(typed, by, at)
    _check_agreement(made)
    ruling = rule_on_agreement(made)
    if ruling.decision is Decision.BLOCK:
        field = "our_cost_pct" if made.basis == CO_MARKETING else "basis"
        raise BadAgreement(field, reason_sentences.sentence_with_citation(ruling))
    made.decision, made.reason = ruling.decision.value, ruling.reason
    with transaction.atomic():
        made.save(force_insert=True)
        _record_event("capture.agreement.entered", made, by, at)
    return made


def approve_agreement(*, agreement_id: UUID, document: str, by: User, at: datetime) -> bool:
    """A second person puts it in force on counsel's document; False when that was done.

    Raises `BadAgreement`.
    """
    waiting = Agreement.objects.get(pk=agreement_id)
    if waiting.entered_by_id == by.pk:
        raise BadAgreement("counsel_document", "Somebody else than who entered it approves it.")
    named = " ".join(document.split())
    if not named:
        raise BadAgreement("counsel_document", "Name counsel’s document and where it lies.")
    with transaction.atomic():
        is_done = Agreement.objects.filter(
            pk=waiting.pk, decision="require", approved_at=None, ended_at=None
        ).update(approved_by=by, approved_at=at, counsel_document=named[:200])
        if is_done:
            _record_event("capture.agreement.approved", waiting, by, at)
    return bool(is_done)


def end_agreement(*, agreement_id: UUID, by: User, at: datetime) -> bool:
    """Nothing is paid under it from tomorrow on; False when it has ended already."""
    with transaction.atomic():
        one = Agreement.objects.get(pk=agreement_id)
        is_done = Agreement.objects.filter(pk=one.pk, ended_at=None).update(
            ended_at=at, ended_by=by
        )
        if is_done:
            _record_event("capture.agreement.ended", one, by, at)
    return bool(is_done)


def last_payable_day(one: Agreement) -> date:
    """The last day that may be paid for under it."""
    if one.ended_at is None:
        return one.until_date
    return min(one.until_date, one.ended_at.astimezone(company_zone()).date())


def can_pay_on(one: Agreement, day: date) -> bool:
    """Whether it may be paid under on a day."""
    is_cleared = one.decision == Decision.ALLOW or one.approved_at is not None
    return is_cleared and one.from_date <= day <= last_payable_day(one)


def _build_agreement(typed: Mapping[str, Any], by: User, at: datetime) -> Agreement:
    kind, _, key = typed["with_whom"].partition(":")
    partner = Partner.objects.filter(pk=key).first() if kind == "partner" else None
    source = Source.objects.filter(pk=key).first() if kind == "source" else None
    if partner is None and source is None:
        raise BadAgreement("with_whom", "Choose whom it is with.")
    is_shared = typed["basis"] == CO_MARKETING
    return Agreement(
        id=uuid7_at(at), partner=partner, source=source, payee=_find_payee(partner, typed),
        basis=typed["basis"], endorses_us=typed.get("endorses_us", False),
        what=typed["what"][:200], cents=typed["cents"],
        our_cost_pct=typed["our_cost_pct"] if is_shared else None,
        our_benefit_pct=typed["our_benefit_pct"] if is_shared else None,
        fair_value_document=typed.get("fair_value_document", "")[:200],
        document=typed["document"][:200], from_date=typed["from_date"],
        until_date=typed["until_date"], entered_by=by, entered_at=at,
    )  # fmt: skip


def _find_payee(partner: Partner | None, typed: Mapping[str, Any]) -> str:
    if partner:
        return OWN_EMPLOYEE if typed.get("is_employee") else partner.kind
    if typed.get("payee") not in SELLER_KINDS:
        raise BadAgreement("payee", "Say what they sell.")
    return str(typed["payee"])


def _check_agreement(made: Agreement) -> None:
    if made.basis not in PAYMENT_BASES:
        raise BadAgreement("basis", "Say what the amount depends on.")
    if made.cents is None or made.cents <= 0:
        raise BadAgreement("cents", "Give the amount agreed.")
    if made.basis == CO_MARKETING and None in (made.our_cost_pct, made.our_benefit_pct):
        raise BadAgreement("our_cost_pct", "Give our share of the cost and of the benefit.")
    if made.basis == CO_MARKETING and not made.fair_value_document:
        raise BadAgreement("fair_value_document", "Name what shows our share of the benefit.")
    if not _is_valid_period(made.from_date, made.until_date):
        raise BadAgreement("until_date", "It ends after it begins, and within three years.")


def _is_valid_period(first: date, last: date) -> bool:
    return 0 <= (last - first).days <= MAX_DAYS


def _record_event(kind: str, one: Agreement, by: User, at: datetime) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", agreement=one.pk, partner=one.partner_id,
        source=one.source_id, basis=one.basis, decision=one.decision,
    )  # fmt: skip
