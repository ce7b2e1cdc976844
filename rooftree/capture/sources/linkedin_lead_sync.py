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

from rooftree.capture.ad_form import fields_of
from rooftree.capture.amounts import count
from rooftree.capture.conclude import Read, conclude_each
from rooftree.capture.consent import named_channels, weighed
from rooftree.capture.envelope import (
    Credential,
    Envelope,
    Incoming,
    Outcome,
    ignored,
    json_answer,
    refused,
)
from rooftree.capture.mapped import lead_of
from rooftree.capture.normalise import epoch, identifier, text
from rooftree.capture.notes import Fields, Notes
from rooftree.capture.upstream import (
    Listed,
    Lookup,
    Told,
    credential,
    failure_by_status,
    reason_of,
    with_bearer,
)
from rooftree.capture.webhook import hex_hmac, opened, signed
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
VERSION = "202608"
LISTS_WITH = ("access_token", "account")
_LIST, _PAGE = "/rest/leadFormResponses", 100
_MOST = 500  # answers of a form, options of a question
_DONE = json_answer(200)
_ID = re.compile(r"[\w.-]{1,120}")
_FORM = re.compile(r"leadGenForm:(\d{1,30})")
failure_of = failure_by_status


def read(incoming: Incoming) -> Envelope:
    """One event, with what was asked since. Never raises."""
    if incoming.method == "GET" and not incoming.is_verified:
        return _handshake(incoming)
    notes = Notes()
    is_authentic = signed(
        incoming, incoming.header("x-li-signature"), over=b"hmacsha256=" + incoming.body
    )
    found = opened(incoming, notes, is_authentic=is_authentic)
    if isinstance(found, Envelope):
        return found
    response = _last(found.get("leadGenFormResponse"))
    if text(found.get("type")) != "LEAD_ACTION" or not _ID.fullmatch(response or ""):
        return ignored("not_a_lead_action", _DONE)
    action = text(found.get("leadAction")) or "CREATED"
    key = f"linkedin:{response}:{action}"
    if action == "DELETED":
        return Envelope(http=_DONE, outcome=Outcome.DELETED, idempotency_key=key)
    if action != "CREATED":
        return ignored("not_a_new_lead", _DONE)
    actions = [{"do": "fetch_upstream", "id": response}]
    return conclude_each([_inquiry(found, incoming, notes)], _DONE, key=key, actions=actions)


def authorized(lookup: Lookup, credentials: Mapping[str, str]) -> Lookup:
    """The look-up with the member's token, in the version we read.

    A list is of one ad account. Its query goes out as Rest.li wants it: brackets and colons that
    part values as they are, those within a value escaped.
    """
    if lookup.path == _LIST:
        account = credential(credentials, "account", "Ad account")
        urn = quote(f"urn:li:sponsoredAccount:{account}", safe="")
        query = "&".join(f"{name}={said}" for name, said in lookup.query)
        path = f"{_LIST}?q=owner&owner=(sponsoredAccount:{urn})&{query}"
        lookup = Lookup(path=path)
    headers = (("LinkedIn-Version", VERSION), ("X-Restli-Protocol-Version", "2.0.0"))
    return with_bearer(lookup, credentials, *headers)


def listing(since: datetime) -> Lookup:
    """Its list begins with the first page of what the account's ads brought."""
    return _page(int(since.timestamp() * 1000), 0)


def listed(lookup: Lookup, told: Told, since: datetime) -> Listed:
    """A page of responses; while there are more, the next."""
    found = told.fields()
    rows = found.parts("elements")
    ends = int(dict(lookup.query)["start"]) + len(rows)
    total = count(found.part("paging").get("total"), "total", Notes(), low=0, high=10**9) or 0
    goes_on = bool(rows) and (len(rows) >= _PAGE or ends < total)
    named = [one for one in rows if _ID.fullmatch(text(one.get("id")) or "")]
    return Listed(
        notices=tuple(_notice(one) for one in named),
        more=(_page(int(since.timestamp() * 1000), ends),) if goes_on else (),
    )


def _page(since_ms: int, start: int) -> Lookup:
    query = {
        "leadType": "(leadType:SPONSORED)",
        "submittedAtTimeRange": f"(start:{since_ms})",
        "count": str(_PAGE),
        "start": str(start),
    }
    return Lookup(path=_LIST, query=tuple(query.items()))


def _notice(response: Fields) -> bytes:
    """What LinkedIn would have posted of a response."""
    told = {
        "type": "LEAD_ACTION",
        "leadGenFormResponse": f"urn:li:leadGenFormResponse:{text(response.get('id'))}",
        "leadGenForm": response.get("versionedLeadGenFormUrn"),
        "owner": response.get("owner"),
        "associatedEntity": response.get("associatedEntity"),
        "leadType": response.get("leadType"),
        "leadAction": "CREATED",
        "occurredAt": response.get("submittedAt"),
    }
    return json.dumps(told).encode()


def _handshake(incoming: Incoming) -> Envelope:
    """LinkedIn asks every two hours whether the address still knows the client secret."""
    code, secret = incoming.query.get("challengeCode", "")[:300], incoming.endpoint.secret
    if not code or not secret:
        answer = json_answer(401, error="unauthorized")
        return refused(Outcome.REJECTED_AUTH, "bad_challenge", answer)
    answer = json_answer(200, challengeCode=code, challengeResponse=hex_hmac(secret, code.encode()))
    return Envelope(http=answer, outcome=Outcome.HANDSHAKE)


def _inquiry(found: Fields, incoming: Incoming, notes: Notes) -> Read:
    form = _FORM.search(text(found.get("leadGenForm")) or "")
    asks = [Lookup(path=f"/rest/leadFormResponses/{_last(found.get('leadGenFormResponse'))}")]
    asks += [Lookup(path=f"/rest/leadForms/{form[1]}")] if form else []
    told = [incoming.told.get(one.path) for one in asks]
    for answer in told:
        if answer is not None and (failure := failure_of(answer)) is not None:
            notes.warn(f"upstream_error:{answer.status}")
            stub = _stub(found, Fields(), incoming, notes)
            return Read(lead=stub, notes=notes, problem=reason_of(failure))
    missing = tuple(ask for ask, answer in zip(asks, told, strict=True) if answer is None)
    if missing:
        return Read(lead=_stub(found, Fields(), incoming, notes), notes=notes, lookups=missing)
    parts = [answer.fields() for answer in told if answer is not None]
    return Read(lead=_lead(found, [*parts, Fields()][:2], incoming, notes), notes=notes)


def _stub(found: Fields, response: Fields, incoming: Incoming, notes: Notes) -> CanonicalLead:
    """What the event says, and the response of who saw which ad."""
    at = epoch(
        response.get("submittedAt") or found.get("occurredAt"), "submittedAt", notes, per=1000
    )
    ids = _ids(found, response)
    return CanonicalLead(
        source=Source.LINKEDIN_LEAD_SYNC,
        channel=CHANNEL,
        vendor_lead_id=_last(found.get("leadGenFormResponse")),
        vendor_ids=ids,
        campaign=ids.get("campaign_id"),
        submitted_at=at,
        submitted_at_precision=Precision.SECOND if at else None,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test or response.get("testLead") is True,
    )


def _lead(found: Fields, parts: list[Fields], incoming: Incoming, notes: Notes) -> CanonicalLead:
    response, form = parts
    known = _stub(found, response, incoming, notes)
    given = response.part("formResponse")
    lead = lead_of(
        fields_of(_answers(given, form.part("content")), notes),
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
        consent=_consent(given, form.part("content"), known, lead.consent),
    )


def _ids(found: Fields, response: Fields) -> dict[str, str]:
    form = _FORM.search(text(found.get("leadGenForm")) or "")
    owner, ad = found.part("owner"), found.part("associatedEntity")
    meta = response.part("leadMetadata").part("sponsoredLeadMetadata")
    ids = {
        "form_id": form[1] if form else None,
        "account_id": _last(owner.first("sponsoredAccount", "organization")),
        "creative_id": _last(ad.first("associatedCreative", "creative")),
        "campaign_id": _last(meta.get("campaign")),
    }
    return {name: one for name, one in ids.items() if one}


def _answers(given: Fields, form: Fields) -> list[tuple[Any, Any]]:
    """Each answer beside its question: the predefined field, else the words that were shown."""
    questions = {identifier(one.get("questionId")): one for one in form.parts("questions")}
    found: list[tuple[Any, Any]] = []
    for one in given.parts("answers")[:_MOST]:
        asked = questions.get(identifier(one.get("questionId")), Fields())
        name = asked.get("predefinedField") or _shown(asked.get("question"))
        said = one.part("answerDetails")
        answer = said.part("textQuestionAnswer").get("answer")
        chosen = said.part("multipleChoiceAnswer").get("options")
        if answer is None and isinstance(chosen, list):
            answer = [_option(asked, number) for number in chosen[:50]]
        found.append((name or f"question {one.get('questionId')}", answer))
    return found


def _option(asked: Fields, number: Any) -> str:
    details = asked.part("questionDetails").part("multipleChoiceQuestionDetails")
    options = {identifier(one.get("id")): one for one in details.parts("options")[:_MOST]}
    chosen = options.get(identifier(number))
    return (_shown(chosen.get("text")) if chosen else None) or str(number)


def _consent(given: Fields, form: Fields, known: CanonicalLead, proof: Consent) -> Consent:
    """What was ticked, with the words of the form it was ticked on."""
    shown = {
        identifier(one.get("id")): _shown(one.get("consent"))
        for one in form.part("legalInfo").parts("consents")
    }
    said = [
        (shown.get(identifier(one.get("consentId"))), one.get("accepted") is True)
        for one in given.parts("consentResponses")
    ]
    if not said:
        return proof
    accepted = [words for words, is_accepted in said if is_accepted]
    wording = "\n\n".join(filter(None, accepted or [words for words, _ in said]))[:5_000]
    return weighed(
        replace(
            proof,
            status=ConsentStatus.GRANTED if accepted else ConsentStatus.DENIED,
            channels=named_channels(wording) if accepted else (),
            text=wording or None,
            timestamp=known.submitted_at,
            method=ConsentMethod.CHECKBOX,
        )
    )


def _shown(localized: Any) -> str | None:
    """A text in English where the form has it, else in the language it has."""
    found = Fields(localized).part("localized")
    said = found.get("en_US") or next(iter(found.values()), None)
    return text(said, limit=5_000)


def _last(urn: Any) -> str | None:
    """The id at the end of a URN."""
    return identifier((text(urn) or "").rpartition(":")[2])
