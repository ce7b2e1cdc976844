"""Deliveries in files, for `rooftree parse` and the contract tests.

A case is a folder with `request.json` and the exact bytes of the body next to it. The folder
replaces what a running system knows about the source: its secret, the sites that a form can be
on, and (in `after`) earlier deliveries.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from rooftree.capture.bidding.bid_rules import AnsweredBid, BidRules, Ping
from rooftree.capture.certificates import trustedform
from rooftree.capture.parsing.envelope import Endpoint, Envelope, IncomingDelivery
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.capture.source_setup.acceptance_limits import LimitFacts
from rooftree.capture.sources import SOURCES
from rooftree.core.masking import mask_numbers
from rooftree.core.us_states import STATES
from rooftree_casebook import jornaya_cases

# The fictional lender of the stored deliveries; a case can name other sites.
_SITES = ("www.harborlight.example", "harborlight.example")
_CREDENTIALS = {"verify_token": "meta-test-verify-token"}  # as the lender received them
_TRUSTEDFORM_SOURCE = "consent_trustedform"  # its cases are answers to claims
_JORNAYA_SOURCE = "consent_jornaya"  # its cases are posts of any form
_CLAIM_STATUS = re.compile(r"\(HTTP (\d{3})\)")  # in the note of a case
_LICENSED_STATES = frozenset(STATES) - {"NY"}
_SETUP = {"bids": {"prices": [{"cents": 4600}]}}  # the fictional lender's price for a ping
_MAX_EARLIER_CASES = 20  # in `after`
_TOKEN_PLACEHOLDER = re.compile(r"<[^<>/]*token>")  # stands for the source's token


class UnusableCase(Exception):
    """The case can't be read. The message can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BareDelivery:
    """Request data for a body file without a case folder."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    now: datetime | None = None


def read_case(source: str, case: Path, *, bare: BareDelivery | None = None) -> Envelope:
    """Return the envelope that the source's adapter makes of a case. Raises `UnusableCase`."""
    if source == _TRUSTEDFORM_SOURCE:
        return trustedform.build_claim_envelope(_load_trustedform_answer(case))
    if source == _JORNAYA_SOURCE and case.is_dir():
        return jornaya_cases.parse_token_post(load_case(case))
    adapter = SOURCES.get(source)
    if adapter is None:
        raise UnusableCase(f"There is no source {source!r}. Sources: {', '.join(sorted(SOURCES))}.")
    if not case.is_dir():
        return adapter.read(_load_bare_file(adapter.PATHS[0], case, bare or BareDelivery()))
    earlier = [adapter.read(_with_market(load_case(folder))) for folder in _earlier_cases(case)]
    envelope = adapter.read(_with_market(load_case(case), earlier))
    keys = {before.idempotency_key for before in earlier if before.idempotency_key}
    return envelope.as_duplicate() if envelope.idempotency_key in keys else envelope


def load_case(folder: Path) -> IncomingDelivery:
    """Return the delivery of a case folder. Raises `UnusableCase`."""
    request = _load_request(folder)
    secret = _optional_text(request, "test_secret")
    path, query = str(request.get("path", "")), _string_pairs(request, "query")
    placeholder = _TOKEN_PLACEHOLDER.search(path)
    body = folder / str(request.get("body_file") or "nothing")
    if body.parent != folder:
        raise UnusableCase(f"body_file of {folder.name} must be a file next to request.json.")
    return IncomingDelivery(
        method=str(request.get("method", "POST")),
        path=path,
        query=query,
        url=f"https://leads.{_SITES[1]}{path}{'?' if query else ''}{urlencode(query)}",
        headers=_string_pairs(request, "headers"),
        body=_read_bytes(body) if request.get("body_file") else b"",
        remote_addr=_optional_text(request, "remote_addr"),
        received_at=_parse_received_at(request.get("received_at")),
        endpoint=Endpoint(
            token=placeholder[0] if placeholder else None if "/form/" in path else secret,
            secret=secret,
            allowed_origins=frozenset(
                request.get("allowed_origins") or [f"https://{site}" for site in _SITES]
            ),
            return_hosts=frozenset(request.get("return_hosts") or _SITES),
            zone=str(request.get("zone", Endpoint().zone)),
            setup=request["setup"] if isinstance(request.get("setup"), dict) else _SETUP,
            credentials=_CREDENTIALS | _string_pairs(request, "credentials"),
        ),
        vendor_answers=_load_vendor_answers(folder, request.get("upstream")),
    )


def _load_trustedform_answer(case: Path) -> VendorAnswer:
    """Return TrustedForm's answer in a case; for a body file alone, an answer with status 200."""
    if not case.is_dir():
        return VendorAnswer(status=200, body=_read_bytes(case))
    request = _load_request(case)
    match = _CLAIM_STATUS.search(str(request.get("note", "")))
    status = int(request.get("status") or (match[1] if match else 200))
    return VendorAnswer(status=status, body=load_case(case).masked.body)


def _load_vendor_answers(folder: Path, answers: Any) -> dict[str, VendorAnswer]:
    """Return the vendor's stored answers by request path."""
    loaded = {}
    for answer in answers if isinstance(answers, list) else []:
        file = folder / str(answer.get("file") or "")
        if file.is_file() and not file.resolve().is_relative_to(folder.resolve()):
            raise UnusableCase(f"An upstream file of {folder.name} is not in its folder.")
        body = mask_numbers(_read_bytes(file)).body if file.is_file() else b""
        path = urlsplit(str(answer.get("url", ""))).path
        loaded[path] = VendorAnswer(status=int(answer.get("status", 200)), body=body)
    return loaded


def _load_bare_file(path: str, body: Path, bare: BareDelivery) -> IncomingDelivery:
    """Return the delivery of a body file; without a secret it counts as authentic."""
    is_signed = any(name.lower() == "x-rooftree-signature" for name in bare.headers)
    return IncomingDelivery(
        path=f"/in/{path}",
        headers=bare.headers,
        body=_read_bytes(body),
        received_at=bare.now or datetime.now(UTC),
        endpoint=Endpoint(
            secret=bare.secret,
            allowed_origins=frozenset(f"https://{site}" for site in _SITES),
            return_hosts=frozenset(_SITES),
        ),
        is_verified=not (is_signed and bare.secret),
    )


def _earlier_cases(case: Path) -> list[Path]:
    """Return the folders of the cases that came before, named in `after`."""
    after = _load_request(case).get("after")
    names = [str(name) for name in after] if isinstance(after, list) else [after] if after else []
    folders = [case.parent / name for name in names[:_MAX_EARLIER_CASES]]
    for folder in folders:
        if folder.parent != case.parent or not folder.is_dir():
            raise UnusableCase(f"The earlier case {folder.name!r} is not next to {case.name}.")
    return folders


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseMarket:
    """The fictional lender's bids: those of the earlier cases, and no person on file."""

    bids: Mapping[str, AnsweredBid]  # by ping id

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        return self.bids.get(ping_id)

    def load_limit_facts(self, ask: Ping, rules: BidRules, /) -> LimitFacts:
        return LimitFacts(licensed=_LICENSED_STATES)


def _with_market(incoming: IncomingDelivery, earlier: Sequence[Envelope] = ()) -> IncomingDelivery:
    bids = {
        envelope.placed_bid.ping_id: envelope.placed_bid
        for envelope in earlier
        if envelope.placed_bid
    }
    return replace(incoming, market=_CaseMarket(bids=bids))


def _load_request(folder: Path) -> dict[str, Any]:
    try:
        request = json.loads(_read_bytes(folder / "request.json"))
    except ValueError as error:
        raise UnusableCase(f"request.json of {folder.name} is not JSON.") from error
    if not isinstance(request, dict):
        raise UnusableCase(f"request.json of {folder.name} is not an object.")
    return request


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableCase(f"Cannot read {path}: {error.strerror}.") from error


def _string_pairs(request: dict[str, Any], key: str) -> dict[str, str]:
    pairs = request.get(key)
    if not isinstance(pairs, dict):
        return {}
    return {str(name): str(value) for name, value in pairs.items()}


def _optional_text(request: dict[str, Any], key: str) -> str | None:
    return str(request[key]) if request.get(key) is not None else None


def _parse_received_at(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UnusableCase(f"received_at {value!r} is not a time.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
