"""How a call to somebody else's system can fail: four kinds, and what each asks of us."""

from collections.abc import Sequence
from datetime import timedelta


class VendorError(Exception):
    """A vendor did not do what we asked. The text is fit to show to staff."""


class RequestRejected(VendorError):
    """The vendor said no for good; a person must look.

    `code` is the vendor's own error code and `fields` the names it complained
    about, where it gave them.
    """

    def __init__(self, text: str, *, code: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.fields = fields


class Misconfigured(VendorError):
    """A setting is wrong; trying again will not help until a person edits it."""


class RetryLater(VendorError):
    """Nothing was carried out and it is safe to ask again.

    `retry_after_seconds` is the number of seconds the vendor asked us to wait, or None when
    it did not say.
    """

    def __init__(self, text: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(VendorError):
    """The request may have been carried out; never repeat it before looking it up."""


def retry_delay(failure: VendorError, tries: int, usual: Sequence[float]) -> timedelta:
    """How long to wait before the next try: as the vendor asks, else by the tries made.

    Args:
        usual: seconds after the first try, the second and so on; the last stands for all after.
    """
    asked = failure.retry_after_seconds if isinstance(failure, RetryLater) else None
    return timedelta(seconds=asked or usual[min(tries, len(usual)) - 1])
