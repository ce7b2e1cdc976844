"""Detection of applications: the six items of TRI-01 and RGB-01, wherever they were stated.

Pure: reads inquiries and free text and returns the items in them. Collecting the items of a
lead and acting on them is up to `flow.application_pieces` and `flow.credit_notice_triggers`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rooftree.compliance.credit.notice_rules import APPLICATION_ITEMS
from rooftree.compliance.wording_rules import wording_check
from rooftree.core.masking import SensitiveKind, redact_numbers

APPLICATION_ITEM_LABELS = {  # in the order of 12 CFR 1026.2(a)(3)(ii), as staff say them
    "name": "Name",
    "income": "Income",
    "ssn": "Social Security number",
    "property_address": "Property address",
    "value_estimate": "Estimated value",
    "loan_amount": "Loan amount",
}
assert APPLICATION_ITEM_LABELS.keys() == APPLICATION_ITEMS
_MONEY = r"\$?\s?\d[\d,.]*\s?(?:k|m|thousand|million|mil)?\b"
_STREET = (
    r"st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|boulevard|ct|court|way|pl|place|ter"
    r"|terrace|cir|circle|hwy|highway|pkwy|parkway|trail|trl|calle|avenida"
)
_ITEM_PATTERNS = {  # everyday phrasing; an amount counts only next to the word that names it
    "income": re.compile(
        r"\b(?:i|we|he|she|they)\s+(?:make|makes|earn|earns|bring home)\b\D{0,20}" + _MONEY
        + r"|\b(?:income|salary|wages?|gano|ganamos|ingresos?|sueldo)\b\D{0,25}" + _MONEY,
        re.IGNORECASE,
    ),
    "property_address": re.compile(
        r"\b\d{1,6}\s+(?:[\w'.-]+\s+){1,4}(?:" + _STREET + r")\b", re.IGNORECASE
    ),
    "value_estimate": re.compile(
        r"\b(?:worth|valued? at|apprais\w+|(?:home|house|property) value|purchase price"
        r"|price is|asking|listed (?:at|for)|vale|valorad[ao] en)\b\D{0,20}" + _MONEY,
        re.IGNORECASE,
    ),
    "loan_amount": re.compile(
        r"\b(?:borrow|finance|loan (?:of|for|amount)|need a loan|mortgage (?:of|for)"
        r"|pr[eé]stamo de)\b\D{0,20}" + _MONEY,
        re.IGNORECASE,
    ),
}  # fmt: skip
_WITHDRAWAL_PATTERN = re.compile(
    r"\b(?:withdraw\w*|cancel|drop)\b.{0,20}\b(?:my |our |the )?(?:loan )?application\b"
    r"|\bretir\w+\b.{0,15}\bsolicitud\b",
    re.IGNORECASE,
)
_PASSED_OVER_PATTERN = re.compile(
    r"\b(?:do not|don'?t|never|won'?t|not going to|no point(?: in)?|not worth|skip|ignore|stop)\b"
    r".{0,25}\b(?:call|contact|follow|work|text|writ|bother|reach)|\bskip(?:ped|ping)?\b"
    r"|\b(?:de-?prioriti\w+|pass(?:ed|ing)? (?:on|over)|dead lead|waste of time)\b",
    re.IGNORECASE,
)
_TOLD_PATTERN = re.compile(
    r"\b(?:told|informed|explained|let (?:him|her|them) know|said to (?:him|her|them))\b",
    re.IGNORECASE,
)
_CREDIT_PATTERN = re.compile(
    r"\b(?:credit|fico|score|income|dti|ltv|debts?|bankrupt\w*|foreclos\w*|unemployed)\b",
    re.IGNORECASE,
)


class CreditStatement(StrEnum):
    """The Regulation B meaning of a statement; see `notice_rules.classify_event`."""

    TOLD_NO = "told them no: declined"
    WITHDREW = "applicant_withdrew"
    PASSED_OVER = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPiece:
    """One of the six items, its origin, and the time since when we have it."""

    item: str
    at: datetime
    origin: str  # touch:<id>, message:<id>, remark:<id>, loan:<id>
    where: str  # as staff read it: "Zillow", "a text from the borrower"

    def as_json(self) -> dict[str, str]:
        """Convert to the JSON stored with a clock."""
        return {
            "item": self.item,
            "at": self.at.isoformat(),
            "origin": self.origin,
            "where": self.where,
        }


def items_in_inquiry(record: Mapping[str, Any]) -> set[str]:
    """Find the items in a canonical inquiry, including its message, transcript and summary.

    An income band counts as income: no figure must be exact. A masked number counts as given;
    `redact_numbers` leaves a mark for it.
    """
    borrower, home = _mapping_part(record, "borrower"), _mapping_part(record, "property")
    income, interaction = _mapping_part(record, "income"), _mapping_part(record, "interaction")
    values = {
        "name": borrower.get("first_name") and borrower.get("last_name"),
        "income": income.get("annual_cents") or income.get("band"),
        "property_address": home.get("line1"),
        "value_estimate": home.get("estimated_value_cents") or home.get("purchase_price_cents"),
        "loan_amount": _mapping_part(record, "loan").get("amount_cents"),
    }
    transcript = [str(turn.get("text", "")) for turn in interaction.get("transcript", [])]
    text = "\n".join(
        [str(record.get("message") or ""), str(interaction.get("summary") or ""), *transcript]
    )
    return {item for item, value in values.items() if value} | items_in_text(text)


def items_in_text(text: str) -> set[str]:
    """Find the items in free text, English or Spanish; never a name."""
    items = {item for item, pattern in _ITEM_PATTERNS.items() if pattern.search(text)}
    if f"[redacted {SensitiveKind.SSN}]" in text or SensitiveKind.SSN in redact_numbers(text)[1]:
        items.add("ssn")
    return items


def earliest_pieces(pieces: Iterable[ApplicationPiece]) -> dict[str, ApplicationPiece]:
    """Return the earliest piece of each item, in the order of the law."""
    first: dict[str, ApplicationPiece] = {}
    for piece in sorted(pieces, key=lambda piece: (piece.at, piece.origin)):
        first.setdefault(piece.item, piece)
    return {item: first[item] for item in APPLICATION_ITEM_LABELS if item in first}


def classify_borrower_text(text: str) -> CreditStatement | None:
    """Classify a borrower's own words under Regulation B; None if they mean nothing."""
    return CreditStatement.WITHDREW if _WITHDRAWAL_PATTERN.search(text) else None


def classify_staff_text(text: str) -> CreditStatement | None:
    """Classify an officer's note or reason under Regulation B; None if it means nothing.

    Telling a borrower no is a denial. Passing a borrower over because of known credit facts is a
    decision that the borrower never heard.
    """
    if _TOLD_PATTERN.search(text) and wording_check.sounds_like_denial(text):
        return CreditStatement.TOLD_NO
    is_passed_over = _PASSED_OVER_PATTERN.search(text) and _CREDIT_PATTERN.search(text)
    return CreditStatement.PASSED_OVER if is_passed_over else None


def _mapping_part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
