"""Acceptance rules of a source, and the reason they reject an inquiry. Pure.

Bids on pings follow the same limits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rooftree.leads.canonical import CanonicalLead


class Span(StrEnum):
    """The company's hour, day and month."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


_SPAN_ADVERBS = {Span.HOUR: "hourly", Span.DAY: "daily", Span.MONTH: "monthly"}
REFUSAL_REASONS = {  # text sent to the vendor, by reason code
    "in_audit": "not buying yet",
    "not_set_up": "no price is set",
    "state_missing": "state is missing",
    "not_licensed": "not licensed in this state",
    "no_price": "no price for this kind of lead",
    "duplicate": "duplicate",
    "hourly_cap": "hourly cap reached",
    "daily_cap": "daily cap reached",
    "monthly_cap": "monthly cap reached",
    "hourly_budget": "hourly budget reached",
    "daily_budget": "daily budget reached",
    "monthly_budget": "monthly budget reached",
}
_FIELD_CHECKS: Mapping[str, tuple[str, Callable[[CanonicalLead], Any]]] = {
    "phone": ("a valid phone number", lambda lead: any(phone.e164 for phone in lead.phones)),
    "email": ("a valid email address", lambda lead: any(email.valid for email in lead.emails)),
    "last_name": ("a last name", lambda lead: lead.borrower and lead.borrower.last_name),
    "property_state": ("the property’s state", lambda lead: property_state(lead)),
    "property_zip": ("the property’s ZIP", lambda lead: lead.property and lead.property.zip),
    "loan_purpose": ("the loan purpose", lambda lead: lead.loan and lead.loan.purpose),
    "loan_amount": ("the loan amount", lambda lead: lead.loan and lead.loan.amount_cents),
    "consent_text": ("the consent text", lambda lead: lead.consent.text),
    "consent_to_texts": (
        "consent to texts",
        lambda lead: lead.consent.status == "granted" and "text" in lead.consent.channels,
    ),
    "certificate": (
        "a TrustedForm certificate or a LeadiD",
        lambda lead: lead.consent.certificate_url or lead.consent.leadid_token,
    ),
}
# Fields that a source's inquiries can be required to have, with their labels.
REQUIRABLE_FIELDS = {key: label for key, (label, _) in _FIELD_CHECKS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceLimits:
    """One source's acceptance rules; without any, every inquiry is accepted."""

    licensed_only: bool = False  # reject properties in states where we are not licensed
    required: tuple[str, ...] = ()  # keys of REQUIRABLE_FIELDS
    duplicate_days: int = 0  # reject a person who inquired within these days; 0: no check
    leads: Mapping[Span, int] = field(default_factory=dict)  # maximum leads per span
    cents: Mapping[Span, int] = field(default_factory=dict)  # maximum spend per span

    def has_caps(self) -> bool:
        """Decide whether leads or spend are capped."""
        return bool(self.leads or self.cents)

    def are_set(self) -> bool:
        """Decide whether there is any rule."""
        return self != AcceptanceLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLead:
    """The values of an inquiry or ping that acceptance rules check."""

    state: str = ""  # USPS, of the property
    cents: int = 0  # price
    missing_fields: tuple[str, ...] = ()  # keys of REQUIRABLE_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenTotals:
    """The leads and cents accepted so far in one span."""

    leads: int = 0
    cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """The facts besides the inquiry that acceptance rules check."""

    is_in_audit: bool = False  # the source is not launched, so we don't buy from it yet
    licensed: frozenset[str] = frozenset()  # states where the company and an officer are licensed
    has_asked_recently: bool = False  # the person inquired within `duplicate_days`
    taken_totals: Mapping[Span, TakenTotals] = field(default_factory=dict)  # with open bids


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reason one inquiry is rejected."""

    reason_code: str  # a key of REFUSAL_REASONS, or "lacks:" and a key of REQUIRABLE_FIELDS
    sentence: str  # shown to staff

    @property
    def vendor_reason(self) -> str:
        """The reason in the words sent to the vendor."""
        return vendor_reason_for(self.reason_code)


def vendor_reason_for(reason_code: str) -> str:
    """Return the words in which a reason is sent to the vendor."""
    kind, _, key = reason_code.partition(":")
    return (
        f"missing: {REQUIRABLE_FIELDS[key]}"
        if kind == "lacks" and key in REQUIRABLE_FIELDS
        else REFUSAL_REASONS[reason_code]
    )


def find_refusal(
    offered: OfferedLead, limits: AcceptanceLimits, facts: LimitFacts
) -> Refusal | None:
    """Return the first rule's refusal of an inquiry; None if it is accepted."""
    state = offered.state
    if limits.licensed_only and state and state not in facts.licensed:
        return Refusal(reason_code="not_licensed", sentence=f"We are not licensed in {state}.")
    for key in limits.required:
        if key in offered.missing_fields:
            return Refusal(
                reason_code=f"lacks:{key}", sentence=f"Missing {REQUIRABLE_FIELDS[key]}."
            )
    if limits.duplicate_days and facts.has_asked_recently:
        sentence = f"The same person inquired in the last {limits.duplicate_days} days."
        return Refusal(reason_code="duplicate", sentence=sentence)
    return next(
        filter(None, (_find_cap_refusal(span, offered, limits, facts) for span in Span)), None
    )


def _find_cap_refusal(
    span: Span, offered: OfferedLead, limits: AcceptanceLimits, facts: LimitFacts
) -> Refusal | None:
    """Return the refusal if one more inquiry exceeds the span's lead cap or budget."""
    taken = facts.taken_totals.get(span, TakenTotals())
    cap, budget = limits.leads.get(span), limits.cents.get(span)
    if cap is not None and taken.leads >= cap:
        sentence = f"{taken.leads:,} leads were accepted that {span}; the limit is {cap:,}."
        return Refusal(reason_code=f"{_SPAN_ADVERBS[span]}_cap", sentence=sentence)
    if budget is not None and taken.cents + offered.cents > budget:
        sentence = (
            f"{_format_dollars(taken.cents)} was spent that {span}; "
            f"{_format_dollars(offered.cents)} more exceeds the budget of "
            f"{_format_dollars(budget)}."
        )
        return Refusal(reason_code=f"{_SPAN_ADVERBS[span]}_budget", sentence=sentence)
    return None


def describe_offered_lead(lead: CanonicalLead, *, usual_cents: int | None) -> OfferedLead:
    """Return the values of an inquiry that acceptance rules check."""
    return OfferedLead(
        state=property_state(lead),
        cents=lead.price_cents(usual_cents=usual_cents),
        missing_fields=tuple(
            key for key, (_, has_field) in _FIELD_CHECKS.items() if not has_field(lead)
        ),
    )


def property_state(lead: CanonicalLead) -> str:
    """Return the property's state; "" if it was not stated."""
    return (lead.property and lead.property.state) or ""


def parse_limits(stored: Any) -> AcceptanceLimits:
    """Read acceptance rules from a source's setup; never raises, and ignores unreadable values."""
    setup = stored if isinstance(stored, Mapping) else {}
    required = setup.get("required")
    return AcceptanceLimits(
        licensed_only=setup.get("licensed_only") is True,
        required=tuple(
            key for key in REQUIRABLE_FIELDS if isinstance(required, list) and key in required
        ),
        duplicate_days=parse_whole_number(setup.get("duplicate_days")) or 0,
        leads=_parse_span_values(setup, "per_{}"),
        cents=_parse_span_values(setup, "cents_per_{}"),
    )


def limits_to_json(limits: AcceptanceLimits) -> dict[str, Any]:
    """Return the rules in the form a source's setup stores; unset rules are left out."""
    rules: dict[str, Any] = {
        "licensed_only": limits.licensed_only,
        "required": list(limits.required),
        "duplicate_days": limits.duplicate_days,
    }
    return {
        **{name: value for name, value in rules.items() if value},
        **{f"per_{span}": cap for span, cap in limits.leads.items()},
        **{f"cents_per_{span}": budget for span, budget in limits.cents.items()},
    }


def parse_whole_number(value: Any) -> int | None:
    """Return a stored value if it is a whole number of at least 0; else None."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_whole else None


def _parse_span_values(setup: Mapping[str, Any], name: str) -> dict[Span, int]:
    values = {span: parse_whole_number(setup.get(name.format(span))) for span in Span}
    return {span: value for span, value in values.items() if value is not None}


def _format_dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"
