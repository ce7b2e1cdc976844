"""LinkedIn Lead Sync: a signed notice, then the answers and their form.

Wire format: docs/sources/linkedin_lead_sync.md.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rooftree.capture.parsing.ad_form_answers import fields_from_answers
from rooftree.capture.parsing.amounts import parse_count
from rooftree.capture.parsing.build_envelope import ParsedInquiry, build_batch_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import channels_in_wording, with_evidence_level
from rooftree.capture.parsing.envelope import (
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    ignored_envelope,
    json_answer,
    rejected_envelope,
)
from rooftree.capture.parsing.normalize_values import parse_epoch, short_text, vendor_identifier
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.signed_webhooks import hmac_hex, open_webhook, signature_matches
from rooftree.capture.parsing.vendor_api import (
    LeadListPage,
    Lookup,
    VendorAnswer,
    find_status_failure,
    quarantine_reason,
    require_credential,
    with_bearer_token,
)
from rooftree.leads.canonical import CanonicalLead, Consent
from rooftree.leads.vocabulary import Channel, ConsentMethod, ConsentStatus, Precision, Source

LABEL = "LinkedIn lead gen forms"
PATHS = ["linkedin_lead_sync/<token>"]
METHODS = ("POST", "GET")
CHANNEL = Channel.PAID_SOCIAL
UPSTREAM = "https://api.linkedin.com"
CREDENTIALS = (
    Credential(key="secret", label="Client secret", help="Developer portal, your app, Auth"),
    Credential(
        key="access_token",
        label="Access token",
        help="With the scope r_marketing_leadgen_automation; it ends after 60 days",
    ),
    Credential(
        key="account",
        label="Ad account",
        help="Its number, as Campaign Manager shows it: the list of its leads is gone through",
    ),
)
API_VERSION = "202608"
LISTING_CREDENTIALS = ("access_token", "account")
_LIST_PATH, _PAGE_SIZE = "/rest/leadFormResponses", 100
_MAX_ANSWERS = 500  # answers of a form, options of a question
_OK_ANSWER = json_answer(200)
_ID_PATTERN = re.compile(r"[\w.-]{1,120}")
_FORM_URN = re.compile(r"leadGenForm:(\d{1,30})")
classify_failure = find_status_failure


def read(incoming: IncomingDelivery) -> Envelope:
    """One event, with what was asked since. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _answer_handshake(incoming)
    notes = ReadingNotes()
    is_authentic = signature_matches(
        incoming, incoming.header("x-li-signature"), over=b"hmacsha256=" + incoming.body
    )
    found = open_webhook(incoming, notes, is_authentic=is_authentic)
    if isinstance(found, Envelope):
        return found
    response = _urn_id(found.get("leadGenFormResponse"))
    if short_text(found.get("type")) != "LEAD_ACTION" or not _ID_PATTERN.fullmatch(response or ""):
        return ignored_envelope("not_a_lead_action", _OK_ANSWER)
    action = short_text(found.get("leadAction")) or "CREATED"
    key = f"linkedin:{response}:{action}"
    if action == "DELETED":
        return Envelope(http=_OK_ANSWER, outcome=Outcome.DELETED, idempotency_key=key)
    if action != "CREATED":
        return ignored_envelope("not_a_new_lead", _OK_ANSWER)
    actions = [{"do": "fetch_upstream", "id": response}]
    return build_batch_envelope(
        [_read_inquiry(found, incoming, notes)], _OK_ANSWER, key=key, actions=actions
    )


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the member's token, in the version we read.

    A list is of one ad account. Its query goes out as Rest.li wants it: brackets and colons that
    part values as they are, those within a value escaped.
    """
    if lookup.path == _LIST_PATH:
        account = require_credential(credentials, "account", "Ad account")
        urn = quote(f"urn:li:sponsoredAccount:{account}", safe="")
        query = "&".join(f"{name}={said}" for name, said in lookup.query)
        path = f"{_LIST_PATH}?q=owner&owner=(sponsoredAccount:{urn})&{query}"
        lookup = Lookup(path=path)
    headers = (("LinkedIn-Version", API_VERSION), ("X-Restli-Protocol-Version", "2.0.0"))
    return with_bearer_token(lookup, credentials, *headers)


def first_list_lookup(since: datetime) -> Lookup:
    """Its list begins with the first page of what the account's ads brought."""
    return _list_lookup(int(since.timestamp() * 1000), 0)


def parse_list_page(lookup: Lookup, told: VendorAnswer, since: datetime) -> LeadListPage:
    """A page of responses; while there are more, the next."""
    found = told.fields()
    rows = found.parts("elements")
    ends = int(dict(lookup.query)["start"]) + len(rows)
    total = (
        parse_count(found.part("paging").get("total"), "total", ReadingNotes(), low=0, high=10**9)
        or 0
    )
    goes_on = bool(rows) and (len(rows) >= _PAGE_SIZE or ends < total)
    named = [row for row in rows if _ID_PATTERN.fullmatch(short_text(row.get("id")) or "")]
    return LeadListPage(
        notices=tuple(_build_notice(one) for one in named),
        more=(_list_lookup(int(since.timestamp() * 1000), ends),) if goes_on else (),
    )


def _list_lookup(since_ms: int, start: int) -> Lookup:
    query = {
        "leadType": "(leadType:SPONSORED)",
        "submittedAtTimeRange": f"(start:{since_ms})",
        "count": str(_PAGE_SIZE),
        "start": str(start),
    }
    return Lookup(path=_LIST_PATH, query=tuple(query.items()))


def _build_notice(response: Fields) -> bytes:
    """What LinkedIn would have posted of a response."""
    told = {
        "type": "LEAD_ACTION",
        "leadGenFormResponse": f"urn:li:leadGenFormResponse:{short_text(response.get('id'))}",
        "leadGenForm": response.get("versionedLeadGenFormUrn"),
        "owner": response.get("owner"),
        "associatedEntity": response.get("associatedEntity"),
        "leadType": response.get("leadType"),
        "leadAction": "CREATED",
        "occurredAt": response.get("submittedAt"),
    }
    return json.dumps(told).encode()


def _answer_handshake(incoming: IncomingDelivery) -> Envelope:
    """LinkedIn asks every two hours whether the address still knows the client secret."""
    code, secret = incoming.query.get("challengeCode", "")[:300], incoming.endpoint.secret
    if not code or not secret:
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_challenge", answer)
    answer = json_answer(200, challengeCode=code, challengeResponse=hmac_hex(secret, code.encode()))
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _read_inquiry(found: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    form = _FORM_URN.search(short_text(found.get("leadGenForm")) or "")
    asks = [Lookup(path=f"/rest/leadFormResponses/{_urn_id(found.get('leadGenFormResponse'))}")]
    asks += [Lookup(path=f"/rest/leadForms/{form[1]}")] if form else []
    told = [incoming.told.get(one.path) for one in asks]
    for answer in told:
        if answer is not None and (failure := classify_failure(answer)) is not None:
            notes.warn(f"upstream_error:{answer.status}")
            stub = _build_stub_lead(found, Fields(), incoming, notes)
            return ParsedInquiry(lead=stub, notes=notes, problem=quarantine_reason(failure))
    missing = tuple(ask for ask, answer in zip(asks, told, strict=True) if answer is None)
    if missing:
        return ParsedInquiry(
            lead=_build_stub_lead(found, Fields(), incoming, notes), notes=notes, lookups=missing
        )
    parts = [answer.fields() for answer in told if answer is not None]
    return ParsedInquiry(
        lead=_build_lead(found, [*parts, Fields()][:2], incoming, notes), notes=notes
    )


def _build_stub_lead(
    found: Fields, response: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """What the event says, and the response of who saw which ad."""
    at = parse_epoch(
        response.get("submittedAt") or found.get("occurredAt"), "submittedAt", notes, per=1000
    )
    ids = _build_vendor_ids(found, response)
    return CanonicalLead(
        source=Source.LINKEDIN_LEAD_SYNC,
        channel=CHANNEL,
        vendor_lead_id=_urn_id(found.get("leadGenFormResponse")),
        vendor_ids=ids,
        campaign=ids.get("campaign_id"),
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test or response.get("testLead") is True,
    )


def _build_lead(
    found: Fields, parts: list[Fields], incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    response, form = parts
    known = _build_stub_lead(found, response, incoming, notes)
    given = response.part("formResponse")
    lead = build_canonical_lead(
        fields_from_answers(_list_answers(given, form.part("content")), notes),
        notes,
        source=known.source,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=known.is_test,
    )
    return replace(
        lead,
        vendor_lead_id=known.vendor_lead_id,
        vendor_ids=known.vendor_ids,
        campaign=known.campaign,
        submitted_at=known.submitted_at,
        submitted_at_precision=known.submitted_at_precision,
        consent=_build_consent(given, form.part("content"), known, lead.consent),
    )


def _build_vendor_ids(found: Fields, response: Fields) -> dict[str, str]:
    form = _FORM_URN.search(short_text(found.get("leadGenForm")) or "")
    owner, ad = found.part("owner"), found.part("associatedEntity")
    meta = response.part("leadMetadata").part("sponsoredLeadMetadata")
    ids = {
        "form_id": form[1] if form else None,
        "account_id": _urn_id(owner.first("sponsoredAccount", "organization")),
        "creative_id": _urn_id(ad.first("associatedCreative", "creative")),
        "campaign_id": _urn_id(meta.get("campaign")),
    }
    return {name: one for name, one in ids.items() if one}


def _list_answers(given: Fields, form: Fields) -> list[tuple[Any, Any]]:
    """Each answer beside its question: the predefined field, else the words that were shown."""
    questions = {
        vendor_identifier(part.get("questionId")): part for part in form.parts("questions")
    }
    found: list[tuple[Any, Any]] = []
    for part in given.parts("answers")[:_MAX_ANSWERS]:
        asked = questions.get(vendor_identifier(part.get("questionId")), Fields())
        name = asked.get("predefinedField") or _localized_text(asked.get("question"))
        said = part.part("answerDetails")
        answer = said.part("textQuestionAnswer").get("answer")
        chosen = said.part("multipleChoiceAnswer").get("options")
        if answer is None and isinstance(chosen, list):
            answer = [_option_text(asked, number) for number in chosen[:50]]
        found.append((name or f"question {part.get('questionId')}", answer))
    return found


def _option_text(asked: Fields, number: Any) -> str:
    details = asked.part("questionDetails").part("multipleChoiceQuestionDetails")
    options = {
        vendor_identifier(part.get("id")): part for part in details.parts("options")[:_MAX_ANSWERS]
    }
    chosen = options.get(vendor_identifier(number))
    return (_localized_text(chosen.get("text")) if chosen else None) or str(number)


def _build_consent(given: Fields, form: Fields, known: CanonicalLead, proof: Consent) -> Consent:
    """What was ticked, with the words of the form it was ticked on."""
    shown = {
        vendor_identifier(part.get("id")): _localized_text(part.get("consent"))
        for part in form.part("legalInfo").parts("consents")
    }
    said = [
        (shown.get(vendor_identifier(part.get("consentId"))), part.get("accepted") is True)
        for part in given.parts("consentResponses")
    ]
    if not said:
        return proof
    accepted = [words for words, is_accepted in said if is_accepted]
    wording = "\n\n".join(filter(None, accepted or [words for words, _ in said]))[:5_000]
    return with_evidence_level(
        replace(
            proof,
            status=ConsentStatus.GRANTED if accepted else ConsentStatus.DENIED,
            channels=channels_in_wording(wording) if accepted else (),
            text=wording or None,
            timestamp=known.submitted_at,
            method=ConsentMethod.CHECKBOX,
        )
    )


def _localized_text(localized: Any) -> str | None:
    """A text in English where the form has it, else in the language it has."""
    found = Fields(localized).part("localized")
    said = found.get("en_US") or next(iter(found.values()), None)
    return short_text(said, limit=5_000)


def _urn_id(urn: Any) -> str | None:
    """The id at the end of a URN."""
    return vendor_identifier((short_text(urn) or "").rpartition(":")[2])
