"""What changes a stored message: redact, cancel, delete, its media, feedback on its delivery.

After the public pages of the Messages, Media and Message Feedback resources.
"""

from rooftree_simulators.twilio.message_api import TwilioMessage
from rooftree_simulators.twilio.twilio_account import TwilioAccount
from rooftree_simulators.twilio.twilio_errors import (
    API_VERSION,
    format_date,
    list_reply,
    read_form,
    reply_error,
)
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

_ENDED_STATUSES = {"delivered", "undelivered", "failed", "received", "canceled", "read"}


def update_message(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle POST …/Messages/{sid}.json: an empty Body redacts, Status canceled cancels."""
    message = get_message(account, sid)
    fields = read_form(request, {"Body", "Status"})
    if fields.get("Body") or fields.get("Status", "canceled") != "canceled":
        raise reply_error(20001, "Body can only be emptied, and Status only be 'canceled'.")
    if "Body" in fields:
        _require_end(message)
    with account.lock:
        if "Status" in fields and message.status != "scheduled":
            raise reply_error(30409)
        if "Status" in fields:
            message.status = "canceled"
        if "Body" in fields:
            message.body = ""
        message.updated_at = account.clock.now()
    return json_reply(200, message.as_json())


def delete_message(account: TwilioAccount, sid: str) -> Reply:
    """Handle DELETE …/Messages/{sid}.json."""
    message = get_message(account, sid)
    _require_end(message)
    with account.lock:
        account.messages.pop(sid, None)
    return Reply(status=204)


def list_media(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle GET …/Messages/{sid}/Media.json."""
    message = get_message(account, sid)
    rows: list[Json] = [
        {
            "account_sid": account.sid,
            "content_type": "application/octet-stream",
            "date_created": format_date(message.created_at),
            "date_updated": format_date(message.updated_at),
            "parent_sid": sid,
            "sid": media_sid,
            "uri": f"/{API_VERSION}/Accounts/{account.sid}/Messages/{sid}/Media/{media_sid}.json",
        }
        for media_sid in message.media
    ]
    return list_reply(request, "media_list", rows)


def create_feedback(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle POST …/Messages/{sid}/Feedback.json: whether the person got the message."""
    message = get_message(account, sid)
    outcome = read_form(request, {"Outcome"}).get("Outcome", "confirmed")
    if outcome not in {"confirmed", "unconfirmed"}:
        raise reply_error(20001, f"Outcome '{outcome}' is not valid")
    now = format_date(account.clock.now())
    content = {
        "account_sid": account.sid,
        "date_created": now,
        "date_updated": now,
        "message_sid": sid,
        "outcome": outcome,
        "uri": f"/{API_VERSION}/Accounts/{account.sid}/Messages/{message.sid}/Feedback.json",
    }
    return json_reply(201, content)


def get_message(account: TwilioAccount, sid: str) -> TwilioMessage:
    """Return the message with this id. Raises `ReplyError` (404) for an unknown one."""
    message: TwilioMessage | None = account.messages.get(sid)
    if message is None:
        raise reply_error(20404)
    return message


def _require_end(message: TwilioMessage) -> None:
    if message.status not in _ENDED_STATUSES:
        raise reply_error(20009)
