"""LendingTree's three public shapes brought to one: the fields of the flat XML."""

from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import (
    Element,
    content_charset,
    parse_json_object,
    parse_xml,
)

# The nested shapes (B, C) in the flat shape's words: ours -> the names each may use.
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
    """Every shape as the flat one's fields; None for a document of no known shape."""
    body, told = incoming.masked.body, content_charset(incoming.header("content-type"))
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] in (b"{", b"["):
        return _json_fields(parse_json_object(body, notes, told=told))
    return _xml_fields(parse_xml(body, notes, told=told))


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


def _xml_values(branch: Element, words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    named = branch.descendants_by_name()
    values = {
        ours: [named[name.lower()].value() for name in theirs if name.lower() in named]
        for ours, theirs in words.items()
    }
    return {ours: next(filter(None, some), "") for ours, some in values.items()}


def _json_fields(found: dict[str, Any]) -> Fields | None:
    lead = Fields(found.get("lead", found))
    consumer = lead.part("consumer")
    profile = consumer.part("profile")
    product = next(
        (lead.part(key) for key in lead if key.lower().startswith(("mortgage", "homeequity"))),
        Fields(),
    )
    place = product.part("property")
    if not consumer and not product:
        return None
    contact = consumer.part("contact")
    parts = [contact, profile, profile.part("credit"), product, place, lead]
    known_words = {**_NESTED_NAMES, "City": ("city",), "State": ("state",), "Zip": ("zip",)}
    fields = {ours: _json_value(parts, theirs) for ours, theirs in known_words.items()}
    mail = {ours: _json_value([contact], known_words[ours]) for ours in ("City", "State", "Zip")}
    where = {ours: _json_value([place], theirs) for ours, theirs in _PROPERTY_NAMES.items()}
    vendor_id = {"leadExternalId": lead.get("leadExternalId"), "vertical": lead.get("vertical")}
    return Fields({**fields, **mail, **where, **vendor_id})


def _json_value(parts: list[Fields], names: tuple[str, ...]) -> Any:
    wanted = {name.lower() for name in names}
    held = (value for part in parts for key, value in part.items() if key.lower() in wanted)
    return next((one for one in held if one not in (None, "") and not isinstance(one, dict)), None)
