"""Converts LendingTree's four public formats to one: the fields of the flat XML."""

from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import (
    Element,
    content_charset,
    decode_body,
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
    "Address1": ("ContactAddress",),
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
    "WorkingWithRealtor": ("WorkingWithAgent", "WorkingWithRealtor", "hasAgent"),
    "PurchasePrice": ("PropertyPurchasePrice", "purchasePrice"),
    "LoanAmount": ("LoanAmount", "requestedLoanAmount"),
    "DownPayment": ("DownPayment",),
    "AddlCashOut": ("CashOut", "AddlCashOut", "cashOutAmount"),
    "FirstMortgageBalance": ("FirstMortgageBalance", "CurrentMortgageBalance"),
    "SecondMortgageBalance": ("SecondMortgageBalance",),
    "LoanRequested": ("LoanRequestType",),
    "PropertyPrice": ("PropertyValue",),
    "TrackingNumber": ("TrackingNumber",),
    "ApplicantID": ("ApplicantID",),
    "FilterName": ("FilterName",),
    "FilterRoutingID": ("FilterRoutingID",),
    "MatchFee": ("MatchFee",),
    "IsMilitary": ("IsMilitary", "veteran"),
    "TimeLine": ("TimeLine", "purchaseTimeline", "timeframe"),
    "MonthlyObligations": ("MonthlyObligations", "monthlyDebts"),
    "MortgageTerm": ("MortgageTerm",),
    "CurrentLoanRate": ("CurrentLoanRate", "currentInterestRate"),
}
_PROPERTY_NAMES: dict[str, tuple[str, ...]] = {
    "PropertyAddress": ("PropertyAddress", "PropertyStreet", "Street", "streetAddress"),
    "PropertyCity": ("PropertyCity", "City"),
    "PropertyState": ("PropertyState", "State"),
    "PropertyZip": ("PropertyZip", "Zip"),
    "PropertyCounty": ("PropertyCounty", "County"),
    "PropertyType": ("PropertyType", "Type"),
    "PropertyUse": ("PropertyUse", "Use"),
}


_ZIP_NAMES = ("Zip", "zipCode", "postalCode")
_CONTACT_NAMES = {
    "Address1": ("streetAddress", "street", "address"),
    "City": ("city",),
    "State": ("state",),
    "Zip": _ZIP_NAMES,
    "ContactPhone": ("primaryPhone", "phone", "phoneNumber", "mobilePhone"),
    "EmailAddress": ("emailAddress", "email"),
}
_JSON_NAMES = {"leadExternalId": ("leadExternalId",), "vertical": ("vertical",)}
_AGENT_NAMES: dict[str, tuple[str, ...]] = {
    "AgentName": ("name", "fullName"),
    "AgentPhone": ("phone", "phoneNumber"),
    "AgentEmail": ("email", "emailAddress"),
}
# Parts of the JSON about someone else: their phone is never the borrower's.
_OTHER_PARTIES = ("agent", "realtor", "lender", "recipient", "partner", "officer")
_PROPERTY_NAMES["PropertyZip"] = ("PropertyZip", *_ZIP_NAMES)
# Elements of the LTXML shape, by path, that other shapes call otherwise.
_LTXML_PATHS: dict[str, tuple[str, ...]] = {
    "FirstName": ("Borrower/FirstName",),
    "LastName": ("Borrower/LastName",),
    "EmailAddress": ("Borrower/Email",),
    "HomePhone": ("Borrower/HomePhone",),
    "WorkPhone": ("Borrower/WorkPhone",),
    "Address1": ("BorrowerResidence/Street",),
    "City": ("BorrowerResidence/City",),
    "State": ("BorrowerResidence/State",),
    "Zip": ("BorrowerResidence/PostalCode",),
    "DateOfBirth": ("Borrower/DateOfBirth",),
    "SSN": ("Borrower/SSN", "Borrower/SocialSecurityNumber"),
    "PropertyAddress": ("PropertyLocation/Street",),
    "PropertyCity": ("PropertyLocation/City",),
    "PropertyState": ("PropertyLocation/State",),
    "PropertyZip": ("PropertyLocation/PostalCode",),
    "PropertyCounty": ("PropertyLocation/County",),
    "PropertyType": ("Mortgage/NewHomeType", "PropertyInformation/PropertyType"),
    "PropertyUse": ("PropertyInformation/PropertyUse",),
    "LoanAmount": ("Application/BorrowerRequestedLoanAmount",),
    "DownPayment": ("Application/DownPayment",),
    "PurchasePrice": ("Application/PurchasePriceAmount",),
    "MortgageTerm": ("LoanProducts/LoanTerm",),
    "AssignedCredit": ("Borrower/LenderAssignedCreditValue",),
    "Bankruptcy": ("Declaration/DeclaredBankruptcy", "Declaration/DeclaredBankruptcyYear"),
    "Foreclosure": ("Declaration/PropertyForeClosure",),
    "FoundHome": ("Mortgage/FoundNewHome",),
    "AgentName": ("Realtor/RealEstateAgentName",),
    "RefinancePurpose": ("Application/PurposeOfRefinanceDescription",),
}
_MAX_NODES = 2_000  # objects of one JSON delivery


def flatten_fields(incoming: IncomingDelivery, notes: ReadingNotes) -> Fields | None:
    """Read any of the formats as the flat fields; return None for an unknown one.

    Values of no known name are kept in the extras under their own.
    """
    body, charset = incoming.masked.body, content_charset(incoming.header("content-type"))
    first = body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    if first == b"[":
        text = decode_body(body, notes, declared_charset=charset).strip()
        payload = parse_json_object(f'{{"items":{text}}}'.encode(errors="replace"), notes)
        items = payload["items"]
        return (
            _json_fields(items[0], notes) if isinstance(items, list) and len(items) == 1 else None
        )
    if first == b"{":
        return _json_fields(parse_json_object(body, notes, declared_charset=charset), notes)
    return _xml_fields(parse_xml(body, notes, declared_charset=charset), notes)


def _xml_fields(root: Element, notes: ReadingNotes) -> Fields | None:
    if flat := _find_branch(root, "LeadApplication"):
        return Fields({child.name: child.value() for child in flat.children})
    if ltxml := _find_branch(root, "LTXML"):
        tracking_number = root.find("TrackingNumber")
        fields = _ltxml_fields(ltxml)
        return Fields(
            fields | {"TrackingNumber": tracking_number.value() if tracking_number else ""}
        )
    nested = _find_branch(root, "LeadInformation")
    if nested is None:
        return None
    place = nested.find("PropertyInformation") or Element(name="none")
    values = {**_xml_values(nested, _NESTED_NAMES), **_xml_values(place, _PROPERTY_NAMES)}
    known = {name.lower() for names in (_NESTED_NAMES, _PROPERTY_NAMES)
             for parts in names.values() for name in parts} | {"val", "value"}  # fmt: skip
    pending = [*nested.children]
    while pending:
        element = pending.pop()
        if element.name.lower() not in known:
            notes.keep_extra(element.name, element.text.strip())
            pending += element.children
    return Fields(values)


def _ltxml_fields(root: Element) -> dict[str, Any]:
    """Read the shape that Optimal Blue wraps; an element counts below the one its path names."""
    fields: dict[str, Any] = {}
    branches = {root.name.lower(): root} | root.descendants_by_name()
    elements: dict[str, dict[str, Element]] = {}
    for field, paths in _LTXML_PATHS.items():
        for path in paths:
            holder, _, name = path.lower().partition("/")
            if holder in branches and holder not in elements:
                elements[holder] = branches[holder].descendants_by_name()
            element = elements.get(holder, {}).get(name)
            fields[field] = fields.get(field) or (element.value() if element else "")
    is_purchase = fields["PurchasePrice"] or fields["FoundHome"]
    purpose = "refinance" if fields["RefinancePurpose"] else "purchase" if is_purchase else ""
    return {**fields, "LoanRequested": purpose}


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


def _json_fields(payload: Any, notes: ReadingNotes) -> Fields | None:
    """Read the JSON format; products stand in `lead`, in the consumer or beside `lead`."""
    nodes = _list_nodes(payload)
    steps = {step for path, _ in nodes for step in path}
    if not {"consumer", "contact"} & steps and not any(map(_is_product, steps)):
        return None
    contact = [node for path, node in nodes if "contact" in path]
    agent = [node for path, node in nodes if _is_about(path, ("agent", "realtor"))]
    others = [node for path, node in nodes if not _is_about(path, _OTHER_PARTIES)]
    place = [
        node
        for path, node in nodes
        if _is_about(path, ("property",)) and not _is_about(path, _OTHER_PARTIES)
    ]
    used: set[tuple[int, str]] = set()
    readings = (
        _json_values(contact, _CONTACT_NAMES, used),
        _json_values(place, _PROPERTY_NAMES, used),
        _json_values([*contact, *others], _NESTED_NAMES | _JSON_NAMES, used),
        _json_values(others, {name: (name,) for name in _PROPERTY_NAMES}, used),
        _json_values(agent, _AGENT_NAMES, used),
    )
    for path, node in nodes:
        for key, value in node.items():
            if (id(node), key) not in used and not isinstance(value, dict):
                notes.keep_extra(".".join((*path, key)), value)
    fields: dict[str, Any] = {}
    for reading in reversed(readings):  # the first reading of a field counts
        fields |= reading
    products = (path[-1] for path, node in nodes if path and _is_product(path[-1]) and node)
    return Fields({"vertical": next(products, None), **fields})


def _is_product(step: str) -> bool:
    return step.startswith(("mortgage", "homeequity", "heloc", "reverse"))


def _is_about(path: tuple[str, ...], subjects: tuple[str, ...]) -> bool:
    return any(subject in step for step in path for subject in subjects)


def _list_nodes(payload: Any) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """List every object of a delivery with its lower-case path, outer ones first."""
    nodes: list[tuple[tuple[str, ...], dict[str, Any]]] = []
    level: list[tuple[tuple[str, ...], Any]] = [((), payload)]
    while level and len(nodes) < _MAX_NODES:
        nodes += [(path, node) for path, node in level if isinstance(node, dict)]
        level = [
            ((*path, key.lower()), item)
            for path, node in level
            if isinstance(node, dict)
            for key, value in node.items()
            for item in (value[:1] if isinstance(value, list) else [value])
            if isinstance(item, dict)
        ]
    return nodes


def _json_values(
    nodes: list[dict[str, Any]], names: dict[str, tuple[str, ...]], used: set[tuple[int, str]]
) -> dict[str, Any]:
    """Return the first value of each field, and note which keys were read."""
    by_name: dict[str, list[tuple[int, str, Any]]] = {}
    for node in nodes:
        for key, value in node.items():
            by_name.setdefault(key.lower(), []).append((id(node), key, value))
    fields: dict[str, Any] = {}
    for field, vendor_names in names.items():
        for vendor_name in vendor_names:
            for node_id, key, value in by_name.get(vendor_name.lower(), ()):
                plain = value.get("val", value.get("value")) if isinstance(value, dict) else value
                if plain in (None, "", []) or isinstance(plain, dict):
                    continue
                used.add((node_id, key))
                fields.setdefault(field, plain)
    return fields
