"""Zillow lender contacts: one JSON object per POST. Wire format: docs/sources/zillow.md."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.amounts import (
    credit_band,
    implied_loan_sizes,
    income_band,
    parse_cents,
    parse_count,
    parse_percent,
    parse_positive_cents,
)
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.envelope import (
    LEAD_ID_PLACEHOLDER,
    Envelope,
    IncomingDelivery,
    Outcome,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    consumer_message,
    email_addresses,
    none_if_empty,
    parse_address,
    parse_moment,
    phone_numbers,
    short_text,
    squash_word,
    third_party_email,
    third_party_name,
    third_party_phone,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.vendor_words import (
    CONTACT_TIMES,
    MILITARY_STATUSES,
    PROPERTY_TYPES,
    PROPERTY_USES,
    match_choice,
    match_timeline,
)
from rooftree.capture.parsing.wire_formats import UnreadableBody, content_charset, parse_json_object
from rooftree.leads.canonical import (
    Agent,
    CanonicalLead,
    CoBorrower,
    ContactPreference,
    Cost,
    Credit,
    Income,
    Loan,
    Property,
    Quote,
    Recipient,
    Suppression,
)
from rooftree.leads.vocabulary import (
    Amortization,
    Channel,
    CostBasis,
    CreditBasis,
    Employment,
    LoanType,
    PhoneType,
    Purpose,
    Source,
)

LABEL = "Zillow"
EXAMPLE = """
{"id": "LC-TEST1", "type": "longForm", "price": 65.0,
 "sender": {"firstName": "Test", "lastName": "Borrower", "emailAddress": "test@example.com",
            "phoneNumber": "8135550142"},
 "details": {"loanPurpose": "Purchase", "loanAmount": 350000, "stateAbbreviation": "FL"}}
"""
PATHS = ["zillow/<token>"]  # Zillow signs nothing: the secret is in the path
CHANNEL = Channel.MARKETPLACE

PURPOSES = {
    "purchase": Purpose.PURCHASE,
    "refinance": Purpose.REFINANCE,
    "homeequity": Purpose.HOME_EQUITY_LOAN,
    "construction": Purpose.CONSTRUCTION,
    "heloc": Purpose.HELOC,
}
LOAN_BACKERS = {
    "fha": LoanType.FHA,
    "fanniemae": LoanType.CONVENTIONAL,
    "freddiemac": LoanType.CONVENTIONAL,
}
# Set when a concierge has already spoken with the borrower.
SUPPRESSIONS = {
    "donotcall": Suppression(do_not_call=True, reason="DoNotCall"),
    "transferred": Suppression(do_not_text=True, reason="Transferred"),
}
_PROGRAM_PATTERN = re.compile(r"(?:Fixed|HomeEquity|HELOC)(\d{2})Year")
_SCORE_RANGE_PATTERN = re.compile(r"R_(\d{3})_(\d{3})?")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one contact. Never raises: an unusable delivery gets its own outcome.

    Source: Zillow lender contact notification (SEEN 2026-11-23). Zillow treats a non-2xx
    answer as a failure, so every authentic and readable contact gets 200.
    """
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
        contact = Fields(parse_json_object(incoming.masked.body, notes, declared_charset=charset))
    except UnreadableBody as error:
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error))
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    details = contact.nested("details")
    lead = _build_lead(contact, details, incoming, notes)
    notes.keep_unread(contact)
    notes.keep_unread(details)
    url = incoming.endpoint.application_url
    extra = {"applicationURL": url} if url else {}
    answer = json_answer(200, externalContactReference=LEAD_ID_PLACEHOLDER, **extra)
    return build_envelope(lead, answer, notes)


def _build_lead(
    contact: Fields, details: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    sender, zone = contact.nested("sender"), incoming.endpoint.zone
    submitted_at, precision = parse_moment(contact.get("created"), "created", notes, zone=zone)
    status = short_text(contact.get("conciergeStatus"))
    price = parse_cents(contact.get("price"), "cost", notes)
    return CanonicalLead(
        source=Source.ZILLOW,
        channel=CHANNEL,
        sub_source=short_text(contact.get("source")),
        vendor_lead_id=vendor_identifier(contact.get("id")),
        vendor_ids=_build_vendor_ids(contact, details),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        cost=None if price is None else Cost(amount_cents=price, basis=CostBasis.PER_LEAD),
        message=consumer_message(details.get("message"), notes),
        borrower=borrower_name(sender.get("firstName"), sender.get("lastName"), notes),
        co_borrower=_build_co_borrower(details, notes),
        phones=phone_numbers([(sender.get("phoneNumber"), PhoneType.UNKNOWN)], notes),
        emails=email_addresses([sender.get("emailAddress")], notes),
        contact_pref=_build_contact_preference(contact, zone, notes),
        property=_build_property(details, notes),
        loan=_build_loan(contact, details, notes),
        credit=_build_credit(details, notes),
        income=_build_income(details, notes),
        recipient=_build_recipient(contact.nested("recipient")),
        vendor_status=status,
        suppression=SUPPRESSIONS.get(squash_word(status or "")),
        extras=notes.extras,
        **_build_situation(details, notes),
    )


def _build_vendor_ids(contact: Fields, details: Fields) -> dict[str, str]:
    ids = {
        "type": vendor_identifier(contact.get("type")),
        "quote_id": vendor_identifier(details.get("quoteId")),
        "request_id": vendor_identifier(details.get("requestId")),
    }
    return {name: value for name, value in ids.items() if value}


def _build_property(details: Fields, notes: ReadingNotes) -> Property | None:
    address_fields = {
        "line1": details.get("propertyAddress") or details.get("streetAddress"),
        "city": details.get("city"),
        "county": details.get("county"),
        "state": details.get("stateAbbreviation"),
        "zip": details.get("zipCode"),
    }
    address = parse_address(address_fields, notes, state_key="stateAbbreviation", zip_key="zipCode")
    value_cents = parse_positive_cents(
        details.get("propertyValue"), "property.estimated_value", notes
    )
    type_text, use_text = details.get("propertyType"), details.get("propertyUse")
    if short_text(type_text) == "Leasehold":
        notes.keep_extra("propertyType", type_text)
    year_text = details.get("yearPurchased")
    return none_if_empty(
        Property(
            **address,
            type=match_choice(type_text, PROPERTY_TYPES, "property.type", "propertyType", notes),
            use=match_choice(use_text, PROPERTY_USES, "property.use", "propertyUse", notes),
            estimated_value_cents=value_cents,
            purchase_price_cents=value_cents if _is_purchase(details) else None,
            year_purchased=parse_count(
                year_text, "property.year_purchased", notes, low=1800, high=2200
            ),
            new_construction=yes_or_no(details.get("newConstruction")),
        )
    )


def _is_purchase(details: Fields) -> bool:
    return squash_word(short_text(details.get("loanPurpose")) or "") == "purchase"


def _build_loan(contact: Fields, details: Fields, notes: ReadingNotes) -> Loan | None:
    is_purchase = _is_purchase(details)
    cash_out = parse_cents(details.get("cashOut"), "loan.cash_out", notes)
    programs = _program_codes(details.get("desiredPrograms"))
    down = parse_cents(details.get("downPayment"), "loan.down_payment", notes)
    balance = parse_cents(details.get("currentBalance"), "loan.current_balance", notes)
    backer = details.get("currentBacker")
    value = parse_positive_cents(details.get("propertyValue"), "property.estimated_value", notes)
    ltv = parse_percent(details.get("loanToValuePercent"), "loan.ltv", notes)
    loan = Loan(
        purpose=_loan_purpose(details, cash_out, notes),
        type=_requested_loan_type(contact, details),
        amortization=_amortization(programs),
        term_months=_term_months(programs),
        desired_products=programs,
        amount_cents=parse_positive_cents(details.get("loanAmount"), "loan.amount", notes),
        down_payment_cents=down if is_purchase or down else None,
        cash_out_cents=cash_out,
        ltv_pct=ltv or None,
        current_balance_cents=None if is_purchase and not balance else balance,
        current_type=match_choice(
            backer, LOAN_BACKERS, "loan.current_type", "currentBacker", notes
        ),
        quote=_build_quote(contact.nested("quote"), notes),
    )
    implied = implied_loan_sizes(
        loan, value_cents=value, price_cents=value if is_purchase else None
    )
    return none_if_empty(replace(loan, **implied))


def _loan_purpose(details: Fields, cash_out: int | None, notes: ReadingNotes) -> Purpose | None:
    """Return the purpose; a refinance is cash-out or rate-and-term only when the answer says so."""
    stated = details.get("loanPurpose")
    purpose = match_choice(stated, PURPOSES, "loan.purpose", "loanPurpose", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    wants_cash = yes_or_no(details.get("wantsCashOut"))
    if cash_out or wants_cash:
        return Purpose.REFINANCE_CASH_OUT
    if cash_out == 0 or wants_cash is False:
        return Purpose.REFINANCE_RATE_TERM
    return purpose


def _requested_loan_type(contact: Fields, details: Fields) -> LoanType | None:
    if yes_or_no(details.get("vaEligible")):
        return LoanType.VA
    return LoanType.JUMBO if yes_or_no(contact.nested("quote").get("jumbo")) else None


def _program_codes(programs: Any) -> tuple[str, ...]:
    codes = programs if isinstance(programs, list) else [programs]
    return tuple(code for code in map(short_text, codes[:50]) if code)


def _amortization(programs: tuple[str, ...]) -> Amortization | None:
    """Return the amortization of the first program that names one."""
    for code in programs:
        if code.startswith("ARM"):
            return Amortization.ARM
        if code.startswith("InterestOnly"):
            return Amortization.INTEREST_ONLY
        if code.startswith(("Fixed", "HomeEquity")):
            return Amortization.FIXED
    return None


def _term_months(programs: tuple[str, ...]) -> int | None:
    matches = filter(None, map(_PROGRAM_PATTERN.match, programs))
    return next((int(match[1]) * 12 for match in matches), None)


def _build_quote(quote: Fields, notes: ReadingNotes) -> Quote | None:
    return none_if_empty(
        Quote(
            rate_pct=parse_percent(quote.get("rate"), "loan.quote.rate", notes),
            apr_pct=parse_percent(quote.get("apr"), "loan.quote.apr", notes),
            term_months=parse_count(
                quote.get("termMonths"), "loan.quote.term", notes, low=1, high=600
            ),
            lock_days=parse_count(
                quote.get("lockDays"), "loan.quote.lock", notes, low=0, high=1000
            ),
        )
    )


def _build_credit(details: Fields, notes: ReadingNotes) -> Credit | None:
    """Read credit from a named range or from two numbers; Zillow sends both variants."""
    range_name = short_text(details.get("creditScoreRange"))
    scores = _SCORE_RANGE_PATTERN.fullmatch(range_name or "")
    low_high: tuple[Any, Any] = (details.get("creditScoreLow"), details.get("creditScoreHigh"))
    if scores:
        low_high = (scores[1], scores[2] or 850)
    elif range_name:
        notes.warn(f"unknown_enum:credit.band={range_name}")
        notes.keep_extra("creditScoreRange", range_name)
    low = parse_count(low_high[0], "credit.score_low", notes, low=300, high=850)
    return none_if_empty(
        Credit(
            band=credit_band(low),
            score_low=low,
            score_high=parse_count(low_high[1], "credit.score_high", notes, low=300, high=850),
            basis=CreditBasis.SCORE_RANGE if low else None,
            bankruptcy=yes_or_no(details.get("hasBankruptcy")),
            foreclosure=yes_or_no(details.get("hasForeclosure")),
        )
    )


def _build_income(details: Fields, notes: ReadingNotes) -> Income | None:
    annual = parse_positive_cents(details.get("annualIncome"), "income.annual", notes)
    is_self_employed = yes_or_no(details.get("selfEmployed"))
    employments = {True: Employment.SELF_EMPLOYED, False: Employment.EMPLOYED}
    dti = parse_percent(details.get("debtToIncomePercent"), "income.dti", notes)
    return none_if_empty(
        Income(
            annual_cents=annual,
            band=income_band(annual),
            monthly_debts_cents=parse_cents(
                details.get("monthlyDebts"), "income.monthly_debts", notes
            ),
            assets_cents=parse_cents(details.get("totalAssets"), "income.assets", notes),
            dti_pct=dti or None,
            employment=None if is_self_employed is None else employments[is_self_employed],
        )
    )


def _build_situation(details: Fields, notes: ReadingNotes) -> dict[str, Any]:
    agent = _build_agent(details)
    veteran = match_choice(
        details.get("veteranType"), MILITARY_STATUSES, "military_status", "veteranType", notes
    )
    has_agent = yes_or_no(details.get("hasAgent"))
    return {
        "military": True if veteran else None,
        "military_status": veteran,
        "first_time_buyer": yes_or_no(details.get("firstTimeBuyer")),
        "has_agent": True if has_agent is None and agent else has_agent,
        "agent": agent,
        "timeline": match_timeline(
            details.get("closingTimelineDays"), "closingTimelineDays", notes
        ),
    }


def _build_agent(details: Fields) -> Agent | None:
    """Read the agent from flat `agentFirstName` or nested `agent.FirstName`; both were seen."""
    nested = {key.lower(): value for key, value in details.nested("agent").items()}

    def agent_value(key: str) -> Any:
        return details.get(f"agent{key}") or nested.get(key.lower())

    return none_if_empty(
        Agent(
            name=third_party_name(agent_value("FirstName"), agent_value("LastName")),
            email=third_party_email(agent_value("EmailAddress")),
            e164=third_party_phone(agent_value("PhoneNumber")),
            company=short_text(agent_value("BusinessName")),
            vendor_id=short_text(agent_value("Id")),
        )
    )


def _build_recipient(recipient: Fields) -> Recipient | None:
    return none_if_empty(
        Recipient(
            vendor_lender_id=short_text(recipient.get("lenderId")),
            name=third_party_name(recipient.get("firstName"), recipient.get("lastName")),
            email=third_party_email(recipient.get("emailAddress")),
            e164=third_party_phone(recipient.get("phoneNumber")),
            nmls_id=short_text(recipient.get("nmlsLicense")),
        )
    )


def _build_co_borrower(details: Fields, notes: ReadingNotes) -> CoBorrower | None:
    name = borrower_name(
        details.get("coborrowerFirstName"), details.get("coborrowerLastName"), notes
    )
    if name is None:
        return None
    return CoBorrower(first_name=name.first_name, last_name=name.last_name, suffix=name.suffix)


def _build_contact_preference(
    contact: Fields, zone: str, notes: ReadingNotes
) -> ContactPreference | None:
    """Read a time of day, or an exact time the concierge agreed on with the borrower."""
    preference = short_text(contact.get("preferredContactTime"))
    if preference is None:
        return None
    if part := CONTACT_TIMES.get(squash_word(preference)):
        return ContactPreference(time=part)
    at, _ = parse_moment(preference, "preferredContactTime", notes, zone=zone)
    return none_if_empty(ContactPreference(at=at))
