"""What an adapter must ask its vendor before it understands a delivery, and what it was told.

Some vendors send ids and nothing more. Such an adapter names look-ups in its envelope;
capture.retrieve carries them out, keeps the answers, and the delivery is read again with
`Incoming.told`. The adapter stays pure: it never asks by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, parse_json_object
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater, VendorError

_RETRY_STATUSES = frozenset({408, 425})
_REJECTED_CREDENTIAL_STATUSES = frozenset({401, 403})


class RateLimited(RetryLater):
    """We asked too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One GET at the vendor. Its answer is kept under `path`, which names it within a delivery."""

    path: str  # below the adapter's UPSTREAM; no secret stands in it
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAnswer:
    """What the vendor answered to one look-up."""

    status: int
    body: bytes = field(default=b"", repr=False)  # masked

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    def fields(self) -> Fields:
        """The JSON object it is; an empty one for anything else."""
        try:
            return Fields(parse_json_object(self.body, ReadingNotes()))
        except UnreadableBody:
            return Fields()


@runtime_checkable
class Upstream(Protocol):
    """What the module of a source has besides, when it must ask."""

    UPSTREAM: str  # the only address its credentials are ever sent to

    def authorize_lookup(self, lookup: Lookup, credentials: Mapping[str, str], /) -> Lookup:
        """It is the look-up as it goes out, with the credentials in it. Pure.

        Raises `Misconfigured` when one is missing.
        """
        ...

    def classify_failure(self, told: VendorAnswer, /) -> VendorError | None:
        """How an answer failed, as core.failures tells it; None when it is a good one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadListPage:
    """What one page of a vendor's own list says."""

    notices: tuple[bytes, ...] = ()  # of one lead each, as the vendor would have posted them
    more: tuple[Lookup, ...] = ()  # what must be asked to know the rest


@runtime_checkable
class ListingUpstream(Upstream, Protocol):
    """An upstream that tells by itself which leads it has."""

    LISTING_CREDENTIALS: tuple[
        str, ...
    ]  # its CREDENTIALS without which the list cannot be asked for

    def first_list_lookup(self, since: datetime, /) -> Lookup:
        """Where its list begins."""
        ...

    def parse_list_page(
        self, lookup: Lookup, told: VendorAnswer, since: datetime, /
    ) -> LeadListPage:
        """It is what a good answer to a look-up of the list says. Pure."""
        ...


def find_status_failure(told: VendorAnswer) -> VendorError | None:
    """How an answer failed where the vendor's status says it all."""
    if told.is_ok:
        return None
    code = str(told.status)
    if told.status == 429:
        return RateLimited("The vendor is asked too often (429).")
    if told.status in _RETRY_STATUSES or told.status >= 500:
        return RetryLater(f"The vendor is busy or failing ({code}).")
    if told.status in _REJECTED_CREDENTIAL_STATUSES:
        return Misconfigured(f"The vendor does not accept our credentials ({code}).")
    return RequestRejected(f"The vendor has no such record ({code}).", code=code)


def quarantine_reason(failure: VendorError) -> str:
    """The machine's reason of a delivery that waits because a look-up failed so."""
    if isinstance(failure, Misconfigured):
        return "upstream_auth"
    if isinstance(failure, RateLimited):
        return "upstream_rate_limited"
    return "upstream_unavailable" if isinstance(failure, RetryLater) else "upstream_gone"


def require_credential(credentials: Mapping[str, str], name: str, label: str) -> str:
    """One of a source's credentials. Raises `Misconfigured`, naming the field of its page."""
    found = credentials.get(name, "")
    if not found:
        raise Misconfigured(f"Fill in “{label}” on the source's set-up page.")
    return found


def with_bearer_token(
    lookup: Lookup, credentials: Mapping[str, str], *headers: tuple[str, str]
) -> Lookup:
    """The look-up with the source's access token, and what else its vendor wants in the head."""
    token = require_credential(credentials, "access_token", "Access token")
    return replace(lookup, headers=(("Authorization", f"Bearer {token}"), *headers))
