"""The four kinds of failure of a call to a vendor, and what each one requires."""

from collections.abc import Sequence
from datetime import timedelta


class VendorError(Exception):
    """A vendor did not carry out a request. The text is fit to show to staff."""


class RequestRejected(VendorError):
    """The vendor rejected the request for good; a person must look into it.

    `code` is the vendor's own error code and `fields` the fields it complained about, if given.
    """

    def __init__(self, text: str, *, code: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.fields = fields


class Misconfigured(VendorError):
    """A setting is wrong; a retry will not help until a person corrects it."""


class RetryLater(VendorError):
    """Nothing was carried out, and the request is safe to repeat.

    `retry_after_seconds` is how long the vendor asked us to wait; None when it did not say.
    """

    def __init__(self, text: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(VendorError):
    """The request may have been carried out; look it up before you repeat it."""


def retry_delay(failure: VendorError, attempts: int, delays: Sequence[float]) -> timedelta:
    """Return how long to wait before the next attempt: the vendor's wait, else our own.

    Args:
        attempts: how many were made; at least 1.
        delays: seconds after the first attempt, the second and so on; the last one repeats.
    """
    vendor_wait = failure.retry_after_seconds if isinstance(failure, RetryLater) else None
    return timedelta(seconds=vendor_wait or delays[min(attempts, len(delays)) - 1])
