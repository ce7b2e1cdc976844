"""What an adapter must ask its vendor before it understands a delivery, and what it was told.

Some vendors send ids and nothing more. Such an adapter names look-ups in its envelope;
capture.retrieve carries them out, keeps the answers, and the delivery is read again with
`Incoming.told`. The adapter stays pure: it never asks by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from rooftree.capture.notes import Fields, Notes
from rooftree.capture.wire import Unreadable, json_object
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater

_LATER = frozenset({408, 425})
_SECRETS_WRONG = frozenset({401, 403})


class RateLimited(TryLater):
    """We asked too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One GET at the vendor. Its answer is kept under `path`, which names it within a delivery."""

    path: str  # below the adapter's UPSTREAM; no secret stands in it
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the vendor answered to one look-up."""

    status: int
    body: bytes = field(default=b"", repr=False)  # masked

    @property
    def is_well(self) -> bool:
        return 200 <= self.status < 300

    def fields(self) -> Fields:
        """The JSON object it is; an empty one for anything else."""
        try:
            return Fields(json_object(self.body, Notes()))
        except Unreadable:
            return Fields()


@runtime_checkable
class Upstream(Protocol):
    """What the module of a source has besides, when it must ask."""

    UPSTREAM: str  # the only address its credentials are ever sent to

    def authorized(self, lookup: Lookup, credentials: Mapping[str, str], /) -> Lookup:
        """It is the look-up as it goes out, with the credentials in it. Pure.

        Raises `Misconfigured` when one is missing.
        """
        ...

    def failure_of(self, told: Told, /) -> Failure | None:
        """How an answer failed, as core.failures tells it; None when it is a good one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What one page of a vendor's own list says."""

    notices: tuple[bytes, ...] = ()  # of one lead each, as the vendor would have posted them
    more: tuple[Lookup, ...] = ()  # what must be asked to know the rest


@runtime_checkable
class Lists(Upstream, Protocol):
    """An upstream that tells by itself which leads it has."""

    LISTS_WITH: tuple[str, ...]  # its CREDENTIALS without which the list cannot be asked for

    def listing(self, since: datetime, /) -> Lookup:
        """Where its list begins."""
        ...

    def listed(self, lookup: Lookup, told: Told, since: datetime, /) -> Listed:
        """It is what a good answer to a look-up of the list says. Pure."""
        ...


def failure_by_status(told: Told) -> Failure | None:
    """How an answer failed where the vendor's status says it all."""
    if told.is_well:
        return None
    code = str(told.status)
    if told.status == 429:
        return RateLimited("The vendor is asked too often (429).")
    if told.status in _LATER or told.status >= 500:
        return TryLater(f"The vendor is busy or failing ({code}).")
    if told.status in _SECRETS_WRONG:
        return Misconfigured(f"The vendor does not accept our credentials ({code}).")
    return Refused(f"The vendor has no such record ({code}).", code=code)


def reason_of(failure: Failure) -> str:
    """The machine's reason of a delivery that waits because a look-up failed so."""
    if isinstance(failure, Misconfigured):
        return "upstream_auth"
    if isinstance(failure, RateLimited):
        return "upstream_rate_limited"
    return "upstream_unavailable" if isinstance(failure, TryLater) else "upstream_gone"


def credential(credentials: Mapping[str, str], name: str, label: str) -> str:
    """One of a source's credentials. Raises `Misconfigured`, naming the field of its page."""
    found = credentials.get(name, "")
    if not found:
        raise Misconfigured(f"Fill in “{label}” on the source's set-up page.")
    return found


def with_bearer(
    lookup: Lookup, credentials: Mapping[str, str], *headers: tuple[str, str]
) -> Lookup:
    """The look-up with the source's access token, and what else its vendor wants in the head."""
    token = credential(credentials, "access_token", "Access token")
    return replace(lookup, headers=(("Authorization", f"Bearer {token}"), *headers))
