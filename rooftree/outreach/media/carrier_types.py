"""What every carrier gives and takes, so that one can stand in for another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rooftree.core.vendor_errors import RequestRejected


class DeliveryStatus(StrEnum):
    """Where a text or a call stands at the carrier."""

    ACCEPTED = "accepted"  # the carrier has it
    SENT = "sent"  # handed on to the person's network; a call: ringing
    DELIVERED = "delivered"  # arrived; a call: answered or ended well
    FAILED = "failed"  # will not arrive; a call: nobody reached
    UNKNOWN = "unknown"  # a word of the carrier's that we do not know

    @property
    def is_final(self) -> bool:
        """Nothing more will come."""
        return self in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}


class OptedOut(RequestRejected):
    """The carrier knows that this person said STOP to our number."""


class NoSuchNumber(RequestRejected):
    """The carrier knows that the number is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierReceipt:
    """The carrier took a text or a call."""

    carrier_id: str
    status: DeliveryStatus = DeliveryStatus.ACCEPTED
    segments: int | None = None  # of a text
    sent_at: datetime | None = None  # when looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCallback:
    """A carrier's callback about one text or call."""

    carrier_id: str
    status: DeliveryStatus
    raw_status: str  # the carrier's own word
    error_code: str = ""
    is_invalid_number: bool = False  # the number: it failed because there is none such
    sequence: int | None = None  # order of a call's events, where the carrier numbers them
    duration_seconds: int | None = None  # of a call that ended


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRecording:
    """What a carrier holds of one recording of a call. The sound stays there."""

    carrier_id: str
    is_over: bool
    seconds: int | None = None  # None: there is no sound, or nobody knows its length yet


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundContact:
    """A text or a call that came to one of our numbers."""

    carrier_id: str
    sender: str  # E.164; as the carrier gave it when it is not
    to: str
    body: str = ""  # of a text
    digits: str = ""  # pressed in a call
    attachment_count: int = 0  # attachments
    opt_out: str = ""  # STOP, START or HELP when the carrier itself acted on it
    is_anonymous: bool = False
    raw_fields: Mapping[str, str] = field(default_factory=dict, repr=False)
