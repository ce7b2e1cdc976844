"""Meta lead ads: a signed notice of ids, then each lead is asked for.

Wire format: docs/sources/meta_lead_ads.md.
"""

import json
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
    Credential(key="verify_token", label="Verify token", help="Any words; type the same at Meta"),
    Credential(
        key="access_token",
        label="Access token",
        help="Of a system user that may retrieve the leads of your pages",
    ),
)
API_VERSION = "v25.0"
LISTING_CREDENTIALS = ("access_token",)
_LEAD_FIELDS = (
    "created_time,id,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
    "is_organic,platform,field_data,custom_disclaimer_responses"
)
_OK_ANSWER = Answer(status=200, content_type="text/plain", body="EVENT_RECEIVED")
_PAGE_SIZE = "100"  # rows of one page of a list
_MAX_CHANGES = 1_000  # changes of one notice
_TEST_LEAD_MARK = "<test lead: dummy data"
_RATE_LIMIT_CODES = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_OUTAGE_CODES = frozenset({1, 2})
_BAD_TOKEN_CODES = frozenset({10, 102, 190, *range(200, 300)})


def read(incoming: IncomingDelivery) -> Envelope:
    """One notice, with what was asked since. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _answer_handshake(incoming)
    mark = (incoming.header("x-hub-signature-256") or "").removeprefix("sha256=")
    notes = ReadingNotes()
    found = open_webhook(incoming, notes, is_authentic=signature_matches(incoming, mark))
    if isinstance(found, Envelope):
        return found
    if short_text(found.get("object")) != "page":
        return ignored_envelope("object_not_page", _OK_ANSWER)
    changes = _list_lead_changes(found)
    if not changes:
        return ignored_envelope("field_not_leadgen", _OK_ANSWER)
    read = [_read_inquiry(change, incoming, ReadingNotes()) for change in changes]
    read[0].notes.warnings.update(notes.warnings)
    key = "meta:" + ",".join(one.lead.vendor_lead_id or "" for one in read)
    return build_batch_envelope(read, _OK_ANSWER, key=key, actions=_build_actions(read))


def authorize_lookup(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the page's token, and the proof that we are its app."""
    token = require_credential(credentials, "access_token", "Access token")
    secret = require_credential(credentials, "secret", "App secret")
    proof = hmac_hex(secret, token.encode())
    query = (*lookup.query, ("access_token", token), ("appsecret_proof", proof))
    return replace(lookup, query=query)


def classify_failure(told: VendorAnswer) -> VendorError | None:
    """By Meta's own code; its statuses tell little (an expired token is a 400)."""
    if told.is_ok:
        return None
    error = told.fields().part("error")
    code, said = (
        _error_code(error),
        short_text(error.get("message"), limit=160) or "no reason given",
    )
    if code in _RATE_LIMIT_CODES:
        return RateLimited(f"Meta is asked too often ({code}).")
    if code in _OUTAGE_CODES or error.get("is_transient") is True:
        return RetryLater(f"Meta asks us to come again later ({code}).")
    if code in _BAD_TOKEN_CODES:
        return Misconfigured(f"Meta does not accept the access token ({code}): {said}")
    if code:
        return RequestRejected(
            f"Meta has no such lead, or does not show it to us ({code}).", code=str(code)
        )
    return find_status_failure(told)


def first_list_lookup(_: datetime) -> Lookup:
    """Its list begins with the pages the token may see."""
    return Lookup(
        path=f"/{API_VERSION}/me/accounts", query=(("fields", "id"), ("limit", _PAGE_SIZE))
    )


def parse_list_page(lookup: Lookup, told: VendorAnswer, since: datetime) -> LeadListPage:
    """Pages name forms, forms name leads; each list may go on."""
    found = told.fields()
    ids = [
        (one_id, part)
        for part in found.parts("data")
        if (one_id := vendor_identifier(part.get("id"))) and one_id.isalnum()
    ]
    more = _next_page_lookup(lookup, found.part("paging"))
    kind = lookup.path.rpartition("/")[2]
    if kind == "leads":
        return LeadListPage(
            notices=tuple(_build_notice(one_id, one) for one_id, one in ids), more=more
        )
    below = "leadgen_forms" if kind == "accounts" else "leads"
    query: tuple[tuple[str, str], ...] = (("fields", "id"), ("limit", _PAGE_SIZE))
    if below == "leads":
        after = {"field": "time_created", "operator": "GREATER_THAN"}
        created = [after | {"value": int(since.timestamp())}]
        fields = "id,created_time,form_id,ad_id,adset_id"
        query = (("fields", fields), ("filtering", json.dumps(created)), ("limit", _PAGE_SIZE))
    asks = [Lookup(path=f"/{API_VERSION}/{one_id}/{below}", query=query) for one_id, _ in ids]
    return LeadListPage(more=(*more, *asks))


def _next_page_lookup(lookup: Lookup, paging: Fields) -> tuple[Lookup, ...]:
    after = short_text(paging.part("cursors").get("after"))
    if not paging.get("next") or not after:
        return ()
    query = tuple(pair for pair in lookup.query if pair[0] != "after")
    return (replace(lookup, query=(*query, ("after", after))),)


def _build_notice(lead_id: str, told: Fields) -> bytes:
    """What Meta would have posted of a lead."""
    at, _ = parse_moment(told.get("created_time"), "created_time", ReadingNotes(), zone="UTC")
    value = {
        "leadgen_id": lead_id,
        "created_time": int(at.timestamp()) if at else None,
        "form_id": vendor_identifier(told.get("form_id")),
        "ad_id": vendor_identifier(told.get("ad_id")),
        "adgroup_id": vendor_identifier(told.get("adset_id")),
    }
    change = {"field": "leadgen", "value": {name: one for name, one in value.items() if one}}
    return json.dumps({"object": "page", "entry": [{"changes": [change]}]}).encode()


def _answer_handshake(incoming: IncomingDelivery) -> Envelope:
    """Meta asks whether the address is ours, in the words typed on both sides."""
    asked, ours = incoming.query, incoming.endpoint.credentials.get("verify_token")
    if not secrets_match(asked.get("hub.verify_token"), ours):
        answer = Answer(status=403, content_type="text/plain", body="forbidden")
        return rejected_envelope(Outcome.REJECTED_AUTH, "bad_token", answer)
    challenge = asked.get("hub.challenge", "")[:300]
    answer = Answer(status=200, content_type="text/plain", body=challenge)
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _list_lead_changes(found: Fields) -> list[Fields]:
    """The leads of a notice, each id once."""
    named: dict[str, Fields] = {}
    for entry in found.parts("entry"):
        for change in entry.parts("changes"):
            value = change.part("value")
            lead_id = vendor_identifier(value.get("leadgen_id"))
            if short_text(change.get("field")) == "leadgen" and lead_id and lead_id.isalnum():
                named.setdefault(lead_id, value)
    return [*named.values()][:_MAX_CHANGES]


def _read_inquiry(change: Fields, incoming: IncomingDelivery, notes: ReadingNotes) -> ParsedInquiry:
    lookup = Lookup(
        path=f"/{API_VERSION}/{change.get('leadgen_id')}", query=(("fields", _LEAD_FIELDS),)
    )
    told = incoming.told.get(lookup.path)
    if told is None:
        return ParsedInquiry(
            lead=_build_stub_lead(change, incoming, notes), notes=notes, lookups=(lookup,)
        )
    if (failure := classify_failure(told)) is not None:
        code = _error_code(told.fields().part("error")) or told.status
        notes.warn(f"upstream_error:{code}")
        return ParsedInquiry(
            lead=_build_stub_lead(change, incoming, notes),
            notes=notes,
            problem=quarantine_reason(failure),
        )
    return ParsedInquiry(lead=_build_lead(change, told.fields(), incoming, notes), notes=notes)


def _build_stub_lead(
    change: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    """What the notice alone says."""
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
    change: Fields, told: Fields, incoming: IncomingDelivery, notes: ReadingNotes
) -> CanonicalLead:
    answers = _list_answers(told)
    known = _build_stub_lead(change, incoming, notes)
    at, precision = parse_moment(told.get("created_time"), "created_time", notes, zone="UTC")
    lead = build_canonical_lead(
        fields_from_answers(answers, notes),
        notes,
        source=Source.META_LEAD_ADS,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=known.is_test
        or any(as_text(said).startswith(_TEST_LEAD_MARK) for _, said in answers),
    )
    for name in ("ad_name", "platform", "is_organic"):
        notes.keep(name, told.get(name))
    return replace(
        lead,
        vendor_lead_id=known.vendor_lead_id,
        vendor_ids=_build_vendor_ids(change, told),
        campaign=short_text(told.get("campaign_name")) or short_text(told.get("campaign_id")),
        sub_source=short_text(told.get("adset_name")),
        submitted_at=at or known.submitted_at,
        submitted_at_precision=precision or known.submitted_at_precision,
        consent=_build_consent(told, lead.consent, notes, at=at or known.submitted_at),
    )


def _list_answers(told: Fields) -> list[tuple[Any, Any]]:
    return [(part.get("name"), part.get("values")) for part in told.parts("field_data")]


def _build_vendor_ids(change: Fields, told: Fields) -> dict[str, str]:
    ids = {
        "form_id": told.get("form_id") or change.get("form_id"),
        "ad_id": told.get("ad_id") or change.get("ad_id"),
        "adset_id": told.get("adset_id") or change.get("adgroup_id"),
        "campaign_id": told.get("campaign_id"),
        "page_id": change.get("page_id"),
    }
    return {name: known for name, one in ids.items() if (known := vendor_identifier(one))}


def _build_consent(told: Fields, proof: Consent, notes: ReadingNotes, *, at: Any) -> Consent:
    """The boxes of the form. Their wording stands in the form alone, so only keys are known."""
    boxes = {
        short_text(part.get("checkbox_key")) or "": yes_or_no(part.get("is_checked")) is True
        for part in told.parts("custom_disclaimer_responses")
    }
    for key, is_checked in boxes.items():
        notes.keep(f"consent.{key}", is_checked)
    if not boxes:
        return proof
    ticked = [key.replace("_", " ") for key, is_checked in boxes.items() if is_checked]
    media = {medium for key in ticked for medium in channels_in_wording(key)}
    if ticked and not media:
        media = {ConsentChannel.CALL}
    return with_evidence_level(
        replace(
            proof,
            status=ConsentStatus.GRANTED if ticked else ConsentStatus.DENIED,
            channels=tuple(one for one in ConsentChannel if one in media),
            timestamp=at,
            method=ConsentMethod.PLATFORM_FORM,
        )
    )


def _build_actions(read: list[ParsedInquiry]) -> list[dict[str, str]]:
    return [
        {"do": "fetch_upstream", "id": parsed_inquiry.lead.vendor_lead_id or ""}
        | ({"retry": "backoff"} if parsed_inquiry.problem not in ("", "upstream_gone") else {})
        for parsed_inquiry in read
    ]


def _error_code(error: Fields) -> int:
    code = error.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else 0
