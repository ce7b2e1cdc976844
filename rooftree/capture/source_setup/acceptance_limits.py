"""Which inquiries of a source we take, and why not the others. Pure.

Bids on pings end by the same limits.
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
REFUSAL_REASONS = {  # as the vendor is told
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
    "email": ("a valid e-mail address", lambda lead: any(email.valid for email in lead.emails)),
    "last_name": ("a last name", lambda lead: lead.borrower and lead.borrower.last_name),
    "property_state": ("the property’s state", lambda lead: property_state(lead)),
    "property_zip": ("the property’s ZIP", lambda lead: lead.property and lead.property.zip),
    "loan_purpose": ("what the loan is for", lambda lead: lead.loan and lead.loan.purpose),
    "loan_amount": ("the loan amount", lambda lead: lead.loan and lead.loan.amount_cents),
    "consent_text": ("the wording agreed to", lambda lead: lead.consent.text),
    "consent_to_texts": (
        "consent to texts",
        lambda lead: lead.consent.status == "granted" and "text" in lead.consent.channels,
    ),
    "certificate": (
        "a TrustedForm certificate or a LeadiD",
        lambda lead: lead.consent.certificate_url or lead.consent.leadid_token,
    ),
}
REQUIRABLE_FIELDS = {
    key: label for key, (label, _) in _FIELD_CHECKS.items()
}  # what a source may have to bring


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceLimits:
    """What a source's inquiries must be to be taken. None set: all are."""

    licensed_only: bool = False  # of a property in a state that is not ours
    required: tuple[str, ...] = ()  # keys of REQUIRED
    duplicate_days: int = 0  # a person who asked within them is not taken; 0: never looked at
    leads: Mapping[Span, int] = field(default_factory=dict)  # at most
    cents: Mapping[Span, int] = field(default_factory=dict)  # spent at most

    def has_caps(self) -> bool:
        return bool(self.leads or self.cents)

    def are_set(self) -> bool:
        return self != AcceptanceLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLead:
    """What a refusal looks at in one inquiry, or in a ping for one."""

    state: str = ""  # USPS, of the property
    cents: int = 0  # that it costs
    missing_fields: tuple[str, ...] = ()  # keys of REQUIRED that it does not bring


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenTotals:
    """What was taken in a span so far."""

    leads: int = 0
    cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """What a refusal depends on besides the inquiry."""

    is_in_audit: bool = False  # nothing is bought of it yet
    licensed: frozenset[str] = frozenset()  # where we may lend and somebody may originate
    has_asked_recently: bool = False  # the person asked within the window
    taken_totals: Mapping[Span, TakenTotals] = field(default_factory=dict)  # with the bids still out


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why we do not take an inquiry."""

    reason_code: str  # a key of WHY_NOT, or lacks: and one of REQUIRED
    sentence: str  # for staff

    @property
    def vendor_reason(self) -> str:
        """The same as a vendor is told it."""
        return vendor_reason_for(self.reason_code)


def vendor_reason_for(why: str) -> str:
    """A machine's reason as a vendor is told it."""
    kind, _, key = why.partition(":")
    return (
        f"missing: {REQUIRABLE_FIELDS[key]}"
        if kind == "lacks" and key in REQUIRABLE_FIELDS
        else REFUSAL_REASONS[why]
    )


def find_refusal(
    offered: OfferedLead, limits: AcceptanceLimits, standing: LimitFacts
) -> Refusal | None:
    """The first of the limits that an inquiry is outside of; None: it is taken."""
    state = offered.state
    if limits.licensed_only and state and state not in standing.licensed:
        return Refusal(reason_code="not_licensed", sentence=f"We are not licensed in {state}.")
    for key in limits.required:
        if key in offered.missing_fields:
            return Refusal(
                reason_code=f"lacks:{key}", sentence=f"It came without {REQUIRABLE_FIELDS[key]}."
            )
    if limits.duplicate_days and standing.has_asked_recently:
        within = f"the last {limits.duplicate_days} days"
        return Refusal(reason_code="duplicate", sentence=f"The same person asked within {within}.")
    return next(
        filter(None, (_find_cap_refusal(span, offered, limits, standing) for span in Span)), None
    )


def _find_cap_refusal(
    span: Span, offered: OfferedLead, limits: AcceptanceLimits, standing: LimitFacts
) -> Refusal | None:
    """Whether one more is too many for an hour, a day, a month, or too dear."""
    taken = standing.taken_totals.get(span, TakenTotals())
    most, budget = limits.leads.get(span), limits.cents.get(span)
    if most is not None and taken.leads >= most:
        sentence = f"{taken.leads:,} had been taken that {span}, and at most {most:,} are."
        return Refusal(reason_code=f"{_SPAN_ADVERBS[span]}_cap", sentence=sentence)
    if budget is not None and taken.cents + offered.cents > budget:
        sentence = (
            f"{_format_dollars(taken.cents)} had been spent that {span}; with {_format_dollars(offered.cents)} "
            f"more it would be over {_format_dollars(budget)}."
        )
        return Refusal(reason_code=f"{_SPAN_ADVERBS[span]}_budget", sentence=sentence)
    return None


def lead_price_cents(lead: CanonicalLead, *, usual_cents: int | None) -> int:
    """Cents that an inquiry costs. `usual_cents`: what one costs that names no price."""
    is_free = lead.cost is not None and lead.cost.basis == "none"
    cents = lead.cost.amount_cents if lead.cost else usual_cents
    return 0 if is_free else cents or 0


def describe_offered_lead(lead: CanonicalLead, *, usual_cents: int | None) -> OfferedLead:
    """What a refusal looks at in an inquiry."""
    return OfferedLead(
        state=property_state(lead),
        cents=lead_price_cents(lead, usual_cents=usual_cents),
        missing_fields=tuple(key for key, (_, held) in _FIELD_CHECKS.items() if not held(lead)),
    )


def property_state(lead: CanonicalLead) -> str:
    """The state of the property; "" where nobody said it."""
    return (lead.property and lead.property.state) or ""


def parse_limits(kept: Any) -> AcceptanceLimits:
    """They are the limits as a source's set-up holds them. Never raises."""
    kept = kept if isinstance(kept, Mapping) else {}
    listed = kept.get("required")
    return AcceptanceLimits(
        licensed_only=kept.get("licensed_only") is True,
        required=tuple(
            key for key in REQUIRABLE_FIELDS if isinstance(listed, list) and key in listed
        ),
        duplicate_days=parse_whole_number(kept.get("duplicate_days")) or 0,
        leads=_parse_span_values(kept, "per_{}"),
        cents=_parse_span_values(kept, "cents_per_{}"),
    )


def limits_to_json(limits: AcceptanceLimits) -> dict[str, Any]:
    """The same as a source's set-up holds them; what is not set is left out."""
    said: dict[str, Any] = {
        "licensed_only": limits.licensed_only,
        "required": list(limits.required),
        "duplicate_days": limits.duplicate_days,
    }
    return {
        **{name: part for name, part in said.items() if part},
        **{f"per_{span}": most for span, most in limits.leads.items()},
        **{f"cents_per_{span}": most for span, most in limits.cents.items()},
    }


def parse_whole_number(value: Any) -> int | None:
    """A stored whole number, or None."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_whole else None


def _parse_span_values(kept: Mapping[str, Any], name: str) -> dict[Span, int]:
    found = {span: parse_whole_number(kept.get(name.format(span))) for span in Span}
    return {span: most for span, most in found.items() if most is not None}


def _format_dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"
