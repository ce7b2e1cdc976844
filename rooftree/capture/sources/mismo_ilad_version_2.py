"""Reads MISMO 2.x applications (2.1 to 2.6), whose values are attributes such as `_FirstName`."""

from typing import Any

from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import Element

ROOT_NAMES = frozenset({"loan_application", "loan"})
# Our field: element and attribute, both without their leading underscore and in lower case.
_PLACES = {
    "vendor_lead_id": ("mortgage_terms", "lenderloanidentifier"),
    "loan_amount": ("mortgage_terms", "baseloanamount"),
    "loan_type": ("mortgage_terms", "mortgagetype"),
    "amortization": ("mortgage_terms", "loanamortizationtype"),
    "loan_purpose": ("loan_purpose", "type"),
    "property_use": ("loan_purpose", "propertyusagetype"),
    "property_address": ("property", "streetaddress"),
    "property_city": ("property", "city"),
    "property_state": ("property", "state"),
    "property_zip": ("property", "postalcode"),
    "property_county": ("property", "county"),
    "property_value": ("property", "estimatedvalueamount"),
    "purchase_price": ("transaction_detail", "purchasepriceamount"),
    "property_type": ("loan_features", "gsepropertytype"),
}
_REFINANCES = {
    "cashoutdebtconsolidation": "cash out",
    "cashouthomeimprovement": "cash out",
    "cashoutother": "cash out",
    "changeinrateterm": "rate term",
    "nocashoutfhastreamlinedrefinance": "rate term",
    "nocashoutfreownedrefinance": "rate term",
    "nocashoutother": "rate term",
    "nocashoutstreamlinedrefinance": "rate term",
}
_PROPERTY_TYPES = {
    "detached": "single family",
    "attached": "town home",
    "detachedcondominium": "condo",
    "highrisecondominium": "high rise condo",
    "manufacturedhousing": "manufactured",
}
_CONTACT_FIELDS = {"mobile": "mobile", "work": "work_phone", "home": "home_phone"}


def find_root(root: Element) -> Element | None:
    """Return the application of a 2.x file, whose borrowers' names are attributes, or None."""
    candidates = [root, *root.descendants_by_name().values()]
    application = next((part for part in candidates if part.name.lower() in ROOT_NAMES), None)
    is_version_2 = application is not None and any(
        "firstname" in _attributes(part) for part in _list_borrowers(application)
    )
    return application if is_version_2 else None


def read_fields(root: Element, notes: ReadingNotes) -> Fields:
    """Return the values of a 2.x application under our plain names."""
    elements = {name.lstrip("_"): part for name, part in root.descendants_by_name().items()}
    attributes = {name: _attributes(part) for name, part in elements.items()}
    values: dict[str, Any] = {
        field: attributes.get(element, {}).get(name) for field, (element, name) in _PLACES.items()
    }
    purpose = attributes.get("loan_purpose", {}) | attributes.get("construction_refinance_data", {})
    values["refinance_purpose"] = _REFINANCES.get(
        purpose.get("gserefinancepurposetype", "").lower()
    )
    kind = values["property_type"] or ""
    values["property_type"] = _PROPERTY_TYPES.get(kind.lower(), kind)
    months = attributes.get("mortgage_terms", {}).get("loanamortizationtermmonths", "")
    values["term_years"] = int(months) // 12 if months.isdecimal() and len(months) < 4 else None
    borrowers = _list_borrowers(root)
    values |= _borrower_values(borrowers[0], notes)
    for borrower in borrowers[1:2]:
        parts = _attributes(borrower)
        values |= {"co_first_name": parts.get("firstname"), "co_last_name": _last_name(parts)}
    return Fields(values)


def _list_borrowers(root: Element) -> list[Element]:
    """Return the borrowers, the one whom the file prints first in front."""
    borrowers, pending = [], [*reversed(root.children)]
    while pending:
        element = pending.pop()
        if element.name.lower() == "borrower":
            borrowers.append(element)
        pending += reversed(element.children)
    return sorted(
        borrowers,
        key=lambda part: _attributes(part).get("printpositiontype", "").lower() == "coborrower",
    )


def _borrower_values(borrower: Element, notes: ReadingNotes) -> dict[str, Any]:
    parts = _attributes(borrower)
    if parts.get("birthdate"):
        notes.warn("dob_discarded")
    values: dict[str, Any] = {
        "first_name": parts.get("firstname"),
        "last_name": _last_name(parts),
        "home_phone": parts.get("hometelephonenumber"),
        "email": parts.get("electronicmailaddress"),
    }
    for element in borrower.descendants_by_name().values():
        name, own = element.name.lower().lstrip("_"), _attributes(element)
        if name == "residence":
            values |= {
                "address": own.get("streetaddress"),
                "city": own.get("city"),
                "state": own.get("state"),
                "zip": own.get("postalcode"),
            }
    for point in (part for part in borrower.children if part.name.lower() == "contact_point"):
        own = _attributes(point)
        kind, value = own.get("type", "").lower(), own.get("value")
        field = _CONTACT_FIELDS.get(own.get("roletype", "").lower(), "phone")
        key = "email" if kind == "email" else _CONTACT_FIELDS.get(kind, field)
        values[key] = values.get(key) or value
    return values


def _last_name(parts: dict[str, str]) -> str:
    return " ".join(filter(None, (parts.get("lastname"), parts.get("namesuffix"))))


def _attributes(element: Element) -> dict[str, str]:
    return {name.lstrip("_").lower(): value for name, value in element.attributes.items()}
