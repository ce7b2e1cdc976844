"""Agreements with partners and lead sellers, each checked against rule RSP-01 before it is saved.

A forbidden agreement is rejected. An agreement that needs counsel's review takes effect only
after a second person has approved it, naming counsel's document.
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
PAYMENT_BASES = {  # what an amount depends on, in the rule's keys; most bases are never lawful
    GIFT: "Gift, meal or anything free",
    CO_MARKETING: "Our share of joint advertising",
    "msa_fixed_price": "Services at a fixed price",
    "flat_per_lead": "Flat price per lead",
    "msa_varies_with_referrals": "Services at a price that varies with referrals",
    "per_referral": "Per borrower referred",
    "per_application": "Per application",
    "per_closed_loan": "Per closed loan",
    "per_funded_loan": "Per funded loan",
    "higher_fee_for_rank": "Better placement in a list",
}
SELLER_KINDS = {  # payee kinds of sources; a partner's kind is in their account
    "lead_vendor": "Lead vendor",
    "comparison_platform": "Lender comparison platform",
    "advertiser": "Advertising company",
}
OWN_EMPLOYEE = "own_employee"
MAX_DAYS = 3 * 366


class BadAgreement(InvalidField):
    """An agreement is incomplete or forbidden; the text is shown to staff."""


def rule_on_agreement(agreement: Agreement) -> Ruling:
    """Check an agreement, saved or not, against rule RSP-01."""
    if agreement.basis == CO_MARKETING:
        return things_of_value_rules.check_co_marketing(
            our_cost_share=agreement.our_cost_pct or 0,
            our_benefit_share=agreement.our_benefit_pct or 0,
        )
    return rule_on_payment(
        agreement.payee, agreement.basis, endorses_us=agreement.endorses_us,
        is_fair_value=bool(agreement.fair_value_document),
    )  # fmt: skip


def rule_on_payment(
    payee: str, basis: str, *, endorses_us: bool = False, is_fair_value: bool = False
) -> Ruling:
    """Check a payment to a kind of payee on a basis against rule RSP-01."""
    if basis == GIFT and payee != OWN_EMPLOYEE:
        return things_of_value_rules.refuse_gift()
    return things_of_value_rules.check_payment(
        payee=payee, basis=basis, endorses_us=endorses_us, is_fair_value=is_fair_value
    )


def enter_agreement(*, typed: Mapping[str, Any], by: User, at: datetime) -> Agreement:
    """Save an agreement; it takes effect at once if rule RSP-01 allows it.

    Raises `BadAgreement`, also when the rule forbids it.

    Args:
        typed: `with_whom` (`partner:` or `source:` and an id), `payee` of a source,
            `is_employee` of a partner, and the columns of `Agreement`.
    """
    agreement = _build_agreement(typed, by, at)
    _check_agreement(agreement)
    ruling = rule_on_agreement(agreement)
    if ruling.decision is Decision.BLOCK:
        field = "our_cost_pct" if agreement.basis == CO_MARKETING else "basis"
        raise BadAgreement(field, reason_sentences.sentence_with_citation(ruling))
    agreement.decision, agreement.reason = ruling.decision.value, ruling.reason
    with transaction.atomic():
        agreement.save(force_insert=True)
        _record_event("capture.agreement.entered", agreement, by, at)
    return agreement


def approve_agreement(*, agreement_id: UUID, document: str, by: User, at: datetime) -> bool:
    """Approve an agreement as a second person, on counsel's document; False if not waiting.

    Raises `BadAgreement`.
    """
    agreement = Agreement.objects.get(pk=agreement_id)
    if agreement.entered_by_id == by.pk:
        raise BadAgreement("counsel_document", "Another person must approve what you entered.")
    document_name = " ".join(document.split())
    if not document_name:
        raise BadAgreement("counsel_document", "Enter counsel’s document and where it is filed.")
    with transaction.atomic():
        is_approved = Agreement.objects.filter(
            pk=agreement.pk, decision="require", approved_at=None, ended_at=None
        ).update(approved_by=by, approved_at=at, counsel_document=document_name[:200])
        if is_approved:
            _record_event("capture.agreement.approved", agreement, by, at)
    return bool(is_approved)


def end_agreement(*, agreement_id: UUID, by: User, at: datetime) -> bool:
    """End an agreement after today; return False if it had ended already."""
    with transaction.atomic():
        agreement = Agreement.objects.get(pk=agreement_id)
        is_ended = Agreement.objects.filter(pk=agreement.pk, ended_at=None).update(
            ended_at=at, ended_by=by
        )
        if is_ended:
            _record_event("capture.agreement.ended", agreement, by, at)
    return bool(is_ended)


def last_payable_day(agreement: Agreement) -> date:
    """Return the last day that can be paid for under an agreement."""
    if agreement.ended_at is None:
        return agreement.until_date
    return min(agreement.until_date, agreement.ended_at.astimezone(company_zone()).date())


def can_pay_on(agreement: Agreement, day: date) -> bool:
    """Decide whether a payment under an agreement is allowed on a day."""
    is_cleared = agreement.decision == Decision.ALLOW or agreement.approved_at is not None
    return is_cleared and agreement.from_date <= day <= last_payable_day(agreement)


def _build_agreement(typed: Mapping[str, Any], by: User, at: datetime) -> Agreement:
    kind, _, key = typed["with_whom"].partition(":")
    partner = Partner.objects.filter(pk=key).first() if kind == "partner" else None
    source = Source.objects.filter(pk=key).first() if kind == "source" else None
    if partner is None and source is None:
        raise BadAgreement("with_whom", "Choose a partner or source.")
    is_shared = typed["basis"] == CO_MARKETING
    return Agreement(
        id=uuid7_at(at), partner=partner, source=source, payee=_find_payee(partner, typed),
        basis=typed["basis"], endorses_us=typed.get("endorses_us", False),
        description=typed["what"][:200], cents=typed["cents"],
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
        raise BadAgreement("payee", "Choose what they sell.")
    return str(typed["payee"])


def _check_agreement(agreement: Agreement) -> None:
    is_shared = agreement.basis == CO_MARKETING
    if agreement.basis not in PAYMENT_BASES:
        raise BadAgreement("basis", "Choose what the amount depends on.")
    if agreement.cents is None or agreement.cents <= 0:
        raise BadAgreement("cents", "Enter the agreed amount.")
    if is_shared and None in (agreement.our_cost_pct, agreement.our_benefit_pct):
        raise BadAgreement("our_cost_pct", "Enter our share of the cost and of the benefit.")
    if is_shared and not agreement.fair_value_document:
        raise BadAgreement(
            "fair_value_document", "Enter the document that shows our share of the benefit."
        )
    if not 0 <= (agreement.until_date - agreement.from_date).days <= MAX_DAYS:
        raise BadAgreement(
            "until_date", "The end must not be before the start, and at most three years later."
        )


def _record_event(kind: str, agreement: Agreement, by: User, at: datetime) -> None:
    write_event(
        kind, at=at, actor=f"user:{by.pk}", agreement=agreement.pk, partner=agreement.partner_id,
        source=agreement.source_id, basis=agreement.basis, decision=agreement.decision,
    )  # fmt: skip
