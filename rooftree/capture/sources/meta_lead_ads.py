"""Meta lead ads: a signed notice of ids, then each lead is asked for.

Wire format: docs/sources/meta_lead_ads.md.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rooftree.capture.ad_form import fields_of
from rooftree.capture.conclude import Read, conclude_each
from rooftree.capture.consent import named_channels, weighed
from rooftree.capture.envelope import (
    Answer,
    Credential,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    refused,
    same_secret,
)
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import epoch, identifier, moment, text, yes_or_no
from rooftree.capture.notes import Fields, Notes, as_text
from rooftree.capture.upstream import (
    Listed,
    Lookup,
    RateLimited,
    Told,
    credential,
    failure_by_status,
    reason_of,
)
from rooftree.capture.webhook import hex_hmac, opened, signed
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater
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
VERSION = "v25.0"
LISTS_WITH = ("access_token",)
_FIELDS = (
    "created_time,id,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
    "is_organic,platform,field_data,custom_disclaimer_responses"
)
_RECEIVED = Answer(status=200, content_type="text/plain", body="EVENT_RECEIVED")
_PAGE = "100"  # rows of one page of a list
_MOST = 1_000  # changes of one notice
_DUMMY = "<test lead: dummy data"
_TOO_OFTEN = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_OUT_OF_ORDER = frozenset({1, 2})
_WRONG_TOKEN = frozenset({10, 102, 190, *range(200, 300)})


def read(incoming: Incoming) -> Envelope:
    """One notice, with what was asked since. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _handshake(incoming)
    mark = (incoming.header("x-hub-signature-256") or "").removeprefix("sha256=")
    notes = Notes()
    found = opened(incoming, notes, is_authentic=signed(incoming, mark))
    if isinstance(found, Envelope):
        return found
    if text(found.get("object")) != "page":
        return ignored("object_not_page", _RECEIVED)
    changes = _changes(found)
    if not changes:
        return ignored("field_not_leadgen", _RECEIVED)
    read = [_inquiry(change, incoming, Notes()) for change in changes]
    read[0].notes.warnings.update(notes.warnings)
    key = "meta:" + ",".join(one.lead.vendor_lead_id or "" for one in read)
    return conclude_each(read, _RECEIVED, key=key, actions=_actions(read))


def authorized(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the page's token, and the proof that we are its app."""
    token = credential(credentials, "access_token", "Access token")
    secret = credential(credentials, "secret", "App secret")
    proof = hex_hmac(secret, token.encode())
    query = (*lookup.query, ("access_token", token), ("appsecret_proof", proof))
    return replace(lookup, query=query)


def failure_of(told: Told) -> Failure | None:
    """By Meta's own code; its statuses tell little (an expired token is a 400)."""
    if told.is_well:
        return None
    error = told.fields().part("error")
    code, said = _code(error), text(error.get("message"), limit=160) or "no reason given"
    if code in _TOO_OFTEN:
        return RateLimited(f"Meta is asked too often ({code}).")
    if code in _OUT_OF_ORDER or error.get("is_transient") is True:
        return TryLater(f"Meta asks us to come again later ({code}).")
    if code in _WRONG_TOKEN:
        return Misconfigured(f"Meta does not accept the access token ({code}): {said}")
    if code:
        return Refused(
            f"Meta has no such lead, or does not show it to us ({code}).", code=str(code)
        )
    return failure_by_status(told)


def listing(_: datetime) -> Lookup:
    """Its list begins with the pages the token may see."""
    return Lookup(path=f"/{VERSION}/me/accounts", query=(("fields", "id"), ("limit", _PAGE)))


def listed(lookup: Lookup, told: Told, since: datetime) -> Listed:
    """Pages name forms, forms name leads; each list may go on."""
    found = told.fields()
    ids = [
        (one_id, one)
        for one in found.parts("data")
        if (one_id := identifier(one.get("id"))) and one_id.isalnum()
    ]
    more = _next_page(lookup, found.part("paging"))
    kind = lookup.path.rpartition("/")[2]
    if kind == "leads":
        return Listed(notices=tuple(_notice(one_id, one) for one_id, one in ids), more=more)
    below = "leadgen_forms" if kind == "accounts" else "leads"
    query: tuple[tuple[str, str], ...] = (("fields", "id"), ("limit", _PAGE))
    if below == "leads":
        after = {"field": "time_created", "operator": "GREATER_THAN"}
        created = [after | {"value": int(since.timestamp())}]
        fields = "id,created_time,form_id,ad_id,adset_id"
        query = (("fields", fields), ("filtering", json.dumps(created)), ("limit", _PAGE))
    asks = [Lookup(path=f"/{VERSION}/{one_id}/{below}", query=query) for one_id, _ in ids]
    return Listed(more=(*more, *asks))


def _next_page(lookup: Lookup, paging: Fields) -> tuple[Lookup, ...]:
    after = text(paging.part("cursors").get("after"))
    if not paging.get("next") or not after:
        return ()
    query = tuple(pair for pair in lookup.query if pair[0] != "after")
    return (replace(lookup, query=(*query, ("after", after))),)


def _notice(lead_id: str, told: Fields) -> bytes:
    """What Meta would have posted of a lead."""
    at, _ = moment(told.get("created_time"), "created_time", Notes(), zone="UTC")
    value = {
        "leadgen_id": lead_id,
        "created_time": int(at.timestamp()) if at else None,
        "form_id": identifier(told.get("form_id")),
        "ad_id": identifier(told.get("ad_id")),
        "adgroup_id": identifier(told.get("adset_id")),
    }
    change = {"field": "leadgen", "value": {name: one for name, one in value.items() if one}}
    return json.dumps({"object": "page", "entry": [{"changes": [change]}]}).encode()


def _handshake(incoming: Incoming) -> Envelope:
    """Meta asks whether the address is ours, in the words typed on both sides."""
    asked, ours = incoming.query, incoming.endpoint.credentials.get("verify_token")
    if not same_secret(asked.get("hub.verify_token"), ours):
        answer = Answer(status=403, content_type="text/plain", body="forbidden")
        return refused(Outcome.REJECTED_AUTH, "bad_token", answer)
    challenge = asked.get("hub.challenge", "")[:300]
    answer = Answer(status=200, content_type="text/plain", body=challenge)
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _changes(found: Fields) -> list[Fields]:
    """The leads of a notice, each id once."""
    named: dict[str, Fields] = {}
    for entry in found.parts("entry"):
        for change in entry.parts("changes"):
            value = change.part("value")
            lead_id = identifier(value.get("leadgen_id"))
            if text(change.get("field")) == "leadgen" and lead_id and lead_id.isalnum():
                named.setdefault(lead_id, value)
    return [*named.values()][:_MOST]


def _inquiry(change: Fields, incoming: Incoming, notes: Notes) -> Read:
    lookup = Lookup(path=f"/{VERSION}/{change.get('leadgen_id')}", query=(("fields", _FIELDS),))
    told = incoming.told.get(lookup.path)
    if told is None:
        return Read(lead=_stub(change, incoming, notes), notes=notes, lookups=(lookup,))
    if (failure := failure_of(told)) is not None:
        code = _code(told.fields().part("error")) or told.status
        notes.warn(f"upstream_error:{code}")
        return Read(lead=_stub(change, incoming, notes), notes=notes, problem=reason_of(failure))
    return Read(lead=_lead(change, told.fields(), incoming, notes), notes=notes)


def _stub(change: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    """What the notice alone says."""
    at = epoch(change.get("created_time"), "created_time", notes)
    return CanonicalLead(
        source=Source.META_LEAD_ADS,
        channel=CHANNEL,
        vendor_lead_id=identifier(change.get("leadgen_id")),
        vendor_ids=_ids(change, Fields()),
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
    )


def _lead(change: Fields, told: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    answers = _answers(told)
    known = _stub(change, incoming, notes)
    at, precision = moment(told.get("created_time"), "created_time", notes, zone="UTC")
    lead = lead_of(
        fields_of(answers, notes),
        notes,
        source=Source.META_LEAD_ADS,
        channel=CHANNEL,
        received_at=incoming.received_at,
        zone=incoming.endpoint.zone,
        is_test=known.is_test or any(as_text(said).startswith(_DUMMY) for _, said in answers),
    )
    for name in ("ad_name", "platform", "is_organic"):
        notes.keep(name, told.get(name))
    return replace(
        lead,
        vendor_lead_id=known.vendor_lead_id,
        vendor_ids=_ids(change, told),
        campaign=text(told.get("campaign_name")) or text(told.get("campaign_id")),
        sub_source=text(told.get("adset_name")),
        submitted_at=at or known.submitted_at,
        submitted_at_precision=precision or known.submitted_at_precision,
        consent=_consent(told, lead.consent, notes, at=at or known.submitted_at),
    )


def _answers(told: Fields) -> list[tuple[Any, Any]]:
    return [(one.get("name"), one.get("values")) for one in told.parts("field_data")]


def _ids(change: Fields, told: Fields) -> dict[str, str]:
    ids = {
        "form_id": told.get("form_id") or change.get("form_id"),
        "ad_id": told.get("ad_id") or change.get("ad_id"),
        "adset_id": told.get("adset_id") or change.get("adgroup_id"),
        "campaign_id": told.get("campaign_id"),
        "page_id": change.get("page_id"),
    }
    return {name: known for name, one in ids.items() if (known := identifier(one))}


def _consent(told: Fields, proof: Consent, notes: Notes, *, at: Any) -> Consent:
    """The boxes of the form. Their wording stands in the form alone, so only keys are known."""
    boxes = {
        text(one.get("checkbox_key")) or "": yes_or_no(one.get("is_checked")) is True
        for one in told.parts("custom_disclaimer_responses")
    }
    for key, is_checked in boxes.items():
        notes.keep(f"consent.{key}", is_checked)
    if not boxes:
        return proof
    ticked = [key.replace("_", " ") for key, is_checked in boxes.items() if is_checked]
    media = {medium for key in ticked for medium in named_channels(key)}
    if ticked and not media:
        media = {ConsentChannel.CALL}
    return weighed(
        replace(
            proof,
            status=ConsentStatus.GRANTED if ticked else ConsentStatus.DENIED,
            channels=tuple(one for one in ConsentChannel if one in media),
            timestamp=at,
            method=ConsentMethod.PLATFORM_FORM,
        )
    )


def _actions(read: list[Read]) -> list[dict[str, str]]:
    return [
        {"do": "fetch_upstream", "id": one.lead.vendor_lead_id or ""}
        | ({"retry": "backoff"} if one.problem not in ("", "upstream_gone") else {})
        for one in read
    ]


def _code(error: Fields) -> int:
    code = error.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else 0
