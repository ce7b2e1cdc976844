"""The translator from a rulebook case about a message to the facts that production builds.

A case names what matters and leaves out the rest. It runs only the gates that its keys name, and
everything it leaves out takes a neutral, known value.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.facts import (
    Company,
    Consent,
    Facts,
    HumanDecision,
    License,
    Medium,
    NumberCheck,
    Officer,
    Place,
    PriorContact,
    Provenance,
    Purpose,
    StopConfirmation,
)
from rooftree.compliance.gate.person_places import address_places
from rooftree.compliance.gate.quiet_hours import REQ_01, STATE_LAW_SILENT
from rooftree.compliance.gate.rulebook import RULES_AS_OF, RULES_VERSION, STATES
from rooftree_casebook.case_lists import (
    SIGNED_HEADER_KEYS,
    STOP_KEYS,
    UNSUBSCRIBE_LINK_KEYS,
    email_facts,
    is_authentication_key,
    list_facts,
    parse_day,
    stop_facts,
)
from rooftree_casebook.case_words import (
    OFFICER_ACTORS,
    is_machine_voice,
    is_request_recorded,
    is_stated,
    parse_entity,
    parse_medium,
    parse_relationship,
    parse_source,
    parse_voice,
    says_all_of_first_contact,
)

type Given = Mapping[str, Any]

HOME_ZONE = ZoneInfo("America/New_York")
DEFAULT_NUMBER, DEFAULT_SELLER = "+12125550111", "us"
MOMENT_KEYS = ("now", "send_at", "sent_at", "queued_send_at", "queued_call_at", "at", "on", "today")
BOUGHT_NUMBER = re.compile(r"append|skip_?trac|data_?broker")  # not given by the borrower
CONTACT_MEDIUM_KEYS = ("channel", "medium", "type", "kind")
COMPLETE_EVIDENCE = ("text_hash", "page_url", "ip", "user_agent", "session_cert")
# The gates that a key of a case runs.
GATES_BY_KEY: dict[str, tuple[str, ...]] = {
    "locations": ("hours",),
    "declared_emergencies": ("emergency",),
    "prior_contacts": ("caps",),
    "consent": ("consent",),
    "inbound": ("consent",),
    "content_flags": ("consent",),
    "registry_version_date": ("national_dnc",),
    "on_national": ("national_dnc",),
    "dnc": ("national_dnc", "state_dnc"),
    "state_list_version_date": ("state_dnc",),
    "on_state_list": ("state_dnc",),
    "internal_dnc_since": ("internal_dnc",),
    "rnd": ("reassigned",),
    "last_confirmed_contact": ("reassigned",),
    "telemarketer_registration": ("registration",),
    "exemption_on_file": ("registration",),
    "lo_licences": ("license",),
    "activity": ("activity",),
    "decision_log_written": ("audit",),
    "rules_version": ("rules",),
    "inbound_text": ("revocation",),
    "message": ("revocation",),
    "stop_reply_to": ("revocation",),
    "email_request": ("revocation",),
    "wrong_party": ("revocation",),
    "unsubscribed_at": ("revocation",),
    **dict.fromkeys(STOP_KEYS, ("revocation",)),
    **dict.fromkeys(
        ("acquired", "firm_offer", "relationship", "cra_provenance", "signal"), ("trigger_basis",)
    ),
    "authorization_certified_to_cra": ("trigger_basis",),
    "prescreen_opted_out": ("trigger_state",),
    "text_has_not_affiliated_statement": ("trigger_state",),
    "postal_address": ("email_address",),
    "list_unsubscribe_post": ("one_click",),
    "subject": ("subject",),
    "unsubscribe_link_ttl_days": ("unsubscribe",),
    **dict.fromkeys(UNSUBSCRIBE_LINK_KEYS, ("unsubscribe",)),
    **dict.fromkeys(SIGNED_HEADER_KEYS, ("one_click",)),
    "unsubscribe_requires": ("unsubscribe",),
    "spam_rate_pct": ("spam_rate",),
    "brand_registered": ("brand",),
    "campaign_attributes": ("attributes",),
    "body": ("links",),
    "optin_source": ("opt_in",),
    "has_stop_text": ("opt_out_words",),
    "csp_policy": ("broker",),
}


def build_case_facts(given: Given) -> Facts:
    """Return the facts of a case about a message."""
    at = case_moment(given)
    name = given.get("channel") or str(given.get("next", "")).rpartition("_")[2] or "text"
    medium = parse_medium("call" if "queued_call_at" in given else name) or Medium(name)
    purpose = _case_purpose(given)
    return Facts(
        at=at,
        asks=_case_gates(given, medium, purpose),
        medium=medium,
        purpose=purpose,
        is_automated=bool(given.get("automated", False)) or is_machine_voice(given),
        guard_minutes=0,
        is_owners=True,
        recipient=given.get("phone", DEFAULT_NUMBER),
        **_record_facts(given),
        **_message_facts(given, at),
        **_sender_facts(given),
        **_person_facts(given, at),
        **stop_facts(given, at),
        **list_facts(given, at),
        **email_facts(given),
    )


def case_moment(given: Given) -> datetime:
    """Return the case's moment: noon for a bare date, the rulebook's date without one."""
    for name in MOMENT_KEYS:
        value = given.get(name)
        if isinstance(value, str) and "T" in value:
            return datetime.fromisoformat(value)
        if isinstance(value, str):
            return datetime.combine(date.fromisoformat(value), time(12), HOME_ZONE)
    return datetime.combine(RULES_AS_OF, time(12), HOME_ZONE)


def _case_purpose(given: Given) -> Purpose:
    if given.get("message") == "confirmation":
        return Purpose.CONFIRMATION
    if any(given.get(key) is True for key in ("is_reply", "reply", "reply_to_consumer")):
        return Purpose.REPLY
    name = given.get("purpose") or str(given.get("next", "marketing_x")).rpartition("_")[0]
    return Purpose(name)


def _case_gates(given: Given, medium: Medium, purpose: Purpose) -> tuple[str, ...]:
    names = [gate for key, gates in GATES_BY_KEY.items() if key in given for gate in gates]
    names += _person_gates(given, purpose)
    if medium is Medium.EMAIL and any(is_authentication_key(key) for key in given):
        names.append("authentication")
    if medium is Medium.EMAIL and ("now" in given or purpose is not Purpose.MARKETING):
        names.append("email_hours")
    if "state" in given and parse_source(given.get("source")) == "cra_trigger":
        names.append("trigger_state")
    if "source" in given and not names:
        names.append("trigger_basis")
    return tuple(dict.fromkeys(names))


def _person_gates(given: Given, purpose: Purpose) -> list[str]:
    """Return the gates of license, consent and identification that depend on several keys."""
    names = []
    if "property_state" in given and "activity" not in given:
        names.append("license")
    if any("nmls" in key for key in given):
        names.append("nmls_ids")
    if isinstance(given.get("consent"), dict) and given["consent"].get("withdrawn_at"):
        names.append("revocation")
    if purpose is Purpose.REPLY and "inbound_at" in given:
        names.append("consent")
    return names


def _record_facts(given: Given) -> dict[str, Any]:
    version = given.get("rules_version", RULES_VERSION)
    published = [given[key] for key in given if key.startswith("published")]
    is_old = any(version < newer for newer in published if isinstance(newer, str))
    has_hash = bool(given.get("inputs_hash", "ok"))
    return {
        "rules_version": "" if is_old else version,
        "has_audit_row": bool(given.get("decision_log_written", True)) and has_hash,
    }


def _message_facts(given: Given, at: datetime) -> dict[str, Any]:
    stop_text = "Reply STOP to opt out." if given.get("has_stop_text") else ""
    has_ids = not any("nmls" in key and not given[key] for key in given)
    confirmation = None
    stop = next((given[key] for key in STOP_KEYS if key in given), None)
    if given.get("message") == "confirmation" and stop:
        stop_at = datetime.fromisoformat(stop)
        confirmation = StopConfirmation(
            stop_at=stop_at, earlier=given.get("prior_confirmations", 0)
        )
    return {
        "voice": parse_voice(given.get("voice")),
        "has_promo": bool(given.get("promo")) or "promo" in given.get("content_flags", ()),
        "is_first_message": bool(given.get("first_message", False)),
        "subject": given.get("subject") or "",
        "text": f"{given.get('body', '')} {stop_text} {'NMLS 100 NMLS 200' if has_ids else ''}",
        "activity": given.get("activity", "general"),
        "confirmation": confirmation,
    }


def _sender_facts(given: Given) -> dict[str, Any]:
    is_bank = given.get("company_kind", given.get("company_type")) in ("depository", "bank")
    role = given.get("actor", "lo")
    is_registered = any(
        is_stated(given.get(key)) for key in ("telemarketer_registration", "exemption_on_file")
    )
    ends_on = parse_day(given.get("registration_expires") or given.get("exemption_expires"))
    if ends_on is not None and ends_on < case_moment(given).date():
        is_registered = False
    return {
        "actor": "officer" if role in OFFICER_ACTORS else role,
        "officer": _case_officer(given) if role in OFFICER_ACTORS else None,
        "company": Company(
            nmls_id="100",
            is_depository=is_bank,
            licensed_states=tuple(given.get("company_states", STATES)),
        ),
        "seller_names": (given.get("sender_seller", DEFAULT_SELLER),),
        "registered_states": tuple(STATES) if is_registered else (),
        "is_brand_registered": bool(given.get("brand_registered", True)),
        "campaign_attributes": tuple(given.get("campaign_attributes", ())),
        "optin_source": given.get("optin_source", ""),
        "company_kind": given.get("company_type", "direct_lender"),
        "carrier_policy": given.get("csp_policy", "any_lender"),
    }


def _case_officer(given: Given) -> Officer:
    rows = dict(given.get("lo_licences") or {})
    expires = parse_day(rows.pop("expires", None))
    return Officer(
        nmls_id="200",
        is_sponsored=bool(given.get("sponsored", True)),
        is_registered=bool(given.get("registered", True)),
        licenses=tuple(
            License(state=state, status=row["status"], expires_on=parse_day(row.get("expires")))
            if isinstance(row, dict)
            else License(state=state, status=row, expires_on=expires)
            for state, row in rows.items()
        ),
    )


def _person_facts(given: Given, at: datetime) -> dict[str, Any]:
    requested = given.get("consumer_requested_time")
    is_recorded = is_request_recorded(given.get("request_evidence"))
    is_invited = bool(given.get("inbound")) or given.get("consent") == "express_request"
    check = given.get("rnd")
    inbound, lead = given.get("inbound_at"), given.get("lead_submitted_at")
    return {
        "line_type": given.get("line_type", given.get("phone_type", "unknown")),
        "places": _case_places(given),
        "property_state": given.get("property_state"),
        "consents": _case_consents(given, at),
        "invited_at": at if is_invited else None,
        "inbound_at": datetime.fromisoformat(inbound) if inbound else None,
        "requested_at": datetime.fromisoformat(requested) if requested and is_recorded else None,
        "contacts": tuple(
            _parse_contact(contact)
            for contact in given.get("prior_contacts") or ()
            if not (isinstance(contact, dict) and contact.get("direction") == "inbound")
        ),
        "inquired_at": datetime.fromisoformat(lead) if lead else None,
        "last_confirmed_on": parse_day(given.get("last_confirmed_contact")),
        "number_check": check
        and NumberCheck(
            response=check["response"], checked_on=date.fromisoformat(check["checked"])
        ),
        "provenance": _case_provenance(given, at),
        "answers": _case_approvals(given, at),
    }


def _case_approvals(given: Given, at: datetime) -> tuple[HumanDecision, ...]:
    """Return a supervisor's approval of the hour that the borrower asked for."""
    if not is_stated(given.get("supervisor_approved")):
        return ()
    by = f"user:{given['supervisor_approved']}"
    return (HumanDecision(rule=REQ_01.id, reason=STATE_LAW_SILENT, by=by, at=at),)


def _case_places(given: Given) -> tuple[Place, ...]:
    locations = tuple(
        Place(
            kind=location["kind"],
            state=location["state"],
            zone=location["zone"],
            county=location.get("county"),
            is_home=False if is_not_home(location) else None,
        )
        for location in given.get("locations", ())
    )
    return (
        *locations,
        *address_places("residence", given.get("state")),
        *address_places("area_code", given.get("area_code_state")),
    )


def is_not_home(place: Given) -> bool:
    """Return whether the case says that the person doesn't live at a property now."""
    if False in (place.get("is_home"), place.get("lives_there"), place.get("current_home")):
        return True
    use = str(place.get("occupancy") or place.get("use") or "")
    return use.startswith(("rental", "invest", "second", "vacation", "not_", "future"))


def _parse_contact(contact: Any) -> PriorContact:
    """Return an earlier contact; a bare moment is one by an unknown medium, which counts."""
    if isinstance(contact, str):
        return PriorContact(at=datetime.fromisoformat(contact), medium=None)
    name = next((contact[key] for key in CONTACT_MEDIUM_KEYS if contact.get(key)), None)
    return PriorContact(at=datetime.fromisoformat(contact["at"]), medium=parse_medium(name))


def complete_consent(given: Given, captured_at: datetime) -> Consent:
    """Return a complete consent, for cases that only say "pewc"."""
    return Consent(
        type="written",
        signature="esign_click",
        seller=given.get("sender_seller", DEFAULT_SELLER),
        phone=given.get("phone", DEFAULT_NUMBER),
        channels=("call", "text", "prerecorded", "email"),
        condition_of_purchase=False,
        autodial_disclosure=True,
        captured_at=captured_at,
        evidence=COMPLETE_EVIDENCE,
        signer_is_subscriber=True,
    )


def _case_consents(given: Given, at: datetime) -> tuple[Consent, ...]:
    consents = []
    consent = given.get("consent")
    if isinstance(consent, dict):
        consents.append(_parse_consent(consent))
    elif isinstance(consent, str) and consent.startswith("pewc"):
        consents.append(complete_consent(given, at - timedelta(days=3)))
    permission = given.get("written_permission") or {}
    is_for_us = permission.get("number") == "match" and permission.get("seller") == "us"
    if permission.get("signed") and is_for_us:
        consents.append(complete_consent(given, at - timedelta(days=3)))
    if given.get("new_pewc_at"):
        consents.append(complete_consent(given, datetime.fromisoformat(given["new_pewc_at"])))
    return tuple(consents)


def _parse_consent(consent: Given) -> Consent:
    captured = consent.get("captured_at")
    origin_keys = ("source", "number_source", "how_obtained")
    origin = " ".join(str(consent.get(key)) for key in origin_keys)
    is_from_borrower = BOUGHT_NUMBER.search(origin) is None
    return Consent(
        type=consent.get("type") if is_from_borrower else None,
        signature=consent.get("signature"),
        seller=consent.get("seller"),
        phone=consent.get("phone"),
        channels=tuple(consent.get("channels") or ()),
        condition_of_purchase=consent.get("condition_of_purchase"),
        autodial_disclosure=consent.get("autodial_disclosure"),
        captured_at=datetime.fromisoformat(captured) if captured else None,
        evidence=tuple(consent.get("evidence") or ()),
        signer_is_subscriber=consent.get("signer_is_subscriber", True),
    )


def _case_provenance(given: Given, at: datetime) -> Provenance:
    return Provenance(
        source_class=parse_source(given.get("source", "consumer")),
        acquired_on=parse_day(given.get("acquired")) or at.date(),
        is_firm_offer=given.get("firm_offer"),
        is_authorized_to_cra=given.get("authorization_certified_to_cra"),
        relationship=parse_relationship(given.get("relationship")),
        entity=parse_entity(given.get("entity")),
        has_opted_out_of_prescreen=given.get("prescreen_opted_out"),
        says_not_affiliated=says_all_of_first_contact(given),
        cra_provenance=given.get("cra_provenance"),
    )
