"""A text and a call from the carrier to the phone of the user who asks, to try the account."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from rooftree.core.user_errors import UserError
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.org import carrier_account, sending_pause, shadow_mode
from rooftree.org.carrier_account import ACCOUNT_KEY
from rooftree.org.models import CarrierAccount, User
from rooftree.outreach.calls import officer_calls

TRIAL_TEXT = "This is Rooftree. Texts from your company’s number work."
STATUSES = ("accepted", "sent", "delivered", "failed")  # in the order they come


class CannotTry(UserError):
    """Nothing can be sent to this user now."""


def text_me(*, user: User, at: datetime) -> None:
    """Text the user and store the carrier's answer. Raises `CannotTry`."""
    _try("text", user, at)


def ring_me(*, user: User, at: datetime) -> None:
    """Call the user and store the carrier's answer. Raises `CannotTry`."""
    _try("call", user, at)


def record_status(*, carrier_id: str, status: str, words: str, at: datetime) -> bool:
    """Store the carrier's report on a trial; return False if it is about none or comes late."""
    if status not in STATUSES:
        return False
    with transaction.atomic():
        row = CarrierAccount.objects.select_for_update().filter(pk=ACCOUNT_KEY).first()
        if row is None:
            return False
        for trial in row.trials.values():
            is_later = STATUSES.index(trial["status"]) < STATUSES.index(status)
            if trial["carrier_id"] == carrier_id and is_later:
                trial |= {"status": status, "words": words, "reported_at": at.isoformat()}
                CarrierAccount.objects.filter(pk=ACCOUNT_KEY).update(trials=row.trials)
                transaction.on_commit(carrier_account.forget_stored_account)
                return True
    return False


def _try(kind: str, user: User, at: datetime) -> None:
    phone = officer_calls.staff_phone(user)
    sender = next(iter(carrier_account.account_in_force().numbers), "")
    if not phone:
        raise CannotTry("Add your phone number first.")
    if not sender:
        raise CannotTry("Choose the numbers that Rooftree texts and calls from first.")
    if sending_pause.is_sending_paused():
        raise CannotTry("Sending is paused. Resume it under Setup, Sending.")
    if shadow_mode.is_shadow_on():
        raise CannotTry(f"{shadow_mode.NOTHING_SENT} Try again after shadow mode.")
    base = f"{settings.PUBLIC_URL}/in/twilio/trial"
    trial: dict[str, Any] = {"status": "accepted", "words": "", "carrier_id": "", "problem": ""}
    trial |= {"to": phone[-4:], "from": sender, "at": at.isoformat(), "reported_at": ""}
    try:
        if kind == "text":
            receipt = officer_calls.text_user(
                user, body=TRIAL_TEXT, status_callback=f"{base}/status/"
            )
        else:
            receipt = officer_calls.call_user(
                user, url=f"{base}/", status_callback=f"{base}/status/"
            )
    except VendorError as problem:
        trial |= {"status": "failed", "problem": str(problem)[:300]}
    else:
        trial["carrier_id"] = receipt.carrier_id
    with transaction.atomic():
        row, _ = CarrierAccount.objects.select_for_update().get_or_create(pk=ACCOUNT_KEY)
        CarrierAccount.objects.filter(pk=ACCOUNT_KEY).update(trials=row.trials | {kind: trial})
        transaction.on_commit(carrier_account.forget_stored_account)
        write_event(f"org.carrier.tried_{kind}", at=at, actor=f"user:{user.pk}")
