"""A Twilio account over its REST API: check it, list its numbers, set their webhooks.

Nothing here can reach a person. https://www.twilio.com/docs/iam/api/account and
https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest
from rooftree.core.vendor_errors import Misconfigured, RequestRejected, RetryLater

LIMITS = ClientLimits(
    connect_timeout_seconds=4.0, read_timeout_seconds=12.0, total_timeout_seconds=15.0
)
ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
NOT_ACTIVE_CODES = frozenset({"10001", "20005", "90010"})  # suspended or closed
ANSWERED = frozenset({400, 401, 403, 404})
PAGE_SIZE = 100
MAX_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioCredentials:
    """The credentials of one account."""

    account_sid: str
    auth_token: str = field(repr=False)
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """One active account."""

    name: str
    is_trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNumber:
    """One number of an account: its abilities and where its texts, calls and statuses go.

    `override` names what Twilio obeys instead of the URLs: a TwiML app or a SIP trunk.
    """

    sid: str
    number: str  # E.164
    can_text: bool
    can_call: bool
    text_url: str
    call_url: str
    status_url: str
    override: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The addresses that a number's texts, calls and ends of calls go to."""

    text_url: str
    call_url: str
    status_url: str


def account_sid_problem(text: str) -> str:
    """Return why the text isn't an account SID; "" if it is one."""
    if ACCOUNT_SID.fullmatch(text):
        return ""
    if text.startswith("SK"):
        return "This is the SID of an API key. Enter the account SID, which begins with AC."
    if not text.startswith("AC"):
        return "An account SID begins with AC. Copy it from Account Info in the Twilio console."
    if len(text) != 34:
        return f"An account SID has 34 characters; this one has {len(text)}. Copy it again."
    return "After AC, an account SID has only digits and the letters a to f. Copy it again."


def fetch_account(credentials: TwilioCredentials) -> TwilioAccount:
    """Read the account. Raises `VendorError` with a sentence on what to correct."""
    data = _request(credentials, "GET", f"{_account_path(credentials)}.json")
    _check_active(str(data.get("status")))
    return TwilioAccount(
        name=str(data.get("friendly_name") or "")[:80], is_trial=data.get("type") == "Trial"
    )


def list_numbers(credentials: TwilioCredentials) -> list[AccountNumber]:
    """Return the account's numbers by number. Raises `VendorError`."""
    path = f"{_account_path(credentials)}/IncomingPhoneNumbers.json"
    query: tuple[tuple[str, str], ...] = (("PageSize", str(PAGE_SIZE)),)
    numbers: list[AccountNumber] = []
    for _ in range(MAX_PAGES):
        page = _request(credentials, "GET", path, query=query)
        numbers += [_parse_number(row) for row in page.get("incoming_phone_numbers") or []]
        path, query = str(page.get("next_page_uri") or ""), ()
        if not path:
            break
    return sorted(numbers, key=lambda number: number.number)


def set_webhooks(
    credentials: TwilioCredentials, number: AccountNumber, webhooks: Webhooks
) -> AccountNumber:
    """Point a number at these addresses; return it as Twilio has it now. Safe to repeat.

    A TwiML app or SIP trunk is taken off the number, since Twilio ignores the URLs otherwise.
    Raises `VendorError`.
    """
    form = [
        ("SmsUrl", webhooks.text_url),
        ("SmsMethod", "POST"),
        ("VoiceUrl", webhooks.call_url),
        ("VoiceMethod", "POST"),
        ("StatusCallback", webhooks.status_url),
        ("StatusCallbackMethod", "POST"),
    ]
    if number.override:
        form += [("SmsApplicationSid", ""), ("VoiceApplicationSid", ""), ("TrunkSid", "")]
    path = f"{_account_path(credentials)}/IncomingPhoneNumbers/{number.sid}.json"
    return _parse_number(_request(credentials, "POST", path, form=tuple(form)))


def _account_path(credentials: TwilioCredentials) -> str:
    return f"/2010-04-01/Accounts/{credentials.account_sid}"


def _request(
    credentials: TwilioCredentials,
    method: str,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    form: tuple[tuple[str, str], ...] | None = None,
) -> dict[str, Any]:
    client = VendorClient(
        credentials.base_url,
        limits=LIMITS,
        basic=(credentials.account_sid, credentials.auth_token),
    )
    try:
        response = client.send(
            VendorRequest(
                method=method,
                path=path,
                is_idempotent=True,
                query=query,
                form=form,
                accepted_statuses=ANSWERED,
            )
        )
    except RetryLater as problem:
        host = urlsplit(credentials.base_url).hostname
        raise RetryLater(
            f"Twilio didn’t answer at {host}. Check this machine’s internet connection, firewall "
            "and proxy, then try again."
        ) from problem
    finally:
        client.close()
    data = response.json()
    if not isinstance(data, dict):
        raise RetryLater("The answer isn’t from Twilio. Check this machine’s proxy.")
    if response.status >= 400:
        _raise_refusal(response.status, str(data.get("code") or ""))
    return data


def _raise_refusal(status: int, code: str) -> None:
    if code in NOT_ACTIVE_CODES:
        _check_active("suspended")
    if status in {401, 403, 404}:
        raise Misconfigured(
            f"Twilio refused this account SID and auth token (error {code or status}). Copy both "
            "again from Account Info in the Twilio console."
        )
    raise RequestRejected(f"Twilio rejected the request (error {code or status}).", code=code)


def _check_active(status: str) -> None:
    if status != "active":
        raise Misconfigured(
            f"Twilio says that this account is {status}. Check its balance and Twilio’s messages "
            "in the Twilio console, then check it here again."
        )


def _parse_number(row: Mapping[str, Any]) -> AccountNumber:
    abilities = row.get("capabilities") or {}
    override = ""
    if row.get("sms_application_sid") or row.get("voice_application_sid"):
        override = "a TwiML app"
    elif row.get("trunk_sid"):
        override = "a SIP trunk"
    return AccountNumber(
        sid=str(row["sid"]),
        number=str(row["phone_number"]),
        can_text=bool(abilities.get("sms")),
        can_call=bool(abilities.get("voice")),
        text_url=str(row.get("sms_url") or ""),
        call_url=str(row.get("voice_url") or ""),
        status_url=str(row.get("status_callback") or ""),
        override=override,
    )
