"""MISMO 3.4 loan application files (iLAD, ULAD, DU). Format: docs/sources/mismo_ilad.md.

Elements are found by local name, because real files omit namespaces or use their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.amounts import implied_loan_sizes, parse_count, parse_positive_cents
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    quarantined_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    email_addresses,
    none_if_empty,
    parse_address,
    parse_moment,
    phone_numbers,
    short_text,
    squash_word,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.vendor_words import (
    AMORTIZATIONS,
    LOAN_TYPES,
    PROPERTY_USES,
    PURPOSES,
    match_choice,
)
from rooftree.capture.parsing.wire_formats import (
    Element,
    UnreadableBody,
    content_charset,
    parse_xml,
)
from rooftree.capture.sources import mismo_ilad_version_2
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
_OK_ANSWER = json_answer(200, status="accepted")
CASH_OUT_PURPOSES = {
    "cashout": Purpose.REFINANCE_CASH_OUT,
    "limitedcashout": Purpose.REFINANCE_RATE_TERM,
    "nocashout": Purpose.REFINANCE_RATE_TERM,
}
MORTGAGE_TYPES = LOAN_TYPES | {
    "usdaruraldevelopment": LoanType.USDA,
    "usdaruralhousing": LoanType.USDA,
}
USAGE_TYPES = PROPERTY_USES | {"secondhome": PropertyUse.SECOND_HOME}
CONSTRUCTION_TYPES = {
    "manufactured": PropertyType.MANUFACTURED,
    "modular": PropertyType.MODULAR,
    "condominium": PropertyType.CONDO,
    "cooperative": PropertyType.COOP,
}
AMORTIZATION_TYPES = AMORTIZATIONS | {
    "adjustablerate": Amortization.ARM,
    "fixed": Amortization.FIXED,
}
PURPOSE_WORDS = PURPOSES | {"mortgagemodification": Purpose.REFINANCE}
PHONE_ROLES = {"mobile": PhoneType.MOBILE, "home": PhoneType.HOME, "work": PhoneType.WORK}


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one application. Never raises."""
    if not incoming.path_secret_matches():
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden")
        )
    if incoming.is_too_large():
        return rejected_envelope(
            Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large")
        )
    notes = ReadingNotes()
    charset = content_charset(incoming.header("content-type"))
    try:
        root = parse_xml(incoming.masked.body, notes, declared_charset=charset, allow_doctype=True)
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    if application := mismo_ilad_version_2.find_root(root):
        return _read_version_2(application, incoming, notes)
    deals = list(_descendants_named(root, "DEAL"))
    if len(deals) > 1:
        return quarantined_envelope("several_leads", _OK_ANSWER, warnings=notes.warnings)
    return build_envelope(
        _build_lead(root, deals[0] if deals else root, incoming, notes), _OK_ANSWER, notes
    )


def _read_version_2(
    application: Element, incoming: IncomingDelivery, notes: ReadingNotes
) -> Envelope:
    """Build the envelope of a MISMO 2.x application."""
    lead = build_canonical_lead(
        mismo_ilad_version_2.read_fields(application, notes),
        notes,
        source=Source.MISMO_ILAD,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=incoming.endpoint.is_test,
    )
    return build_envelope(lead, _OK_ANSWER, notes)


def _descendants_named(element: Element | None, name: str) -> Iterator[Element]:
    """Yield every descendant of that name, in document order."""
    lowered, pending = name.lower(), [*reversed(element.children)] if element else []
    while pending:
        descendant = pending.pop()
        if descendant.name.lower() == lowered:
            yield descendant
        pending += reversed(descendant.children)


def _first_named(element: Element | None, name: str) -> Element | None:
    return next(_descendants_named(element, name), None)


def _text_at(element: Element | None, *path: str) -> str:
    """Return the text at the end of a path; each name is a descendant of the one before."""
    for name in path:
        element = _first_named(element, name)
    return element.text.strip() if element else ""


def _build_lead(
    root: Element, deal: Element, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    submitted_at, precision = parse_moment(
        _text_at(root, "CreatedDatetime"), "CreatedDatetime", notes, zone=incoming.endpoint.zone
    )
    first, second = _primary_and_co_borrower(deal)
    loans = list(_descendants_named(deal, "LOAN"))
    subject = [loan for loan in loans if loan.attributes.get("LoanRoleType") == "SubjectLoan"]
    loan, home = next(iter(subject or loans), None), _first_named(deal, "SUBJECT_PROPERTY")
    residences = list(_descendants_named(first, "RESIDENCE"))
    residences.sort(key=lambda residence: _text_at(residence, "BorrowerResidencyType") != "Current")
    served = yes_or_no(_text_at(first, "SelfDeclaredMilitaryServiceIndicator"))
    if _text_at(first, "BorrowerBirthDate"):
        notes.warn("dob_discarded")
    return CanonicalLead(
        source=Source.MISMO_ILAD,
        channel=CHANNEL,
        vendor_lead_id=_loan_id(loan),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        borrower=borrower_name(*_first_and_last_name(first), notes),
        co_borrower=_build_co_borrower(second, notes),
        phones=_build_phones(first, notes),
        emails=_build_emails(first, notes),
        mailing_address=none_if_empty(
            Address(**_address_parts(next(iter(residences), None), notes))
        ),
        military=served,
        military_status=MilitaryStatus.UNSPECIFIED if served else None,
        extras=notes.extras,
        **_build_property_and_loan(home, loan, notes),
    )


def _primary_and_co_borrower(deal: Element) -> tuple[Element | None, Element | None]:
    """Return the primary borrower and the next one, by role and classification, not by order.

    Where no party is called a borrower, the people without any role are the borrowers.
    """
    roles = {
        id(party): [
            role.text.strip().lower() for role in _descendants_named(party, "PartyRoleType")
        ]
        for party in _descendants_named(deal, "PARTY")
    }
    parties = list(_descendants_named(deal, "PARTY"))
    borrowers = [
        party
        for party in parties
        if "borrower" in roles[id(party)] or _first_named(party, "BORROWER")
    ] or [party for party in parties if not roles[id(party)] and _first_named(party, "NAME")]
    borrowers.sort(
        key=lambda party: _text_at(party, "BorrowerClassificationType").lower() != "primary"
    )
    first, second, *_ = (*borrowers[:2], None, None)
    return first, second


def _loan_id(loan: Element | None) -> str | None:
    ids = list(_descendants_named(loan, "LOAN_IDENTIFIER"))
    ids.sort(key=lambda identifier: _text_at(identifier, "LoanIdentifierType") != "LenderLoan")
    return next(
        (
            loan_id
            for identifier in ids
            if (loan_id := vendor_identifier(_text_at(identifier, "LoanIdentifier")))
        ),
        None,
    )


def _first_and_last_name(party: Element | None) -> tuple[str, str]:
    name = _first_named(party, "NAME")
    last = " ".join(filter(None, (_text_at(name, "LastName"), _text_at(name, "SuffixName"))))
    return _text_at(name, "FirstName"), last


def _build_phones(party: Element | None, notes: ReadingNotes) -> tuple[Phone, ...]:
    points = list(_descendants_named(party, "CONTACT_POINT"))
    numbers = []
    for point in points:
        role = squash_word(_text_at(point, "ContactPointRoleType"))
        number = _text_at(point, "ContactPointTelephoneValue")
        numbers.append((number, PHONE_ROLES.get(role, PhoneType.UNKNOWN)))
    return phone_numbers(numbers, notes)


def _build_emails(party: Element | None, notes: ReadingNotes) -> tuple[Email, ...]:
    points = _descendants_named(party, "CONTACT_POINT")
    return email_addresses([_text_at(point, "ContactPointEmailValue") for point in points], notes)


def _build_co_borrower(party: Element | None, notes: ReadingNotes) -> CoBorrower | None:
    name = borrower_name(*_first_and_last_name(party), notes)
    if name is None:
        return None
    return CoBorrower(
        first_name=name.first_name,
        last_name=name.last_name,
        suffix=name.suffix,
        phones=_build_phones(party, notes),
        emails=_build_emails(party, notes),
    )


def _address_parts(holder: Element | None, notes: ReadingNotes) -> dict[str, Any]:
    address = _first_named(holder, "ADDRESS")
    parts = {
        "line1": _text_at(address, "AddressLineText"),
        "line2": _text_at(address, "AddressUnitIdentifier"),
        "city": _text_at(address, "CityName"),
        "county": _text_at(address, "CountyName"),
        "state": _text_at(address, "StateCode"),
        "zip": _text_at(address, "PostalCode"),
    }
    return parse_address(parts, notes, state_key="StateCode", zip_key="PostalCode")


def _build_property_and_loan(
    home: Element | None, loan: Element | None, notes: ReadingNotes
) -> dict[str, Any]:
    purpose = _loan_purpose(loan, notes)
    value_text = _text_at(home, "PropertyEstimatedValueAmount") or _text_at(
        home, "PropertyValuationAmount"
    )
    value = parse_positive_cents(value_text, "property.estimated_value", notes)
    contract_price = parse_positive_cents(
        _text_at(home, "SalesContractAmount"), "property.purchase_price", notes
    )
    price = (contract_price or value) if purpose is Purpose.PURCHASE else None
    value = price or value
    structure = squash_word(
        _text_at(home, "ConstructionMethodType") + " " + _text_at(home, "ProjectLegalStructureType")
    )
    kind = next(
        (
            construction_type
            for word, construction_type in CONSTRUCTION_TYPES.items()
            if word in structure
        ),
        None,
    )
    usage = _text_at(home, "PropertyUsageType")
    subject = Property(
        **_address_parts(home, notes),
        type=kind,
        use=match_choice(usage, USAGE_TYPES, "property.use", "PropertyUsageType", notes),
        units=parse_count(
            _text_at(home, "FinancedUnitCount"), "property.units", notes, low=1, high=999
        ),
        estimated_value_cents=value,
        purchase_price_cents=price,
    )
    if subject.units and subject.units > 5:
        subject = replace(subject, units=5)
    request = _build_loan(loan, purpose, notes)
    sizes = implied_loan_sizes(request, value_cents=value, price_cents=price)
    return {"property": none_if_empty(subject), "loan": none_if_empty(replace(request, **sizes))}


def _loan_purpose(loan: Element | None, notes: ReadingNotes) -> Purpose | None:
    stated = _text_at(loan, "LoanPurposeType")
    purpose = match_choice(stated, PURPOSE_WORDS, "loan.purpose", "LoanPurposeType", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    return CASH_OUT_PURPOSES.get(
        squash_word(_text_at(loan, "RefinanceCashOutDeterminationType")), purpose
    )


def _build_loan(loan: Element | None, purpose: Purpose | None, notes: ReadingNotes) -> Loan:
    terms = _first_named(loan, "TERMS_OF_LOAN") or loan
    amount = _text_at(terms, "BaseLoanAmount") or _text_at(terms, "NoteAmount")
    program = _text_at(terms, "MortgageType")
    rate = _text_at(loan, "AmortizationType") or _text_at(loan, "LoanAmortizationType")
    length = _text_at(loan, "LoanAmortizationPeriodCount")
    periods = parse_count(length, "loan.term_months", notes, low=1, high=600)
    is_years = _text_at(loan, "LoanAmortizationPeriodType").lower() == "year"
    return Loan(
        purpose=purpose,
        type=match_choice(program, MORTGAGE_TYPES, "loan.type", "MortgageType", notes),
        amortization=match_choice(
            rate, AMORTIZATION_TYPES, "loan.amortization", "AmortizationType", notes
        ),
        term_months=periods * 12 if periods and is_years else periods,
        amount_cents=parse_positive_cents(amount, "loan.amount", notes),
        desired_products=tuple(filter(None, [short_text(_text_at(loan, "LoanProgramName"))])),
    )
