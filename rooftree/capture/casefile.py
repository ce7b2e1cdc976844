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

from rooftree.capture.acceptance import Standing
from rooftree.capture.bidding import Ask, Placed, Rules
from rooftree.capture.certificates import jornaya, trustedform
from rooftree.capture.envelope import Endpoint, Envelope, Incoming
from rooftree.capture.sources import SOURCES
from rooftree.capture.upstream import Told
from rooftree.core.masking import mask
from rooftree.core.states import STATES

# The fictional lender of the kept deliveries; a case may name other sites.
_SITES = ("www.harborlight.example", "harborlight.example")
_CREDENTIALS = {"verify_token": "meta-test-verify-token"}  # what their lender was given
_CLAIMED, _TOKEN = "consent_trustedform", "consent_jornaya"  # answers to claims; any form
_CLAIM_STATUS = re.compile(r"\(HTTP (\d{3})\)")  # a case says it in its note
_LICENSED = frozenset(STATES) - {"NY"}  # not everywhere
_SETUP = {"bids": {"prices": [{"cents": 4600}]}}  # what the fictional lender pays for a ping
_MOST_BEFORE = 20  # cases in a chain of `after`
_PLACEHOLDER = re.compile(r"<[^<>/]*token>")  # a path that stands for the source's own


class Unusable(Exception):
    """The case cannot be read. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What a lone body file does not say about itself."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    now: datetime | None = None


def envelope_of(source: str, case: Path, *, bare: Bare | None = None) -> Envelope:
    """It is what the source's adapter makes of a case. Raises `Unusable`."""
    if source == _CLAIMED:
        return trustedform.envelope(_claimed(case))
    if source == _TOKEN and case.is_dir():
        return jornaya.envelope(incoming_of(case))
    adapter = SOURCES.get(source)
    if adapter is None:
        raise Unusable(f"There is no source {source!r}; known are {', '.join(sorted(SOURCES))}.")
    if not case.is_dir():
        return adapter.read(_of_file(adapter.PATHS[0], case, bare or Bare()))
    earlier = [adapter.read(_with_market(incoming_of(one))) for one in _before(case)]
    envelope = adapter.read(_with_market(incoming_of(case), earlier))
    keys = {one.idempotency_key for one in earlier if one.idempotency_key}
    return envelope.repeated() if envelope.idempotency_key in keys else envelope


def incoming_of(folder: Path) -> Incoming:
    """It is the delivery of a case folder. Raises `Unusable`."""
    request = _request(folder)
    secret = _optional_text(request, "test_secret")
    path, query = str(request.get("path", "")), _named(request, "query")
    placeholder = _PLACEHOLDER.search(path)
    body = folder / str(request.get("body_file") or "nothing")
    if body.parent != folder:
        raise Unusable(f"body_file of {folder.name} must be a file beside request.json.")
    return Incoming(
        method=str(request.get("method", "POST")),
        path=path,
        query=query,
        url=f"https://leads.{_SITES[1]}{path}{'?' if query else ''}{urlencode(query)}",
        headers=_named(request, "headers"),
        body=_bytes(body) if request.get("body_file") else b"",
        remote_addr=_optional_text(request, "remote_addr"),
        received_at=_moment(request.get("received_at")),
        endpoint=Endpoint(
            token=placeholder[0] if placeholder else None if "/form/" in path else secret,
            secret=secret,
            allowed_origins=frozenset(
                request.get("allowed_origins") or [f"https://{site}" for site in _SITES]
            ),
            return_hosts=frozenset(request.get("return_hosts") or _SITES),
            zone=str(request.get("zone", Endpoint().zone)),
            setup=request["setup"] if isinstance(request.get("setup"), dict) else _SETUP,
            credentials=_CREDENTIALS | _named(request, "credentials"),
        ),
        told=_told(folder, request.get("upstream")),
    )


def _claimed(case: Path) -> Told:
    """TrustedForm's answer in a case; of a lone body file, a good one."""
    if not case.is_dir():
        return Told(status=200, body=_bytes(case))
    request = _request(case)
    said = _CLAIM_STATUS.search(str(request.get("note", "")))
    status = int(request.get("status") or (said[1] if said else 200))
    return Told(status=status, body=incoming_of(case).masked.body)


def _told(folder: Path, answers: Any) -> dict[str, Told]:
    """What the vendor answered when it was asked, by the path that was asked."""
    found = {}
    for one in answers if isinstance(answers, list) else []:
        file = folder / str(one.get("file") or "")
        if file.is_file() and not file.resolve().is_relative_to(folder.resolve()):
            raise Unusable(f"An upstream file of {folder.name} is not in its folder.")
        body = mask(_bytes(file)).body if file.is_file() else b""
        path = urlsplit(str(one.get("url", ""))).path
        found[path] = Told(status=int(one.get("status", 200)), body=body)
    return found


def _of_file(path: str, body: Path, bare: Bare) -> Incoming:
    """Without a secret the body is taken as authentic: nobody can say where it came from."""
    is_signed = any(name.lower() == "x-rooftree-signature" for name in bare.headers)
    return Incoming(
        path=f"/in/{path}",
        headers=bare.headers,
        body=_bytes(body),
        received_at=bare.now or datetime.now(UTC),
        endpoint=Endpoint(
            secret=bare.secret,
            allowed_origins=frozenset(f"https://{site}" for site in _SITES),
            return_hosts=frozenset(_SITES),
        ),
        is_verified=not (is_signed and bare.secret),
    )


def _before(case: Path) -> list[Path]:
    """The cases that `after` says came first."""
    folders = [case.parent / name for name in _names(_request(case).get("after"))[:_MOST_BEFORE]]
    for one in folders:
        if one.parent != case.parent or not one.is_dir():
            raise Unusable(f"The case {one.name!r}, to be first, is not beside {case.name}.")
    return folders


@dataclass(frozen=True, slots=True, kw_only=True)
class _Market:
    """What the fictional lender knows of pings: those of the cases before, and no person."""

    before: Mapping[str, Placed]  # by the ping

    def placed(self, ping_id: str, /) -> Placed | None:
        return self.before.get(ping_id)

    def standing(self, ask: Ask, rules: Rules, /) -> Standing:
        return Standing(licensed=_LICENSED)


def _with_market(incoming: Incoming, earlier: Sequence[Envelope] = ()) -> Incoming:
    offers = {one.offer.ping_id: one.offer for one in earlier if one.offer}
    return replace(incoming, market=_Market(before=offers))


def _names(after: Any) -> list[str]:
    return [str(name) for name in after] if isinstance(after, list) else [after] if after else []


def _request(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(folder / "request.json"))
    except ValueError as error:
        raise Unusable(f"request.json of {folder.name} is not JSON.") from error
    if not isinstance(found, dict):
        raise Unusable(f"request.json of {folder.name} is not an object.")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"Cannot read {path}: {error.strerror}.") from error


def _named(request: dict[str, Any], key: str) -> dict[str, str]:
    found = request.get(key)
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _optional_text(request: dict[str, Any], key: str) -> str | None:
    return str(request[key]) if request.get(key) is not None else None


def _moment(written: Any) -> datetime:
    if written is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError as error:
        raise Unusable(f"received_at {written!r} is not a time.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
