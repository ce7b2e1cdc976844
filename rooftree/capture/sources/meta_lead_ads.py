"""Meta lead ads: a signed notice of ids, then one lookup per lead.

Wire format: docs/sources/meta_lead_ads.md.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rooftree.capture.parsing.ad_form_answers import fields_from_answers
from rooftree.capture.parsing.build_envelope import ParsedInquiry, build_batch_envelope
from rooftree.capture.parsing.build_lead import build_canonical_lead
from rooftree.capture.parsing.consent_evidence import channels_in_wording, with_evidence_level
from rooftree.capture.parsing.envelope import (
    Answer,
    Credential,
    Envelope,
    IncomingDelivery,
    Outcome,
    ignored_envelope,
    rejected_envelope,
    secrets_match,
)
from rooftree.capture.parsing.normalize_values import (
    parse_epoch,
    parse_moment,
    short_text,
    vendor_identifier,
    yes_or_no,
)
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.signed_webhooks import hmac_hex, open_webhook, signature_matches
from rooftree.capture.parsing.vendor_api import (
    LeadListPage,
    Lookup,
    RateLimited,
    VendorAnswer,
    find_status_failure,
    quarantine_reason,
    require_credential,
)
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError
from rooftree.leads.canonical import CanonicalLead, Consent
from rooftree.leads.vocabulary import (
    Channel,
    ConsentChannel,
    ConsentMethod,
    ConsentStatus,
    Precision,
    Source,
)

LABEL = "Meta lead ads (Facebook, Instagram)"
PATHS = ["meta_lead_ads/<token>"]
METHODS = ("POST", "GET")
CHANNEL = Channel.PAID_SOCIAL
UPSTREAM = "https://graph.facebook.com"
CREDENTIALS = (
    Credential(key="secret", label="App secret", help="App dashboard, Settings, Basic"),
    Credential(
        key="verify_token", label="Verify token", help="Any text; enter the same text at Meta"
    ),
    Credential(
        key="access_token",
        label="Access token",
        help="Of a system user that can retrieve the leads of your pages",
    ),
)
API_VERSION = "v25.0"
LISTING_CREDENTIALS = ("access_token",)
_LEAD_FIELDS = (
    "created_time,id,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
    "is_organic,platform,field_data,custom_disclaimer_responses"
)
_OK_ANSWER = Answer(status=200, content_type="text/plain", body="EVENT_RECEIVED")
_PAGE_SIZE = "100"  # rows per page of a list
_MAX_CHANGES = 1_000  # changes read from one notice
_REFUSAL_WORD = re.compile(r"\b(?:no|not|dont|never|stop|unsubscribe|opt ?out)\b", re.IGNORECASE)
_TEST_LEAD_MARK = "<test lead: dummy data"
_RATE_LIMIT_CODES = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_OUTAGE_CODES = frozenset({1, 2})
_BAD_TOKEN_CODES = frozenset({10, 102, 190, *range(200, 300)})


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one notice, with the lookups answered so far. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _answer_handshake(incoming)
    signature = (incoming.header("x-hub-signature-256") or "").removeprefix("sha256=")
    notes = ReadingNotes()
    payload = open_webhook(incoming, notes, is_authentic=signature_matches(incoming, signature))
    if isinstance(payload, Envelope):
        return payload
    if short_text(payload.get("object")) != "page":
        return ignored_envelope("object_not_page", _OK_ANSWER)
    changes = _list_lead_changes(payload)
    if not changes:
        return ignored_envelope("field_not_leadgen", _OK_ANSWER)
    inquiries = [_read_inquiry(change, incoming, ReadingNotes()) for change in changes]
    inquiries[0].notes.warnings.update(notes.warnings)
    key = "meta:" + ",".join(inquiry.lead.vendor_lead_id or "" for inquiry in inquiries)
    return build_batch_envelope(inquiries, _OK_ANSWER, key=key, actions=_build_actions(inquiries))


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """Add the page's token, and the proof that we are its app, to a lookup."""
    token = require_credential(credentials, "access_token", "Access token")
    secret = require_credential(credentials, "secret", "App secret")
    proof = hmac_hex(secret, token.encode())
    query = (*lookup.query, ("access_token", token), ("appsecret_proof", proof))
    return replace(lookup, query=query)


def classify_failure(answer: VendorAnswer) -> VendorError | None:
    """Classify a failure by Meta's own code; its HTTP statuses say little (expired token: 400)."""
    if answer.is_ok:
        return None
    error = answer.json_fields().nested("error")
    code, reason = (
        _error_code(error),
        short_text(error.get("message"), limit=160) or "no reason given",
    )
    if code in _RATE_LIMIT_CODES:
        return RateLimited(f"Meta is limiting our requests ({code}).")
    if code in _OUTAGE_CODES or error.get("is_transient") is True:
        return RetryLater(f"Meta asks us to try again later ({code}).")
    if code in _BAD_TOKEN_CODES:
        return Misconfigured(f"Meta does not accept the access token ({code}): {reason}")
    if code:
        return RequestRejected(
            f"Meta has no such lead, or doesn't show it to us ({code}).", code=str(code)
        )
    return find_status_failure(answer)


def first_list_lookup(_: datetime) -> Lookup:
    """Start the list with the pages the token can see."""
    return Lookup(
        path=f"/{API_VERSION}/me/accounts", query=(("fields", "id"), ("limit", _PAGE_SIZE))
    )


def parse_list_page(lookup: Lookup, answer: VendorAnswer, since: datetime) -> LeadListPage:
    """Follow pages to forms and forms to leads; each list can have further pages."""
    page = answer.json_fields()
    ids = [
        (object_id, item)
        for item in page.nested_list("data")
        if (object_id := vendor_identifier(item.get("id"))) and object_id.isalnum()
    ]
    next_page = _next_page_lookup(lookup, page.nested("paging"))
    kind = lookup.path.rpartition("/")[2]
    if kind == "leads":
        return LeadListPage(
            notices=tuple(_build_notice(object_id, lead) for object_id, lead in ids),
            next_lookups=next_page,
        )
    child_list = "leadgen_forms" if kind == "accounts" else "leads"
    query: tuple[tuple[str, str], ...] = (("fields", "id"), ("limit", _PAGE_SIZE))
    if child_list == "leads":
        after = {"field": "time_created", "operator": "GREATER_THAN"}
        created = [after | {"value": int(since.timestamp())}]
        fields = "id,created_time,form_id,ad_id,adset_id"
        query = (("fields", fields), ("filtering", json.dumps(created)), ("limit", _PAGE_SIZE))
    child_lookups = [
        Lookup(path=f"/{API_VERSION}/{object_id}/{child_list}", query=query) for object_id, _ in ids
    ]
    return LeadListPage(next_lookups=(*next_page, *child_lookups))


def _next_page_lookup(lookup: Lookup, paging: Fields) -> tuple[Lookup, ...]:
    after = short_text(paging.nested("cursors").get("after"))
    if not paging.get("next") or not after:
        return ()
    query = tuple(pair for pair in lookup.query if pair[0] != "after")
    return (replace(lookup, query=(*query, ("after", after))),)


def _build_notice(lead_id: str, lead: Fields) -> bytes:
    """Build the notice Meta would have posted for a lead."""
    created_at, _ = parse_moment(
        lead.get("created_time"), "created_time", ReadingNotes(), zone="UTC"
    )
    value = {
        "leadgen_id": lead_id,
        "created_time": int(created_at.timestamp()) if created_at else None,
        "form_id": vendor_identifier(lead.get("form_id")),
        "ad_id": vendor_identifier(lead.get("ad_id")),
        "adgroup_id": vendor_identifier(lead.get("adset_id")),
    }
    change = {"field": "leadgen", "value": {name: part for name, part in value.items() if part}}
    return json.dumps({"object": "page", "entry": [{"changes": [change]}]}).encode()


def _answer_handshake(incoming: IncomingDelivery) -> Envelope:
    """Answer Meta's endpoint verification, using the token entered on both sides."""
    query, verify_token = incoming.query, incoming.endpoint.credentials.get("verify_token")
    if not secrets_match(query.get("hub.verify_token"), verify_token):
        answer = Answer(status=403, content_type="text/plain", body="forbidden")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_token", answer)
    challenge = query.get("hub.challenge", "")[:300]
    answer = Answer(status=200, content_type="text/plain", body=challenge)
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _list_lead_changes(payload: Fields) -> list[Fields]:
    """Return the lead changes of a notice, one per id."""
    changes_by_id: dict[str, Fields] = {}
    for entry in payload.nested_list("entry"):
        for change in entry.nested_list("changes"):
            value = change.nested("value")
            lead_id = vendor_identifier(value.get("leadgen_id"))
            if short_text(change.get("field")) == "leadgen" and lead_id and lead_id.isalnum():
                changes_by_id.setdefault(lead_id, value)
    return [*changes_by_id.values()][:_MAX_CHANGES]


def _read_inquiry(change: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    lookup = Lookup(
        path=f"/{API_VERSION}/{change.get('leadgen_id')}", query=(("fields", _LEAD_FIELDS),)
    )
    answer = incoming.vendor_answers.get(lookup.path)
    if answer is None:
        return ParsedInquiry(
            lead=_build_stub_lead(change, incoming, notes), notes=notes, lookups=(lookup,)
        )
    if (failure := classify_failure(answer)) is not None:
        code = _error_code(answer.json_fields().nested("error")) or answer.status
        notes.warn(f"upstream_error:{code}")
        return ParsedInquiry(
            lead=_build_stub_lead(change, incoming, notes),
            notes=notes,
            problem=quarantine_reason(failure),
        )
    return ParsedInquiry(
        lead=_build_lead(change, answer.json_fields(), incoming, notes), notes=notes
    )


def _build_stub_lead(
    change: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """Build a lead from the notice alone."""
    at = parse_epoch(change.get("created_time"), "created_time", notes)
    return CanonicalLead(
        source=Source.META_LEAD_ADS,
        channel=CHANNEL,
        vendor_lead_id=vendor_identifier(change.get("leadgen_id")),
        vendor_ids=_build_vendor_ids(change, Fields()),
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
    )


def _build_lead(
    change: Fields, lead_data: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    answers: list[tuple[Any, Any]] = [
        (part.get("name"), part.get("values")) for part in lead_data.nested_list("field_data")
    ]
    stub = _build_stub_lead(change, incoming, notes)
    created_at, precision = parse_moment(
        lead_data.get("created_time"), "created_time", notes, zone="UTC"
    )
    lead = build_canonical_lead(
        fields_from_answers(answers, notes),
        notes,
        source=Source.META_LEAD_ADS,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=stub.is_test
        or any(as_text(value).startswith(_TEST_LEAD_MARK) for _, value in answers),
    )
    for name in ("ad_name", "platform", "is_organic"):
        notes.keep_extra(name, lead_data.get(name))
    return replace(
        lead,
        vendor_lead_id=stub.vendor_lead_id,
        vendor_ids=_build_vendor_ids(change, lead_data),
        campaign=short_text(lead_data.get("campaign_name"))
        or short_text(lead_data.get("campaign_id")),
        sub_source=short_text(lead_data.get("adset_name")),
        submitted_at=created_at or stub.submitted_at,
        submitted_at_precision=precision or stub.submitted_at_precision,
        consent=_build_consent(lead_data, lead.consent, notes, at=created_at or stub.submitted_at),
    )


def _build_vendor_ids(change: Fields, lead_data: Fields) -> dict[str, str]:
    ids = {
        "form_id": lead_data.get("form_id") or change.get("form_id"),
        "ad_id": lead_data.get("ad_id") or change.get("ad_id"),
        "adset_id": lead_data.get("adset_id") or change.get("adgroup_id"),
        "campaign_id": lead_data.get("campaign_id"),
        "page_id": change.get("page_id"),
    }
    return {
        name: vendor_id for name, value in ids.items() if (vendor_id := vendor_identifier(value))
    }


def _build_consent(lead_data: Fields, proof: Consent, notes: ReadingNotes, *, at: Any) -> Consent:
    """Read the form's checkboxes; their wording is only in the form, so we know just the keys.

    A ticked box counts only where its key names calls, texts or emails: any other optional box
    (a newsletter, a privacy policy) leaves the status unknown. A ticked `no_calls` is a refusal.
    """
    boxes = {
        short_text(part.get("checkbox_key")) or "": yes_or_no(part.get("is_checked")) is True
        for part in lead_data.nested_list("custom_disclaimer_responses")
    }
    for key, is_checked in boxes.items():
        notes.keep_extra(f"consent.{key}", is_checked)
    if not boxes:
        return proof
    accepted = [re.sub(r"[\W_]+", " ", key) for key, is_checked in boxes.items() if is_checked]
    is_refused = any(_REFUSAL_WORD.search(key) for key in accepted)
    channels = {channel for key in accepted if key.strip() for channel in channels_in_wording(key)}
    if accepted and not channels and not is_refused:
        notes.warn("consent_without_wording")
        return proof
    granted = bool(accepted) and not is_refused
    return with_evidence_level(
        replace(
            proof,
            status=ConsentStatus.GRANTED if granted else ConsentStatus.DENIED,
            channels=tuple(
                channel for channel in ConsentChannel if granted and channel in channels
            ),
            timestamp=at,
            method=ConsentMethod.PLATFORM_FORM,
        )
    )


def _build_actions(inquiries: list[ParsedInquiry]) -> list[dict[str, str]]:
    return [
        {"do": "fetch_upstream", "id": inquiry.lead.vendor_lead_id or ""}
        | ({"retry": "backoff"} if inquiry.problem not in ("", "upstream_gone") else {})
        for inquiry in inquiries
    ]


def _error_code(error: Fields) -> int:
    code = error.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else 0
