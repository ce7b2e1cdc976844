"""The grounds for returning a lead: accepted contract reasons checked against facts. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rooftree.core import money_amounts, phone_numbers


class ReturnReason(StrEnum):
    """The reasons vendors accept returns for, the best proven first."""

    INVALID_PHONE = "invalid_phone"
    WRONG_NUMBER = "wrong_number"
    DUPLICATE = "duplicate"
    OUT_OF_AREA = "out_of_area"
    INVALID_EMAIL = "invalid_email"
    BOUGHT_BEFORE = "bought_before"


REASON_LABELS = {
    ReturnReason.INVALID_PHONE: "Invalid phone number",
    ReturnReason.WRONG_NUMBER: "Wrong number",
    ReturnReason.DUPLICATE: "Duplicate of an earlier lead",
    ReturnReason.OUT_OF_AREA: "Out of area",
    ReturnReason.INVALID_EMAIL: "Invalid email address",
    ReturnReason.BOUGHT_BEFORE: "Already bought from another vendor",
}
DUPLICATE_REASONS = (ReturnReason.DUPLICATE, ReturnReason.BOUGHT_BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongNumberReport:
    """One report that a number belongs to another person."""

    at: datetime
    by: str = ""  # the staff member; "" if the number's owner replied so


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPurchase:
    """One earlier paid arrival of the same person with the same request."""

    at: datetime
    source: str
    is_same_source: bool
    cents: int
    vendor_lead_id: str  # the vendor's own; "" if none
    matched_by: str  # the evidence that it is the same person


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalFacts:
    """The known facts of one paid arrival. Times are in the company's zone."""

    arrived_at: datetime
    numbers: tuple[str, ...] = ()  # E.164
    unreadable_numbers: tuple[str, ...] = ()  # given as numbers, but not valid ones
    # Out of service, with the time of the carrier's report.
    disconnected_numbers: Mapping[str, datetime] = field(default_factory=dict)
    wrong_numbers: Mapping[str, WrongNumberReport] = field(default_factory=dict)
    emails: tuple[str, ...] = ()
    bounced_emails: Mapping[str, datetime] = field(default_factory=dict)
    earlier_purchases: tuple[EarlierPurchase, ...] = ()  # newest first
    state: str = ""  # of the property
    is_licensed: bool = True  # the company, in that state on that day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTerms:
    """The returns a contract accepts."""

    reasons: Collection[str]
    duplicate_days: int = 0
    states: Collection[str] = ()  # ordered; empty: all licensed states


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnGround:
    """The ground for one return: a sentence for the vendor and evidence for staff."""

    reason: ReturnReason
    sentence: str
    evidence: tuple[tuple[str, str], ...] = ()


def find_ground(facts: ArrivalFacts, terms: ReturnTerms) -> ReturnGround | None:
    """Find the best ground the contract accepts, or None."""
    for reason in ReturnReason:
        if reason in terms.reasons and (ground := _CHECKS[reason](facts, terms)):
            return ground
    return None


def _check_invalid_phone(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    """Check that every number given is invalid or out of service."""
    if (
        not (facts.numbers or facts.unreadable_numbers)
        or not set(facts.numbers) <= facts.disconnected_numbers.keys()
    ):
        return None
    clauses = [f"“{text}” is not a valid US phone number" for text in facts.unreadable_numbers]
    clauses += [
        f"the carrier reported on {_format_day(facts.disconnected_numbers[number])} "
        f"that {phone_numbers.format_phone(number)} is not in service"
        for number in facts.numbers
    ]
    return ReturnGround(
        reason=ReturnReason.INVALID_PHONE,
        sentence=_join_sentence(clauses),
        evidence=tuple(
            (
                f"Carrier report for {phone_numbers.format_phone(number)}",
                _format_time(facts.disconnected_numbers[number]),
            )
            for number in facts.numbers
        ),
    )


def _check_wrong_number(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    """Check that every number given is someone else's or out of service."""
    useless = facts.disconnected_numbers.keys() | facts.wrong_numbers.keys()
    if not facts.wrong_numbers or not facts.numbers or not set(facts.numbers) <= useless:
        return None
    reports = [
        (number, facts.wrong_numbers[number])
        for number in facts.numbers
        if number in facts.wrong_numbers
    ]
    clauses = [
        f"on {_format_day(report.at)} our loan officer reached another person "
        f"at {phone_numbers.format_phone(number)}"
        if report.by
        else f"on {_format_day(report.at)} the person at {phone_numbers.format_phone(number)} "
        "replied that it is the wrong number"
        for number, report in reports
    ]
    return ReturnGround(
        reason=ReturnReason.WRONG_NUMBER,
        sentence=_join_sentence(clauses),
        evidence=tuple(
            (f"Wrong number, reported by {report.by or 'its owner'}", _format_time(report.at))
            for _, report in reports
        ),
    )


def _check_duplicate(facts: ArrivalFacts, terms: ReturnTerms) -> ReturnGround | None:
    earlier = _find_earlier_purchase(facts, terms, is_same_source=True)
    if earlier is None:
        return None
    lead = f" as lead {earlier.vendor_lead_id}" if earlier.vendor_lead_id else ""
    return ReturnGround(
        reason=ReturnReason.DUPLICATE,
        sentence=f"You delivered the same person on {_format_day(earlier.at)}{lead}, "
        "and we paid for it.",
        evidence=_purchase_evidence(earlier),
    )


def _check_bought_before(facts: ArrivalFacts, terms: ReturnTerms) -> ReturnGround | None:
    earlier = _find_earlier_purchase(facts, terms, is_same_source=False)
    if earlier is None:
        return None
    return ReturnGround(
        reason=ReturnReason.BOUGHT_BEFORE,
        sentence="We had already bought the same person from another vendor "
        f"on {_format_day(earlier.at)}.",
        evidence=_purchase_evidence(earlier),
    )


def _check_out_of_area(facts: ArrivalFacts, terms: ReturnTerms) -> ReturnGround | None:
    if not facts.state:
        return None
    is_ordered = not terms.states or facts.state in terms.states
    if is_ordered and facts.is_licensed:
        return None
    why = "where we have no license" if is_ordered else "which is not a state we ordered"
    return ReturnGround(
        reason=ReturnReason.OUT_OF_AREA,
        sentence=f"The property is in {facts.state}, {why}.",
        evidence=(
            ("Property state", facts.state),
            ("States ordered", ", ".join(terms.states) or "all licensed states"),
        ),
    )


def _check_invalid_email(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    if not facts.emails or not set(facts.emails) <= facts.bounced_emails.keys():
        return None
    clauses = [
        f"email to {address} bounced on {_format_day(facts.bounced_emails[address])}"
        for address in facts.emails
    ]
    return ReturnGround(
        reason=ReturnReason.INVALID_EMAIL,
        sentence=_join_sentence(clauses),
        evidence=tuple(
            (f"Bounced from {address}", _format_time(facts.bounced_emails[address]))
            for address in facts.emails
        ),
    )


_CHECKS: Mapping[ReturnReason, Callable[[ArrivalFacts, ReturnTerms], ReturnGround | None]] = {
    ReturnReason.INVALID_PHONE: _check_invalid_phone,
    ReturnReason.WRONG_NUMBER: _check_wrong_number,
    ReturnReason.DUPLICATE: _check_duplicate,
    ReturnReason.OUT_OF_AREA: _check_out_of_area,
    ReturnReason.INVALID_EMAIL: _check_invalid_email,
    ReturnReason.BOUGHT_BEFORE: _check_bought_before,
}


def _find_earlier_purchase(
    facts: ArrivalFacts, terms: ReturnTerms, *, is_same_source: bool
) -> EarlierPurchase | None:
    """Find the newest earlier purchase within the duplicate window."""
    for purchase in facts.earlier_purchases:
        is_within = facts.arrived_at - purchase.at <= timedelta(days=terms.duplicate_days)
        if purchase.is_same_source == is_same_source and is_within:
            return purchase
    return None


def _purchase_evidence(earlier: EarlierPurchase) -> tuple[tuple[str, str], ...]:
    return (
        ("Delivered earlier", f"{_format_time(earlier.at)} by {earlier.source}"),
        ("Price paid", money_amounts.format_cents(earlier.cents)),
        ("Matched by", earlier.matched_by or "the same lead"),
    )


def _join_sentence(clauses: list[str]) -> str:
    sentence = "; ".join(clauses)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _format_day(at: datetime) -> str:
    return f"{at:%b} {at.day}, {at.year}"


def _format_time(at: datetime) -> str:
    clock_time = at.strftime("%I:%M %p").lstrip("0")
    return f"{_format_day(at)}, {clock_time} {at:%Z}"
