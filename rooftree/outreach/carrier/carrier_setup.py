"""Set-up of the Twilio account: save it with a check, choose numbers, set their webhooks."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from rooftree.core.user_errors import InvalidField
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.org import carrier_account
from rooftree.org.carrier_account import ACCOUNT_KEY, AccountInForce
from rooftree.org.models import CarrierAccount, LoanOfficer, User
from rooftree.outreach.carrier import twilio_account_api
from rooftree.outreach.carrier.twilio_account_api import AccountNumber, TwilioCredentials, Webhooks

CHECK_EVERY = timedelta(hours=1)
RETRY_EVERY = timedelta(minutes=5)  # while the last check failed


class BadCarrierAccount(InvalidField):
    """The account or the choice of numbers can't be used."""


def save_account(*, account_sid: str, auth_token: str, by: User, at: datetime) -> None:
    """Check the account at Twilio and use it from now on. Raises `BadCarrierAccount`.

    Args:
        auth_token: "" keeps the stored one, if the SID is still the same.
    """
    if settings.CARRIER:
        raise BadCarrierAccount("", "The environment sets the carrier. Remove ROOFTREE_CARRIER.")
    if problem := twilio_account_api.account_sid_problem(account_sid):
        raise BadCarrierAccount("account_sid", problem)
    row = _load_row()
    auth_token = auth_token or (row.auth_token if row.account_sid == account_sid else "")
    if not auth_token:
        raise BadCarrierAccount("auth_token", "Enter the auth token of this account.")
    account = AccountInForce(
        carrier=ACCOUNT_KEY,
        account_sid=account_sid,
        auth_token=auth_token,
        base_url=settings.TWILIO_BASE_URL,
    )
    checked = _check(account, at)
    if checked["problem"]:
        raise BadCarrierAccount("", checked["problem"])
    listed = {number["number"] for number in checked["listed_numbers"]}
    with transaction.atomic():
        _store(
            account_sid=account_sid,
            auth_token=auth_token,
            numbers=[number for number in row.numbers if number in listed],
            changed_at=at,
            **checked,
        )
        write_event("org.carrier.connected", at=at, actor=f"user:{by.pk}", account=account_sid)


def check_account(*, at: datetime) -> str:
    """Check the account in force at Twilio, store the result and return the problem or "".

    Does nothing for the console. Don't call it in a transaction.
    """
    account = carrier_account.account_in_force()
    if account.carrier != ACCOUNT_KEY:
        return ""
    checked = _check(account, at)
    _store(**checked)
    return str(checked["problem"])


def check_due_account(*, at: datetime) -> None:
    """Check the account in force if that is due: once an hour, or sooner after a failure."""
    account = carrier_account.account_in_force()
    if account.carrier != ACCOUNT_KEY:
        return
    row = _load_row()
    wait = RETRY_EVERY if row.problem else CHECK_EVERY
    if (
        row.checked_key != account.check_key
        or row.checked_at is None
        or row.checked_at <= at - wait
    ):
        check_account(at=at)


def remove_account(*, by: User, at: datetime) -> None:
    """Delete the account entered in Setup, with its numbers. May be repeated."""
    with transaction.atomic():
        if CarrierAccount.objects.filter(pk=ACCOUNT_KEY).delete()[0]:
            write_event("org.carrier.removed", at=at, actor=f"user:{by.pk}")
        transaction.on_commit(carrier_account.forget_stored_account)


def choose_numbers(numbers: Sequence[str], *, main: str, by: User, at: datetime) -> None:
    """Use these numbers for texts and calls. Raises `BadCarrierAccount`.

    Args:
        main: the number that new conversations and calls to officers come from; "" for the first.
    """
    if settings.TWILIO_NUMBERS:
        raise BadCarrierAccount("", "The environment sets the numbers. Remove TWILIO_NUMBERS.")
    row = _load_row()
    usable = {
        number.number for number in listed_numbers(row) if number.can_text and number.can_call
    }
    chosen = [number for number in dict.fromkeys(numbers) if number in usable]
    if not chosen or len(chosen) != len(set(numbers)):
        raise BadCarrierAccount("numbers", "Choose at least one number with texts and calls.")
    if main and main not in chosen:
        raise BadCarrierAccount("main", "The main number must be one of the checked ones.")
    first = main or chosen[0]
    chosen.sort(key=lambda number: number != first)
    with transaction.atomic():
        _store(numbers=chosen, changed_at=at)
        write_event("org.carrier.numbers_chosen", at=at, actor=f"user:{by.pk}", numbers=chosen)


def set_webhooks(*, by: User, at: datetime) -> int:
    """Point our numbers at this installation at Twilio; return how many. Safe to repeat.

    Raises `VendorError`; numbers before the failing one are set. Don't call it in a transaction.
    """
    account, webhooks = carrier_account.account_in_force(), our_webhooks()
    credentials = _credentials(account)
    ours = numbers_in_use(account)
    numbers, count = listed_numbers(_load_row()), 0
    try:
        for place, number in enumerate(numbers):
            if number.number in ours:
                numbers[place] = twilio_account_api.set_webhooks(credentials, number, webhooks)
                count += 1
    finally:
        with transaction.atomic():
            _store(listed_numbers=[asdict(number) for number in numbers])
            write_event("org.carrier.webhooks_set", at=at, actor=f"user:{by.pk}", count=count)
    return count


def our_webhooks() -> Webhooks:
    """Return the addresses of this installation that Twilio must call."""
    base = f"{settings.PUBLIC_URL}/in/twilio"
    return Webhooks(
        text_url=f"{base}/text/", call_url=f"{base}/call/", status_url=f"{base}/call/status/"
    )


def numbers_in_use(account: AccountInForce) -> Collection[str]:
    """Return the company's numbers and those of active officers (E.164)."""
    officers = LoanOfficer.objects.filter(terminated_at=None).exclude(text_number="")
    return {*account.numbers, *officers.values_list("text_number", flat=True)}


def listed_numbers(row: CarrierAccount | None) -> list[AccountNumber]:
    """Return the account's numbers as last listed."""
    return [AccountNumber(**number) for number in row.listed_numbers] if row else []


def webhook_problem(number: AccountNumber, webhooks: Webhooks) -> str:
    """Return where a number's texts or calls go instead of here; "" if all come here."""
    if number.override:
        return f"Goes to {number.override}"
    expected = asdict(webhooks)
    elsewhere = [
        url for name, right in expected.items() if (url := getattr(number, name)) and url != right
    ]
    if elsewhere:
        return f"Goes to {elsewhere[0]}"
    return "" if all(getattr(number, name) for name in expected) else "Webhooks not set"


def _check(account: AccountInForce, at: datetime) -> dict[str, Any]:
    """Check the account and list its numbers; return columns, `problem` among them."""
    checked: dict[str, Any] = {"checked_key": account.check_key, "checked_at": at, "problem": ""}
    try:
        if problem := twilio_account_api.account_sid_problem(account.account_sid):
            return checked | {"problem": problem}
        twilio_account = twilio_account_api.fetch_account(_credentials(account))
        numbers = twilio_account_api.list_numbers(_credentials(account))
    except VendorError as failure:
        return checked | {"problem": str(failure)[:300]}
    missing = sorted(set(account.numbers) - {number.number for number in numbers})
    if missing:
        problem = f"The account has no number {', '.join(missing)}. Choose other numbers."
    return checked | {
        "problem": problem[:300],
        "account_name": twilio_account.name,
        "is_trial": twilio_account.is_trial,
        "listed_numbers": [asdict(number) for number in numbers],
    }


def _credentials(account: AccountInForce) -> TwilioCredentials:
    return TwilioCredentials(
        account_sid=account.account_sid, auth_token=account.auth_token, base_url=account.base_url
    )


def _load_row() -> CarrierAccount:
    row = CarrierAccount.objects.filter(pk=ACCOUNT_KEY).first()
    return row or CarrierAccount(id=ACCOUNT_KEY)


def _store(**columns: Any) -> None:
    CarrierAccount.objects.update_or_create(pk=ACCOUNT_KEY, defaults=columns)
    transaction.on_commit(carrier_account.forget_stored_account)
