"""What a source sent, and what its adapter makes of it.

An adapter is pure: `Incoming` in, `Envelope` out. Whether a delivery was seen before
is the caller's to know; `Envelope.as_duplicate` is then the answer.
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from rooftree.capture.bidding.bid_rules import AnsweredBid, BidMarket
from rooftree.capture.parsing.vendor_api import Lookup, VendorAnswer
from rooftree.capture.source_setup.acceptance_limits import Refusal
from rooftree.core.email_message_masking import mask_email_message
from rooftree.core.masking import MaskResult
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel

MAX_BODY_BYTES = 1024 * 1024  # bytes
LEAD_ID_PLACEHOLDER = "<our lead id>"  # the caller fills these in once the row is committed
REFERENCE_PLACEHOLDER = "<public reference>"
RING_NUMBER_PLACEHOLDER = (
    "<number to ring>"  # a caller waits to be put through; filled in as the call is answered
)
_MAX_WARNING_LENGTH = 200
_MAX_WARNINGS = 100  # a hostile form could else make thousands


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    ACCEPTED_TEST = "accepted_test"
    DUPLICATE_DELIVERY = "duplicate_delivery"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    UPDATED = "updated"
    NOT_ACCEPTED = "not_accepted"  # usable, and not what its source may bring: never an adapter's
    DELETED = "deleted"
    BID = "bid"
    NO_BID = "no_bid"
    HANDSHAKE = "handshake"
    REJECTED_AUTH = "rejected_auth"
    REJECTED_MALFORMED = "rejected_malformed"
    REJECTED_TOO_LARGE = "rejected_too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How the company set this source up. Secrets are never shown or logged."""

    token: str | None = field(default=None, repr=False)  # the path's secret part
    secret: str | None = field(default=None, repr=False)  # signs bodies
    signed_only: bool = False  # a website's endpoint for server-to-server posts
    allowed_origins: frozenset[str] = frozenset()  # "https://www.example.com"
    return_hosts: frozenset[str] = frozenset()  # where a form may send its visitor back to
    zone: str = "America/New_York"  # of times the source sends without one
    is_test: bool = False  # staff marked the source as a test
    application_url: str | None = None  # offered to vendors that can show it
    setup: Mapping[str, Any] = field(default_factory=dict)  # what staff set for this adapter
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)  # by their CREDENTIALS


@dataclass(frozen=True, kw_only=True)
class IncomingDelivery:
    """One delivery as it arrived. Header names in any case."""

    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""  # public and whole, as the sender called it: some sign it
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    remote_addr: str | None = None  # the socket's, or the trusted proxy's word
    received_at: datetime  # aware
    endpoint: Endpoint = Endpoint()
    is_verified: bool = False  # a stored delivery, replayed: its proof was checked on arrival
    told: Mapping[str, VendorAnswer] = field(default_factory=dict)  # by the vendor so far, by path
    market: BidMarket | None = field(default=None, repr=False)  # of a source that is bid to

    @cached_property
    def masked(self) -> MaskResult:
        """The body without the numbers that may not be kept; adapters read only this."""
        return mask_email_message(self.body)

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {str(name).lower(): str(value) for name, value in self.headers.items()}

    def header(self, name: str) -> str | None:
        """The header's value, or None."""
        return self._headers.get(name.lower())

    def is_too_large(self) -> bool:
        return len(self.body) > MAX_BODY_BYTES

    def path_secret_matches(self) -> bool:
        """The last part of the path is the endpoint's token. No token matches nothing.

        Of an e-mail address it is what stands between + and @.
        """
        if self.is_verified:
            return True
        given = self.path.split("?")[0].rstrip("/").rpartition("/")[2]
        if "@" in given:
            given = given.rpartition("@")[0].partition("+")[2]
        return secrets_match(given, self.endpoint.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What we say to the sender. `location` is where a 303 points; it is not interchanged."""

    status: int
    content_type: str | None = None
    body: Any = None  # JSON for application/json, else text
    location: str | None = None

    def filled(self, **values: str) -> "Answer":
        """The answer with what the caller knows: `lead_id`, `reference`, `ring`."""
        names = {
            LEAD_ID_PLACEHOLDER: values.get("lead_id"),
            REFERENCE_PLACEHOLDER: values.get("reference"),
            RING_NUMBER_PLACEHOLDER: values.get("ring"),
        }
        return replace(self, body=_fill_placeholders(self.body, names))

    def to_bytes(self) -> bytes:
        """The body as it goes out."""
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":")).encode()

    def to_json(self) -> dict[str, Any]:
        named = {"status": self.status, "content_type": self.content_type, "body": self.body}
        return {name: part for name, part in named.items() if part is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The answer, the outcome and the inquiries of one delivery."""

    http: Answer
    outcome: Outcome
    reason: str | None = None
    idempotency_key: str | None = None
    warnings: tuple[str, ...] = ()  # sorted
    leads: tuple[CanonicalLead, ...] = ()
    actions: tuple[Mapping[str, Any], ...] = ()
    lookups: tuple[Lookup, ...] = ()  # what must be asked before it is read in full
    offer: AnsweredBid | None = None  # a bid, to be kept; not interchanged
    refusal: Refusal | None = None  # ours; not interchanged
    again: Answer | None = None  # what a repetition is told, where the vendor has a word for it

    def as_duplicate(self) -> "Envelope":
        """The same delivery seen before: nothing more comes of it.

        Answered as the first time, unless the vendor has a word for a repetition.
        """
        return replace(
            self,
            http=self.again or self.http,
            outcome=Outcome.DUPLICATE_DELIVERY,
            reason="same_key",
            warnings=(),
            leads=(),
            actions=(),
            lookups=(),
        )

    def to_json(self) -> dict[str, Any]:
        """The interchange form; `warnings` and `leads` are always there."""
        optional = {"reason": self.reason, "idempotency_key": self.idempotency_key}
        return {
            "http": self.http.to_json(),
            "outcome": self.outcome.value,
            **{name: part for name, part in optional.items() if part is not None},
            "warnings": list(self.warnings),
            "leads": [lead.to_json() for lead in self.leads],
            "actions": [dict(action) for action in self.actions],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Something the vendor gave the company, typed once in the source's set-up and kept sealed."""

    key: str  # "secret": what the vendor signs with; any other is read by `authorized`
    label: str
    help: str = ""


class SettingKind(StrEnum):
    """What a setting holds."""

    TEXT = "text"
    PHONE = "phone"
    LINES = "lines"  # a list
    PAIRS = "pairs"  # "theirs = ours", one a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something staff tell an adapter about this source; it is kept in `Endpoint.setup`."""

    key: str
    label: str
    help: str = ""
    kind: SettingKind = SettingKind.TEXT


class Adapter(Protocol):
    """A source's module.

    It may have `METHODS` (POST when it has none), `CREDENTIALS`, `SETTINGS`, and, where its
    contract has a word for it, `not_taken(why, incoming) -> Answer`.
    """

    LABEL: str  # as staff read it
    PATHS: list[str]  # below /in/; the part in <> is the endpoint's own
    CHANNEL: Channel

    def read(self, incoming: IncomingDelivery, /) -> Envelope:
        """It is what one delivery amounts to. Pure, and never raises."""
        ...


def accepted_envelope(
    lead: CanonicalLead,
    answer: Answer,
    *,
    key: str,
    warnings: Iterable[str] = (),
    actions: Sequence[Mapping[str, Any]] = (),
) -> Envelope:
    """A usable inquiry; a test one is marked so and starts nothing."""
    return Envelope(
        http=answer,
        outcome=Outcome.ACCEPTED_TEST if lead.is_test else Outcome.ACCEPTED,
        idempotency_key=key,
        warnings=clean_warnings(warnings),
        leads=(lead,),
        actions=() if lead.is_test else tuple(actions),
    )


def quarantined_envelope(
    reason: str,
    answer: Answer,
    *,
    key: str | None = None,
    leads: Sequence[CanonicalLead] = (),
    warnings: Iterable[str] = (),
) -> Envelope:
    """Authentic but not usable yet: kept, answered as a success, shown to operations."""
    return Envelope(
        http=answer,
        outcome=Outcome.QUARANTINED,
        reason=reason,
        idempotency_key=key,
        warnings=clean_warnings(warnings),
        leads=tuple(leads),
        actions=({"do": "notify_ops"},),
    )


def ignored_envelope(reason: str, answer: Answer) -> Envelope:
    """Understood, and no inquiry at all."""
    return Envelope(http=answer, outcome=Outcome.IGNORED, reason=reason)


def rejected_envelope(
    outcome: Outcome, reason: str, answer: Answer, *, tell_operations: bool = False
) -> Envelope:
    """Not authentic, not readable or too large: one of the `rejected_` outcomes."""
    actions = ({"do": "notify_ops"},) if tell_operations else ()
    return Envelope(http=answer, outcome=outcome, reason=reason, actions=actions)


def json_answer(status: int, /, **body: Any) -> Answer:
    """A JSON object as the answer."""
    return Answer(status=status, content_type="application/json", body=body)


def secrets_match(given: str | None, expected: str | None) -> bool:
    """Whether two secrets are equal, in constant time. A missing one equals nothing."""
    if not given or not expected:
        return False
    ours = expected.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), ours)


def clean_warnings(warnings: Iterable[str]) -> tuple[str, ...]:
    """Warnings as an envelope has them: sorted, each once, none endless."""
    return tuple(sorted({warning[:_MAX_WARNING_LENGTH] for warning in warnings})[:_MAX_WARNINGS])


def _fill_placeholders(part: Any, names: Mapping[str, str | None]) -> Any:
    if isinstance(part, dict):
        return {key: _fill_placeholders(value, names) for key, value in part.items()}
    if isinstance(part, str):
        for name, value in names.items():
            part = part.replace(name, value) if value else part
    return part
