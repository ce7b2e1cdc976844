"""A delivery kept in files, as `rooftree parse` and the contract tests read it.

A case is a folder with `request.json` and the exact bytes of the body beside it. The
folder stands in for what a running system knows of the source: its secret, the sites
a form may be on, and (in `after`) what was delivered before.
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

# The fictional lender of the kept deliveries; a case may name other sites.
_SITES = ("www.harborlight.example", "harborlight.example")
_CREDENTIALS = {"verify_token": "meta-test-verify-token"}  # what their lender was given
_TRUSTEDFORM_SOURCE, _JORNAYA_SOURCE = (
    "consent_trustedform",
    "consent_jornaya",
)  # answers to claims; any form
_CLAIM_STATUS = re.compile(r"\(HTTP (\d{3})\)")  # a case says it in its note
_LICENSED_STATES = frozenset(STATES) - {"NY"}  # not everywhere
_SETUP = {"bids": {"prices": [{"cents": 4600}]}}  # what the fictional lender pays for a ping
_MAX_EARLIER_CASES = 20  # cases in a chain of `after`
_TOKEN_PLACEHOLDER = re.compile(r"<[^<>/]*token>")  # a path that stands for the source's own


class UnusableCase(Exception):
    """The case cannot be read. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BareDelivery:
    """What a lone body file does not say about itself."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    now: datetime | None = None


def read_case(source: str, case: Path, *, bare: BareDelivery | None = None) -> Envelope:
    """It is what the source's adapter makes of a case. Raises `Unusable`."""
    if source == _TRUSTEDFORM_SOURCE:
        return trustedform.build_claim_envelope(_load_trustedform_answer(case))
    if source == _JORNAYA_SOURCE and case.is_dir():
        return jornaya_cases.parse_token_post(load_case(case))
    adapter = SOURCES.get(source)
    if adapter is None:
        raise UnusableCase(
            f"There is no source {source!r}; known are {', '.join(sorted(SOURCES))}."
        )
    if not case.is_dir():
        return adapter.read(_load_bare_file(adapter.PATHS[0], case, bare or BareDelivery()))
    earlier = [
        adapter.read(_with_market(load_case(earlier_case))) for earlier_case in _earlier_cases(case)
    ]
    envelope = adapter.read(_with_market(load_case(case), earlier))
    keys = {one.idempotency_key for one in earlier if one.idempotency_key}
    return envelope.as_duplicate() if envelope.idempotency_key in keys else envelope


def load_case(folder: Path) -> IncomingDelivery:
    """It is the delivery of a case folder. Raises `Unusable`."""
    request = _load_request(folder)
    secret = _optional_text(request, "test_secret")
    path, query = str(request.get("path", "")), _string_pairs(request, "query")
    placeholder = _TOKEN_PLACEHOLDER.search(path)
    body = folder / str(request.get("body_file") or "nothing")
    if body.parent != folder:
        raise UnusableCase(f"body_file of {folder.name} must be a file beside request.json.")
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
    """TrustedForm's answer in a case; of a lone body file, a good one."""
    if not case.is_dir():
        return VendorAnswer(status=200, body=_read_bytes(case))
    request = _load_request(case)
    said = _CLAIM_STATUS.search(str(request.get("note", "")))
    status = int(request.get("status") or (said[1] if said else 200))
    return VendorAnswer(status=status, body=load_case(case).masked.body)


def _load_vendor_answers(folder: Path, answers: Any) -> dict[str, VendorAnswer]:
    """What the vendor answered when it was asked, by the path that was asked."""
    found = {}
    for answer in answers if isinstance(answers, list) else []:
        file = folder / str(answer.get("file") or "")
        if file.is_file() and not file.resolve().is_relative_to(folder.resolve()):
            raise UnusableCase(f"An upstream file of {folder.name} is not in its folder.")
        body = mask_numbers(_read_bytes(file)).body if file.is_file() else b""
        path = urlsplit(str(answer.get("url", ""))).path
        found[path] = VendorAnswer(status=int(answer.get("status", 200)), body=body)
    return found


def _load_bare_file(path: str, body: Path, bare: BareDelivery) -> IncomingDelivery:
    """Without a secret the body is taken as authentic: nobody can say where it came from."""
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
    """The cases that `after` says came first."""
    folders = [
        case.parent / name
        for name in _case_names(_load_request(case).get("after"))[:_MAX_EARLIER_CASES]
    ]
    for folder in folders:
        if folder.parent != case.parent or not folder.is_dir():
            raise UnusableCase(f"The case {folder.name!r}, to be first, is not beside {case.name}.")
    return folders


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseMarket:
    """What the fictional lender knows of pings: those of the cases before, and no person."""

    before: Mapping[str, AnsweredBid]  # by the ping

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        return self.before.get(ping_id)

    def load_limit_facts(self, ask: Ping, rules: BidRules, /) -> LimitFacts:
        return LimitFacts(licensed=_LICENSED_STATES)


def _with_market(incoming: IncomingDelivery, earlier: Sequence[Envelope] = ()) -> IncomingDelivery:
    offers = {envelope.placed_bid.ping_id: envelope.placed_bid for envelope in earlier if envelope.placed_bid}
    return replace(incoming, market=_CaseMarket(before=offers))


def _case_names(after: Any) -> list[str]:
    return [str(name) for name in after] if isinstance(after, list) else [after] if after else []


def _load_request(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read_bytes(folder / "request.json"))
    except ValueError as error:
        raise UnusableCase(f"request.json of {folder.name} is not JSON.") from error
    if not isinstance(found, dict):
        raise UnusableCase(f"request.json of {folder.name} is not an object.")
    return found


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableCase(f"Cannot read {path}: {error.strerror}.") from error


def _string_pairs(request: dict[str, Any], key: str) -> dict[str, str]:
    found = request.get(key)
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _optional_text(request: dict[str, Any], key: str) -> str | None:
    return str(request[key]) if request.get(key) is not None else None


def _parse_received_at(written: Any) -> datetime:
    if written is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError as error:
        raise UnusableCase(f"received_at {written!r} is not a time.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
