"""Build the person and the lead's columns an inquiry states, and update a repeated lead."""

from datetime import datetime
from typing import Any

from rooftree.capture.identity import person_matching
from rooftree.capture.identity.address_keys import address_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Lead, Person

NESTED_PARTS = frozenset({"borrower", "property", "loan", "credit", "income"})


def build_person(inquiry: CanonicalLead, at: datetime) -> Person:
    """Build the row of a new person without saving it."""
    borrower, home = inquiry.borrower, inquiry.mailing_address
    return Person(
        id=uuid7_at(at),
        first_name=(borrower and borrower.first_name) or "",
        middle_name=(borrower and borrower.middle_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        name_key=person_matching.name_key(
            (borrower and borrower.first_name) or "", (borrower and borrower.last_name) or ""
        ),
        language=(inquiry.preferred_language or "")[:5],
        street=((home and home.line1) or "")[:200],
        city=((home and home.city) or "")[:120],
        state=(home and home.state) or "",
        zip=(home and home.zip) or "",
        home_key=address_key((home and home.line1) or "", (home and home.zip) or ""),
        created_at=at,
    )


def loan_columns(inquiry: CanonicalLead) -> dict[str, object]:
    """Return the inquiry's values by the lead's column names, without empty ones."""
    loan, home, credit = inquiry.loan, inquiry.property, inquiry.credit
    columns: dict[str, object | None] = {
        "timeline": inquiry.timeline,
        "borrower_message": inquiry.message,
    }
    if loan:
        columns |= {
            "purpose": loan.purpose,
            "loan_type": loan.type,
            "amount_cents": loan.amount_cents,
            "down_payment_cents": loan.down_payment_cents,
            "cash_out_cents": loan.cash_out_cents,
            "current_rate_pct": loan.current_rate_pct,
        }
    if home:
        columns |= {
            "value_cents": home.purchase_price_cents or home.estimated_value_cents,
            "property_street": home.line1 and home.line1[:200],
            "property_city": home.city and home.city[:120],
            "property_state": home.state,
            "property_zip": home.zip,
            "property_key": address_key(home.line1 or "", home.zip or ""),
            "property_type": home.type,
            "property_use": home.use,
        }
    if credit:
        columns["credit_band"] = credit.band
    return {key: value for key, value in columns.items() if value is not None and value != ""}


def update_repeat_lead(lead: Lead, inquiry: CanonicalLead, at: datetime) -> None:
    """Update a lead from a repeated inquiry: newest values win, and a snoozed lead returns."""
    changes = loan_columns(inquiry) | {
        "details": _merge_details(lead.details, inquiry.to_json()),
        "last_inquiry_at": max(at, lead.last_inquiry_at),
        "snoozed_until": None,
    }
    if "property_street" in changes or "property_zip" in changes:
        street, zip_code = changes.get("property_street"), changes.get("property_zip")
        changes["property_key"] = address_key(
            str(street or lead.property_street), str(zip_code or lead.property_zip)
        )
    if lead.state == "nurture":
        changes["state"] = "working"
    Lead.objects.filter(pk=lead.pk).update(**changes)
    lead.refresh_from_db()  # a trigger can end the ownership when the property's state changes


def _merge_details(details: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Merge new details into old; within a nested part, values not stated again are kept."""
    merged_parts = {
        name: {**details.get(name, {}), **part}
        for name, part in changes.items()
        if name in NESTED_PARTS and isinstance(part, dict)
    }
    return {**details, **changes, **merged_parts}
