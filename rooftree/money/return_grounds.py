"""Why a delivered lead may be given back: what its contract accepts, and what we know. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rooftree.core import money_amounts, phone_numbers


class ReturnReason(StrEnum):
    """What vendors take leads back for; the one that is proven best comes first."""

    INVALID_PHONE = "invalid_phone"
    WRONG_NUMBER = "wrong_number"
    DUPLICATE = "duplicate"
    OUT_OF_AREA = "out_of_area"
    INVALID_EMAIL = "invalid_email"
    BOUGHT_BEFORE = "bought_before"


REASON_LABELS = {
    ReturnReason.INVALID_PHONE: "No such phone number",
    ReturnReason.WRONG_NUMBER: "Phone number of somebody else",
    ReturnReason.DUPLICATE: "Duplicate of one they delivered before",
    ReturnReason.OUT_OF_AREA: "Out of area",
    ReturnReason.INVALID_EMAIL: "No such e-mail address",
    ReturnReason.BOUGHT_BEFORE: "Bought before from another vendor",
}
DUPLICATE_REASONS = (ReturnReason.DUPLICATE, ReturnReason.BOUGHT_BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongNumberReport:
    """Somebody found out that a number is another person's."""

    at: datetime
    by: str = ""  # the member of staff; "" when whoever has the number wrote so


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPurchase:
    """An arrival of the same person, with the same wish, that was paid for before."""

    at: datetime
    source: str
    is_same_source: bool
    cents: int
    vendor_lead_id: str  # theirs; "" where they give none
    known_by: str  # what told that it is the same person


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalFacts:
    """What we know of one paid arrival. Moments are in the company's zone."""

    arrived_at: datetime
    numbers: tuple[str, ...] = ()  # E.164
    unreadable_numbers: tuple[str, ...] = ()  # what was given as a number and can be none
    disconnected_numbers: Mapping[str, datetime] = field(
        default_factory=dict
    )  # the carrier said: nobody's
    wrong_numbers: Mapping[str, WrongNumberReport] = field(default_factory=dict)
    emails: tuple[str, ...] = ()
    bounced_emails: Mapping[str, datetime] = field(default_factory=dict)
    earlier_purchases: tuple[EarlierPurchase, ...] = ()  # newest first
    state: str = ""  # of the property
    is_licensed: bool = True  # the company, there, on that day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTerms:
    """What a contract takes back."""

    reasons: Collection[str]
    duplicate_days: int = 0
    states: Collection[str] = ()  # that were ordered; none: wherever we are licensed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnGround:
    """Why one arrival may be given back: for the vendor a sentence, for staff the evidence."""

    reason: ReturnReason
    sentence: str
    evidence: tuple[tuple[str, str], ...] = ()


def find_ground(facts: ArrivalFacts, agreed: ReturnTerms) -> ReturnGround | None:
    """It is the best reason the contract accepts, None when there is none."""
    for reason in ReturnReason:
        if reason in agreed.reasons and (found := _CHECKS[reason](facts, agreed)):
            return found
    return None


def _check_invalid_phone(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    """Each number they gave is no number, or nobody's."""
    if (
        not (facts.numbers or facts.unreadable_numbers)
        or not set(facts.numbers) <= facts.disconnected_numbers.keys()
    ):
        return None
    said = [f"“{one}” cannot be a US phone number" for one in facts.unreadable_numbers]
    said += [
        f"the carrier said on {_format_day(facts.disconnected_numbers[number])} "
        f"that {phone_numbers.format_phone(number)} is nobody’s"
        for number in facts.numbers
    ]
    return ReturnGround(
        reason=ReturnReason.INVALID_PHONE,
        sentence=_join_sentence(said),
        evidence=tuple(
            (
                f"Carrier on {phone_numbers.format_phone(number)}",
                _format_moment(facts.disconnected_numbers[number]),
            )
            for number in facts.numbers
        ),
    )


def _check_wrong_number(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    """Each number they gave is somebody else's, or nobody's."""
    useless = facts.disconnected_numbers.keys() | facts.wrong_numbers.keys()
    if not facts.wrong_numbers or not facts.numbers or not set(facts.numbers) <= useless:
        return None
    found = [
        (number, facts.wrong_numbers[number])
        for number in facts.numbers
        if number in facts.wrong_numbers
    ]
    said = [
        f"on {_format_day(one.at)} our loan officer reached another person "
        f"at {phone_numbers.format_phone(number)}"
        if one.by
        else f"on {_format_day(one.at)} whoever has {phone_numbers.format_phone(number)} "
        "answered that it is the wrong number"
        for number, one in found
    ]
    return ReturnGround(
        reason=ReturnReason.WRONG_NUMBER,
        sentence=_join_sentence(said),
        evidence=tuple(
            (f"Wrong number, says {one.by or 'their answer'}", _format_moment(one.at))
            for _, one in found
        ),
    )


def _check_duplicate(facts: ArrivalFacts, agreed: ReturnTerms) -> ReturnGround | None:
    before = _find_earlier_purchase(facts, agreed, is_same_source=True)
    if before is None:
        return None
    lead = f" as lead {before.vendor_lead_id}" if before.vendor_lead_id else ""
    return ReturnGround(
        reason=ReturnReason.DUPLICATE,
        sentence=f"You delivered the same person on {_format_day(before.at)}{lead}, "
        "and we paid for it.",
        evidence=_purchase_evidence(before),
    )


def _check_bought_before(facts: ArrivalFacts, agreed: ReturnTerms) -> ReturnGround | None:
    before = _find_earlier_purchase(facts, agreed, is_same_source=False)
    if before is None:
        return None
    return ReturnGround(
        reason=ReturnReason.BOUGHT_BEFORE,
        sentence=f"We had bought the same person from another vendor on {_format_day(before.at)}.",
        evidence=_purchase_evidence(before),
    )


def _check_out_of_area(facts: ArrivalFacts, agreed: ReturnTerms) -> ReturnGround | None:
    if not facts.state:
        return None
    ordered = bool(agreed.states) and facts.state not in agreed.states
    if not ordered and facts.is_licensed:
        return None
    why = "which is not among the states we ordered" if ordered else "where we hold no license"
    return ReturnGround(
        reason=ReturnReason.OUT_OF_AREA,
        sentence=f"The property is in {facts.state}, {why}.",
        evidence=(
            ("State of the property", facts.state),
            ("Ordered", ", ".join(agreed.states) or "wherever we are licensed"),
        ),
    )


def _check_invalid_email(facts: ArrivalFacts, _: ReturnTerms) -> ReturnGround | None:
    if not facts.emails or not set(facts.emails) <= facts.bounced_emails.keys():
        return None
    said = [
        f"mail to {address} came back on {_format_day(facts.bounced_emails[address])}"
        for address in facts.emails
    ]
    return ReturnGround(
        reason=ReturnReason.INVALID_EMAIL,
        sentence=_join_sentence(said),
        evidence=tuple(
            (f"Came back from {address}", _format_moment(facts.bounced_emails[address]))
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
    facts: ArrivalFacts, agreed: ReturnTerms, *, is_same_source: bool
) -> EarlierPurchase | None:
    """The newest earlier one within the days that count."""
    for earlier_purchase in facts.earlier_purchases:
        is_within = facts.arrived_at - earlier_purchase.at <= timedelta(days=agreed.duplicate_days)
        if earlier_purchase.is_same_source == is_same_source and is_within:
            return earlier_purchase
    return None


def _purchase_evidence(before: EarlierPurchase) -> tuple[tuple[str, str], ...]:
    return (
        ("Delivered before", f"{_format_moment(before.at)} by {before.source}"),
        ("Paid for it", money_amounts.format_cents(before.cents)),
        ("Known by", before.known_by or "the same lead"),
    )


def _join_sentence(said: list[str]) -> str:
    whole = "; ".join(said)
    return f"{whole[:1].upper()}{whole[1:]}."


def _format_day(moment: datetime) -> str:
    return f"{moment:%b} {moment.day}, {moment.year}"


def _format_moment(moment: datetime) -> str:
    return f"{_format_day(moment)}, {moment:%H:%M} {moment:%Z}"
