"""Converts LendingTree's three public formats to one: the fields of the flat XML."""

from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import (
    Element,
    content_charset,
    parse_json_object,
    parse_xml,
)

# Fields of the flat format -> names in the nested formats (B, C).
_NESTED_NAMES: dict[str, tuple[str, ...]] = {
    "FirstName": ("FirstName",),
    "LastName": ("LastName",),
    "EmailAddress": ("EmailAddress",),
    "ContactPhone": ("ContactPhone", "primaryPhone"),
    "HomePhone": ("HomePhone",),
    "WorkPhone": ("WorkPhone",),
    "Address1": ("ContactAddress", "streetAddress"),
    "City": ("ContactCity",),
    "State": ("ContactState",),
    "Zip": ("ContactZip",),
    "DateOfBirth": ("DateOfBirth",),
    "SSN": ("SSN", "SocialSecurityNumber"),
    "AnnualIncome": ("AnnualIncome", "totalAnnualIncome"),
    "AssignedCredit": ("AssignedCreditValue", "assignedCredit"),
    "CreditRating": ("SelfCreditRating",),
    "Bankruptcy": ("Bankruptcy",),
    "Foreclosure": ("Foreclosure",),
    "FoundHome": ("FoundHome",),
    "WorkingWithRealtor": ("WorkingWithAgent",),
    "PurchasePrice": ("PropertyPurchasePrice",),
    "LoanAmount": ("LoanAmount",),
    "DownPayment": ("DownPayment",),
    "AddlCashOut": ("CashOut", "AddlCashOut"),
    "FirstMortgageBalance": ("FirstMortgageBalance", "CurrentMortgageBalance"),
    "SecondMortgageBalance": ("SecondMortgageBalance",),
    "LoanRequested": ("LoanRequestType",),
    "PropertyPrice": ("PropertyValue",),
    "TrackingNumber": ("TrackingNumber",),
    "ApplicantID": ("ApplicantID",),
    "FilterName": ("FilterName",),
    "FilterRoutingID": ("FilterRoutingID",),
    "MatchFee": ("MatchFee",),
    "IsMilitary": ("IsMilitary",),
}
_PROPERTY_NAMES: dict[str, tuple[str, ...]] = {
    "PropertyCity": ("PropertyCity", "City"),
    "PropertyState": ("PropertyState", "State"),
    "PropertyZip": ("PropertyZip", "Zip"),
    "PropertyCounty": ("PropertyCounty", "County"),
    "PropertyType": ("PropertyType", "Type"),
    "PropertyUse": ("PropertyUse", "Use"),
}


def flatten_fields(incoming: IncomingDelivery, notes: ReadingNotes) -> Fields | None:
    """Read any of the formats as the flat fields; return None for an unknown one."""
    body, charset = incoming.masked.body, content_charset(incoming.header("content-type"))
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] in (b"{", b"["):
        return _json_fields(parse_json_object(body, notes, declared_charset=charset))
    return _xml_fields(parse_xml(body, notes, declared_charset=charset))


def _xml_fields(root: Element) -> Fields | None:
    if flat := _find_branch(root, "LeadApplication"):
        return Fields({child.name: child.value() for child in flat.children})
    nested = _find_branch(root, "LeadInformation")
    if nested is None:
        return None
    place = nested.find("PropertyInformation") or Element(name="none")
    return Fields({**_xml_values(nested, _NESTED_NAMES), **_xml_values(place, _PROPERTY_NAMES)})


def _find_branch(root: Element, name: str) -> Element | None:
    return root if root.name.lower() == name.lower() else root.find(name)


def _xml_values(branch: Element, names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    elements = branch.descendants_by_name()
    values = {
        name: [
            elements[vendor_name.lower()].value()
            for vendor_name in vendor_names
            if vendor_name.lower() in elements
        ]
        for name, vendor_names in names.items()
    }
    return {name: next(filter(None, candidates), "") for name, candidates in values.items()}


def _json_fields(payload: dict[str, Any]) -> Fields | None:
    lead = Fields(payload.get("lead", payload))
    consumer = lead.nested("consumer")
    profile = consumer.nested("profile")
    product = next(
        (lead.nested(key) for key in lead if key.lower().startswith(("mortgage", "homeequity"))),
        Fields(),
    )
    place = product.nested("property")
    if not consumer and not product:
        return None
    contact = consumer.nested("contact")
    parts = [contact, profile, profile.nested("credit"), product, place, lead]
    vendor_names = {**_NESTED_NAMES, "City": ("city",), "State": ("state",), "Zip": ("zip",)}
    fields = {name: _json_value(parts, names) for name, names in vendor_names.items()}
    mailing_fields = {
        name: _json_value([contact], vendor_names[name]) for name in ("City", "State", "Zip")
    }
    property_fields = {name: _json_value([place], names) for name, names in _PROPERTY_NAMES.items()}
    vendor_id = {"leadExternalId": lead.get("leadExternalId"), "vertical": lead.get("vertical")}
    return Fields({**fields, **mailing_fields, **property_fields, **vendor_id})


def _json_value(parts: list[Fields], names: tuple[str, ...]) -> Any:
    lowered = {name.lower() for name in names}
    values = (value for part in parts for key, value in part.items() if key.lower() in lowered)
    return next(
        (
            candidate
            for candidate in values
            if candidate not in (None, "") and not isinstance(candidate, dict)
        ),
        None,
    )
