"""Rule RSP-01 check of each thing given to a partner, when it is recorded (12 USC 2607)."""

from collections.abc import Mapping
from typing import Any

from rooftree.capture.partners import agreements
from rooftree.compliance.fair_lending.compliance_findings import NewFinding
from rooftree.compliance.fair_lending.things_of_value_rules import RSP_01
from rooftree.compliance.gate import reason_sentences
from rooftree.compliance.gate.verdict import Decision, Ruling
from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Agreement, ThingOfValue

THINGS_OF_VALUE_PATH = "/compliance/things-of-value/"


class BadPartner(InvalidField):
    """A partner's entry is incomplete or forbidden; the text is shown to staff."""


def rule_on_thing(thing: ThingOfValue, typed: Mapping[str, Any]) -> None:
    """Set the ruling on a thing that is given. Raises `BadPartner`, which says the reason."""
    thing.basis = typed.get("basis", "")
    thing.document = " ".join(typed.get("document", "").split())[:200]
    if thing.basis not in agreements.PAYMENT_BASES:
        raise BadPartner("basis", "Choose what the amount depends on.")
    ruling = (
        _rule_under_agreement(thing, typed)
        if typed.get("agreement")
        else _rule_without_agreement(thing, typed)
    )
    thing.decision, thing.reason = ruling.decision.value, ruling.reason
    if ruling.decision is Decision.BLOCK and not typed.get("has_happened"):
        raise BadPartner("basis", reason_sentences.sentence_with_citation(ruling))


def forbidden_thing_finding(thing: ThingOfValue) -> NewFinding:
    """Build the compliance finding about a forbidden thing that was given anyway."""
    law, day = reason_sentences.REASON_SENTENCES[thing.reason], thing.on_date
    return NewFinding(
        rule=RSP_01.id,
        idempotency_key=f"thing:{thing.pk}",
        sentence=f"{thing.description}, given to {thing.partner} "
        f"on {day:%b} {day.day}, {day.year}. {law}",
        notice="A partner was given something that rule RSP-01 forbids.",
        link=THINGS_OF_VALUE_PATH,
    )


def _rule_under_agreement(thing: ThingOfValue, typed: Mapping[str, Any]) -> Ruling:
    agreement = Agreement.objects.filter(pk=typed["agreement"], partner=thing.partner).first()
    if agreement is None or agreement.basis != thing.basis:
        raise BadPartner("agreement", "The agreement has another basis. Choose the same basis.")
    if not agreements.can_pay_on(agreement, thing.on_date):
        raise BadPartner("agreement", "That agreement was not in force on that day.")
    thing.agreement = agreement
    thing.document = thing.document or agreement.counsel_document
    return agreements.rule_on_agreement(agreement)


def _rule_without_agreement(thing: ThingOfValue, typed: Mapping[str, Any]) -> Ruling:
    """Rule on a thing given without an agreement, which joint advertising requires."""
    if thing.basis == agreements.CO_MARKETING:
        raise BadPartner("agreement", "Choose the agreement: joint advertising requires one.")
    is_employee = typed.get("is_employee")
    payee = agreements.OWN_EMPLOYEE if is_employee else thing.partner.kind
    ruling = agreements.rule_on_payment(payee, thing.basis)
    if ruling.decision is Decision.REQUIRE and not thing.document:
        raise BadPartner(
            "document",
            f"{reason_sentences.sentence_with_citation(ruling)} Enter counsel’s document.",
        )
    return ruling
