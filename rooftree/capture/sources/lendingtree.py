"""LendingTree leads: two XML formats and one JSON. Wire format: docs/sources/lendingtree.md."""

from dataclasses import replace
from decimal import Decimal
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
from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.envelope import (
    Answer,
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
    third_party_email,
    third_party_name,
    third_party_phone,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.vendor_words import (
    CONTACT_TIMES,
    CREDIT_BANDS,
    PROPERTY_TYPES,
    PROPERTY_USES,
    REFINANCE_GOALS,
    match_choice,
    match_timeline,
)
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.capture.sources.lendingtree_fields import flatten_fields
from rooftree.leads.canonical import (
    Address,
    Agent,
    CanonicalLead,
    ContactPreference,
    Cost,
    Credit,
    Income,
    Loan,
    Property,
)
from rooftree.leads.vocabulary import (
    Channel,
    CostBasis,
    CreditBand,
    CreditBasis,
    MilitaryStatus,
    PhoneType,
    Purpose,
    Source,
)

LABEL = "LendingTree"
EXAMPLE = """
<LeadInformation><LeadApplication><TrackingNumber>test-1</TrackingNumber>
<FirstName>Test</FirstName><LastName>Borrower</LastName><HomePhone>8135550142</HomePhone>
<EmailAddress>test@example.com</EmailAddress><LoanRequested>purchase</LoanRequested>
<LoanAmount>350000</LoanAmount><PropertyState>FL</PropertyState><MatchFee>45.00</MatchFee>
</LeadApplication></LeadInformation>
"""
PATHS = ["lendingtree/<token>"]  # LendingTree signs nothing: the secret is in the path
CHANNEL = Channel.MARKETPLACE

PURPOSES = {
    "purchase": Purpose.PURCHASE,
    "mortgagepurchase": Purpose.PURCHASE,
    "refinance": Purpose.REFINANCE,
    "mortgagerefinance": Purpose.REFINANCE,
    "homeequity": Purpose.HOME_EQUITY,
    "mortgagehomeequity": Purpose.HOME_EQUITY,
}
VENDOR_IDS = {
    "applicant_id": "ApplicantID",
    "filter_id": "FilterRoutingID",
    "partner_uid": "PartnerUID",
    "promotional_program": "PromotionalProgram",
    "filter_class": "FilterClass",
}
_NEVER_WORDS = frozenset(
    {"never", "neverdeclaredbankruptcy", "neverinforeclosure", "none", "no", "n"}
)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome.

    LendingTree reads our LTACK: ERRORNUM 0 for every authentic and readable lead. The full
    list of its codes is not public; a known receiver uses 1.
    """
    if not incoming.path_secret_matches():
        return rejected_envelope(
            Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden")
        )
    if incoming.is_too_large():
        answer = build_ack(1, "Request too large", status=413)
        return rejected_envelope(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = ReadingNotes()
    try:
        fields = flatten_fields(incoming, notes)
    except UnreadableBody as error:
        answer = build_ack(1, "Malformed request")
        return rejected_envelope(
            Outcome.REJECTED_MALFORMED, str(error), answer, tell_operations=True
        )
    if fields is None:
        return quarantined_envelope(
            "unknown_shape", build_ack(0, "Success"), warnings=notes.warnings
        )
    notes.warn_of_secrets(incoming.masked.kinds)
    lead = _build_lead(fields, incoming, notes)
    notes.keep_unread(fields)
    return build_envelope(lead, build_ack(0, "Success"), notes)


def build_ack(code: int, description: str, *, status: int = 200) -> Answer:
    """Build LendingTree's acknowledgment (LTACK)."""
    status_xml = f"<ERRORNUM>{code}</ERRORNUM><ERRORDESCRIPTION>{description}</ERRORDESCRIPTION>"
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><LTACK><ERRSTATUS>{status_xml}</ERRSTATUS></LTACK>'
    )
    return Answer(status=status, content_type="text/xml", body=body)


def _build_lead(fields: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    zone = incoming.endpoint.zone
    applied_on = fields.get("ApplicationDate")
    submitted_at, precision = parse_moment(applied_on, "ApplicationDate", notes, zone=zone)
    fee = parse_cents(fields.get("MatchFee"), "cost", notes)
    if short_text(fields.get("SSN")):
        notes.warn("ssn_discarded")
    if short_text(fields.first_value("DateOfBirth", "DOB")):
        notes.warn("dob_discarded")
    lead_ids = [fields.get(key) for key in ("TrackingNumber", "ApplicantID", "leadExternalId")]
    vendor_ids = {key: vendor_identifier(fields.get(name)) for key, name in VENDOR_IDS.items()}
    return CanonicalLead(
        source=Source.LENDINGTREE,
        channel=CHANNEL,
        sub_source=short_text(fields.get("FilterName")),
        vendor_lead_id=next(filter(None, map(vendor_identifier, lead_ids)), None),
        vendor_ids={key: value for key, value in vendor_ids.items() if value},
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        cost=None if fee is None else Cost(amount_cents=fee, basis=CostBasis.MATCH_FEE),
        borrower=borrower_name(fields.get("FirstName"), fields.get("LastName"), notes),
        phones=_build_phones(fields, notes),
        emails=email_addresses([fields.get("EmailAddress")], notes),
        mailing_address=_build_mailing_address(fields, notes),
        contact_pref=_build_contact_preference(fields, notes),
        property=_build_property(fields, notes),
        loan=_build_loan(fields, notes),
        credit=_build_credit(fields, notes),
        income=_build_income(fields, notes),
        **_build_situation(fields, notes),
        extras=notes.extras,
    )


def _build_phones(fields: Fields, notes: ReadingNotes) -> Any:
    numbers = [
        (fields.get("ContactPhone"), PhoneType.UNKNOWN),
        (fields.get("HomePhone"), PhoneType.HOME),
        (fields.get("WorkPhone"), PhoneType.WORK),
        (fields.get("VerifiedHomePhone"), PhoneType.HOME),
    ]
    return phone_numbers(numbers, notes)


def _build_mailing_address(fields: Fields, notes: ReadingNotes) -> Address | None:
    names = {
        "line1": "Address1",
        "line2": "Address2",
        "city": "City",
        "state": "State",
        "zip": "Zip",
    }
    parts = {name: fields.get(vendor_name) for name, vendor_name in names.items()}
    return none_if_empty(Address(**parse_address(parts, notes, state_key="State", zip_key="Zip")))


def _build_contact_preference(fields: Fields, notes: ReadingNotes) -> ContactPreference | None:
    time_text = fields.get("TimeToContact")
    return none_if_empty(
        ContactPreference(
            time=match_choice(time_text, CONTACT_TIMES, "contact_pref.time", "TimeToContact", notes)
        )
    )


def _loan_purpose(fields: Fields, notes: ReadingNotes) -> Purpose | None:
    """Return the purpose; cash out above 0 makes a refinance cash-out, 0 makes it rate-and-term."""
    stated = fields.first_value("LoanRequested", "vertical")
    if not stated and squash_word(short_text(fields.first_value("LoanType")) or "") in PURPOSES:
        stated = fields.get("LoanType")
    purpose = match_choice(stated, PURPOSES, "loan.purpose", "LoanRequested", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    cash_out = parse_cents(fields.get("AddlCashOut"), "loan.cash_out", notes)
    if cash_out is None:
        goal = short_text(fields.get("RefinancePurpose"))
        notes.keep_extra("RefinancePurpose", goal)
        return REFINANCE_GOALS.get(squash_word(goal or ""), purpose)
    return Purpose.REFINANCE_CASH_OUT if cash_out else Purpose.REFINANCE_RATE_TERM


def _property_value_cents(fields: Fields, notes: ReadingNotes) -> int | None:
    """Return the price for a purchase, the owner's estimate for a refinance."""
    price, estimate = fields.get("PurchasePrice"), fields.get("PropertyPrice")
    if _loan_purpose(fields, notes) is Purpose.PURCHASE:
        text = fields.first_value("PurchasePrice", "PropertyPrice")
    else:
        text = estimate if estimate not in (None, "") else price
    return parse_positive_cents(text, "property.estimated_value", notes)


def _build_property(fields: Fields, notes: ReadingNotes) -> Property | None:
    names = {
        "line1": "PropertyAddress",
        "city": "PropertyCity",
        "county": "PropertyCounty",
        "state": "PropertyState",
        "zip": "PropertyZip",
    }
    parts = {name: fields.get(vendor_name) for name, vendor_name in names.items()}
    address = parse_address(parts, notes, state_key="PropertyState", zip_key="PropertyZip")
    value = _property_value_cents(fields, notes)
    type_text, use_text = fields.get("PropertyType"), fields.get("PropertyUse")
    is_purchase = _loan_purpose(fields, notes) is Purpose.PURCHASE
    return none_if_empty(
        Property(
            **address,
            msa=short_text(fields.get("PropertyMSA")),
            type=match_choice(type_text, PROPERTY_TYPES, "property.type", "PropertyType", notes),
            use=match_choice(use_text, PROPERTY_USES, "property.use", "PropertyUse", notes),
            estimated_value_cents=value,
            purchase_price_cents=value if is_purchase else None,
        )
    )


def _build_loan(fields: Fields, notes: ReadingNotes) -> Loan | None:
    purpose = _loan_purpose(fields, notes)
    is_purchase = purpose is Purpose.PURCHASE
    years = parse_count(fields.get("MortgageTerm"), "loan.term_months", notes, low=0, high=50)
    down = parse_down_payment(fields.get("DownPayment"), notes)
    rate = parse_percent(fields.get("CurrentLoanRate"), "loan.current_rate", notes)

    def read_debt(key: str, field: str) -> int | None:
        """Read a debt; a 0 from a buyer, who has no mortgage, means unknown."""
        amount_cents = parse_cents(fields.get(key), field, notes)
        return None if is_purchase and not amount_cents else amount_cents

    value = _property_value_cents(fields, notes)
    ltv = parse_percent(fields.get("LTV"), "loan.ltv", notes)
    loan = Loan(
        purpose=purpose,
        term_months=years * 12 if years else None,
        amount_cents=parse_positive_cents(fields.get("LoanAmount"), "loan.amount", notes),
        down_payment_cents=down.cents if is_purchase else down.cents or None,
        down_payment_pct=down.pct,
        cash_out_cents=parse_cents(fields.get("AddlCashOut"), "loan.cash_out", notes),
        ltv_pct=ltv or None,
        current_balance_cents=read_debt("FirstMortgageBalance", "loan.current_balance"),
        second_balance_cents=read_debt("SecondMortgageBalance", "loan.second_balance"),
        current_payment_cents=read_debt("FirstMortgageMonthlyPayment", "loan.current_payment"),
        current_rate_pct=rate or None,
    )
    implied = implied_loan_sizes(
        loan, value_cents=value, price_cents=value if is_purchase else None
    )
    return none_if_empty(replace(loan, **implied))


def _build_credit(fields: Fields, notes: ReadingNotes) -> Credit | None:
    """Read credit; LendingTree's assigned score outranks the stated band, and conflicts warn."""
    stated_band = match_choice(
        fields.get("CreditRating"), CREDIT_BANDS, "credit.band", "CreditRating", notes
    )
    score = parse_count(fields.get("AssignedCredit"), "credit.score_low", notes, low=300, high=850)
    assigned_band: CreditBand | None = credit_band(score)
    if stated_band and assigned_band and stated_band is not assigned_band:
        notes.warn(f"credit_conflict:self={stated_band},assigned={score}")
    basis = CreditBasis.VENDOR_ASSIGNED if assigned_band else CreditBasis.SELF_REPORTED
    return none_if_empty(
        Credit(
            band=assigned_band or stated_band,
            score_low=score,
            score_high=score,
            basis=basis if assigned_band or stated_band else None,
            bankruptcy=_parse_credit_event(fields, "Bankruptcy", notes),
            foreclosure=_parse_credit_event(fields, "Foreclosure", notes),
        )
    )


def _parse_credit_event(fields: Fields, key: str, notes: ReadingNotes) -> bool | None:
    """Return False only for an answer of never; a date or a period means yes and is kept."""
    value = fields.get(key)
    word = squash_word(value if isinstance(value, str) else str(value).lower())
    if value in (None, "") or not word:
        return None
    if word in _NEVER_WORDS or word == "false":
        return False
    if yes_or_no(value) is None:
        notes.keep_extra(key, value)
    return True


def _build_income(fields: Fields, notes: ReadingNotes) -> Income | None:
    monthly = parse_positive_cents(fields.get("MonthlyIncome"), "income.annual", notes)
    annual = parse_positive_cents(fields.get("AnnualIncome"), "income.annual", notes)
    yearly = annual or parse_positive_cents(
        Decimal(monthly * 12) / 100 if monthly else None, "income.annual", notes
    )
    debts = parse_cents(fields.get("MonthlyObligations"), "income.monthly_debts", notes)
    dti = parse_percent(fields.get("DTI"), "income.dti", notes)
    return none_if_empty(
        Income(
            annual_cents=yearly,
            band=income_band(yearly),
            monthly_debts_cents=debts,
            dti_pct=dti or None,
        )
    )


def _build_situation(fields: Fields, notes: ReadingNotes) -> dict[str, Any]:
    served = yes_or_no(fields.get("IsMilitary"))
    agent = none_if_empty(
        Agent(
            name=third_party_name(fields.get("AgentName")),
            e164=third_party_phone(fields.get("AgentPhone")),
            email=third_party_email(fields.get("AgentEmail")),
        )
    )
    has_agent = yes_or_no(fields.get("WorkingWithRealtor"))
    return {
        "military": served,
        "military_status": MilitaryStatus.UNSPECIFIED if served else None,
        "found_home": yes_or_no(fields.get("FoundHome")),
        "has_agent": True if has_agent is None and agent else has_agent,
        "agent": agent,
        "timeline": match_timeline(fields.get("TimeLine"), "TimeLine", notes),
    }
