"""Read a MISMO 3.4 loan file back into the terms of the hand-off, by the mapping that writes it.

Only places of the mapping are read, so that nothing else of a file can reach a table or a log.
Elements are found by local name: real files omit namespaces, and order points of contact freely.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from rooftree.los.field_formats import GUID
from rooftree.los.field_mapping import FieldTable, MappedField, load_field_table
from rooftree.los.json_paths import drop_empty, read_path
from rooftree.los.mismo_parser import parse_mismo

PATH_STEP = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?(?:\.|$)")
PARTY_ROLES = ("Borrower", "Borrower", "LoanOriginator", "LoanOriginationCompany")
PHONE_ROLES = {1: "Mobile", 2: "Home", 3: "Work"}
# Places that `json_paths` reads by a condition: the list, fixed members, the key.
PLACES_OF_LISTS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "canonical.emails[is_primary].address": ("canonical.emails", {"is_primary": True}, "address"),
    "canonical.co_borrower.emails[is_primary].address": (
        "canonical.co_borrower.emails", {"is_primary": True}, "address",
    ),
    **{
        f"canonical.phones[type={kind}].e164": ("canonical.phones", {"type": kind}, "e164")
        for kind in ("mobile", "home", "work")
    },
}  # fmt: skip
MORTGAGE_TYPES = {
    "Conventional": "conventional",
    "FHA": "fha",
    "VA": "va",
    "USDARuralDevelopment": "usda",
    "USDARuralHousing": "usda",
}
USES = {"PrimaryResidence": "primary", "SecondHome": "second_home", "Investment": "investment"}
AMORTIZATIONS = {"Fixed": "fixed", "AdjustableRate": "arm"}
CASH_OUT = {
    "CashOut": "refinance_cash_out",
    "NoCashOut": "refinance_rate_term",
    "LimitedCashOut": "refinance_rate_term",
}
INDICATED_PURPOSES = {
    "HELOCIndicator": "heloc",
    "ConstructionLoanIndicator": "construction",
    "RenovationLoanIndicator": "renovation",
    "ReverseMortgageIndicator": "reverse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFile:
    """What a MISMO file says of its subject loan."""

    handoff: Mapping[str, Any]  # facts at their place in the hand-off object
    values: Mapping[str, str] = field(repr=False)  # place of the mapping: the file's text
    lead_id: str = ""
    loan_number: str = ""
    statuses: tuple[tuple[str, date | None], ...] = ()  # the LOS's own word and its day
    dates: Mapping[str, date] = field(default_factory=dict)  # canonical milestone: its day


def read_loan_file(content: bytes, changes: Mapping[str, Any] | None = None) -> LoanFile:
    """Read the subject loan of a file. Raises `UnreadableMismo`.

    Args:
        changes: the lender's own mapping, applied over the shipped one.
    """
    root = parse_mismo(content)
    table = load_field_table("mismo", changes)
    finder = _Finder(root)
    places = {*(row.to for row in table.fields), *table.places.values()}
    values = {place: text for place in sorted(places) if (text := finder.find_text(place))}
    loan = finder.find("DEAL_SETS.DEAL_SET.DEALS.DEAL.LOANS.LOAN")
    statuses, dates = _read_progress(loan)
    return LoanFile(
        handoff=drop_empty(_build_handoff(values, table)),
        values=values,
        lead_id=_find_identifier(loan, _is_lead_identifier),
        loan_number=_find_identifier(
            loan, lambda row: _child_text(row, "LoanIdentifierType") == "LenderLoan"
        ),
        statuses=statuses,
        dates=dates,
    )


class _Finder:
    """Finds the element at a place of the mapping, whatever the order of a file is."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        parties = [row for row in _descendants(root, "PARTY") if _roles_of(row)]
        borrowers = [row for row in parties if "Borrower" in _roles_of(row)]
        borrowers.sort(
            key=lambda row: _descendant_text(row, "BorrowerClassificationType") == "Secondary"
        )
        officers = [row for row in parties if "LoanOriginator" in _roles_of(row)]
        companies = [row for row in parties if "LoanOriginationCompany" in _roles_of(row)]
        self._parties = [
            *(borrowers + [None, None])[:2],
            next(iter(officers), None),
            next(iter(companies), None),
        ]

    def find_text(self, place: str) -> str:
        element = self.find(place)
        if element is None and place.endswith("PropertyEstimatedValueAmount"):
            valued = place.replace(
                "PROPERTY_DETAIL.PropertyEstimatedValueAmount",
                "PROPERTY_VALUATIONS.PROPERTY_VALUATION.PROPERTY_VALUATION_DETAIL"
                ".PropertyValuationAmount",
            )
            element = self.find(valued)
        return (element.text or "").strip() if element is not None else ""

    def find(self, place: str) -> etree._Element | None:
        """Return the element at a place; None if the file has none."""
        element: etree._Element | None = self._root
        party = -1
        for name, number in PATH_STEP.findall(place):
            if element is None:
                return None
            position = int(number) if number else -1
            if name == "PARTY":
                party = position
                element = self._parties[position]
                continue
            element = _choose(_children(element, name), name, position, party)
        return element


def _choose(
    rows: list[etree._Element], name: str, position: int, party: int
) -> etree._Element | None:
    """Choose among elements of one name the one that the mapping means."""
    chosen = next((row for row in rows if _is_meant(row, name, position, party)), None)
    return chosen if chosen is not None or name != "LOAN" else next(iter(rows), None)


def _is_meant(row: etree._Element, name: str, position: int, party: int) -> bool:
    match name:
        case "LOAN":
            return row.get("LoanRoleType") == "SubjectLoan"
        case "ROLE":
            return _descendant_text(row, "PartyRoleType") == PARTY_ROLES[party]
        case "CONTACT_POINT" if position == 0:
            return bool(_children(row, "CONTACT_POINT_EMAIL"))
        case "CONTACT_POINT":
            return _descendant_text(row, "ContactPointRoleType") == PHONE_ROLES[position]
        case "RESIDENCE":
            return _descendant_text(row, "BorrowerResidencyType") in ("Current", "")
        case "LICENSE":
            return _descendant_text(row, "LicenseAuthorityLevelType") == "Private"
        case "LOAN_IDENTIFIER":
            return _is_lead_identifier(row)
    return True


def _build_handoff(values: Mapping[str, str], table: FieldTable) -> dict[str, Any]:
    handoff: dict[str, Any] = {}
    for row in table.fields:
        text = values.get(row.to)
        if text and row.sources and row.constant is None:
            _put(handoff, row.sources[0], _invert(row, text))
    codes = {name: values[place] for name, place in table.places.items() if place in values}
    for path, value in _read_codes(codes, handoff):
        _put(handoff, path, value)
    return handoff


def _invert(row: MappedField, text: str) -> Any:
    """Return our value of a text; None if it isn't one."""
    if row.words is not None:
        return next((word for word, theirs in row.words.items() if theirs == text), None)
    match row.form:
        case "dollars_text":
            return _parse_cents(text)
        case "ten_digits":
            digits = re.sub(r"\D", "", text)
            return f"+1{digits[-10:]}" if len(digits) in (10, 11) else None
        case "units":
            return int(text) if text.isascii() and text.isdigit() else None
        case "street":
            return {"line1": text}
    return {"true": True, "false": False}.get(text, text)


def _read_codes(codes: Mapping[str, str], handoff: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the facts that the file's codes name; a code that names several yields none."""
    purpose = _read_purpose(codes)
    yield "canonical.loan.purpose", purpose
    if purpose in INDICATED_PURPOSES.values():
        indicated = {name: text for name, text in codes.items() if name not in INDICATED_PURPOSES}
        yield "answers.los_purpose", _read_purpose(indicated)
    yield "canonical.loan.type", MORTGAGE_TYPES.get(codes.get("MortgageType", ""))
    yield "canonical.property.use", USES.get(codes.get("PropertyUsageType", ""))
    amortization = AMORTIZATIONS.get(codes.get("AmortizationType", ""))
    if codes.get("InterestOnlyIndicator") == "true":
        yield "canonical.loan.amortization", "interest_only"
        yield "answers.amortization_type", amortization
    else:
        yield "canonical.loan.amortization", amortization
    attachment = {"Attached": "attached", "Detached": "detached"}.get(
        codes.get("AttachmentType", "")
    )
    yield "answers.attachment", attachment
    if codes.get("PUDIndicator") == "true":
        yield "answers.project_structure", "pud"
    units = read_path(handoff, "canonical.property.units")
    yield "canonical.property.type", _read_property_type(codes, attachment, units)


def _read_purpose(codes: Mapping[str, str]) -> str | None:
    for name, purpose in INDICATED_PURPOSES.items():
        if codes.get(name) == "true":
            return purpose
    match codes.get("LoanPurposeType"):
        case "Purchase":
            return "purchase"
        case "Refinance":
            return CASH_OUT.get(codes.get("RefinanceCashOutDeterminationType", ""), "refinance")
    return None  # "Other" says nothing


def _read_property_type(
    codes: Mapping[str, str], attachment: str | None, units: int | None
) -> str | None:
    method = {"Manufactured": "manufactured", "Modular": "modular"}
    structure = {"Condominium": "condo", "Cooperative": "coop"}
    kind = method.get(codes.get("ConstructionMethodType", ""))
    kind = kind or structure.get(codes.get("ProjectLegalStructureType", ""))
    if kind:
        return kind
    if units is not None and units > 1:
        return "multi_2_4" if units <= 4 else None
    if attachment == "detached":
        return "single_family"
    return "townhouse" if attachment == "attached" and units == 1 else None


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    if value is None:
        return
    place, members, key = PLACES_OF_LISTS.get(path, (path, {}, ""))
    *steps, last = place.split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    if key:
        tree.setdefault(last, []).append({**members, key: value})
    elif isinstance(value, dict):
        tree.setdefault(last, {}).update(value)
    else:
        tree[last] = value


def _is_lead_identifier(row: etree._Element) -> bool:
    return _child_text(row, "LoanIdentifierTypeOtherDescription") == "LeadID"


def _find_identifier(loan: etree._Element | None, test: Callable[[etree._Element], bool]) -> str:
    rows = _descendants(loan, "LOAN_IDENTIFIER") if loan is not None else iter(())
    found = [_child_text(row, "LoanIdentifier") for row in rows if test(row)]
    if loan is not None and test is _is_lead_identifier:
        found.append(_descendant_text(loan, "LoanOriginationSystemLoanIdentifier"))
        return next((text for text in found if GUID.fullmatch(text)), "")
    return next(filter(None, found), "")[:80]


def _read_progress(
    loan: etree._Element | None,
) -> tuple[tuple[tuple[str, date | None], ...], dict[str, date]]:
    """Return the statuses of a loan with their days, and the days of milestones that it names."""
    if loan is None:
        return (), {}
    statuses = tuple(
        (text[:120], _parse_day(_child_text(row, "LoanStatusDate")))
        for row in _descendants(loan, "LOAN_STATUS")
        if (text := _child_text(row, "LoanStatusIdentifier"))
    )
    names = {"ApplicationReceivedDate": "application", "LoanFundingDate": "funded"}
    days = {code: _parse_day(_descendant_text(loan, name)) for name, code in names.items()}
    return statuses, {code: day for code, day in days.items() if day}


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [row for row in element.iterchildren(etree.Element) if _name(row) == name]


def _descendants(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (row for row in element.iter(etree.Element) if _name(row) == name)


def _child_text(element: etree._Element, name: str) -> str:
    return next(((row.text or "").strip() for row in _children(element, name)), "")


def _descendant_text(element: etree._Element, name: str) -> str:
    return next(((row.text or "").strip() for row in _descendants(element, name)), "")


def _roles_of(party: etree._Element) -> set[str]:
    roles = {(row.text or "").strip() for row in _descendants(party, "PartyRoleType")}
    is_borrower = next(_descendants(party, "BORROWER"), None) is not None
    return roles | ({"Borrower"} if is_borrower else set())


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _parse_cents(text: str) -> int | None:
    try:
        amount = Decimal(text.replace(",", ""))
        return int((amount * 100).to_integral_value()) if amount.is_finite() else None
    except InvalidOperation:
        return None


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
