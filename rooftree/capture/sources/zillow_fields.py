"""Read the property, loan, credit and income of a Zillow contact."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.amounts import (
    credit_band,
    implied_loan_sizes,
    income_band,
    parse_cents,
    parse_count,
    parse_down_payment,
    parse_percent,
    parse_positive_cents,
)
from rooftree.capture.parsing.normalize_values import (
    none_if_empty,
    parse_address,
    short_text,
    squash_word,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.vendor_words import PROPERTY_TYPES, PROPERTY_USES, match_choice
from rooftree.leads.canonical import Credit, Income, Loan, Property, Quote
from rooftree.leads.vocabulary import Amortization, CreditBasis, Employment, LoanType, Purpose

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
_PROGRAM_PATTERN = re.compile(r"(?:Fixed|HomeEquity|HELOC)(\d{2})Year")
_SCORE_RANGE_PATTERN = re.compile(r"R_(\d{3})_(\d{3})?")


def build_property(details: Fields, notes: ReadingNotes) -> Property | None:
    """Read the property; Zillow's one value is also the price of a purchase."""
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


def build_loan(contact: Fields, details: Fields, notes: ReadingNotes) -> Loan | None:
    """Read the requested loan, the current one and the quote the borrower saw."""
    is_purchase = _is_purchase(details)
    cash_out = parse_cents(details.get("cashOut"), "loan.cash_out", notes)
    stated = details.get("desiredPrograms")
    codes = (stated if isinstance(stated, list) else [stated])[:50]
    programs = tuple(filter(None, map(short_text, codes)))
    program_matches = filter(None, map(_PROGRAM_PATTERN.match, programs))
    down = parse_down_payment(details.get("downPayment"), notes)
    balance = parse_cents(details.get("currentBalance"), "loan.current_balance", notes)
    backer = details.get("currentBacker")
    if isinstance(backer, dict):  # one flag for each backer
        backer = next((name for name, is_backer in backer.items() if yes_or_no(is_backer)), None)
    value = parse_positive_cents(details.get("propertyValue"), "property.estimated_value", notes)
    ltv = parse_percent(details.get("loanToValuePercent"), "loan.ltv", notes)
    loan_type = None
    if yes_or_no(details.get("vaEligible")):
        loan_type = LoanType.VA
    elif yes_or_no(contact.nested("quote").get("jumbo")):
        loan_type = LoanType.JUMBO
    loan = Loan(
        purpose=_loan_purpose(details, cash_out, notes),
        type=loan_type,
        amortization=_amortization(programs),
        term_months=next((int(match[1]) * 12 for match in program_matches), None),
        desired_products=programs,
        amount_cents=parse_positive_cents(details.get("loanAmount"), "loan.amount", notes),
        down_payment_cents=down.cents if is_purchase else down.cents or None,
        down_payment_pct=down.pct,
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


def build_credit(details: Fields, notes: ReadingNotes) -> Credit | None:
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


def build_income(details: Fields, notes: ReadingNotes) -> Income | None:
    """Read income, debts, assets and employment."""
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
