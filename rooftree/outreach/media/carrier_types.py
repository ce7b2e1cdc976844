"""Types shared by all carriers, so that one carrier can replace another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rooftree.core.vendor_errors import RequestRejected


class DeliveryStatus(StrEnum):
    """The status of a text or call at the carrier."""

    ACCEPTED = "accepted"  # the carrier has it
    SENT = "sent"  # handed on to the person's network; a call: ringing
    DELIVERED = "delivered"  # arrived; a call: answered or ended well
    FAILED = "failed"  # will not arrive; a call: nobody reached
    UNKNOWN = "unknown"  # a carrier status we don't know

    @property
    def is_final(self) -> bool:
        """Return True if no further status will follow."""
        return self in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}


class OptedOut(RequestRejected):
    """The carrier blocks the text because this person sent STOP to our number."""


class NoSuchNumber(RequestRejected):
    """The carrier says that the number is not in service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierReceipt:
    """The carrier's receipt for an accepted text, call or recording."""

    carrier_id: str
    status: DeliveryStatus = DeliveryStatus.ACCEPTED
    segments: int | None = None  # of a text
    sent_at: datetime | None = None  # only from a lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCallback:
    """A carrier's callback about one text or call."""

    carrier_id: str
    status: DeliveryStatus
    raw_status: str  # as the carrier sent it
    error_code: str = ""
    is_invalid_number: bool = False  # failed because the number does not exist
    sequence: int | None = None  # order of a call's events, if the carrier numbers them
    duration_seconds: int | None = None  # of a call that ended


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRecording:
    """One recording held by the carrier. The audio stays there."""

    carrier_id: str
    is_over: bool
    seconds: int | None = None  # None: no audio, or its length is not known yet


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundContact:
    """An inbound text or call to one of our numbers."""

    carrier_id: str
    sender: str  # E.164, or as the carrier sent it if it is not a number
    to: str
    body: str = ""  # of a text
    digits: str = ""  # pressed in a call
    attachment_count: int = 0
    opt_out: str = ""  # STOP, START or HELP if the carrier itself acted on it
    is_anonymous: bool = False
    raw_fields: Mapping[str, str] = field(default_factory=dict, repr=False)
