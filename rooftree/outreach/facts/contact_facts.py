"""Facts for the gate: the purpose of a contact, the borrower's own request, and the parties.

The purpose of a contact by hand is judged here: a reply, a loan in process, or marketing. Buttons,
typed messages and dialed calls all ask, so a button never promises what the gate then refuses.

The law's reading stays strict. A written answer is a reply for 15 minutes (REQ-01), and later it
is marketing like any first word of ours. Whether the borrower waits for the contact is a fact of
its own: it lifts only the limits that the company sets itself.
"""

from datetime import date, datetime, timedelta
from typing import Any

from rooftree.capture.sources import SOURCES
from rooftree.compliance.gate import trigger_lead_check
from rooftree.compliance.gate.contact_caps import CALLS_PER_ATTEMPT
from rooftree.compliance.gate.credit_file_stop import SEPARATOR, STOPPING_STATUSES, UNMAPPED
from rooftree.compliance.gate.facts import Company as CompanyFacts
from rooftree.compliance.gate.facts import (
    Emergency,
    HumanDecision,
    Medium,
    Provenance,
    Purpose,
    Relationship,
    StateLicense,
)
from rooftree.compliance.gate.facts import License as LicenseFacts
from rooftree.compliance.gate.facts import Officer as OfficerFacts
from rooftree.compliance.gate.quiet_hours import (
    REPLY_WITHIN,
    REQ_01,
    REQUEST_WITHIN,
    STATE_LAW_SILENT,
)
from rooftree.leads.models import Lead
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts.lead_records import LeadRecords, license_in_state
from rooftree.outreach.facts.stored_rows import AgreedCallback, LoanFile, StoredOverride

CONVERSATION_OPEN_FOR = timedelta(hours=24)  # house: after the borrower's last word
ANSWER_OWED_FOR = timedelta(days=7)  # house: an unanswered borrower waits that long
SERVICE_AFTER_FUNDING = timedelta(days=60)  # house: the first payment is due by then
APPLICATION_RANK = 40  # of the milestone `application`; earlier files are not applications
OPEN_STOPS = frozenset({"suspended", UNMAPPED})  # staff must request what is missing, or ask
ENDED_OR_STOPPED = frozenset(STOPPING_STATUSES) - OPEN_STOPS
# Channels that sell a person's request, to us and perhaps to others. Lead emails count too.
RESOLD_CHANNELS = frozenset({"aggregator", "marketplace", "email"})
# Adapters whose inquiries come to us alone: our form, our numbers, our own site's chat.
DIRECT_ADAPTERS = frozenset(
    {"website_form", "phone_twilio", "phone_callrail"}
    | {"chat_intercom", "chat_drift", "chat_generic"}
)
RELATIONSHIP_KINDS = {"application": "application", "funded": "transaction"}


def judge_purpose(medium: Medium, records: LeadRecords, *, at: datetime) -> Purpose:
    """Return the purpose of a contact by hand at `at`, as the law sees it."""
    inbound = records.newest_inbound
    if (
        medium is not Medium.CALL
        and inbound is not None
        and inbound.created_at <= at <= inbound.created_at + REPLY_WITHIN
    ):
        return Purpose.REPLY
    if is_loan_in_service(records, at=at):
        return Purpose.TRANSACTIONAL
    return Purpose.MARKETING


def is_loan_in_service(records: LeadRecords, *, at: datetime) -> bool:
    """Return True from the application until 60 days after funding, unless the file is stopped."""
    if set(filter(None, records.credit_stop.split(SEPARATOR))) - OPEN_STOPS:
        return False
    return any(_is_in_service(loan, at) for loan in records.loan_files)


def find_awaited_contact(
    medium: Medium, records: LeadRecords, *, excluding: str, at: datetime
) -> str:
    """Return `reply` or `callback` if the borrower waits for this contact, otherwise "".

    A double dial answers a borrower who wrote or called; the call after it is one more attempt.

    Args:
        excluding: the idempotency key of the contact itself.
    """
    by_hand = [
        row for row in records.outbound_attempts(excluding=excluding) if not row.is_automated
    ]
    if medium is Medium.CALL:
        callback = records.agreed_callback
        if callback is not None and callback.due_at - REQUEST_WITHIN <= at:
            return "callback"
        heard_at = records.heard_at()
        calls = sorted(row.at for row in by_hand if row.medium == "call")
        if not _is_unanswered(heard_at, calls[-CALLS_PER_ATTEMPT] if calls[1:] else None, at):
            return ""
        return "callback" if heard_at == records.heard_at("call") else "reply"
    heard_at = records.heard_at()
    if heard_at is None:
        return ""
    answered_at = max((row.at for row in by_hand), default=None)
    is_open = at < heard_at + CONVERSATION_OPEN_FOR
    return "reply" if is_open or _is_unanswered(heard_at, answered_at, at) else ""


def find_invitation(
    medium: Medium, records: LeadRecords, *, excluding: str, at: datetime
) -> datetime | None:
    """Return when the borrower asked for this very contact; None if they did not (CON-04).

    They ask for a call by agreeing to one or by calling us, and for a text by texting us.
    """
    if medium is Medium.CALL and records.agreed_callback is not None:
        return records.agreed_callback.asked_at
    if medium not in (Medium.CALL, Medium.TEXT) or not find_awaited_contact(
        medium, records, excluding=excluding, at=at
    ):
        return None
    return records.heard_at(medium.value)


def build_request_facts(
    medium: Medium,
    records: LeadRecords,
    *,
    is_automated: bool,
    answers: tuple[HumanDecision, ...],
    excluding: str,
    at: datetime,
) -> dict[str, Any]:
    """Return the contact the borrower asked for or waits for, and staff decisions about it.

    A borrower who asks for a call is called, not written to (CON-04). Nobody waits for what is
    sent automatically.

    Args:
        answers: the decisions about this very message.
        excluding: the idempotency key of the contact itself.
    """
    if is_automated:
        return {"invited_at": None, "requested_at": None, "answers": answers}
    callback = records.agreed_callback if medium is Medium.CALL else None
    return {
        "invited_at": find_invitation(medium, records, excluding=excluding, at=at),
        "requested_at": callback.due_at if callback else None,
        "awaited_contact": find_awaited_contact(medium, records, excluding=excluding, at=at),
        "answers": (
            *answers,
            *_hour_approvals(callback),
            *_limit_overrides(records.live_override(medium.value, excluding=excluding)),
        ),
    }


def build_company_facts(
    company: Company, records: LeadRecords, property_state: str, today: date
) -> dict[str, Any]:
    """Return the company's identity, licenses, declared emergencies and texting registration."""
    texting = company.texting
    license_row = license_in_state(records.company_licenses, property_state, records.at)
    return {
        "company": CompanyFacts(
            nmls_id=company.nmls_id,
            is_depository=company.kind == "depository",
            licensed_states=tuple(
                company_license.state
                for company_license in records.company_licenses
                if company_license.covers(today)
            ),
            license_there=StateLicense(number=license_row.number, license=license_row.license)
            if license_row
            else None,
            website=company.website,
            phone=company.phone,
        ),
        "seller_names": (company.legal_name, company.brand, *company.registered_dbas),
        "registered_states": tuple(company.telemarketer_states),
        "is_brand_registered": bool(texting.get("brand_registered")),
        "campaign_attributes": tuple(texting.get("attributes", ())),
        "optin_source": "own",
        "company_kind": texting.get("company_kind", "direct_lender"),
        "carrier_policy": texting.get("carrier_policy", "any_lender"),
        "emergencies": _build_emergencies(company),
        "emergencies_read_at": company.emergencies_checked_at,
    }


def build_officer_facts(
    officer: LoanOfficer | None, company: Company, today: date
) -> OfficerFacts | None:
    """Return the officer's licenses and status; None if the message is in the company's name."""
    if officer is None:
        return None
    ended = officer.terminated_at is not None
    return OfficerFacts(
        nmls_id=officer.nmls_id,
        is_sponsored=not ended and officer.sponsored_from_date <= today,
        is_registered=not ended and company.kind == "depository",
        licenses=tuple(
            LicenseFacts(
                state=row.state,
                status=row.status,
                expires_on=row.until_date - timedelta(days=1) if row.until_date else None,
            )
            for row in officer.licenses.all()
            if row.from_date <= today
        ),
    )


def build_provenance(text: str, lead: Lead, company: Company, records: LeadRecords) -> Provenance:
    """Return where the lead came from and on what basis, for trigger-lead law and the FCRA.

    The class of a source is the one its reviewed terms name, otherwise the one its adapter
    implies. Once a message told them that we are not their lender, later ones need not repeat it.

    Args:
        text: the message as rendered; it can carry the required statements itself.
    """
    basis = records.trigger_lead_basis
    if basis is None:
        return _build_consumer_provenance(lead)
    return Provenance(
        source_class=basis["source_class"],
        acquired_on=lead.created_at.date(),
        is_firm_offer=basis["is_firm_offer"],
        is_authorized_to_cra=basis["is_authorized"] or bool(basis["certified"]),
        relationship=basis["tie"] or None,
        entity="insured_bank" if company.kind == "depository" else None,
        has_opted_out_of_prescreen=bool(basis["has_opted_out"]),
        says_not_affiliated=basis["was_told"]
        or trigger_lead_check.has_not_affiliated_statement(text),
        cra_provenance="none" if basis["source_class"] == "web_intent_vendor" else None,
        keeps_criteria=basis["keeps_criteria"],
        has_prescreen_notices=trigger_lead_check.has_prescreen_notices(text),
    )


def build_relationships(records: LeadRecords) -> tuple[Relationship, ...]:
    """Return inquiries that name us, applications and loans with us (47 CFR 64.1200(f)(5)).

    An inquiry made to an aggregator alone does not count, nor one whose date is unknown.
    """
    inquiries = [
        Relationship(
            kind="inquiry",
            on=touch.asked_on,
            with_us=touch.adapter in DIRECT_ADAPTERS
            or records.form_names_us(touch.source_id, touch.asked_on),
        )
        for touch in records.touches
        if touch.asked_on is not None
    ]
    loans = [
        Relationship(kind=RELATIONSHIP_KINDS[milestone.code], on=milestone.on, with_us=True)
        for milestone in records.loan_milestones
    ]
    return (*inquiries, *loans)


def _is_in_service(loan: LoanFile, at: datetime) -> bool:
    if loan.final_outcome or loan.current_milestone in ENDED_OR_STOPPED:
        return False
    if loan.funded_date is not None:
        return at.date() - loan.funded_date <= SERVICE_AFTER_FUNDING
    return loan.application_date is not None or loan.rank >= APPLICATION_RANK


def _is_unanswered(heard_at: datetime | None, answered_at: datetime | None, at: datetime) -> bool:
    return (
        heard_at is not None
        and at < heard_at + ANSWER_OWED_FOR
        and (answered_at is None or answered_at < heard_at)
    )


def _limit_overrides(override: StoredOverride | None) -> tuple[HumanDecision, ...]:
    """Return the decisions about the company's own limits, each with its reason in words."""
    if override is None:
        return ()
    return tuple(
        HumanDecision(
            rule=rule,
            reason=reason,
            by=f"user:{override.by}",
            at=override.at,
            words=override.reason,
        )
        for rule, _, reason in (limit.partition(":") for limit in override.limits)
    )


def _hour_approvals(callback: AgreedCallback | None) -> tuple[HumanDecision, ...]:
    """Return a supervisor's approval of the hour that the borrower asked for."""
    if callback is None or callback.approved_at is None:
        return ()
    return (
        HumanDecision(
            rule=REQ_01.id,
            reason=STATE_LAW_SILENT,
            by=f"user:{callback.approved_by}",
            at=callback.approved_at,
        ),
    )


def _build_consumer_provenance(lead: Lead) -> Provenance:
    """Return the provenance of a lead whose person asked us, or a source that passed it on."""
    adapter = SOURCES.get(lead.source.adapter)
    channel = lead.source.setup.get("channel") or (adapter.CHANNEL if adapter else "")
    return Provenance(
        source_class="aggregator" if channel in RESOLD_CHANNELS else "consumer",
        acquired_on=lead.created_at.date(),
        is_firm_offer=None,
        is_authorized_to_cra=None,
        relationship=None,
        entity=None,
        has_opted_out_of_prescreen=None,
        says_not_affiliated=None,
        cra_provenance=None,
    )


def _build_emergencies(company: Company) -> tuple[Emergency, ...]:
    return tuple(
        Emergency(
            state=emergency["state"],
            county=emergency.get("county", "*"),
            from_date=date.fromisoformat(emergency["from"]),
            until_date=date.fromisoformat(emergency["until"]) if emergency.get("until") else None,
        )
        for emergency in company.emergencies
    )
