"""Facts of a lawful automated text, so that a test states only what matters."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from rooftree.compliance.gate.facts import (
    Company,
    Consent,
    Facts,
    License,
    Medium,
    Officer,
    Place,
    Provenance,
    Purpose,
    Relationship,
    StateList,
    Voice,
)
from rooftree.compliance.gate.rulebook import RULES_VERSION

NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # a Tuesday, noon in Florida
NUMBER = "+13055550111"
US = "Acme Mortgage LLC"
WORDS = "Dana Lee NMLS 222222, Acme Mortgage NMLS 111111. Reply STOP to opt out."


def consent(**changes: Any) -> Consent:
    usual: dict[str, Any] = {
        "type": "written",
        "signature": "checkbox_unticked_by_default",
        "seller": US,
        "phone": NUMBER,
        "channels": ("call", "text"),
        "condition_of_purchase": False,
        "autodial_disclosure": True,
        "captured_at": NOON - timedelta(minutes=1),
        "evidence": ("text_hash", "page_url", "ip", "user_agent", "session_cert"),
        "signer_is_subscriber": True,
    }
    return Consent(**{**usual, **changes})


def place(state: str = "FL", zone: str = "America/New_York", kind: str = "residence") -> Place:
    return Place(kind=kind, state=state, zone=zone)


def license_in(state: str, **changes: Any) -> License:
    usual: dict[str, Any] = {"state": state, "status": "Approved", "expires_on": date(2026, 12, 31)}
    return License(**{**usual, **changes})


def officer(**changes: Any) -> Officer:
    usual: dict[str, Any] = {
        "nmls_id": "222222",
        "is_sponsored": True,
        "is_registered": False,
        "licenses": (license_in("FL"),),
    }
    return Officer(**{**usual, **changes})


def company(**changes: Any) -> Company:
    usual: dict[str, Any] = {
        "nmls_id": "111111",
        "is_depository": False,
        "licensed_states": ("FL", "CA", "TX"),
    }
    return Company(**{**usual, **changes})


def provenance(**changes: Any) -> Provenance:
    usual: dict[str, Any] = {
        "source_class": "consumer",
        "acquired_on": NOON.date(),
        "is_firm_offer": None,
        "is_authorized_to_cra": None,
        "relationship": None,
        "entity": None,
        "has_opted_out_of_prescreen": None,
        "says_not_affiliated": None,
        "cra_provenance": None,
    }
    return Provenance(**{**usual, **changes})


USUAL: dict[str, Any] = {
    "at": NOON,
    "rules_version": RULES_VERSION,
    "has_audit_row": True,
    "medium": Medium.TEXT,
    "purpose": Purpose.MARKETING,
    "is_automated": True,
    "voice": Voice.NONE,
    "has_promo": True,
    "is_first_message": True,
    "subject": "",
    "text": WORDS,
    "activity": "general",
    "confirmation": None,
    "actor": "bot",
    "officer": officer(),
    "company": company(),
    "seller_names": (US, "Acme Home Loans"),
    "guard_minutes": 0,
    "is_owners": True,
    "registered_states": ("FL", "TX"),
    "is_brand_registered": True,
    "campaign_attributes": ("direct_lending",),
    "optin_source": "own",
    "company_kind": "direct_lender",
    "carrier_policy": "any_lender",
    "recipient": NUMBER,
    "line_type": "mobile",
    "places": (place(),),
    "property_state": "FL",
    "consents": (consent(),),
    "invited_at": None,
    "inbound_at": None,
    "inbound_meaning": "none",
    "requested_at": None,
    "revocations": (),
    "restarts": (),
    "is_held": False,
    "is_wrong_person": False,
    "contacts": (),
    "inquired_at": NOON - timedelta(minutes=1),
    "last_confirmed_on": NOON.date(),
    "number_check": None,
    "provenance": provenance(),
    "registry_date": date(2026, 11, 20),
    "is_on_registry": False,
    "state_lists": (
        StateList(state="FL", version_date=date(2026, 11, 20), is_listed=False, listed_on=None),
    ),
    "relationships": (Relationship(kind="inquiry", on=NOON.date(), with_us=True),),
    "internal_dnc_on": None,
    "emergencies": (),
    "emergencies_read_at": NOON - timedelta(hours=1),
    "postal_address": "1 Main St, Tampa FL 33601",
    "has_one_click": True,
    "is_authenticated": True,
    "has_prior_thread": False,
    "unsubscribe_days": 3650,
    "unsubscribe_needs": None,
    "spam_percent": None,
}


def facts(**changes: Any) -> Facts:
    """Return production facts: total, with every gate."""
    return Facts(**{**USUAL, **changes})


def email(**changes: Any) -> Facts:
    """Return the facts of the same message as an email."""
    usual: dict[str, Any] = {"medium": Medium.EMAIL, "recipient": "ben@example.com", "consents": ()}
    return facts(**{**usual, **changes})


def call(**changes: Any) -> Facts:
    """Return the facts of a call by hand to the same person, without a written consent."""
    usual: dict[str, Any] = {
        "medium": Medium.CALL,
        "is_automated": False,
        "actor": "officer",
        "voice": Voice.HUMAN,
        "text": "",
        "consents": (),
    }
    return facts(**{**usual, **changes})
