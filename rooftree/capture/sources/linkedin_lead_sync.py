"""LinkedIn Lead Sync: a signed notice, then lookups of the answers and their form.

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
        help="With the scope r_marketing_leadgen_automation; expires after 60 days",
    ),
    Credential(
        key="account",
        label="Ad account",
        help="The number in Campaign Manager; used to list the account's leads",
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
    """Read one event, with the lookups answered so far. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _answer_handshake(incoming)
    notes = ReadingNotes()
    is_authentic = signature_matches(
        incoming, incoming.header("x-li-signature"), over=b"hmacsha256=" + incoming.body
    )
    event = open_webhook(incoming, notes, is_authentic=is_authentic)
    if isinstance(event, Envelope):
        return event
    response_id = _urn_id(event.get("leadGenFormResponse"))
    if short_text(event.get("type")) != "LEAD_ACTION" or not _ID_PATTERN.fullmatch(
        response_id or ""
    ):
        return ignored_envelope("not_a_lead_action", _OK_ANSWER)
    action = short_text(event.get("leadAction")) or "CREATED"
    key = f"linkedin:{response_id}:{action}"
    if action == "DELETED":
        return Envelope(http=_OK_ANSWER, outcome=Outcome.DELETED, idempotency_key=key)
    if action != "CREATED":
        return ignored_envelope("not_a_new_lead", _OK_ANSWER)
    actions = [{"do": "fetch_upstream", "id": response_id}]
    return build_batch_envelope(
        [_read_inquiry(event, incoming, notes)], _OK_ANSWER, key=key, actions=actions
    )


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """Add the member's token and the API version we support to a lookup.

    A list covers one ad account. Its query follows Rest.li: brackets and colons between values
    stay as they are, those within a value are escaped.
    """
    if lookup.path == _LIST_PATH:
        account = require_credential(credentials, "account", "Ad account")
        urn = quote(f"urn:li:sponsoredAccount:{account}", safe="")
        query = "&".join(f"{name}={value}" for name, value in lookup.query)
        path = f"{_LIST_PATH}?q=owner&owner=(sponsoredAccount:{urn})&{query}"
        lookup = Lookup(path=path)
    headers = (("LinkedIn-Version", API_VERSION), ("X-Restli-Protocol-Version", "2.0.0"))
    return with_bearer_token(lookup, credentials, *headers)


def first_list_lookup(since: datetime) -> Lookup:
    """Start the list with the first page of the account's leads."""
    return _list_lookup(int(since.timestamp() * 1000), 0)


def parse_list_page(lookup: Lookup, answer: VendorAnswer, since: datetime) -> LeadListPage:
    """Read a page of responses; add a lookup of the next page while there are more."""
    page = answer.json_fields()
    rows = page.nested_list("elements")
    end = int(dict(lookup.query)["start"]) + len(rows)
    total = (
        parse_count(page.nested("paging").get("total"), "total", ReadingNotes(), low=0, high=10**9)
        or 0
    )
    has_more = bool(rows) and (len(rows) >= _PAGE_SIZE or end < total)
    responses = [row for row in rows if _ID_PATTERN.fullmatch(short_text(row.get("id")) or "")]
    return LeadListPage(
        notices=tuple(_build_notice(response) for response in responses),
        next_lookups=(_list_lookup(int(since.timestamp() * 1000), end),) if has_more else (),
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
    """Build the notice LinkedIn would have posted for a response."""
    notice = {
        "type": "LEAD_ACTION",
        "leadGenFormResponse": f"urn:li:leadGenFormResponse:{short_text(response.get('id'))}",
        "leadGenForm": response.get("versionedLeadGenFormUrn"),
        "owner": response.get("owner"),
        "associatedEntity": response.get("associatedEntity"),
        "leadType": response.get("leadType"),
        "leadAction": "CREATED",
        "occurredAt": response.get("submittedAt"),
    }
    return json.dumps(notice).encode()


def _answer_handshake(incoming: IncomingDelivery) -> Envelope:
    """Answer LinkedIn's check, every two hours, that we still know the client secret."""
    code, secret = incoming.query.get("challengeCode", "")[:300], incoming.endpoint.secret
    if not code or not secret:
        answer = json_answer(401, error="unauthorized")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_challenge", answer)
    answer = json_answer(200, challengeCode=code, challengeResponse=hmac_hex(secret, code.encode()))
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _read_inquiry(event: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    form_urn = _FORM_URN.search(short_text(event.get("leadGenForm")) or "")
    lookups = [Lookup(path=f"/rest/leadFormResponses/{_urn_id(event.get('leadGenFormResponse'))}")]
    lookups += [Lookup(path=f"/rest/leadForms/{form_urn[1]}")] if form_urn else []
    answers = [incoming.vendor_answers.get(lookup.path) for lookup in lookups]
    for answer in answers:
        if answer is not None and (failure := classify_failure(answer)) is not None:
            notes.warn(f"upstream_error:{answer.status}")
            stub = _build_stub_lead(event, Fields(), incoming, notes)
            return ParsedInquiry(lead=stub, notes=notes, problem=quarantine_reason(failure))
    missing = tuple(
        lookup for lookup, answer in zip(lookups, answers, strict=True) if answer is None
    )
    if missing:
        return ParsedInquiry(
            lead=_build_stub_lead(event, Fields(), incoming, notes), notes=notes, lookups=missing
        )
    parts = [answer.json_fields() for answer in answers if answer is not None]
    return ParsedInquiry(
        lead=_build_lead(event, [*parts, Fields()][:2], incoming, notes), notes=notes
    )


def _build_stub_lead(
    event: Fields, response: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Build a lead from the event and, for the ad, from the response."""
    at = parse_epoch(
        response.get("submittedAt") or event.get("occurredAt"), "submittedAt", notes, per=1000
    )
    ids = _build_vendor_ids(event, response)
    return CanonicalLead(
        source=Source.LINKEDIN_LEAD_SYNC,
        channel=CHANNEL,
        vendor_lead_id=_urn_id(event.get("leadGenFormResponse")),
        vendor_ids=ids,
        campaign=ids.get("campaign_id"),
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test or response.get("testLead") is True,
    )


def _build_lead(
    event: Fields, parts: list[Fields], incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    response, form = parts
    stub = _build_stub_lead(event, response, incoming, notes)
    form_response = response.nested("formResponse")
    lead = build_canonical_lead(
        fields_from_answers(_list_answers(form_response, form.nested("content")), notes),
        notes,
        source=stub.source,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=stub.is_test,
    )
    return replace(
        lead,
        vendor_lead_id=stub.vendor_lead_id,
        vendor_ids=stub.vendor_ids,
        campaign=stub.campaign,
        submitted_at=stub.submitted_at,
        submitted_at_precision=stub.submitted_at_precision,
        consent=_build_consent(form_response, form.nested("content"), stub, lead.consent, notes),
    )


def _build_vendor_ids(event: Fields, response: Fields) -> dict[str, str]:
    form = _FORM_URN.search(short_text(event.get("leadGenForm")) or "")
    owner, ad = event.nested("owner"), event.nested("associatedEntity")
    meta = response.nested("leadMetadata").nested("sponsoredLeadMetadata")
    ids = {
        "form_id": form[1] if form else None,
        "account_id": _urn_id(owner.first_value("sponsoredAccount", "organization")),
        "creative_id": _urn_id(ad.first_value("associatedCreative", "creative")),
        "campaign_id": _urn_id(meta.get("campaign")),
    }
    return {name: value for name, value in ids.items() if value}


def _list_answers(form_response: Fields, form: Fields) -> list[tuple[Any, Any]]:
    """Pair each answer with its question: the predefined field, else the wording shown."""
    questions = {
        vendor_identifier(part.get("questionId")): part for part in form.nested_list("questions")
    }
    answers: list[tuple[Any, Any]] = []
    for part in form_response.nested_list("answers")[:_MAX_ANSWERS]:
        question = questions.get(vendor_identifier(part.get("questionId")), Fields())
        name = question.get("predefinedField") or _localized_text(question.get("question"))
        details = part.nested("answerDetails")
        answer = details.nested("textQuestionAnswer").get("answer")
        options = details.nested("multipleChoiceAnswer").get("options")
        if answer is None and isinstance(options, list):
            answer = [_option_text(question, number) for number in options[:50]]
        answers.append((name or f"question {part.get('questionId')}", answer))
    return answers


def _option_text(question: Fields, number: Any) -> str:
    details = question.nested("questionDetails").nested("multipleChoiceQuestionDetails")
    options = {
        vendor_identifier(part.get("id")): part
        for part in details.nested_list("options")[:_MAX_ANSWERS]
    }
    option = options.get(vendor_identifier(number))
    return (_localized_text(option.get("text")) if option else None) or str(number)


def _build_consent(
    form_response: Fields,
    form: Fields,
    stub: CanonicalLead,
    proof: Consent,
    notes: ReadingNotes,
) -> Consent:
    """Read the consent checkboxes; a ticked box without its wording on the form proves nothing."""
    wordings = {
        vendor_identifier(part.get("id")): _localized_text(part.get("consent"))
        for part in form.nested("legalInfo").nested_list("consents")
    }
    choices = [
        (wordings.get(vendor_identifier(part.get("consentId"))), part.get("accepted") is True)
        for part in form_response.nested_list("consentResponses")
    ]
    if not choices:
        return proof
    accepted = [text for text, is_accepted in choices if is_accepted]
    if accepted and not any(accepted):
        notes.warn("consent_without_wording")
        return proof
    wording = "\n\n".join(filter(None, accepted or [text for text, _ in choices]))[:5_000]
    return with_evidence_level(
        replace(
            proof,
            status=ConsentStatus.GRANTED if accepted else ConsentStatus.DENIED,
            channels=channels_in_wording(wording) if accepted else (),
            text=wording or None,
            timestamp=stub.submitted_at,
            method=ConsentMethod.CHECKBOX,
        )
    )


def _localized_text(localized: Any) -> str | None:
    """Return the English text where the form has one, else its first language."""
    texts = Fields(localized).nested("localized")
    text = texts.get("en_US") or next(iter(texts.values()), None)
    return short_text(text, limit=5_000)


def _urn_id(urn: Any) -> str | None:
    """Return the id at the end of a URN."""
    return vendor_identifier((short_text(urn) or "").rpartition(":")[2])
