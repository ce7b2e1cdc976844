"""The contract between a source's delivery and its adapter.

An adapter is pure: `IncomingDelivery` in, `Envelope` out. The caller decides whether a
delivery is a duplicate and then answers with `Envelope.as_duplicate`.
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
LEAD_ID_PLACEHOLDER = "<our lead id>"  # the caller fills both in once the row is committed
REFERENCE_PLACEHOLDER = "<public reference>"
# Filled in as the call is answered, because a caller is waiting to be put through.
RING_NUMBER_PLACEHOLDER = "[number to ring]"
_MAX_WARNING_LENGTH = 200
_MAX_WARNINGS = 100  # a hostile form could otherwise produce thousands


class Outcome(StrEnum):
    """What became of one delivery."""

    ACCEPTED = "accepted"
    ACCEPTED_TEST = "accepted_test"
    DUPLICATE_DELIVERY = "duplicate_delivery"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    UPDATED = "updated"
    NOT_ACCEPTED = "not_accepted"  # usable, but outside the source's limits; no adapter returns it
    DELETED = "deleted"
    BID = "bid"
    NO_BID = "no_bid"
    HANDSHAKE = "handshake"
    REJECTED_AUTH = "rejected_auth"
    REJECTED_MALFORMED = "rejected_malformed"
    REJECTED_TOO_LARGE = "rejected_too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The company's configuration of one source. Secrets are never shown or logged."""

    token: str | None = field(default=None, repr=False)  # the secret part of the path
    secret: str | None = field(default=None, repr=False)  # signs bodies
    signed_only: bool = False  # a website endpoint that takes server-to-server posts only
    allowed_origins: frozenset[str] = frozenset()  # "https://www.example.com"
    return_hosts: frozenset[str] = frozenset()  # hosts a form can redirect its visitor to
    zone: str = "America/New_York"  # of times the source sends without a zone
    is_test: bool = False  # staff marked the source as a test
    application_url: str | None = None  # sent to vendors that can show it to the borrower
    # settings staff entered for this adapter
    setup: Mapping[str, Any] = field(default_factory=dict)
    # by key of CREDENTIALS
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class IncomingDelivery:
    """One delivery as it arrived. Header names can be in any case."""

    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""  # full public URL as the sender called it; some vendors sign it
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    remote_addr: str | None = None  # from the socket, or from a trusted proxy
    received_at: datetime  # timezone-aware
    endpoint: Endpoint = Endpoint()
    is_verified: bool = False  # a stored delivery replayed; its proof was checked on arrival
    # the vendor's answers so far, by lookup path
    vendor_answers: Mapping[str, VendorAnswer] = field(default_factory=dict)
    market: BidMarket | None = field(default=None, repr=False)  # for ping-post sources only

    @cached_property
    def masked(self) -> MaskResult:
        """Return the body without numbers we must not store; adapters read only this."""
        return mask_email_message(self.body)

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {str(name).lower(): str(value) for name, value in self.headers.items()}

    def header(self, name: str) -> str | None:
        """Return a header's value, or None."""
        return self._headers.get(name.lower())

    def is_too_large(self) -> bool:
        """Tell whether the body exceeds `MAX_BODY_BYTES`."""
        return len(self.body) > MAX_BODY_BYTES

    def path_secret_matches(self) -> bool:
        """Tell whether the last path segment is the endpoint's token. No token never matches.

        When the path is an email address, the token is the part between + and @.
        """
        if self.is_verified:
            return True
        secret = self.path.split("?")[0].rstrip("/").rpartition("/")[2]
        if "@" in secret:
            secret = secret.rpartition("@")[0].partition("+")[2]
        return secrets_match(secret, self.endpoint.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Our answer to the sender. `location` is the target of a 303; `to_json` leaves it out."""

    status: int
    content_type: str | None = None
    body: Any = None  # JSON for application/json, else text
    location: str | None = None

    @property
    def needs_ring_number(self) -> bool:
        """True for a call that waits for the number to ring."""
        return RING_NUMBER_PLACEHOLDER in str(self.body)

    def with_values(self, **values: str) -> "Answer":
        """Replace the placeholders with the values given: `lead_id`, `reference`, `ring`."""
        values_by_placeholder = {
            LEAD_ID_PLACEHOLDER: values.get("lead_id"),
            REFERENCE_PLACEHOLDER: values.get("reference"),
            RING_NUMBER_PLACEHOLDER: values.get("ring"),
        }
        return replace(self, body=_fill_placeholders(self.body, values_by_placeholder))

    def to_bytes(self) -> bytes:
        """Encode the body for the response."""
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":")).encode()

    def to_json(self) -> dict[str, Any]:
        """Return the interchange form, without empty parts."""
        parts = {"status": self.status, "content_type": self.content_type, "body": self.body}
        return {name: part for name, part in parts.items() if part is not None}


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
    lookups: tuple[Lookup, ...] = ()  # to carry out before the delivery can be read in full
    placed_bid: AnsweredBid | None = None  # a bid to store; not in the interchange form
    refusal: Refusal | None = None  # why our limits reject it; not in the interchange form
    repeat_answer: Answer | None = None  # for a duplicate, where the vendor's contract defines one

    @property
    def is_single_inquiry(self) -> bool:
        """True for exactly one usable inquiry of a real person."""
        is_one_lead = len(self.leads) == 1 and not self.lookups
        return self.outcome is Outcome.ACCEPTED and is_one_lead

    def as_duplicate(self) -> "Envelope":
        """Return the envelope for a delivery we already have: no leads, no actions, no lookups.

        The answer is the first one, unless the vendor's contract defines one for duplicates.
        """
        return replace(
            self,
            http=self.repeat_answer or self.http,
            outcome=Outcome.DUPLICATE_DELIVERY,
            reason="same_key",
            warnings=(),
            leads=(),
            actions=(),
            lookups=(),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the interchange form; `warnings` and `leads` are always present."""
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
    """A secret the vendor gave the company, typed once in the source's setup and stored sealed."""

    key: str  # "secret" verifies signatures; `authorize_lookup` reads all others
    label: str
    help: str = ""


class SettingKind(StrEnum):
    """The kind of value a setting holds."""

    TEXT = "text"
    PHONE = "phone"
    LINES = "lines"  # a list
    PAIRS = "pairs"  # "vendor's value = our value", one per line
    YES_NO = "yes_no"  # a checkbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value staff enter for an adapter; stored in `Endpoint.setup`."""

    key: str
    label: str
    help: str = ""
    kind: SettingKind = SettingKind.TEXT


class Adapter(Protocol):
    """A source's module.

    Optional members: `METHODS` (POST when absent), `CREDENTIALS`, `SETTINGS`, `TAKES_BIDS` (True
    for pings that we answer with bids), `IS_INTERNAL` (True if staff can't add such a source),
    and, where the vendor's contract defines a rejection,
    `rejection_answer(why, incoming) -> Answer`.
    """

    LABEL: str  # shown to staff
    PATHS: list[str]  # below /in/; the part in <> is specific to the endpoint
    CHANNEL: Channel

    def read(self, incoming: IncomingDelivery, /) -> Envelope:
        """Read one delivery. Pure, and never raises."""
        ...


def accepted_envelope(
    lead: CanonicalLead,
    answer: Answer,
    *,
    key: str,
    warnings: Iterable[str] = (),
    actions: Sequence[Mapping[str, Any]] = (),
) -> Envelope:
    """Build the envelope of a usable inquiry; a test lead starts no actions."""
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
    """Build the envelope of an authentic delivery that is not usable yet.

    It is stored, answered as a success, and reported to operations.
    """
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
    """Build the envelope of a delivery that was understood but is not an inquiry."""
    return Envelope(http=answer, outcome=Outcome.IGNORED, reason=reason)


def rejected_envelope(
    outcome: Outcome, reason: str, answer: Answer, *, tell_operations: bool = False
) -> Envelope:
    """Build the envelope of a delivery that is not authentic, not readable or too large."""
    actions = ({"do": "notify_ops"},) if tell_operations else ()
    return Envelope(http=answer, outcome=outcome, reason=reason, actions=actions)


def json_answer(status: int, /, **body: Any) -> Answer:
    """Build an answer whose body is a JSON object."""
    return Answer(status=status, content_type="application/json", body=body)


def secrets_match(candidate: str | None, expected: str | None) -> bool:
    """Compare two secrets in constant time; a missing secret never matches."""
    if not candidate or not expected:
        return False
    expected_bytes = expected.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(candidate.encode("utf-8", "surrogatepass"), expected_bytes)


def clean_warnings(warnings: Iterable[str]) -> tuple[str, ...]:
    """Sort, dedupe and truncate warnings for an envelope."""
    return tuple(sorted({warning[:_MAX_WARNING_LENGTH] for warning in warnings})[:_MAX_WARNINGS])


def _fill_placeholders(part: Any, values_by_placeholder: Mapping[str, str | None]) -> Any:
    if isinstance(part, dict):
        return {
            key: _fill_placeholders(value, values_by_placeholder) for key, value in part.items()
        }
    if isinstance(part, str):
        for name, value in values_by_placeholder.items():
            part = part.replace(name, value) if value else part
    return part
