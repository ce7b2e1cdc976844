"""What a consumer wants and says of the home, read from plainly named fields."""

import re
from dataclasses import replace
from typing import Any

from rooftree.capture.amounts import (
    cents,
    count,
    credit_band,
    down_payment,
    income_band,
    percent,
    positive_cents,
    sized,
)
from rooftree.capture.normalise import (
    address_fields,
    contact,
    known,
    squashed,
    text,
    third_party_email,
    yes_or_no,
)
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.capture.words import (
    AMORTIZATIONS,
    CONTACT_METHODS,
    CONTACT_TIMES,
    CREDIT_BANDS,
    EMPLOYMENTS,
    LOAN_TYPES,
    MILITARY,
    PROPERTY_TYPES,
    PROPERTY_USES,
    PURPOSES,
    REFINANCES,
    choice,
    timeline,
)
from rooftree.leads.canonical import (
    Address,
    Agent,
    ContactPreference,
    Credit,
    Income,
    Loan,
    Property,
)
from rooftree.leads.vocabulary import (
    Amortization,
    CreditBasis,
    LoanType,
    MilitaryStatus,
    Purpose,
)

_YEARS = re.compile(r"(\d{2})\s*-?\s*y(?:ea)?r", re.IGNORECASE)
_KINDS = (  # of a product, by its name: the first that is in it
    ("interest only", Amortization.INTEREST_ONLY),
    ("arm", Amortization.ARM),
    ("adjustable", Amortization.ARM),
    ("fixed", Amortization.FIXED),
)

_NUMBER = re.compile(r"-?[\d.,]+")
_SCORES = re.compile(r"(?<!\d)([3-8]\d\d)(?:\s*(?:-|–|to|_)+\s*([3-8]\d\d))?(?!\d)\s*\+?", re.I)
_AROUND = re.compile(
    r"\b(?:or|and|below|under|above|over|less|more|than|up|score)\b", re.IGNORECASE
)


def wish(fields: Fields, notes: Notes) -> dict[str, Any]:
    """They are the canonical fields of the home, the loan, the money and the situation."""
    return {
        "mailing_address": mailing_address(fields, notes),
        "contact_pref": _contact_preference(fields, notes),
        "property": _property(fields, notes),
        "loan": _loan(fields, notes),
        "credit": _credit(fields, notes),
        "income": _income(fields, notes),
        "agent": _agent(fields),
        **_situation(fields, notes),
    }


def mailing_address(fields: Fields, notes: Notes) -> Address | None:
    """It is where the person lives: `address address2 city state county zip`."""
    found = {
        "line1": fields.get("address"),
        "line2": fields.get("address2"),
        "city": fields.get("city"),
        "state": fields.get("state"),
        "county": fields.get("county"),
        "zip": fields.get("zip"),
    }
    return known(Address(**address_fields(found, notes)))


def _purpose(fields: Fields, notes: Notes) -> Purpose | None:
    stated = choice(fields.get("loan_purpose"), PURPOSES, "loan.purpose", "loan_purpose", notes)
    if stated is not Purpose.REFINANCE:
        return stated
    cash_out = cents(fields.get("cash_out"), "loan.cash_out", notes)
    meant = text(fields.get("refinance_purpose"))
    told = REFINANCES.get(squashed(meant)) if meant else None
    if meant and told is None:
        notes.keep("refinance_purpose", meant)
    if cash_out is None:
        return told or stated
    return Purpose.REFINANCE_CASH_OUT if cash_out else Purpose.REFINANCE_RATE_TERM


def _value(fields: Fields, notes: Notes) -> tuple[int | None, int | None]:
    """The home's value, and its price when it is being bought."""
    is_purchase = _purpose(fields, notes) is Purpose.PURCHASE
    keys = ("property_value", "purchase_price")
    written = fields.first(*(reversed(keys) if is_purchase else keys))
    value = positive_cents(written, "property.estimated_value", notes)
    return value, value if is_purchase else None


def _property(fields: Fields, notes: Notes) -> Property | None:
    parts = ("city", "county", "state", "zip")
    found = {part: fields.get(f"property_{part}") for part in parts}
    found["line1"] = fields.get("property_address")
    where = address_fields(found, notes, state_key="property_state", zip_key="property_zip")
    kind, use = fields.get("property_type"), fields.get("property_use")
    value, price = _value(fields, notes)
    return known(
        Property(
            **where,
            type=choice(kind, PROPERTY_TYPES, "property.type", "property_type", notes),
            use=choice(use, PROPERTY_USES, "property.use", "property_use", notes),
            estimated_value_cents=value,
            purchase_price_cents=price,
            new_construction=yes_or_no(fields.get("new_construction")),
        )
    )


def _product(fields: Fields) -> tuple[Amortization | None, int | None]:
    """What the name of a product tells: fixed or adjustable, and for how many months."""
    named = (text(fields.get("product")) or "").lower()
    years = _YEARS.search(named)
    kind = next((kind for said, kind in _KINDS if said in named), None)
    return kind, int(years[1]) * 12 if years else None


def _loan(fields: Fields, notes: Notes) -> Loan | None:
    value, price = _value(fields, notes)
    purpose = _purpose(fields, notes)
    down = down_payment(fields.get("down_payment"), notes)
    years = count(fields.get("term_years"), "loan.term_months", notes, low=1, high=50)
    rate = percent(fields.get("current_rate"), "loan.current_rate", notes)
    ltv = percent(fields.get("ltv"), "loan.ltv", notes)
    fixed_or_not, months = _product(fields)

    def owed(key: str) -> int | None:
        """What a buyer without a mortgage sends as 0 is unknown."""
        found = cents(fields.get(key), f"loan.{key}", notes)
        return None if purpose is Purpose.PURCHASE and not found else found

    def of_type(key: str, field: str) -> LoanType | None:
        return choice(fields.get(key), LOAN_TYPES, field, key, notes)

    kind = fields.get("amortization")
    loan = Loan(
        purpose=purpose,
        type=of_type("loan_type", "loan.type"),
        amortization=choice(kind, AMORTIZATIONS, "loan.amortization", "amortization", notes)
        or fixed_or_not,
        term_months=years * 12 if years else months,
        amount_cents=positive_cents(fields.get("loan_amount"), "loan.amount", notes),
        down_payment_cents=down.cents if purpose is Purpose.PURCHASE else down.cents or None,
        down_payment_pct=down.pct,
        cash_out_cents=cents(fields.get("cash_out"), "loan.cash_out", notes),
        ltv_pct=ltv or None,
        current_balance_cents=owed("current_balance"),
        second_balance_cents=owed("second_balance"),
        current_payment_cents=owed("current_payment"),
        current_rate_pct=rate or None,
        current_type=of_type("current_loan_type", "loan.current_type"),
    )
    return known(replace(loan, **sized(loan, value_cents=value, price_cents=price)))


def _credit(fields: Fields, notes: Notes) -> Credit | None:
    """The word wins over the score for the band; the score is kept beside it."""
    exact = fields.get("credit_score")
    is_range = bool(exact) and not _NUMBER.fullmatch(text(exact) or "")
    word, low, high = _word_and_range(fields.get("credit") or (exact if is_range else None))
    said = choice(word, CREDIT_BANDS, "credit.band", "credit", notes)
    scores = _scores(None if is_range else exact, notes)
    low, high = scores if scores[0] else (low, high)
    basis = CreditBasis.SELF_REPORTED if said else CreditBasis.SCORE_RANGE
    return known(
        Credit(
            band=said or credit_band(low),
            score_low=low,
            score_high=high,
            basis=basis if said or low else None,
            bankruptcy=yes_or_no(fields.get("bankruptcy")),
            foreclosure=yes_or_no(fields.get("foreclosure")),
        )
    )


def _word_and_range(value: Any) -> tuple[str | None, int | None, int | None]:
    """The parts of "Good (700-739)", "760 or more", "below 620" or a word alone."""
    written = text(value) or ""
    found = _SCORES.search(written)
    if found is None:
        return written or None, None, None
    low, high = int(found[1]), int(found[2] or 0)
    rest = written[: found.start()] + written[found.end() :]
    is_below = re.search(r"below|under|less", rest, re.IGNORECASE)
    if not high:
        low, high = (300, low - 1 if "less" not in rest else low) if is_below else (low, 850)
    word = re.sub(r"[\W_]+", " ", _AROUND.sub(" ", rest)).strip()
    return word or None, low, high


def _scores(value: Any, notes: Notes) -> tuple[int | None, int | None]:
    """A score, or its range: 640-679, 640 to 679, 740+."""
    word, low, high = _word_and_range(value)
    if low and not word and not as_text(value).strip().isdigit():
        return low, high
    score = count(value, "credit.score_low", notes, low=300, high=850)
    return score, score


def _income(fields: Fields, notes: Notes) -> Income | None:
    annual = positive_cents(fields.get("annual_income"), "income.annual", notes)
    debts = cents(fields.get("monthly_debts"), "income.monthly_debts", notes)
    works = fields.get("employment")
    return known(
        Income(
            annual_cents=annual,
            band=income_band(annual),
            monthly_debts_cents=debts,
            assets_cents=cents(fields.get("assets"), "income.assets", notes),
            employment=choice(works, EMPLOYMENTS, "income.employment", "employment", notes),
        )
    )


def _agent(fields: Fields) -> Agent | None:
    return known(
        Agent(
            name=text(fields.get("agent_name")),
            email=third_party_email(fields.get("agent_email")),
            e164=contact(fields.get("agent_phone")),
            company=text(fields.get("agent_company")),
        )
    )


def _situation(fields: Fields, notes: Notes) -> dict[str, Any]:
    stated = fields.get("military_status")
    status = choice(stated, MILITARY, "military_status", "military_status", notes)
    served = True if status else yes_or_no(fields.first("military", "veteran"))
    has_agent = yes_or_no(fields.get("working_with_agent"))
    return {
        "military": served,
        "military_status": status or (MilitaryStatus.UNSPECIFIED if served else None),
        "first_time_buyer": yes_or_no(fields.get("first_time_buyer")),
        "found_home": yes_or_no(fields.get("found_home")),
        "signed_contract": yes_or_no(fields.get("signed_contract")),
        "has_agent": True if has_agent is None and _agent(fields) else has_agent,
        "timeline": timeline(fields.get("timeline"), "timeline", notes),
    }


def _contact_preference(fields: Fields, notes: Notes) -> ContactPreference | None:
    how, when = fields.get("contact_method"), fields.get("contact_time")
    return known(
        ContactPreference(
            method=choice(how, CONTACT_METHODS, "contact_pref.method", "contact_method", notes),
            time=choice(when, CONTACT_TIMES, "contact_pref.time", "contact_time", notes),
        )
    )
