"""The carrier account that this installation uses now: the environment's, otherwise Setup's."""

import hashlib
import time
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

from rooftree.org.models import CarrierAccount

ACCOUNT_KEY = "twilio"
REREAD_SECONDS = 2.0  # a change reaches the other processes within this time


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInForce:
    """The carrier in use, with its credentials and our numbers."""

    carrier: str  # twilio, or console: nothing is sent
    account_sid: str = ""
    auth_token: str = field(default="", repr=False)
    base_url: str = ""
    numbers: tuple[str, ...] = ()  # E.164, the main one first
    is_from_environment: bool = False

    @property
    def check_key(self) -> str:
        """A hash of the SID, token and address, to tell whether a check was about them."""
        text = "\n".join((self.account_sid, self.auth_token, self.base_url))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierStatus:
    """The state of the carrier: ready to send, or what is missing."""

    carrier: str
    is_ready: bool
    sentence: str  # what is missing, or what is connected


def account_in_force() -> AccountInForce:
    """Return the account in use.

    `ROOFTREE_CARRIER` wins over Setup's account, and `TWILIO_NUMBERS` over its numbers.
    """
    numbers = tuple(settings.TWILIO_NUMBERS)
    if settings.CARRIER:
        if settings.CARRIER == ACCOUNT_KEY and not numbers:
            numbers = _stored_numbers()
        return AccountInForce(
            carrier=settings.CARRIER,
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
            base_url=settings.TWILIO_BASE_URL,
            numbers=numbers,
            is_from_environment=True,
        )
    row = read_stored_account()
    if row is None or not row.account_sid:
        return AccountInForce(carrier="none", numbers=numbers)
    return AccountInForce(
        carrier=ACCOUNT_KEY,
        account_sid=row.account_sid,
        auth_token=row.auth_token,
        base_url=settings.TWILIO_BASE_URL,
        numbers=numbers or tuple(row.numbers),
    )


def read_carrier_status() -> CarrierStatus:
    """Return whether the account in force passed its last check and has a number."""
    account = account_in_force()
    row = read_stored_account() if account.carrier == ACCOUNT_KEY else None
    if account.carrier == "none":
        sentence = "No carrier is connected. Texts wait, and no phone rings."
    elif account.carrier != ACCOUNT_KEY:
        sentence = "No carrier is connected. Texts and calls are written to the log, not sent."
    elif row is None or row.checked_key != account.check_key:
        sentence = "This Twilio account hasn’t been checked yet. Check it under Setup."
    elif row.problem:
        sentence = row.problem
    elif not account.numbers:
        sentence = "Choose the numbers that Rooftree texts and calls from."
    else:
        name = f"Twilio, {row.account_name}" if row.account_name else "Twilio"
        return CarrierStatus(carrier=account.carrier, is_ready=True, sentence=name)
    return CarrierStatus(carrier=account.carrier, is_ready=False, sentence=sentence)


def read_stored_account() -> CarrierAccount | None:
    """Return the stored row, at most `REREAD_SECONDS` old. Don't change it."""
    return _read_row(int(time.monotonic() / REREAD_SECONDS))


def forget_stored_account() -> None:
    """Read the row again at the next use; call it after the commit that changes the row."""
    _read_row.cache_clear()


def _stored_numbers() -> tuple[str, ...]:
    row = read_stored_account()
    return tuple(row.numbers) if row else ()


@lru_cache(maxsize=1)
def _read_row(period: int) -> CarrierAccount | None:
    return CarrierAccount.objects.filter(pk=ACCOUNT_KEY).first()
