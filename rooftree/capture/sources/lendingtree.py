"""LendingTree leads: two XML shapes and a JSON one. Wire format: docs/sources/lendingtree.md."""

from dataclasses import replace
from decimal import Decimal
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
    Answer,
    Envelope,
    Incoming,
    Outcome,
    json_answer,
    quarantined,
    refused,
)
from rooftree.capture.lendingtree_shapes import flat_fields
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
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable
from rooftree.capture.words import (
    CONTACT_TIMES,
    CREDIT_BANDS,
    PROPERTY_TYPES,
    PROPERTY_USES,
    choice,
    timeline,
)
from rooftree.leads.canonical import (
    Address,
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
_NEVER = frozenset({"never", "neverdeclaredbankruptcy", "neverinforeclosure", "none", "no", "n"})


def read(incoming: Incoming) -> Envelope:
    """One lead. Never raises: what cannot be used comes back as an outcome.

    LendingTree reads our LTACK: ERRORNUM 0 for whatever is authentic and readable.
    The full list of its codes is not public; 1 is one that a known receiver uses.
    """
    if not incoming.path_secret_matches():
        return refused(Outcome.REJECTED_AUTH, "bad_token", json_answer(403, error="forbidden"))
    if incoming.is_too_large():
        answer = ack(1, "Request too large", status=413)
        return refused(Outcome.REJECTED_TOO_LARGE, "too_large", answer)
    notes = Notes()
    try:
        fields = flat_fields(incoming, notes)
    except Unreadable as error:
        answer = ack(1, "Malformed request")
        return refused(Outcome.REJECTED_MALFORMED, str(error), answer, tell_operations=True)
    if fields is None:
        return quarantined("unknown_shape", ack(0, "Success"), warnings=notes.warnings)
    notes.warn_of(incoming.masked.found)
    lead = _lead(fields, incoming, notes)
    notes.keep_all(fields)
    return conclude(lead, ack(0, "Success"), notes)


def ack(code: int, description: str, *, status: int = 200) -> Answer:
    """LendingTree's acknowledgement."""
    said = f"<ERRORNUM>{code}</ERRORNUM><ERRORDESCRIPTION>{description}</ERRORDESCRIPTION>"
    body = f'<?xml version="1.0" encoding="utf-8"?><LTACK><ERRSTATUS>{said}</ERRSTATUS></LTACK>'
    return Answer(status=status, content_type="text/xml", body=body)


def _lead(fields: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    zone = incoming.endpoint.zone
    day = fields.get("ApplicationDate")
    submitted_at, precision = moment(day, "ApplicationDate", notes, zone=zone)
    if text(fields.get("SSN")):
        notes.warn("ssn_discarded")
    if text(fields.first("DateOfBirth", "DOB")):
        notes.warn("dob_discarded")
    return CanonicalLead(
        source=Source.LENDINGTREE,
        channel=CHANNEL,
        sub_source=text(fields.get("FilterName")),
        vendor_lead_id=_vendor_lead_id(fields),
        vendor_ids=_vendor_ids(fields),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        cost=_cost(fields.get("MatchFee"), notes),
        borrower=person(fields.get("FirstName"), fields.get("LastName"), notes),
        phones=_phones(fields, notes),
        emails=emails([fields.get("EmailAddress")], notes),
        mailing_address=_mailing_address(fields, notes),
        contact_pref=_contact_preference(fields, notes),
        property=_property(fields, notes),
        loan=_loan(fields, notes),
        credit=_credit(fields, notes),
        income=_income(fields, notes),
        **_situation(fields, notes),
        extras=notes.extras,
    )


def _vendor_lead_id(fields: Fields) -> str | None:
    ids = [fields.get(key) for key in ("TrackingNumber", "ApplicantID", "leadExternalId")]
    return next(filter(None, map(identifier, ids)), None)


def _vendor_ids(fields: Fields) -> dict[str, str]:
    ids = {ours: identifier(fields.get(theirs)) for ours, theirs in VENDOR_IDS.items()}
    return {ours: value for ours, value in ids.items() if value}


def _cost(fee: Any, notes: Notes) -> Cost | None:
    paid = cents(fee, "cost", notes)
    return None if paid is None else Cost(amount_cents=paid, basis=CostBasis.MATCH_FEE)


def _phones(fields: Fields, notes: Notes) -> Any:
    numbers = [
        (fields.get("ContactPhone"), PhoneType.UNKNOWN),
        (fields.get("HomePhone"), PhoneType.HOME),
        (fields.get("WorkPhone"), PhoneType.WORK),
        (fields.get("VerifiedHomePhone"), PhoneType.HOME),
    ]
    return phones(numbers, notes)


def _mailing_address(fields: Fields, notes: Notes) -> Address | None:
    names = {
        "line1": "Address1",
        "line2": "Address2",
        "city": "City",
        "state": "State",
        "zip": "Zip",
    }
    found = {ours: fields.get(theirs) for ours, theirs in names.items()}
    return known(Address(**address_fields(found, notes, state_key="State", zip_key="Zip")))


def _contact_preference(fields: Fields, notes: Notes) -> ContactPreference | None:
    asked = fields.get("TimeToContact")
    return known(
        ContactPreference(
            time=choice(asked, CONTACT_TIMES, "contact_pref.time", "TimeToContact", notes)
        )
    )


def _purpose(fields: Fields, notes: Notes) -> Purpose | None:
    """A refinance is for cash when cash is asked for, for the rate only when it is 0."""
    stated = fields.first("LoanRequested", "vertical")
    purpose = choice(stated, PURPOSES, "loan.purpose", "LoanRequested", notes)
    if purpose is not Purpose.REFINANCE:
        return purpose
    cash_out = cents(fields.get("AddlCashOut"), "loan.cash_out", notes)
    if cash_out is None:
        return purpose
    return Purpose.REFINANCE_CASH_OUT if cash_out else Purpose.REFINANCE_RATE_TERM


def _value_cents(fields: Fields, notes: Notes) -> int | None:
    """A purchase names its price, a refinance the owner's estimate."""
    price, estimate = fields.get("PurchasePrice"), fields.get("PropertyPrice")
    if _purpose(fields, notes) is Purpose.PURCHASE:
        written = fields.first("PurchasePrice", "PropertyPrice")
    else:
        written = estimate if estimate not in (None, "") else price
    return positive_cents(written, "property.estimated_value", notes)


def _property(fields: Fields, notes: Notes) -> Property | None:
    names = {
        "city": "PropertyCity",
        "county": "PropertyCounty",
        "state": "PropertyState",
        "zip": "PropertyZip",
    }
    found = {ours: fields.get(theirs) for ours, theirs in names.items()}
    where = address_fields(found, notes, state_key="PropertyState", zip_key="PropertyZip")
    value = _value_cents(fields, notes)
    kind, use = fields.get("PropertyType"), fields.get("PropertyUse")
    is_purchase = _purpose(fields, notes) is Purpose.PURCHASE
    return known(
        Property(
            **where,
            msa=text(fields.get("PropertyMSA")),
            type=choice(kind, PROPERTY_TYPES, "property.type", "PropertyType", notes),
            use=choice(use, PROPERTY_USES, "property.use", "PropertyUse", notes),
            estimated_value_cents=value,
            purchase_price_cents=value if is_purchase else None,
        )
    )


def _loan(fields: Fields, notes: Notes) -> Loan | None:
    purpose = _purpose(fields, notes)
    is_purchase = purpose is Purpose.PURCHASE
    years = count(fields.get("MortgageTerm"), "loan.term_months", notes, low=0, high=50)
    down = cents(fields.get("DownPayment"), "loan.down_payment", notes)
    rate = percent(fields.get("CurrentLoanRate"), "loan.current_rate", notes)

    def owed(key: str, field: str) -> int | None:
        """What a buyer without a mortgage sends as 0 is unknown."""
        found = cents(fields.get(key), field, notes)
        return None if is_purchase and not found else found

    value = _value_cents(fields, notes)
    ltv = percent(fields.get("LTV"), "loan.ltv", notes)
    loan = Loan(
        purpose=purpose,
        term_months=years * 12 if years else None,
        amount_cents=positive_cents(fields.get("LoanAmount"), "loan.amount", notes),
        down_payment_cents=down if is_purchase or down else None,
        cash_out_cents=cents(fields.get("AddlCashOut"), "loan.cash_out", notes),
        ltv_pct=ltv or None,
        current_balance_cents=owed("FirstMortgageBalance", "loan.current_balance"),
        second_balance_cents=owed("SecondMortgageBalance", "loan.second_balance"),
        current_payment_cents=owed("FirstMortgageMonthlyPayment", "loan.current_payment"),
        current_rate_pct=rate or None,
    )
    implied = sized(loan, value_cents=value, price_cents=value if is_purchase else None)
    return known(replace(loan, **implied))


def _credit(fields: Fields, notes: Notes) -> Credit | None:
    """What LendingTree assigned outranks what the person says; a disagreement is told."""
    said = choice(fields.get("CreditRating"), CREDIT_BANDS, "credit.band", "CreditRating", notes)
    score = count(fields.get("AssignedCredit"), "credit.score_low", notes, low=300, high=850)
    assigned: CreditBand | None = credit_band(score)
    if said and assigned and said is not assigned:
        notes.warn(f"credit_conflict:self={said},assigned={score}")
    basis = CreditBasis.VENDOR_ASSIGNED if assigned else CreditBasis.SELF_REPORTED
    return known(
        Credit(
            band=assigned or said,
            score_low=score,
            score_high=score,
            basis=basis if assigned or said else None,
            bankruptcy=_ever(fields, "Bankruptcy", notes),
            foreclosure=_ever(fields, "Foreclosure", notes),
        )
    )


def _ever(fields: Fields, key: str, notes: Notes) -> bool | None:
    """False only where somebody said never; a date or a period means yes and is kept."""
    value = fields.get(key)
    word = squashed(value if isinstance(value, str) else str(value).lower())
    if value in (None, "") or not word:
        return None
    if word in _NEVER or word == "false":
        return False
    if yes_or_no(value) is None:
        notes.keep(key, value)
    return True


def _income(fields: Fields, notes: Notes) -> Income | None:
    monthly = positive_cents(fields.get("MonthlyIncome"), "income.annual", notes)
    annual = positive_cents(fields.get("AnnualIncome"), "income.annual", notes)
    yearly = annual or positive_cents(
        Decimal(monthly * 12) / 100 if monthly else None, "income.annual", notes
    )
    debts = cents(fields.get("MonthlyObligations"), "income.monthly_debts", notes)
    dti = percent(fields.get("DTI"), "income.dti", notes)
    return known(
        Income(
            annual_cents=yearly,
            band=income_band(yearly),
            monthly_debts_cents=debts,
            dti_pct=dti or None,
        )
    )


def _situation(fields: Fields, notes: Notes) -> dict[str, Any]:
    served = yes_or_no(fields.get("IsMilitary"))
    return {
        "military": served,
        "military_status": MilitaryStatus.UNSPECIFIED if served else None,
        "found_home": yes_or_no(fields.get("FoundHome")),
        "has_agent": yes_or_no(fields.get("WorkingWithRealtor")),
        "timeline": timeline(fields.get("TimeLine"), "TimeLine", notes),
    }
