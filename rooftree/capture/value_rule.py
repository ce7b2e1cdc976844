"""Rule RSP-01 over each thing given to a partner, as it is written down (12 USC 2607)."""

from collections.abc import Mapping
from typing import Any

from rooftree.capture import agreements
from rooftree.compliance import reasons
from rooftree.compliance.findings import Found
from rooftree.compliance.partner_pay import RSP_01
from rooftree.compliance.verdict import Decision, Ruling
from rooftree.core.refusal import WrongField
from rooftree.leads.models import Agreement, ThingOfValue

PAGE = "/compliance/things-of-value/"


class BadPartner(WrongField):
    """Something of a partner that cannot be so."""


def judge(thing: ThingOfValue, typed: Mapping[str, Any]) -> None:
    """Put the ruling on a thing that is given, or raise `BadPartner` with why it cannot be."""
    thing.basis = typed.get("basis", "")
    thing.document = " ".join(typed.get("document", "").split())[:200]
    if thing.basis not in agreements.BASES:
        raise BadPartner("basis", "Say what the amount depends on.")
    ruling = _under_agreement(thing, typed) if typed.get("agreement") else _alone(thing, typed)
    thing.decision, thing.reason = ruling.decision.value, ruling.reason
    if ruling.decision is Decision.BLOCK and not typed.get("has_happened"):
        raise BadPartner("basis", reasons.with_law(ruling))


def found(thing: ThingOfValue) -> Found:
    """What compliance is told of a thing that the rule forbids and that was given all the same."""
    law, day = reasons.MESSAGES[thing.reason], thing.on_date
    return Found(
        rule=RSP_01.id,
        cause=f"thing:{thing.pk}",
        sentence=f"{thing.what}, given to {thing.partner} on {day:%b} {day.day}, {day.year}. {law}",
        notice="Something was given to a partner that the rule forbids.",
        link=PAGE,
    )


def _under_agreement(thing: ThingOfValue, typed: Mapping[str, Any]) -> Ruling:
    agreement = Agreement.objects.filter(pk=typed["agreement"], partner=thing.partner).first()
    if agreement is None or agreement.basis != thing.basis:
        raise BadPartner("agreement", "That is not what was agreed; choose the basis it names.")
    if not agreements.binds_on(agreement, thing.on_date):
        raise BadPartner("agreement", "That agreement was not in force on that day.")
    thing.agreement = agreement
    thing.document = thing.document or agreement.counsel_document
    return agreements.ruling_of(agreement)


def _alone(thing: ThingOfValue, typed: Mapping[str, Any]) -> Ruling:
    """Without an agreement: joint advertising needs one, and what counsel must see its document."""
    if thing.basis == agreements.SHARED:
        raise BadPartner("agreement", "Joint advertising is paid under an agreement; name it.")
    is_employee = typed.get("is_employee")
    payee = agreements.EMPLOYEE if is_employee else thing.partner.kind
    ruling = agreements.ruled(payee, thing.basis)
    if ruling.decision is Decision.REQUIRE and not thing.document:
        raise BadPartner("document", f"{reasons.with_law(ruling)} Name counsel’s document.")
    return ruling
