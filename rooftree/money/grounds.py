"""Why a delivered lead may be given back: what its contract accepts, and what we know. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rooftree.core import money, phones


class Reason(StrEnum):
    """What vendors take leads back for; the one that is proven best comes first."""

    INVALID_PHONE = "invalid_phone"
    WRONG_NUMBER = "wrong_number"
    DUPLICATE = "duplicate"
    OUT_OF_AREA = "out_of_area"
    INVALID_EMAIL = "invalid_email"
    BOUGHT_BEFORE = "bought_before"


REASONS = {
    Reason.INVALID_PHONE: "No such phone number",
    Reason.WRONG_NUMBER: "Phone number of somebody else",
    Reason.DUPLICATE: "Duplicate of one they delivered before",
    Reason.OUT_OF_AREA: "Out of area",
    Reason.INVALID_EMAIL: "No such e-mail address",
    Reason.BOUGHT_BEFORE: "Bought before from another vendor",
}
DUPLICATES = (Reason.DUPLICATE, Reason.BOUGHT_BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongNumber:
    """Somebody found out that a number is another person's."""

    at: datetime
    by: str = ""  # the member of staff; "" when whoever has the number wrote so


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An arrival of the same person, with the same wish, that was paid for before."""

    at: datetime
    source: str
    is_same_source: bool
    cents: int
    vendor_lead_id: str  # theirs; "" where they give none
    known_by: str  # what told that it is the same person


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What we know of one paid arrival. Moments are in the company's zone."""

    arrived_at: datetime
    numbers: tuple[str, ...] = ()  # E.164
    unreadable: tuple[str, ...] = ()  # what was given as a number and can be none
    dead: Mapping[str, datetime] = field(default_factory=dict)  # the carrier said: nobody's
    wrong: Mapping[str, WrongNumber] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    bounced: Mapping[str, datetime] = field(default_factory=dict)
    earlier: tuple[Earlier, ...] = ()  # newest first
    state: str = ""  # of the property
    is_licensed: bool = True  # the company, there, on that day


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What a contract takes back."""

    reasons: Collection[str]
    duplicate_days: int = 0
    states: Collection[str] = ()  # that were ordered; none: wherever we are licensed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why one arrival may be given back: for the vendor a sentence, for staff the evidence."""

    reason: Reason
    sentence: str
    evidence: tuple[tuple[str, str], ...] = ()


def ground(facts: Facts, agreed: Agreed) -> Ground | None:
    """It is the best reason the contract accepts, None when there is none."""
    for reason in Reason:
        if reason in agreed.reasons and (found := _FINDERS[reason](facts, agreed)):
            return found
    return None


def _invalid_phone(facts: Facts, _: Agreed) -> Ground | None:
    """Each number they gave is no number, or nobody's."""
    if not (facts.numbers or facts.unreadable) or not set(facts.numbers) <= facts.dead.keys():
        return None
    said = [f"“{one}” cannot be a US phone number" for one in facts.unreadable]
    said += [
        f"the carrier said on {_day(facts.dead[one])} that {phones.shown(one)} is nobody’s"
        for one in facts.numbers
    ]
    return Ground(
        reason=Reason.INVALID_PHONE,
        sentence=_sentence(said),
        evidence=tuple(
            (f"Carrier on {phones.shown(one)}", _moment(facts.dead[one])) for one in facts.numbers
        ),
    )


def _wrong_number(facts: Facts, _: Agreed) -> Ground | None:
    """Each number they gave is somebody else's, or nobody's."""
    useless = facts.dead.keys() | facts.wrong.keys()
    if not facts.wrong or not facts.numbers or not set(facts.numbers) <= useless:
        return None
    found = [(one, facts.wrong[one]) for one in facts.numbers if one in facts.wrong]
    said = [
        f"on {_day(one.at)} our loan officer reached another person at {phones.shown(number)}"
        if one.by
        else f"on {_day(one.at)} whoever has {phones.shown(number)} answered that it is "
        "the wrong number"
        for number, one in found
    ]
    return Ground(
        reason=Reason.WRONG_NUMBER,
        sentence=_sentence(said),
        evidence=tuple(
            (f"Wrong number, says {one.by or 'their answer'}", _moment(one.at)) for _, one in found
        ),
    )


def _duplicate(facts: Facts, agreed: Agreed) -> Ground | None:
    before = _before(facts, agreed, is_same_source=True)
    if before is None:
        return None
    lead = f" as lead {before.vendor_lead_id}" if before.vendor_lead_id else ""
    return Ground(
        reason=Reason.DUPLICATE,
        sentence=f"You delivered the same person on {_day(before.at)}{lead}, and we paid for it.",
        evidence=_proof(before),
    )


def _bought_before(facts: Facts, agreed: Agreed) -> Ground | None:
    before = _before(facts, agreed, is_same_source=False)
    if before is None:
        return None
    return Ground(
        reason=Reason.BOUGHT_BEFORE,
        sentence=f"We had bought the same person from another vendor on {_day(before.at)}.",
        evidence=_proof(before),
    )


def _out_of_area(facts: Facts, agreed: Agreed) -> Ground | None:
    if not facts.state:
        return None
    ordered = bool(agreed.states) and facts.state not in agreed.states
    if not ordered and facts.is_licensed:
        return None
    why = "which is not among the states we ordered" if ordered else "where we hold no license"
    return Ground(
        reason=Reason.OUT_OF_AREA,
        sentence=f"The property is in {facts.state}, {why}.",
        evidence=(
            ("State of the property", facts.state),
            ("Ordered", ", ".join(agreed.states) or "wherever we are licensed"),
        ),
    )


def _invalid_email(facts: Facts, _: Agreed) -> Ground | None:
    if not facts.addresses or not set(facts.addresses) <= facts.bounced.keys():
        return None
    said = [f"mail to {one} came back on {_day(facts.bounced[one])}" for one in facts.addresses]
    return Ground(
        reason=Reason.INVALID_EMAIL,
        sentence=_sentence(said),
        evidence=tuple(
            (f"Came back from {one}", _moment(facts.bounced[one])) for one in facts.addresses
        ),
    )


_FINDERS: Mapping[Reason, Callable[[Facts, Agreed], Ground | None]] = {
    Reason.INVALID_PHONE: _invalid_phone,
    Reason.WRONG_NUMBER: _wrong_number,
    Reason.DUPLICATE: _duplicate,
    Reason.OUT_OF_AREA: _out_of_area,
    Reason.INVALID_EMAIL: _invalid_email,
    Reason.BOUGHT_BEFORE: _bought_before,
}


def _before(facts: Facts, agreed: Agreed, *, is_same_source: bool) -> Earlier | None:
    """The newest earlier one within the days that count."""
    for one in facts.earlier:
        is_within = facts.arrived_at - one.at <= timedelta(days=agreed.duplicate_days)
        if one.is_same_source == is_same_source and is_within:
            return one
    return None


def _proof(before: Earlier) -> tuple[tuple[str, str], ...]:
    return (
        ("Delivered before", f"{_moment(before.at)} by {before.source}"),
        ("Paid for it", money.shown(before.cents)),
        ("Known by", before.known_by or "the same lead"),
    )


def _sentence(said: list[str]) -> str:
    whole = "; ".join(said)
    return f"{whole[:1].upper()}{whole[1:]}."


def _day(moment: datetime) -> str:
    return f"{moment:%b} {moment.day}, {moment.year}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M} {moment:%Z}"
