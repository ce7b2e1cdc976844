"""Lead networks that post one lead at a time, each in its own format.

FreeRateUpdate, Leadpoint, LeadConduit, posts with numeric codes, mtgxfer's short names, and
Bankrate-format posts.
"""

import json
import random
from datetime import datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
CONSENT_WORDING = (
    "By clicking Get My Quotes, I provide my express written consent to be contacted by Harbor "
    "Light Lending at the number given, including by autodialed or prerecorded calls and text "
    "messages, for mortgage offers. Consent is not a condition of any purchase."
)
_RATING_BANDS = [(740, "Excellent"), (700, "Good"), (640, "Fair")]
_HEX = "0123456789abcdef"


def credit_rating(score: int) -> str:
    """Return the rating for a credit score."""
    return next((word for low, word in _RATING_BANDS if score >= low), "Poor")


def _yes_no(is_true: bool) -> str:
    return "yes" if is_true else "no"


def _random_number(rng: random.Random, digits: int) -> str:
    return str(rng.randrange(10 ** (digits - 1), 10**digits))


def _random_token(rng: random.Random) -> str:
    parts = ("".join(rng.choice(_HEX) for _ in range(size)) for size in (8, 4, 4, 4, 12))
    return "-".join(parts).upper()


def _random_certificate_url(rng: random.Random) -> str:
    return "https://cert.trustedform.com/" + "".join(rng.choice(_HEX) for _ in range(40))


def _form_delivery(vendor_id: str, fields: dict[str, str]) -> Delivery:
    headers = {"Content-Type": FORM_CONTENT_TYPE}
    return Delivery(vendor_id=vendor_id, body=urlencode(fields).encode(), headers=headers)


def freerateupdate_fields(borrower: Borrower, rng: random.Random) -> dict[str, str]:
    """Build the fields that FreeRateUpdate documents, all as text; empty if not applicable."""
    buying = borrower.purpose == "purchase"
    return {
        "RequestId": _random_number(rng, 7),
        "LoanPurpose": "purchase" if buying else "refinance",
        "UniversalLeadid": _random_token(rng),
        "CreditRating": credit_rating(borrower.score),
        "DesiredRateType": rng.choice(["30-Yr Fixed", "30-Yr Fixed", "15-Yr Fixed", "ARM"]),
        "PropertyType": rng.choice(["Single", "Single", "Condo", "Town House"]),
        "PropertyUse": rng.choice(["primary", "primary", "secondary", "investment"]),
        "PropertyValue": "" if buying else str(borrower.price),
        "CashOut": "" if buying else str(borrower.cash_out),
        "MortgageBalance": "" if buying else str(borrower.balance),
        "CurrentFHALoan": "" if buying else _yes_no(rng.random() < 0.2),
        "CurrentVALoan": _yes_no(borrower.military and not buying),
        "VeteranMilitary": _yes_no(borrower.military),
        "FoundHome": _yes_no(rng.random() < 0.5) if buying else "",
        "PurchaseAgreement": _yes_no(rng.random() < 0.2) if buying else "",
        "NewHomeValue": str(borrower.price) if buying else "",
        "EstimatedDownPayment": f"{round(borrower.down_payment * 100 / borrower.price)}"
        if buying
        else "",
        "DesiredLoanAmount": str(borrower.loan),
        "ltv": str(round(borrower.loan * 100 / borrower.price)),
        "FirstName": borrower.first_name,
        "LastName": borrower.last_name,
        "Email": borrower.email,
        "CellPhone": borrower.phone,
        "StreetAddress": borrower.street,
        "PropertyCity": borrower.city,
        "PropertyState": borrower.state,
        "Zip": borrower.zip,
    }


def freerateupdate_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the POST of FreeRateUpdate's form."""
    fields = freerateupdate_fields(borrower, rng)
    return _form_delivery(fields["RequestId"], fields)


def freerateupdate_xml_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime
) -> Delivery:
    """Build the XML variant of FreeRateUpdate's form; empty fields are self-closing elements."""
    fields = freerateupdate_fields(borrower, rng)
    inner = "".join(
        f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>"
        for name, value in fields.items()
    )
    body = f'<?xml version="1.0"?>\n<lead>{inner}</lead>'.encode()
    headers = {"Content-Type": "text/xml"}
    return Delivery(vendor_id=fields["RequestId"], body=body, headers=headers)


def leadpoint_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST with Leadpoint's short upper-case keys."""
    buying = borrower.purpose == "purchase"
    fields = {
        "LEAD_ID": f"LP-{_random_number(rng, 6)}",
        "FNAME": borrower.first_name,
        "LNAME": borrower.last_name,
        "EMAIL": borrower.email,
        "PRI_PHON": borrower.phone,
        "ADDRESS": borrower.street,
        "CITY": borrower.city,
        "STATE": borrower.state,
        "ZIP": borrower.zip,
        "PROP_ST": borrower.state,
        "PROP_ZIP": borrower.zip,
        "PROP_PURP": "Primary",
        "EST_VAL": str(borrower.price),
        "LOAN_VAL": str(borrower.loan),
        "LOAN_PURP": "Purchase" if buying else "Refinance",
        "CRED_GRADE": credit_rating(borrower.score),
        "BKCY": "no",
        "FHA_BANK_FORECLOSUREl": "no",
    }
    if buying:
        fields |= {"DOWN_PMT": str(borrower.down_payment), "SPEC_HOME": _yes_no(borrower.agent)}
    return _form_delivery(fields["LEAD_ID"], fields)


def numeric_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, certificate: str = ""
) -> Delivery:
    """Build a POST with numeric codes and the first 200 characters of the consent wording.

    Args:
        certificate: URL of the session's certificate; "" invents one.
    """
    buying = borrower.purpose == "purchase"
    bands = {"Excellent": "1", "Good": "2", "Fair": "3", "Poor": "4"}
    fields = {
        "lead_mode": "1",
        "promo_code": "77",
        "sub_id": f"{rng.randrange(100, 999)}-ABC",
        "datetime_stamp": at.astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M:%S"),
        "tcpa_optin": "1",
        "tcpa_text": CONSENT_WORDING[:200],
        "universal_leadid": _random_token(rng),
        "trustedformcerturl": certificate or _random_certificate_url(rng),
        "ipaddress": f"198.51.100.{rng.randrange(1, 254)}",
        "user_agent": "Mozilla/5.0 (iPhone)",
        "vendor_lead_id": f"EMF-{_random_number(rng, 6)}",
        "url": "https://rates.example/start",
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "address": borrower.street,
        "zip": borrower.zip,
        "phone": borrower.phone,
        "credit_rating": bands[credit_rating(borrower.score)],
        "bankruptcy": "0",
        "loan_amount": str(borrower.loan),
        "property_value": str(borrower.price),
        "mortgage_lead_type": "1" if buying else "2",
        "property_state": borrower.state,
        "property_zip": borrower.zip,
        "property_use": "1",
        "property_desc": rng.choice("134"),
        "rate_type": "1",
        "va_loan": "1" if borrower.military else "0",
        "loan_type": "1" if borrower.military else "3",
    }
    fields |= _numeric_loan_fields(borrower)
    return _form_delivery(fields["vendor_lead_id"], fields)


def _numeric_loan_fields(borrower: Borrower) -> dict[str, str]:
    """Build the fields that are required for one loan purpose only."""
    if borrower.purpose != "purchase":
        return {"first_balance": str(borrower.balance), "additional_cash": str(borrower.cash_out)}
    return {
        "down_payment": str(round(borrower.down_payment * 100 / borrower.price)),
        "buy_timeframe": "2" if borrower.days <= 30 else "3" if borrower.days <= 60 else "5",
        "agent_found": "1" if borrower.agent else "0",
    }


def short_names_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST with mtgxfer's names; it has no lead id, so `vendor_id` is the phone number."""
    fields = {
        "fname": borrower.first_name,
        "lname": borrower.last_name,
        "em": borrower.email,
        "ph": f"{borrower.phone[:3]}-{borrower.phone[3:6]}-{borrower.phone[6:]}",
        "state": borrower.state,
        "zip": borrower.zip,
        "ls": _random_number(rng, 3),
        "mortgageType": "purchase" if borrower.purpose == "purchase" else "refinance",
        "loanAmount": str(borrower.loan),
        "creditRating": credit_rating(borrower.score).lower(),
        "veteran": _yes_no(borrower.military),
        "hasAgent": _yes_no(borrower.agent),
        "movingTimeline": f"{borrower.days} days",
    }
    return _form_delivery(borrower.phone, fields)


def bankrate_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST with the names a receiving CRM documents; Bankrate's own are not public."""
    buying = borrower.purpose == "purchase"
    content = {
        "lead_id": f"BR-{_random_number(rng, 7)}",
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "phone": f"{borrower.phone[:3]}-{borrower.phone[3:6]}-{borrower.phone[6:]}",
        "address": borrower.street,
        "city": borrower.city,
        "state": borrower.state,
        "zip": borrower.zip,
        "property_state": borrower.state,
        "loan_purpose": "purchase" if buying else "refinance",
        "property_value": borrower.price,
        "loan_amount": borrower.loan,
        "dwelling_use": "PrimaryResidence",
        "credit_rating": credit_rating(borrower.score),
        "notes": ["Rate table click", "30yr fixed"],
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    return Delivery(vendor_id=str(content["lead_id"]), body=body, headers=headers)


def leadconduit_fields(
    borrower: Borrower, rng: random.Random, *, at: datetime, certificate: str = ""
) -> dict[str, str]:
    """Build LeadConduit's standard fields under their dotted names."""
    buying = borrower.purpose == "purchase"
    fields = {
        "reference": f"lc-{_random_number(rng, 9)}",
        "source_timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "price": rng.choice(["38.00", "41.25", "55.50"]),
        "first_name": borrower.first_name,
        "last_name": borrower.last_name,
        "email": borrower.email,
        "phone_1": borrower.phone + rng.choice(["m", "h", ""]),
        "mortgage.property.state": borrower.state,
        "mortgage.property.postal_code": borrower.zip,
        "mortgage.property.type": rng.choice(["single family", "condo", "town home"]),
        "mortgage.property.use": "primary",
        "mortgage.loan.purpose": "purchase" if buying else "refi",
        "mortgage.loan.amount": str(borrower.loan),
        "mortgage.application.credit_rating": credit_rating(borrower.score).lower(),
        "mortgage.application.is_military": "true" if borrower.military else "false",
        "mortgage.application.timeframe_days": str(borrower.days),
        "xxTrustedFormCertUrl": certificate or _random_certificate_url(rng),
        "universal_leadid": _random_token(rng).lower(),
        "ip_address": f"198.51.100.{rng.randrange(1, 254)}",
        "campaign_id": "c-551",
    }
    if buying:
        fields["mortgage.property.price"] = str(borrower.price)
        fields["mortgage.loan.down_payment"] = str(borrower.down_payment)
    else:
        fields["mortgage.refi.property_value"] = str(borrower.price)
        fields["mortgage.refi.loan_balance"] = str(borrower.balance)
        fields["mortgage.refi.purpose"] = "cash" if borrower.cash_out else "lower_rate"
    return fields


def leadconduit_delivery(
    borrower: Borrower, rng: random.Random, *, at: datetime, certificate: str = ""
) -> Delivery:
    """Build a form POST with dotted names that accepts a JSON answer.

    `certificate` works as in `numeric_delivery`.
    """
    fields = leadconduit_fields(borrower, rng, at=at, certificate=certificate)
    delivery = _form_delivery(fields["reference"], fields)
    delivery.headers["Accept"] = "application/json"
    return delivery


def leadconduit_json_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the LeadConduit POST as nested JSON."""
    nested: dict[str, object] = {}
    fields = leadconduit_fields(borrower, rng, at=at)
    for name, value in fields.items():
        *branches, leaf = name.split(".")
        node = nested
        for branch in branches:
            node = node.setdefault(branch, {})  # type: ignore[assignment]
        node[leaf] = value
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    body = json.dumps(nested, ensure_ascii=False).encode()
    return Delivery(vendor_id=fields["reference"], body=body, headers=headers)
