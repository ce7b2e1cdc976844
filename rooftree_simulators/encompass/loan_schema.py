"""The loan contract: every path this Encompass accepts, its type and its field id.

Paths come from the field list of the public schema, in v3 spelling. Any other path
is refused, so a client that departs from the contract is noticed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

type Json = dict[str, Any]


class Kind(StrEnum):
    """The type of a field's value."""

    TEXT = "string"
    MONEY = "decimal"
    WHOLE = "integer"
    DATE = "date"
    FLAG = "boolean"


MORTGAGE_TYPES = {"Conventional", "VA", "FHA", "Other", "FarmersHomeAdministration", "HELOC"}
LOAN_PURPOSES = {
    "Purchase",
    "Cash-Out Refinance",
    "NoCash-Out Refinance",
    "ConstructionOnly",
    "ConstructionToPermanent",
    "Other",
}
ACTIONS_TAKEN = {
    "",
    "Loan Originated",
    "Application approved but not accepted",
    "Application denied",
    "Application withdrawn",
    "File Closed for incompleteness",
    "Loan purchased by your institution",
    "Preapproval request denied by financial institution",
    "Preapproval request approved but not accepted",
}
_PROPERTY_TYPES = {
    "Detached",
    "Attached",
    "Condominium",
    "PUD",
    "Cooperative",
    "ManufacturedHousing",
    "DetachedCondo",
    "HighRiseCondominium",
    "ManufacturedHomeCondoPUDCoOp",
    "MHSelect",
    "MHAdvantage",
}
_LANGUAGES = {
    "EnglishIndicator",
    "ChineseIndicator",
    "KoreanIndicator",
    "SpanishIndicator",
    "TagalogIndicator",
    "VietnameseIndicator",
    "OtherIndicator",
    "LanguageRefusalIndicator",
}

ENUMS: dict[str, set[str]] = {
    "mortgageType": MORTGAGE_TYPES,
    "property.loanPurposeType": LOAN_PURPOSES,
    "hmda.actionTaken": ACTIONS_TAKEN,
    "applications.propertyUsageType": {"PrimaryResidence", "SecondHome", "Investor"},
    "applications.borrower.languagePreference": _LANGUAGES,
    "applications.residences.residencyBasisType": {"Own", "Rent", "LivingRentFree"},
    "applications.residences.applicantType": {"Borrower", "CoBorrower"},
    "applications.residences.residencyType": {"Current", "Prior"},
    "loanProductData.gsePropertyType": _PROPERTY_TYPES,
    "loanProductData.lienPriorityType": {"FirstLien", "SecondLien"},
    "loanAmortizationType": {"Fixed", "AdjustableRate", "GraduatedPaymentMortgage", "Other"},
    "contacts.contactType": {"LOAN_OFFICER"},
}
LIST_PATHS = {"applications", "applications.residences", "contacts", "customFields"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its id, its path in the loan document, and its type."""

    field_id: str
    path: str
    kind: Kind


def _parse_fields(kind: Kind, table: str) -> list[Field]:
    pairs = (line.split() for line in table.strip().splitlines())
    return [Field(field_id=field_id, path=path, kind=kind) for field_id, path in pairs]


_TEXT_FIELDS = """
4000 applications.borrower.firstName
4001 applications.borrower.middleName
4002 applications.borrower.lastName
4003 applications.borrower.suffixToName
65 applications.borrower.taxIdentificationIdentifier
66 applications.borrower.homePhoneNumber
1240 applications.borrower.emailAddressText
1490 applications.borrower.mobilePhone
4533 applications.borrower.workPhoneNumber
URLA.X21 applications.borrower.languagePreference
4004 applications.coborrower.firstName
4006 applications.coborrower.lastName
98 applications.coborrower.homePhoneNumber
1268 applications.coborrower.emailAddressText
FR0126 applications.residences.urla2020StreetAddress
FR0104 applications.residences.addressStreetLine1
FR0106 applications.residences.addressCity
FR0107 applications.residences.addressState
FR0108 applications.residences.addressPostalCode
FR0115 applications.residences.residencyBasisType
1811 applications.propertyUsageType
11 property.streetAddress
12 property.city
13 property.county
14 property.state
15 property.postalCode
19 property.loanPurposeType
URLA.X71 property.loanPurposeTypeURLA
1172 mortgageType
1401 loanProgramName
608 loanAmortizationType
420 loanProductData.lienPriorityType
1041 loanProductData.gsePropertyType
364 loanNumber
305 lenderCaseIdentifier
GUID encompassId
317 contacts.name
1407 contacts.email
1612 interviewerName
3968 interviewerEmail
3238 nmlsLoanOriginatorId
2976 leadSource
4495 leadSourceID
1822 referralSource
1393 hmda.actionTaken
"""
_MONEY_FIELDS = """
2 baseLoanAmount
1109 borrowerRequestedLoanAmount
136 purchasePriceAmount
356 propertyAppraisedValueAmount
1821 propertyEstimatedValueAmount
1335 downPayment.amount
1771 downPaymentPercent
353 ltv
3 requestedInterestRatePercent
"""
_INTEGER_FIELDS = """
4 loanAmortizationTermMonths
16 property.financedNumberOfUnits
"""
_DATE_FIELDS = """
1402 applications.borrower.birthDate
745 originationDate
3142 regulationZ.gfeApplicationDate
3152 regulationZ.gfeInitialDisclosureDate
2298 underwriterSummary.submittedDate
2301 underwriterSummary.approvedDate
2303 underwriterSummary.suspendedDate
2305 underwriterSummary.clearToCloseDate
761 loanSubmission.lockDate
762 loanSubmission.lockExpiresDate
763 loanProductData.loanScheduledClosingDate
748 fhaVaLoan.closingDate
1996 funding.fundingOrderDate
1997 funding.fundsSentDate
1999 funding.fundsReleasedDate
749 adverseActionDate
2370 rateLock.date
"""
FIELDS = {
    field.field_id: field
    for field in (
        *_parse_fields(Kind.TEXT, _TEXT_FIELDS),
        *_parse_fields(Kind.MONEY, _MONEY_FIELDS),
        *_parse_fields(Kind.WHOLE, _INTEGER_FIELDS),
        *_parse_fields(Kind.DATE, _DATE_FIELDS),
    )
}
READ_ONLY_FIELDS = {"GUID", "364", "353", "URLA.X71"}

_ONLY_IN_CONTRACT = {
    "applications.id": Kind.TEXT,
    "applications.residences.id": Kind.TEXT,
    "applications.residences.applicantType": Kind.TEXT,
    "applications.residences.residencyType": Kind.TEXT,
    "applications.residences.mailingAddressIndicator": Kind.FLAG,
    "contacts.id": Kind.TEXT,
    "contacts.contactType": Kind.TEXT,
    "customFields.id": Kind.TEXT,
    "customFields.fieldName": Kind.TEXT,
    "customFields.stringValue": Kind.TEXT,
}
LEAF_KINDS: dict[str, Kind] = {
    **{
        field.path: field.kind
        for field in FIELDS.values()
        if field.field_id not in READ_ONLY_FIELDS
    },
    **_ONLY_IN_CONTRACT,
}
_BRANCHES = {path[: dot.start()] for path in LEAF_KINDS for dot in re.finditer(r"\.", path)}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")

_KIND_CHECKS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Kind.MONEY: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    Kind.DATE: lambda value: isinstance(value, str) and bool(_ISO_DATE.fullmatch(value)),
}


def find_document_errors(
    document: Json, *, custom_fields: set[str], with_ids: bool
) -> list[tuple[str, str]]:
    """Return the errors of a posted loan as (path, reason); empty if it is valid.

    Args:
        with_ids: items of collections must carry an id (PATCH).
    """
    errors: list[tuple[str, str]] = []
    _check_node(document, "", errors, with_ids=with_ids)
    for item in document.get("customFields") or []:
        name = item.get("fieldName") if isinstance(item, dict) else None
        if name is not None and name not in custom_fields:
            errors.append(("customFields", f"Unknown custom field: {name}"))
    return errors


def _check_node(node: Json, at: str, errors: list[tuple[str, str]], *, with_ids: bool) -> None:
    for name, value in node.items():
        path = f"{at}.{name}" if at else name
        if value is None and (path in LEAF_KINDS or path in _BRANCHES):
            continue
        if path in LEAF_KINDS:
            _check_leaf(path, value, errors)
        elif path in LIST_PATHS:
            _check_list(path, value, errors, with_ids=with_ids)
        elif path in _BRANCHES and isinstance(value, dict):
            _check_node(value, path, errors, with_ids=with_ids)
        else:
            errors.append((path, "Unknown path." if path not in _BRANCHES else "Wrong type."))


def _check_list(path: str, value: Any, errors: list[tuple[str, str]], *, with_ids: bool) -> None:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        errors.append((path, "A list of objects is required."))
        return
    for item in value:
        if with_ids and "id" not in item and path != "customFields":
            errors.append((path, "An item of a collection needs its id."))
        _check_node(item, path, errors, with_ids=with_ids)


def _check_leaf(path: str, value: Any, errors: list[tuple[str, str]]) -> None:
    kind = LEAF_KINDS[path]
    if not _KIND_CHECKS[kind](value):
        errors.append((path, f"A {kind} is required."))
    elif path in ENUMS and value not in ENUMS[path]:
        errors.append((path, f"'{value}' is not one of the values of this property."))
