"""LendingTree: the flat LeadInformation XML (A) and the JSON envelope (C)."""

import json
import random
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

_EMPTY_FIELDS = [
    "Address2",
    "WorkPhone",
    "SSN",
    "MonthlyIncome",
    "TimeToContact",
    "MonthlyObligations",
    "AddlMortgagePayment",
    "DTI",
    "SourceID",
    "VerifiedHomePhone",
    "OtherLoanProgram",
]
# The order in which the flat format writes its elements.
_FIELD_ORDER = [
    "Address1",
    "Address2",
    "City",
    "State",
    "Zip",
    "EmailAddress",
    "HomePhone",
    "WorkPhone",
    "FirstName",
    "LastName",
    "SSN",
    "MonthlyIncome",
    "AnnualIncome",
    "CreditRating",
    "Bankruptcy",
    "IsMilitary",
    "TimeToContact",
    "TimeLine",
    "MonthlyObligations",
    "WorkingWithRealtor",
    "PropertyType",
    "PropertyUse",
    "PropertyCounty",
    "PropertyZip",
    "PropertyMSA",
    "PropertyState",
    "LoanType",
    "MortgageType",
    "LoansToBeFinanced",
    "DownPayment",
    "LoanAmount",
    "PropertyPrice",
    "AddlCashOut",
    "FirstMortgageBalance",
    "FirstMortgageMonthlyPayment",
    "SecondMortgageBalance",
    "AddlMortgagePayment",
    "MortgageTerm",
    "CurrentLoanRate",
    "PartnerUID",
    "NameOfPartner",
    "TrackingNumber",
    "ApplicantID",
    "DTI",
    "LTV",
    "LoanRequested",
    "ApplicationDate",
    "SourceID",
    "FilterClass",
    "FilterName",
    "IsVerified",
    "VerifiedHomePhone",
    "PromotionalProgram",
    "OtherLoanProgram",
    "MatchFee",
    "FilterRoutingID",
]


_CREDIT_RATINGS = [
    (740, "EXCELLENT"),
    (700, "VERYGOOD"),
    (660, "GOOD"),
    (620, "FAIR"),
    (0, "POOR"),
]
_SELF_CREDIT_RATINGS = [
    (740, "EXCELLENT"),
    (700, "GOOD"),
    (640, "SOMECREDITPROBLEMS"),
    (0, "MAJORCREDITPROBLEMS"),
]


def flat_fields(borrower: Borrower, rng: random.Random, *, at: datetime) -> dict[str, str]:
    """Build the elements of a `LeadApplication`, all as text, empty if unknown."""
    buying = borrower.purpose == "purchase"
    values = dict.fromkeys(_EMPTY_FIELDS, "")
    values.update(
        Address1=borrower.street,
        City=borrower.city.upper(),
        State=borrower.state,
        Zip=borrower.zip,
        EmailAddress=borrower.email,
        HomePhone=borrower.phone,
        FirstName=borrower.first_name,
        LastName=borrower.last_name,
        AnnualIncome=str(round(borrower.price / 4.5, -3))[:-2],
        CreditRating=next(name for low, name in _CREDIT_RATINGS if borrower.score >= low),
        Bankruptcy="Never declared bankruptcy",
        IsMilitary="Y" if borrower.military else "N",
        TimeLine="No time restraint" if borrower.days > 90 else f"Up to {borrower.days} days",
        WorkingWithRealtor=("Y" if borrower.agent else "N") if buying else "",
        PropertyType=rng.choice(["Single-family", "Single-family", "Condominium", "Town home"]),
        PropertyUse=rng.choice(["Primary residence", "Primary residence", "Vacation property "]),
        PropertyCounty=borrower.county.upper(),
        PropertyZip=borrower.zip,
        PropertyMSA=f"{borrower.city}, {borrower.state}",
        PropertyState=borrower.state,
        LoanType="MORTGAGE",
        MortgageType="OTHER",
        LoanRequested="Purchase" if buying else "Refinance",
        LoanAmount=str(borrower.loan),
        PropertyPrice=str(borrower.price),
        MortgageTerm="30",
    )
    values.update(_refinance_fields(borrower, rng) if not buying else _purchase_fields(borrower))
    values.update(_routing_fields(borrower, rng, at))
    return values


def _refinance_fields(borrower: Borrower, rng: random.Random) -> dict[str, str]:
    return {
        "LoansToBeFinanced": "1st Mortgage",
        "DownPayment": "",
        "AddlCashOut": str(borrower.cash_out or ""),
        "FirstMortgageBalance": str(borrower.balance),
        "FirstMortgageMonthlyPayment": str(round(borrower.balance * 0.0072)),
        "SecondMortgageBalance": "",
        "CurrentLoanRate": f"{rng.choice([6.875, 7.25, 7.5]):.4f}",
    }


def _purchase_fields(borrower: Borrower) -> dict[str, str]:
    empty = (
        "LoansToBeFinanced AddlCashOut FirstMortgageBalance FirstMortgageMonthlyPayment "
        "SecondMortgageBalance CurrentLoanRate"
    )
    return {**dict.fromkeys(empty.split(), ""), "DownPayment": str(borrower.down_payment)}


def _routing_fields(borrower: Borrower, rng: random.Random, at: datetime) -> dict[str, str]:
    return {
        "PartnerUID": "204417",
        "NameOfPartner": "HarborLight",
        "TrackingNumber": str(rng.randrange(90_000_000, 99_999_999)),
        "ApplicantID": str(rng.randrange(40_000_000, 49_999_999)),
        "LTV": f"{borrower.loan * 100 / borrower.price:.4f}",
        "ApplicationDate": at.strftime("%m/%d/%Y"),
        "FilterClass": "FIXEDFILTERSUB_SF",
        "FilterName": "Quick Match",
        "IsVerified": "Y",
        "PromotionalProgram": "SF",
        "MatchFee": rng.choice(["27", "38.5", "52"]),
        "FilterRoutingID": "902113",
    }


def xml_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST in shape A: flat XML in UTF-8."""
    values = flat_fields(borrower, rng, at=at)
    elements = "".join(
        f"<{name}>{escape(values[name])}</{name}>" if values[name] else f"<{name}/>"
        for name in _FIELD_ORDER
    )
    body = (
        '<?xml version="1.0" encoding="utf-8"?><LeadInformation><LeadApplication>'
        f"{elements}</LeadApplication></LeadInformation>"
    )
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    return Delivery(vendor_id=values["TrackingNumber"], body=body.encode(), headers=headers)


def json_envelope(borrower: Borrower, rng: random.Random) -> dict[str, Any]:
    """Build shape C: `lead` with consumer, profile and one object for the product."""
    buying = borrower.purpose == "purchase"
    product: dict[str, Any] = {
        "loanAmount": borrower.loan,
        "propertyValue": borrower.price,
        "property": {
            "zip": borrower.zip,
            "city": borrower.city,
            "state": borrower.state,
            "county": borrower.county,
            "type": rng.choice(["SINGLEFAMDET", "LOWRISECONDO"]),
            "use": "OWNEROCCUPIED",
        },
    }
    if buying:
        product["property"]["downPayment"] = borrower.down_payment
        product.update(
            foundHome=rng.random() < 0.5,
            workingWithAgent=borrower.agent,
            propertyPurchasePrice=borrower.price,
        )
    lead = {
        "leadExternalId": f"LT-{rng.randrange(10**9):09d}",
        "vertical": "MORTGAGE.PURCHASE" if buying else "MORTGAGE.REFINANCE",
        "consumer": {
            "contact": _contact_fields(borrower),
            "profile": {
                "credit": {
                    "selfCreditRating": next(
                        name for low, name in _SELF_CREDIT_RATINGS if borrower.score >= low
                    ),
                    "assignedCredit": borrower.score,
                    "foreclosure": "NEVER",
                    "bankruptcy": "NEVER",
                },
            },
        },
        "mortgagePurchase" if buying else "mortgageRefinance": product,
    }
    return {"lead": lead}


def _contact_fields(borrower: Borrower) -> dict[str, str]:
    return {
        "firstName": borrower.first_name,
        "lastName": borrower.last_name,
        "emailAddress": borrower.email,
        "primaryPhone": borrower.phone,
        "streetAddress": borrower.street,
        "city": borrower.city,
        "state": borrower.state,
        "zip": borrower.zip,
    }


def json_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST in shape C; it carries no timestamp, so `at` is not used."""
    content = json_envelope(borrower, rng)
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    return Delivery(vendor_id=content["lead"]["leadExternalId"], body=body, headers=headers)


def lead_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build a POST in shape A (80 percent) or shape C."""
    return (xml_delivery if rng.random() < 0.8 else json_delivery)(borrower, rng, at=at)
