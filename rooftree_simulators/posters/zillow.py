"""Zillow lender contacts: one JSON object per POST, with the secret in the path."""

import json
import random
from datetime import datetime, timedelta, timezone
from typing import Any

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower

_PACIFIC = timezone(timedelta(hours=-8))
_SCORE_RANGES = [
    (760, "R_760_"),
    (740, "R_740_759"),
    (720, "R_720_739"),
    (700, "R_700_719"),
    (680, "R_680_699"),
    (660, "R_660_679"),
    (640, "R_640_659"),
    (620, "R_620_639"),
    (600, "R_600_619"),
    (560, "R_560_599"),
    (300, "R_300_559"),
]
_PROPERTY_TYPES = ["SingleFamilyHome", "SingleFamilyHome", "TownHouse", "CondoFourOrFewerStories"]
_CONTACT_TYPES = ["longForm", "longForm", "simple", "quote"]


def contact_object(borrower: Borrower, rng: random.Random, *, at: datetime) -> dict[str, Any]:
    """Build the object that Zillow posts for one contact."""
    kind = rng.choice(_CONTACT_TYPES)
    content: dict[str, Any] = {
        "id": "LC-" + "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=8)),
        "created": at.astimezone(_PACIFIC).isoformat(timespec="seconds"),
        "type": kind,
        "source": "Zillow long form" if kind == "longForm" else "Zillow Mortgage Marketplace",
        "brand": "Zillow",
        "channel": "Web",
        "mvp": False,
        "affiliate": False,
        "price": rng.choice([32.5, 45.0, 65.0, 80.0]),
        "recipient": {
            "lenderId": "ZU1a2b3c4d5e6f",
            "firstName": "Dana",
            "lastName": "Okafor",
            "emailAddress": "dana.okafor@harborlight.example",
            "phoneNumber": "2065550100",
            "nmlsLicense": "123456",
        },
        "sender": {
            "firstName": borrower.first_name,
            "lastName": borrower.last_name,
            "emailAddress": borrower.email,
            "phoneNumber": borrower.phone,
        },
        "details": _contact_details(borrower, rng),
    }
    if kind == "quote":
        content["quote"] = _random_quote(rng)
    return content


def _contact_details(borrower: Borrower, rng: random.Random) -> dict[str, Any]:
    buying = borrower.purpose == "purchase"
    details: dict[str, Any] = {
        "loanPurpose": "Purchase" if buying else "Refinance",
        "propertyType": rng.choice(_PROPERTY_TYPES),
        "propertyUse": rng.choice(["Primary", "Primary", "Primary", "InvestmentOrRental"]),
        "propertyValue": borrower.price,
        "loanAmount": borrower.loan,
        "loanToValuePercent": round(borrower.loan * 100 / borrower.price, 2),
        "creditScoreRange": next(name for low, name in _SCORE_RANGES if borrower.score >= low),
        "stateAbbreviation": borrower.state,
        "zipCode": borrower.zip,
        "city": borrower.city,
        "closingTimelineDays": borrower.days,
        "hasBankruptcy": False,
        "hasForeclosure": False,
        "selfEmployed": rng.random() < 0.15,
        "veteranType": "RegularMilitary" if borrower.military else None,
        "desiredPrograms": ["Fixed30Year"],
    }
    if buying:
        details.update(
            downPayment=borrower.down_payment,
            firstTimeBuyer=rng.random() < 0.5,
            hasAgent=borrower.agent,
        )
    else:
        details.update(
            currentBalance=borrower.balance,
            wantsCashOut=borrower.cash_out > 0,
            cashOut=borrower.cash_out or None,
        )
    return details


def _random_quote(rng: random.Random) -> dict[str, Any]:
    rate = rng.choice([5.875, 6.0, 6.125, 6.25, 6.5])
    return {
        "rate": rate,
        "apr": round(rate + 0.162, 3),
        "termMonths": 360,
        "lockDays": 30,
        "jumbo": False,
        "hasPrepaymentPenalty": False,
    }


def contact_delivery(borrower: Borrower, rng: random.Random, *, at: datetime) -> Delivery:
    """Build the POST for one contact."""
    content = contact_object(borrower, rng, at=at)
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    return Delivery(vendor_id=content["id"], body=body, headers=headers)
