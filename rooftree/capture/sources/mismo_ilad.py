"""MISMO 3.4 loan application files (iLAD, ULAD, DU). Format: docs/sources/mismo_ilad.md.

Elements are found by local name: real files omit namespaces or bring their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rooftree.capture.amounts import count, positive_cents, sized
from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import Envelope, Incoming, Outcome, json_answer, quarantined, refused
from rooftree.capture.normalise import (
    address_fields,
    emails,
    identifier,
    known,
    moment,
    person,
    phones,
    squashed,
    text,
    yes_or_no,
)
from rooftree.capture.notes import Notes
from rooftree.capture.wire import Element, Unreadable, charset, xml_root
from rooftree.capture.words import AMORTIZATIONS, LOAN_TYPES, PROPERTY_USES, PURPOSES, choice
from rooftree.leads.canonical import (
    Address,
    CanonicalLead,
    CoBorrower,
    Email,
    Loan,
    Phone,
    Property,
)
from rooftree.leads.vocabulary import (
    Amortization,
    Channel,
    LoanType,
    MilitaryStatus,
    PhoneType,
    PropertyType,
    PropertyUse,
    Purpose,
    Source,
)

LABEL = "MISMO loan application files (iLAD)"
PATHS = ["mismo_ilad/<token>"]
CHANNEL = Channel.AGGREGATOR
_OK = json_answer(200, status="accepted")
CASH_OUT = {
    "cashout": Purpose.REFINANCE_CASH_OUT,
    "limitedcashout": Purpose.REFINANCE_RATE_TERM,
    "nocashout": Purpose.REFINANCE_RATE_TERM,
}
MORTGAGES = LOAN_TYPES | {"usdaruraldevelopment": LoanType.USDA, "usdaruralhousing": LoanType.USDA}
USES = PROPERTY_USES | {"secondhome": PropertyUse.SECOND_HOME}
BUILT = {
    "manufactured": PropertyType.MANUFACTURED,
    "modular": PropertyType.MODULAR,
    "condominium": PropertyType.CONDO,
    "cooperative": PropertyType.COOP,
}
RATES = AMORTIZATIONS | {"adjustablerate": Amortization.ARM, "fixed": Amortization.FIXED}
PURPOSE_WORDS = PURPOSES | {"mortgagemodification": Purpose.REFINANCE}
PHONE_ROLES = {"mobile": PhoneType.MOBILE, "home": PhoneType.HOME, "work": PhoneType.WORK}


def read(incoming: Incoming) -> Envelope:
    """One application. Never raises."""
    if not incoming.path_secret_matches():
        return refused(Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden"))
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large"))
    notes = Notes()
    told = charset(incoming.header("content-type"))
    try:
        root = xml_root(incoming.masked.body, notes, told=told)
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    notes.warn_of(incoming.masked.found)
    deals = list(_all(root, "DEAL"))
    if len(deals) > 1:
        return quarantined("several_leads", _OK, warnings=notes.warnings)
    return conclude(_lead(root, deals[0] if deals else root, incoming, notes), _OK, notes)


def _all(one: Element | None, name: str) -> Iterator[Element]:
    """Every element of that name below, in document order."""
    wanted, waiting = name.lower(), [*reversed(one.children)] if one else []
    while waiting:
        part = waiting.pop()
        if part.name.lower() == wanted:
            yield part
        waiting += reversed(part.children)


def _first(one: Element | None, name: str) -> Element | None:
    return next(_all(one, name), None)


def _text(one: Element | None, *path: str) -> str:
    """The text of the last name of a path, each somewhere below the one before."""
    for name in path:
        one = _first(one, name)
    return one.text.strip() if one else ""


def _lead(root: Element, deal: Element, incoming: Incoming, notes: Notes) -> CanonicalLead:
    said_at, precision = moment(
        _text(root, "CreatedDatetime"), "CreatedDatetime", notes, zone=incoming.endpoint.zone
    )
    first, second = _borrowers(deal)
    loan, home = _subject_loan(deal), _first(deal, "SUBJECT_PROPERTY")
    served = yes_or_no(_text(first, "SelfDeclaredMilitaryServiceIndicator"))
    if _text(first, "BorrowerBirthDate"):
        notes.warn("dob_discarded")
    return CanonicalLead(
        source=Source.MISMO_ILAD,
        channel=CHANNEL,
        vendor_lead_id=_loan_id(loan),
        submitted_at=said_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        borrower=person(*_names(first), notes),
        co_borrower=_co_borrower(second, notes),
        phones=_phones(first, notes),
        emails=_emails(first, notes),
        mailing_address=_residence(first, notes),
        military=served,
        military_status=MilitaryStatus.UNSPECIFIED if served else None,
        extras=notes.extras,
        **_home_and_loan(home, loan, notes),
    )


def _borrowers(deal: Element) -> tuple[Element | None, Element | None]:
    """The primary borrower and the next, by what they are called and not by where they stand."""
    found = [
        party
        for party in _all(deal, "PARTY")
        if "borrower" in [one.text.strip().lower() for one in _all(party, "PartyRoleType")]
        or _first(party, "BORROWER")
    ]
    found.sort(key=lambda one: _text(one, "BorrowerClassificationType").lower() != "primary")
    return (*found[:2], None, None)[0], (*found[:2], None, None)[1]


def _subject_loan(deal: Element) -> Element | None:
    loans = list(_all(deal, "LOAN"))
    subject = [one for one in loans if one.attributes.get("LoanRoleType") == "SubjectLoan"]
    return next(iter(subject or loans), None)


def _loan_id(loan: Element | None) -> str | None:
    ids = list(_all(loan, "LOAN_IDENTIFIER"))
    ids.sort(key=lambda one: _text(one, "LoanIdentifierType") != "LenderLoan")
    return next((found for one in ids if (found := identifier(_text(one, "LoanIdentifier")))), None)


def _names(party: Element | None) -> tuple[str, str]:
    name = _first(party, "NAME")
    last = " ".join(filter(None, (_text(name, "LastName"), _text(name, "SuffixName"))))
    return _text(name, "FirstName"), last


def _phones(party: Element | None, notes: Notes) -> tuple[Phone, ...]:
    points = list(_all(party, "CONTACT_POINT"))
    return phones([(_text(one, "ContactPointTelephoneValue"), _role(one)) for one in points], notes)


def _role(point: Element) -> PhoneType:
    return PHONE_ROLES.get(squashed(_text(point, "ContactPointRoleType")), PhoneType.UNKNOWN)


def _emails(party: Element | None, notes: Notes) -> tuple[Email, ...]:
    points = _all(party, "CONTACT_POINT")
    return emails([_text(one, "ContactPointEmailValue") for one in points], notes)


def _co_borrower(party: Element | None, notes: Notes) -> CoBorrower | None:
    found = person(*_names(party), notes)
    if found is None:
        return None
    return CoBorrower(
        first_name=found.first_name,
        last_name=found.last_name,
        suffix=found.suffix,
        phones=_phones(party, notes),
        emails=_emails(party, notes),
    )


def _residence(party: Element | None, notes: Notes) -> Address | None:
    homes = list(_all(party, "RESIDENCE"))
    homes.sort(key=lambda one: _text(one, "BorrowerResidencyType") != "Current")
    return known(Address(**_where(next(iter(homes), None), notes)))


def _where(holder: Element | None, notes: Notes) -> dict[str, Any]:
    found = _first(holder, "ADDRESS")
    parts = {
        "line1": _text(found, "AddressLineText"),
        "line2": _text(found, "AddressUnitIdentifier"),
        "city": _text(found, "CityName"),
        "county": _text(found, "CountyName"),
        "state": _text(found, "StateCode"),
        "zip": _text(found, "PostalCode"),
    }
    return address_fields(parts, notes, state_key="StateCode", zip_key="PostalCode")


def _home_and_loan(home: Element | None, loan: Element | None, notes: Notes) -> dict[str, Any]:
    purpose = _purpose(loan, notes)
    worth = _text(home, "PropertyEstimatedValueAmount") or _text(home, "PropertyValuationAmount")
    value = positive_cents(worth, "property.estimated_value", notes)
    agreed = positive_cents(_text(home, "SalesContractAmount"), "property.purchase_price", notes)
    price = (agreed or value) if purpose is Purpose.PURCHASE else None
    value = price or value
    built = squashed(
        _text(home, "ConstructionMethodType") + " " + _text(home, "ProjectLegalStructureType")
    )
    kind = next((found for word, found in BUILT.items() if word in built), None)
    usage = _text(home, "PropertyUsageType")
    asked = Property(
        **_where(home, notes),
        type=kind,
        use=choice(usage, USES, "property.use", "PropertyUsageType", notes),
        units=count(_text(home, "FinancedUnitCount"), "property.units", notes, low=1, high=999),
        estimated_value_cents=value,
        purchase_price_cents=price,
    )
    if asked.units and asked.units > 5:
        asked = replace(asked, units=5)
    wanted = _loan(loan, purpose, notes)
    sizes = sized(wanted, value_cents=value, price_cents=price)
    return {"property": known(asked), "loan": known(replace(wanted, **sizes))}


def _purpose(loan: Element | None, notes: Notes) -> Purpose | None:
    stated = _text(loan, "LoanPurposeType")
    purpose = choice(stated, PURPOSE_WORDS, "loan.purpose", "LoanPurposeType", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    return CASH_OUT.get(squashed(_text(loan, "RefinanceCashOutDeterminationType")), purpose)


def _loan(loan: Element | None, purpose: Purpose | None, notes: Notes) -> Loan:
    terms = _first(loan, "TERMS_OF_LOAN") or loan
    amount = _text(terms, "BaseLoanAmount") or _text(terms, "NoteAmount")
    program = _text(terms, "MortgageType")
    rate = _text(loan, "AmortizationType") or _text(loan, "LoanAmortizationType")
    length = _text(loan, "LoanAmortizationPeriodCount")
    periods = count(length, "loan.term_months", notes, low=1, high=600)
    is_years = _text(loan, "LoanAmortizationPeriodType").lower() == "year"
    return Loan(
        purpose=purpose,
        type=choice(program, MORTGAGES, "loan.type", "MortgageType", notes),
        amortization=choice(rate, RATES, "loan.amortization", "AmortizationType", notes),
        term_months=periods * 12 if periods and is_years else periods,
        amount_cents=positive_cents(amount, "loan.amount", notes),
        desired_products=tuple(filter(None, [text(_text(loan, "LoanProgramName"))])),
    )
