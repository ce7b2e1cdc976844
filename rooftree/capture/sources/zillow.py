"""Zillow lender contacts: one JSON object a POST. Wire format: docs/sources/zillow.md."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.amounts import (
    cents,
    count,
    credit_band,
    income_band,
    percent,
    positive_cents,
    sized,
)
from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import (
    LEAD_ID,
    Answer,
    Envelope,
    Incoming,
    Outcome,
    json_answer,
    refused,
)
from rooftree.capture.normalise import (
    address_fields,
    contact,
    emails,
    identifier,
    joined,
    known,
    message,
    moment,
    person,
    phones,
    squashed,
    text,
    third_party_email,
    yes_or_no,
)
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, charset, json_object
from rooftree.capture.words import (
    CONTACT_TIMES,
    MILITARY,
    PROPERTY_TYPES,
    PROPERTY_USES,
    choice,
    timeline,
)
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
BACKERS = {
    "fha": LoanType.FHA,
    "fanniemae": LoanType.CONVENTIONAL,
    "freddiemac": LoanType.CONVENTIONAL,
}
# Where a concierge has already spoken with the person.
SUPPRESSIONS = {
    "donotcall": Suppression(do_not_call=True, reason="DoNotCall"),
    "transferred": Suppression(do_not_text=True, reason="Transferred"),
}
_PROGRAM = re.compile(r"(?:Fixed|HomeEquity|HELOC)(\d{2})Year")
_SCORES = re.compile(r"R_(\d{3})_(\d{3})?")


def read(incoming: Incoming) -> Envelope:
    """One contact. Never raises: what cannot be used comes back as an outcome.

    Source: Zillow lender contact notification (SEEN 2026-11-23). A non-2xx
    answer means failure to Zillow, so whatever is authentic and readable gets 200.
    """
    if not incoming.path_secret_matches():
        return refused(Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden"))
    if incoming.is_too_large():
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", json_answer(413, error="too_large"))
    notes = Notes()
    told = charset(incoming.header("content-type"))
    try:
        found = Fields(json_object(incoming.masked.body, notes, told=told))
    except Unreadable as error:
        return refused(Outcome.REJECTED_MALFORMED, str(error), json_answer(400, error=str(error)))
    notes.warn_of(incoming.masked.found)
    details = found.part("details")
    lead = _lead(found, details, incoming, notes)
    notes.keep_all(found)
    notes.keep_all(details)
    return conclude(lead, _answer(incoming), notes)


def _answer(incoming: Incoming) -> Answer:
    url = incoming.endpoint.application_url
    offer = {"applicationURL": url} if url else {}
    return json_answer(200, externalContactReference=LEAD_ID, **offer)


def _lead(found: Fields, details: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    sender, zone = found.part("sender"), incoming.endpoint.zone
    submitted_at, precision = moment(found.get("created"), "created", notes, zone=zone)
    status = text(found.get("conciergeStatus"))
    return CanonicalLead(
        source=Source.ZILLOW,
        channel=CHANNEL,
        sub_source=text(found.get("source")),
        vendor_lead_id=identifier(found.get("id")),
        vendor_ids=_vendor_ids(found, details),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        cost=_cost(found.get("price"), notes),
        message=message(details.get("message"), notes),
        borrower=person(sender.get("firstName"), sender.get("lastName"), notes),
        co_borrower=_co_borrower(details, notes),
        phones=phones([(sender.get("phoneNumber"), PhoneType.UNKNOWN)], notes),
        emails=emails([sender.get("emailAddress")], notes),
        contact_pref=_contact_preference(found, zone, notes),
        property=_property(details, notes),
        loan=_loan(found, details, notes),
        credit=_credit(details, notes),
        income=_income(details, notes),
        recipient=_recipient(found.part("recipient")),
        vendor_status=status,
        suppression=SUPPRESSIONS.get(squashed(status or "")),
        extras=notes.extras,
        **_situation(details, notes),
    )


def _vendor_ids(found: Fields, details: Fields) -> dict[str, str]:
    ids = {
        "type": identifier(found.get("type")),
        "quote_id": identifier(details.get("quoteId")),
        "request_id": identifier(details.get("requestId")),
    }
    return {name: value for name, value in ids.items() if value}


def _cost(price: Any, notes: Notes) -> Cost | None:
    paid = cents(price, "cost", notes)
    return None if paid is None else Cost(amount_cents=paid, basis=CostBasis.PER_LEAD)


def _property(details: Fields, notes: Notes) -> Property | None:
    place = {
        "line1": details.get("propertyAddress") or details.get("streetAddress"),
        "city": details.get("city"),
        "county": details.get("county"),
        "state": details.get("stateAbbreviation"),
        "zip": details.get("zipCode"),
    }
    where = address_fields(place, notes, state_key="stateAbbreviation", zip_key="zipCode")
    value = positive_cents(details.get("propertyValue"), "property.estimated_value", notes)
    kind, use = details.get("propertyType"), details.get("propertyUse")
    if text(kind) == "Leasehold":
        notes.keep("propertyType", kind)
    bought = details.get("yearPurchased")
    return known(
        Property(
            **where,
            type=choice(kind, PROPERTY_TYPES, "property.type", "propertyType", notes),
            use=choice(use, PROPERTY_USES, "property.use", "propertyUse", notes),
            estimated_value_cents=value,
            purchase_price_cents=value if _is_purchase(details) else None,
            year_purchased=count(bought, "property.year_purchased", notes, low=1800, high=2200),
            new_construction=yes_or_no(details.get("newConstruction")),
        )
    )


def _is_purchase(details: Fields) -> bool:
    return squashed(text(details.get("loanPurpose")) or "") == "purchase"


def _loan(found: Fields, details: Fields, notes: Notes) -> Loan | None:
    is_purchase = _is_purchase(details)
    cash_out = cents(details.get("cashOut"), "loan.cash_out", notes)
    programs = _programs(details.get("desiredPrograms"))
    down = cents(details.get("downPayment"), "loan.down_payment", notes)
    balance = cents(details.get("currentBalance"), "loan.current_balance", notes)
    backer = details.get("currentBacker")
    value = positive_cents(details.get("propertyValue"), "property.estimated_value", notes)
    ltv = percent(details.get("loanToValuePercent"), "loan.ltv", notes)
    loan = Loan(
        purpose=_purpose(details, cash_out, notes),
        type=_wanted_type(found, details),
        amortization=_amortization(programs),
        term_months=_term_months(programs),
        desired_products=programs,
        amount_cents=positive_cents(details.get("loanAmount"), "loan.amount", notes),
        down_payment_cents=down if is_purchase or down else None,
        cash_out_cents=cash_out,
        ltv_pct=ltv or None,
        current_balance_cents=None if is_purchase and not balance else balance,
        current_type=choice(backer, BACKERS, "loan.current_type", "currentBacker", notes),
        quote=_quote(found.part("quote"), notes),
    )
    implied = sized(loan, value_cents=value, price_cents=value if is_purchase else None)
    return known(replace(loan, **implied))


def _purpose(details: Fields, cash_out: int | None, notes: Notes) -> Purpose | None:
    """A refinance is for cash when cash is wanted, and for the rate only when it is refused."""
    stated = details.get("loanPurpose")
    purpose = choice(stated, PURPOSES, "loan.purpose", "loanPurpose", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    wants = yes_or_no(details.get("wantsCashOut"))
    if cash_out or wants:
        return Purpose.REFINANCE_CASH_OUT
    if cash_out == 0 or wants is False:
        return Purpose.REFINANCE_RATE_TERM
    return purpose


def _wanted_type(found: Fields, details: Fields) -> LoanType | None:
    if yes_or_no(details.get("vaEligible")):
        return LoanType.VA
    return LoanType.JUMBO if yes_or_no(found.part("quote").get("jumbo")) else None


def _programs(listed: Any) -> tuple[str, ...]:
    codes = listed if isinstance(listed, list) else [listed]
    return tuple(code for code in map(text, codes[:50]) if code)


def _amortization(programs: tuple[str, ...]) -> Amortization | None:
    """Of the first programme that tells one."""
    for code in programs:
        if code.startswith("ARM"):
            return Amortization.ARM
        if code.startswith("InterestOnly"):
            return Amortization.INTEREST_ONLY
        if code.startswith(("Fixed", "HomeEquity")):
            return Amortization.FIXED
    return None


def _term_months(programs: tuple[str, ...]) -> int | None:
    found = filter(None, map(_PROGRAM.match, programs))
    return next((int(one[1]) * 12 for one in found), None)


def _quote(quote: Fields, notes: Notes) -> Quote | None:
    return known(
        Quote(
            rate_pct=percent(quote.get("rate"), "loan.quote.rate", notes),
            apr_pct=percent(quote.get("apr"), "loan.quote.apr", notes),
            term_months=count(quote.get("termMonths"), "loan.quote.term", notes, low=1, high=600),
            lock_days=count(quote.get("lockDays"), "loan.quote.lock", notes, low=0, high=1000),
        )
    )


def _credit(details: Fields, notes: Notes) -> Credit | None:
    """Both variants: the named range, and two numbers."""
    named = text(details.get("creditScoreRange"))
    scores = _SCORES.fullmatch(named or "")
    low_high: tuple[Any, Any] = (details.get("creditScoreLow"), details.get("creditScoreHigh"))
    if scores:
        low_high = (scores[1], scores[2] or 850)
    elif named:
        notes.warn(f"unknown_enum:credit.band={named}")
        notes.keep("creditScoreRange", named)
    low = count(low_high[0], "credit.score_low", notes, low=300, high=850)
    return known(
        Credit(
            band=credit_band(low),
            score_low=low,
            score_high=count(low_high[1], "credit.score_high", notes, low=300, high=850),
            basis=CreditBasis.SCORE_RANGE if low else None,
            bankruptcy=yes_or_no(details.get("hasBankruptcy")),
            foreclosure=yes_or_no(details.get("hasForeclosure")),
        )
    )


def _income(details: Fields, notes: Notes) -> Income | None:
    annual = positive_cents(details.get("annualIncome"), "income.annual", notes)
    own = yes_or_no(details.get("selfEmployed"))
    works = {True: Employment.SELF_EMPLOYED, False: Employment.EMPLOYED}
    dti = percent(details.get("debtToIncomePercent"), "income.dti", notes)
    return known(
        Income(
            annual_cents=annual,
            band=income_band(annual),
            monthly_debts_cents=cents(details.get("monthlyDebts"), "income.monthly_debts", notes),
            assets_cents=cents(details.get("totalAssets"), "income.assets", notes),
            dti_pct=dti or None,
            employment=None if own is None else works[own],
        )
    )


def _situation(details: Fields, notes: Notes) -> dict[str, Any]:
    agent = _agent(details)
    veteran = choice(details.get("veteranType"), MILITARY, "military_status", "veteranType", notes)
    has_agent = yes_or_no(details.get("hasAgent"))
    return {
        "military": True if veteran else None,
        "military_status": veteran,
        "first_time_buyer": yes_or_no(details.get("firstTimeBuyer")),
        "has_agent": True if has_agent is None and agent else has_agent,
        "agent": agent,
        "timeline": timeline(details.get("closingTimelineDays"), "closingTimelineDays", notes),
    }


def _agent(details: Fields) -> Agent | None:
    """Flat `agentFirstName` or nested `agent.FirstName`; both were seen."""
    nested = {key.lower(): value for key, value in details.part("agent").items()}

    def named(key: str) -> Any:
        return details.get(f"agent{key}") or nested.get(key.lower())

    return known(
        Agent(
            name=joined(named("FirstName"), named("LastName")),
            email=third_party_email(named("EmailAddress")),
            e164=contact(named("PhoneNumber")),
            company=text(named("BusinessName")),
            vendor_id=text(named("Id")),
        )
    )


def _recipient(found: Fields) -> Recipient | None:
    return known(
        Recipient(
            vendor_lender_id=text(found.get("lenderId")),
            name=joined(found.get("firstName"), found.get("lastName")),
            email=third_party_email(found.get("emailAddress")),
            e164=contact(found.get("phoneNumber")),
            nmls_id=text(found.get("nmlsLicense")),
        )
    )


def _co_borrower(details: Fields, notes: Notes) -> CoBorrower | None:
    found = person(details.get("coborrowerFirstName"), details.get("coborrowerLastName"), notes)
    if found is None:
        return None
    return CoBorrower(first_name=found.first_name, last_name=found.last_name, suffix=found.suffix)


def _contact_preference(found: Fields, zone: str, notes: Notes) -> ContactPreference | None:
    """A part of the day, or a moment the concierge agreed with the person."""
    asked = text(found.get("preferredContactTime"))
    if asked is None:
        return None
    if part := CONTACT_TIMES.get(squashed(asked)):
        return ContactPreference(time=part)
    at, _ = moment(asked, "preferredContactTime", notes, zone=zone)
    return known(ContactPreference(at=at))
