"""Lookups at a vendor's API that an adapter needs to read a delivery, and their answers.

Some vendors send only ids. Such an adapter lists lookups in its envelope;
capture.intake.vendor_lookups carries them out and stores the answers, and the delivery is
read again with them in `IncomingDelivery`. The adapter stays pure: it makes no requests.
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
    """The vendor limits our request rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One GET at the vendor. Its answer is stored under `path`, which is unique in a delivery."""

    path: str  # below the adapter's UPSTREAM; contains no secret
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAnswer:
    """A vendor's answer to one lookup."""

    status: int
    body: bytes = field(default=b"", repr=False)  # masked

    @property
    def is_ok(self) -> bool:
        """Return True for a 2xx status."""
        return 200 <= self.status < 300

    def json_fields(self) -> Fields:
        """Parse the body as a JSON object; return an empty one for anything else."""
        try:
            return Fields(parse_json_object(self.body, ReadingNotes()))
        except UnreadableBody:
            return Fields()


@runtime_checkable
class Upstream(Protocol):
    """Extra members of a source's module that needs lookups."""

    UPSTREAM: str  # the only address its credentials are ever sent to

    def authorize_lookup(self, lookup: Lookup, credentials: Mapping[str, str], /) -> Lookup:
        """Add the credentials to a lookup. Pure.

        Raises `Misconfigured` when a credential is missing.
        """
        ...

    def classify_failure(self, answer: VendorAnswer, /) -> VendorError | None:
        """Classify a failed answer as a `VendorError`; return None for a good one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadListPage:
    """One page of a vendor's own list of leads."""

    notices: tuple[bytes, ...] = ()  # one per lead, as the vendor would have posted it
    next_lookups: tuple[Lookup, ...] = ()  # lookups for the rest of the list


@runtime_checkable
class ListingUpstream(Upstream, Protocol):
    """An upstream that can list its leads."""

    LISTING_CREDENTIALS: tuple[str, ...]  # the CREDENTIALS that listing requires

    def first_list_lookup(self, since: datetime, /) -> Lookup:
        """Return the lookup of the first page of the list."""
        ...

    def parse_list_page(
        self, lookup: Lookup, answer: VendorAnswer, since: datetime, /
    ) -> LeadListPage:
        """Parse a good answer to a list lookup. Pure."""
        ...


def find_status_failure(answer: VendorAnswer) -> VendorError | None:
    """Classify a failed answer by its HTTP status alone; return None for a good one."""
    if answer.is_ok:
        return None
    code = str(answer.status)
    if answer.status == 429:
        return RateLimited("The vendor is limiting our requests (429).")
    if answer.status in _RETRY_STATUSES or answer.status >= 500:
        return RetryLater(f"The vendor's server is busy or failing ({code}).")
    if answer.status in _REJECTED_CREDENTIAL_STATUSES:
        return Misconfigured(f"The vendor rejected our credentials ({code}).")
    return RequestRejected(f"The vendor has no such record ({code}).", code=code)


def quarantine_reason(failure: VendorError) -> str:
    """Return the reason code for a delivery quarantined by a failed lookup."""
    if isinstance(failure, Misconfigured):
        return "upstream_auth"
    if isinstance(failure, RateLimited):
        return "upstream_rate_limited"
    return "upstream_unavailable" if isinstance(failure, RetryLater) else "upstream_gone"


def require_credential(credentials: Mapping[str, str], name: str, label: str) -> str:
    """Return a credential of the source. Raises `Misconfigured`, naming the field on its page."""
    value = credentials.get(name, "")
    if not value:
        raise Misconfigured(f"Fill in “{label}” on the source's setup page.")
    return value


def with_bearer_token(
    lookup: Lookup, credentials: Mapping[str, str], *headers: tuple[str, str]
) -> Lookup:
    """Add the source's access token, and any further headers, to a lookup."""
    token = require_credential(credentials, "access_token", "Access token")
    return replace(lookup, headers=(("Authorization", f"Bearer {token}"), *headers))
