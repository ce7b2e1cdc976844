"""Parsers from plainly named fields to loan, property, credit and income."""

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
    parse_moment,
    short_text,
    squash_word,
    third_party_email,
    third_party_phone,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.vendor_words import (
    AMORTIZATIONS,
    CONTACT_METHODS,
    CONTACT_TIMES,
    CREDIT_BANDS,
    EMPLOYMENTS,
    LOAN_TYPES,
    MILITARY_STATUSES,
    PROPERTY_TYPES,
    PROPERTY_USES,
    PURPOSES,
    REFINANCE_GOALS,
    match_choice,
    match_timeline,
    split_loan_words,
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
    MilitaryStatus,
    Purpose,
)

_YEARS = re.compile(r"(\d{2})\s*-?\s*y(?:ea)?r", re.IGNORECASE)
_AMORTIZATION_WORDS = (  # matched in product names, in this order
    ("interest only", Amortization.INTEREST_ONLY),
    ("arm", Amortization.ARM),
    ("adjustable", Amortization.ARM),
    ("fixed", Amortization.FIXED),
)

_NUMBER = re.compile(r"-?[\d.,]+")
_SCORES = re.compile(r"(?<!\d)([3-8]\d\d)(?:\s*(?:-|–|to|_)+\s*([3-8]\d\d))?(?!\d)\s*\+?", re.I)
_RANGE_WORDS = re.compile(
    r"\b(?:or|and|below|under|above|over|less|more|than|up|score)\b", re.IGNORECASE
)


def read_loan_request(fields: Fields, notes: ReadingNotes) -> dict[str, Any]:
    """Read the canonical property, loan, credit, income and borrower situation fields."""
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


def mailing_address(fields: Fields, notes: ReadingNotes) -> Address | None:
    """Read the borrower's home address: `address address2 city state county zip`."""
    parts = {
        "line1": fields.get("address"),
        "line2": fields.get("address2"),
        "city": fields.get("city"),
        "state": fields.get("state"),
        "county": fields.get("county"),
        "zip": fields.get("zip"),
    }
    return none_if_empty(Address(**parse_address(parts, notes)))


def _split_type_and_purpose(fields: Fields) -> tuple[str | None, str | None]:
    """Return the texts of loan type and purpose, whichever field names them: LoanType=REFI."""
    loan_type, type_purpose = split_loan_words(fields.get("loan_type"))
    purpose_text = short_text(fields.get("loan_purpose"))
    purpose_type, purpose = split_loan_words(purpose_text)
    if purpose is None and (purpose_type or "") == (purpose_text or ""):
        return loan_type, type_purpose or purpose_text
    return loan_type or purpose_type, purpose


def _purpose(fields: Fields, notes: ReadingNotes) -> Purpose | None:
    _, purpose_text = _split_type_and_purpose(fields)
    stated = match_choice(purpose_text, PURPOSES, "loan.purpose", "loan_purpose", notes)
    if stated is not Purpose.REFINANCE:
        return stated
    cash_out = parse_cents(fields.get("cash_out"), "loan.cash_out", notes)
    goal_text = short_text(fields.get("refinance_purpose"))
    goal = REFINANCE_GOALS.get(squash_word(goal_text)) if goal_text else None
    if goal_text and goal is None:
        notes.keep_extra("refinance_purpose", goal_text)
    if cash_out is None:
        return goal or stated
    return Purpose.REFINANCE_CASH_OUT if cash_out else Purpose.REFINANCE_RATE_TERM


def _read_value_and_price(fields: Fields, notes: ReadingNotes) -> tuple[int | None, int | None]:
    """Return the property value and, for a purchase only, the same amount as the price."""
    is_purchase = _purpose(fields, notes) is Purpose.PURCHASE
    keys = ("property_value", "purchase_price")
    text = fields.first_value(*(reversed(keys) if is_purchase else keys))
    value = parse_positive_cents(text, "property.estimated_value", notes)
    return value, value if is_purchase else None


def _property(fields: Fields, notes: ReadingNotes) -> Property | None:
    parts = ("city", "county", "state", "zip")
    address_parts = {part: fields.get(f"property_{part}") for part in parts}
    address_parts["line1"] = fields.get("property_address")
    address = parse_address(
        address_parts, notes, state_key="property_state", zip_key="property_zip"
    )
    kind, use = fields.get("property_type"), fields.get("property_use")
    value, price = _read_value_and_price(fields, notes)
    return none_if_empty(
        Property(
            **address,
            type=match_choice(kind, PROPERTY_TYPES, "property.type", "property_type", notes),
            use=match_choice(use, PROPERTY_USES, "property.use", "property_use", notes),
            estimated_value_cents=value,
            purchase_price_cents=price,
            new_construction=yes_or_no(fields.get("new_construction")),
        )
    )


def _read_product(fields: Fields) -> tuple[Amortization | None, int | None]:
    """Read amortization and term in months from a product name such as "30-Yr Fixed"."""
    product_name = (short_text(fields.get("product")) or "").lower()
    years = _YEARS.search(product_name)
    kind = next((kind for word, kind in _AMORTIZATION_WORDS if word in product_name), None)
    return kind, int(years[1]) * 12 if years else None


def _loan(fields: Fields, notes: ReadingNotes) -> Loan | None:
    value, price = _read_value_and_price(fields, notes)
    purpose = _purpose(fields, notes)
    down = parse_down_payment(fields.get("down_payment"), notes)
    years = parse_count(fields.get("term_years"), "loan.term_months", notes, low=1, high=50)
    rate = parse_percent(fields.get("current_rate"), "loan.current_rate", notes)
    ltv = parse_percent(fields.get("ltv"), "loan.ltv", notes)
    fixed_or_not, months = _read_product(fields)
    type_text, current_type = _split_type_and_purpose(fields)[0], fields.get("current_loan_type")

    def read_debt(key: str) -> int | None:
        """Read a debt; a 0 from a buyer, who has no mortgage, means unknown."""
        amount_cents = parse_cents(fields.get(key), f"loan.{key}", notes)
        return None if purpose is Purpose.PURCHASE and not amount_cents else amount_cents

    closed_at, _ = parse_moment(fields.get("closed_with_us"), "loan.closed_on", notes, zone="UTC")
    loan = Loan(
        purpose=purpose,
        type=match_choice(type_text, LOAN_TYPES, "loan.type", "loan_type", notes),
        amortization=match_choice(
            fields.get("amortization"), AMORTIZATIONS, "loan.amortization", "amortization", notes
        )
        or fixed_or_not,
        term_months=years * 12 if years else months,
        amount_cents=parse_positive_cents(fields.get("loan_amount"), "loan.amount", notes),
        down_payment_cents=down.cents if purpose is Purpose.PURCHASE else down.cents or None,
        down_payment_pct=down.pct,
        cash_out_cents=parse_cents(fields.get("cash_out"), "loan.cash_out", notes),
        ltv_pct=ltv or None,
        current_balance_cents=read_debt("current_balance"),
        second_balance_cents=read_debt("second_balance"),
        current_payment_cents=read_debt("current_payment"),
        current_rate_pct=rate or None,
        current_type=match_choice(
            current_type, LOAN_TYPES, "loan.current_type", "current_loan_type", notes
        ),
        closed_on=closed_at.date().isoformat() if closed_at else None,
    )
    return none_if_empty(
        replace(loan, **implied_loan_sizes(loan, value_cents=value, price_cents=price))
    )


def _credit(fields: Fields, notes: ReadingNotes) -> Credit | None:
    """Read credit; a stated word wins over the score for the band, and the score is kept."""
    exact = fields.get("credit_score")
    is_range = bool(exact) and not _NUMBER.fullmatch(short_text(exact) or "")
    word, low, high = _split_credit_word(fields.get("credit") or (exact if is_range else None))
    stated_band = match_choice(word, CREDIT_BANDS, "credit.band", "credit", notes)
    scores = _read_scores(None if is_range else exact, notes)
    low, high = scores if scores[0] else (low, high)
    basis = CreditBasis.SELF_REPORTED if stated_band else CreditBasis.SCORE_RANGE
    return none_if_empty(
        Credit(
            band=stated_band or credit_band(low),
            score_low=low,
            score_high=high,
            basis=basis if stated_band or low else None,
            bankruptcy=yes_or_no(fields.get("bankruptcy")),
            foreclosure=yes_or_no(fields.get("foreclosure")),
        )
    )


def _split_credit_word(value: Any) -> tuple[str | None, int | None, int | None]:
    """Split "Good (700-739)", "760 or more" or "below 620" into word, low and high."""
    text = short_text(value) or ""
    match = _SCORES.search(text)
    if match is None:
        return text or None, None, None
    low, high = int(match[1]), int(match[2] or 0)
    rest = text[: match.start()] + text[match.end() :]
    is_below = re.search(r"below|under|less", rest, re.IGNORECASE)
    if not high:
        low, high = (300, low - 1 if "less" not in rest else low) if is_below else (low, 850)
    word = re.sub(r"[\W_]+", " ", _RANGE_WORDS.sub(" ", rest)).strip()
    return word or None, low, high


def _read_scores(value: Any, notes: ReadingNotes) -> tuple[int | None, int | None]:
    """Parse a score or a range such as 640-679, 640 to 679, 740+; return low and high."""
    word, low, high = _split_credit_word(value)
    if low and not word and not as_text(value).strip().isdigit():
        return low, high
    score = parse_count(value, "credit.score_low", notes, low=300, high=850)
    return score, score


def _income(fields: Fields, notes: ReadingNotes) -> Income | None:
    annual = parse_positive_cents(fields.get("annual_income"), "income.annual", notes)
    debts = parse_cents(fields.get("monthly_debts"), "income.monthly_debts", notes)
    employment_text = fields.get("employment")
    return none_if_empty(
        Income(
            annual_cents=annual,
            band=income_band(annual),
            monthly_debts_cents=debts,
            assets_cents=parse_cents(fields.get("assets"), "income.assets", notes),
            employment=match_choice(
                employment_text, EMPLOYMENTS, "income.employment", "employment", notes
            ),
        )
    )


def _agent(fields: Fields) -> Agent | None:
    return none_if_empty(
        Agent(
            name=short_text(fields.get("agent_name")),
            email=third_party_email(fields.get("agent_email")),
            e164=third_party_phone(fields.get("agent_phone")),
            company=short_text(fields.get("agent_company")),
        )
    )


def _situation(fields: Fields, notes: ReadingNotes) -> dict[str, Any]:
    status_text = fields.get("military_status")
    status = match_choice(
        status_text, MILITARY_STATUSES, "military_status", "military_status", notes
    )
    served = True if status else yes_or_no(fields.first_value("military", "veteran"))
    has_agent = yes_or_no(fields.get("working_with_agent"))
    return {
        "military": served,
        "military_status": status or (MilitaryStatus.UNSPECIFIED if served else None),
        "first_time_buyer": yes_or_no(fields.get("first_time_buyer")),
        "found_home": yes_or_no(fields.get("found_home")),
        "signed_contract": yes_or_no(fields.get("signed_contract")),
        "has_agent": True if has_agent is None and _agent(fields) else has_agent,
        "timeline": match_timeline(fields.get("timeline"), "timeline", notes),
    }


def _contact_preference(fields: Fields, notes: ReadingNotes) -> ContactPreference | None:
    method_text, time_text = fields.get("contact_method"), fields.get("contact_time")
    return none_if_empty(
        ContactPreference(
            method=match_choice(
                method_text, CONTACT_METHODS, "contact_pref.method", "contact_method", notes
            ),
            time=match_choice(time_text, CONTACT_TIMES, "contact_pref.time", "contact_time", notes),
        )
    )
