"""What makes an inquiry an application: six pieces, wherever they were said (TRI-01, RGB-01).

Pure. It reads what arrived and what people wrote, and says which pieces that
holds; who collects them, and what follows, is `flow.credit`.
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
    "ssn": "Social security number",
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
_ITEM_PATTERNS = {  # how people say it; a sum counts only beside the word for what it is
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
    """What somebody's words amount to, under Regulation B; see `credit_notices.of_event`."""

    TOLD_NO = "told them no: declined"
    WITHDREW = "applicant_withdrew"
    PASSED_OVER = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPiece:
    """One of the six, where it came from and since when we hold it."""

    item: str
    at: datetime
    origin: str  # touch:<id>, message:<id>, remark:<id>, loan:<id>
    where: str  # as staff say it: "Zillow", "their text"

    def as_json(self) -> dict[str, str]:
        """The piece as it is kept beside a clock."""
        return {
            "item": self.item,
            "at": self.at.isoformat(),
            "origin": self.origin,
            "where": self.where,
        }


def items_in_inquiry(record: Mapping[str, Any]) -> set[str]:
    """The pieces a canonical inquiry holds, what was written or spoken in it included.

    A band of income is income: no figure need be exact. A number that was masked
    was given all the same; `redact` finds its mark.
    """
    borrower, home = _mapping_part(record, "borrower"), _mapping_part(record, "property")
    income, talk = _mapping_part(record, "income"), _mapping_part(record, "interaction")
    held = {
        "name": borrower.get("first_name") and borrower.get("last_name"),
        "income": income.get("annual_cents") or income.get("band"),
        "property_address": home.get("line1"),
        "value_estimate": home.get("estimated_value_cents") or home.get("purchase_price_cents"),
        "loan_amount": _mapping_part(record, "loan").get("amount_cents"),
    }
    spoken = [str(one.get("text", "")) for one in talk.get("transcript", [])]
    words = "\n".join([str(record.get("message") or ""), str(talk.get("summary") or ""), *spoken])
    return {item for item, value in held.items() if value} | items_in_text(words)


def items_in_text(text: str) -> set[str]:
    """The pieces that free text holds, in English and Spanish; never a name."""
    found = {item for item, pattern in _ITEM_PATTERNS.items() if pattern.search(text)}
    if f"[redacted {SensitiveKind.SSN}]" in text or SensitiveKind.SSN in redact_numbers(text)[1]:
        found.add("ssn")
    return found


def earliest_pieces(pieces: Iterable[ApplicationPiece]) -> dict[str, ApplicationPiece]:
    """Each piece once, as we first held it, in the order of the law."""
    first: dict[str, ApplicationPiece] = {}
    for piece in sorted(pieces, key=lambda one: (one.at, one.origin)):
        first.setdefault(piece.item, piece)
    return {item: first[item] for item in APPLICATION_ITEM_LABELS if item in first}


def classify_borrower_text(text: str) -> CreditStatement | None:
    """What a borrower's own words amount to."""
    return CreditStatement.WITHDREW if _WITHDRAWAL_PATTERN.search(text) else None


def classify_staff_text(text: str) -> CreditStatement | None:
    """What an officer's note or reason amounts to.

    That they were told no is a denial; that they are passed over, for what we know of
    their credit, is a decision nobody told them.
    """
    if _TOLD_PATTERN.search(text) and wording_check.sounds_like_denial(text):
        return CreditStatement.TOLD_NO
    is_so = _PASSED_OVER_PATTERN.search(text) and _CREDIT_PATTERN.search(text)
    return CreditStatement.PASSED_OVER if is_so else None


def _mapping_part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
