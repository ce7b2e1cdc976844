"""The account and its phone numbers: read, list, and change the webhooks of a number."""

from urllib.parse import urlsplit

from rooftree_simulators.twilio.twilio_account import AccountLine, TwilioAccount
from rooftree_simulators.twilio.twilio_errors import (
    API_VERSION,
    format_date,
    list_reply,
    read_form,
    reply_error,
)
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

# Twilio's name of a parameter -> our attribute and the error for a bad URL
_FIELDS = {
    "SmsUrl": ("sms_url", 21502),
    "VoiceUrl": ("voice_url", 21402),
    "StatusCallback": ("status_callback", 21609),
    "SmsApplicationSid": ("sms_application_sid", 0),
    "VoiceApplicationSid": ("voice_application_sid", 0),
    "TrunkSid": ("trunk_sid", 0),
    "FriendlyName": ("friendly_name", 0),
    "SmsFallbackUrl": ("sms_fallback_url", 21502),
    "VoiceFallbackUrl": ("voice_fallback_url", 21402),
}
# Taken and answered as they were: they change nothing that a lender's connection sees.
_OTHER_FIELDS = {
    *("PhoneNumber", "AreaCode", "SmsFallbackMethod", "VoiceFallbackMethod"),
    *("VoiceCallerIdLookup", "VoiceReceiveMode", "AddressSid", "EmergencyStatus"),
}
_FILTERS = {"PhoneNumber", "FriendlyName", "Origin", "Beta", "PageSize", "Page", "PageToken"}
_METHODS = {"SmsMethod", "VoiceMethod", "StatusCallbackMethod"}


def read_account(account: TwilioAccount) -> Reply:
    """Handle GET /Accounts/{sid}.json; Twilio answers it for a suspended account, too."""
    return json_reply(200, _account_as_json(account))


def list_accounts(account: TwilioAccount, request: Request) -> Reply:
    """Handle GET /Accounts.json: the account itself; it has no subaccounts."""
    return list_reply(request, "accounts", [_account_as_json(account)])


def update_account(account: TwilioAccount, request: Request) -> Reply:
    """Handle POST /Accounts/{sid}.json: rename, suspend or close the account."""
    fields = read_form(request, {"FriendlyName", "Status"})
    if fields.get("Status", "active") not in {"active", "suspended", "closed"}:
        raise reply_error(20001)
    with account.lock:
        account.friendly_name = fields.get("FriendlyName", account.friendly_name)
        account.status = fields.get("Status", account.status)
    return read_account(account)


def read_balance(account: TwilioAccount) -> Reply:
    """Handle GET …/Balance.json."""
    content = {"account_sid": account.sid, "balance": "25.00", "currency": "USD"}
    return json_reply(200, content)


def _account_as_json(account: TwilioAccount) -> Json:
    place = f"/{API_VERSION}/Accounts/{account.sid}"
    now = format_date(account.clock.now())
    content: Json = {
        "auth_token": account.auth_token,
        "date_created": now,
        "date_updated": now,
        "friendly_name": account.friendly_name,
        "owner_account_sid": account.sid,
        "sid": account.sid,
        "status": account.status,
        "subresource_uris": {"incoming_phone_numbers": f"{place}/IncomingPhoneNumbers.json"},
        "type": account.kind,
        "uri": f"{place}.json",
    }
    return content


def list_numbers(account: TwilioAccount, request: Request) -> Reply:
    """Handle GET …/IncomingPhoneNumbers.json, by page."""
    query = dict(request.query)
    if query.keys() - _FILTERS:
        raise reply_error(20001)
    with account.lock:
        lines = sorted(account.lines.values(), key=lambda line: line.number)
    lines = [
        line
        for line in lines
        if query.get("PhoneNumber", "").strip("*") in line.number
        and query.get("FriendlyName", line.friendly_name or line.number)
        == (line.friendly_name or line.number)
    ]
    return list_reply(
        request, "incoming_phone_numbers", [number_as_json(account, line) for line in lines]
    )


def read_number(account: TwilioAccount, sid: str) -> Reply:
    """Handle GET …/IncomingPhoneNumbers/{sid}.json."""
    return json_reply(200, number_as_json(account, find_line(account, sid)))


def update_number(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle POST …/IncomingPhoneNumbers/{sid}.json: change webhooks and what overrides them."""
    line = find_line(account, sid)
    fields = read_form(request, {*_FIELDS, *_METHODS, *_OTHER_FIELDS})
    for name, (_, error) in _FIELDS.items():
        url = fields.get(name, "")
        if error and url and not urlsplit(url).hostname:
            raise reply_error(error)
    with account.lock:
        for name, (attribute, _) in _FIELDS.items():
            if name in fields:
                setattr(line, attribute, fields[name])
    return json_reply(200, number_as_json(account, line))


def find_line(account: TwilioAccount, sid: str) -> AccountLine:
    """Return the number with this id. Raises `ReplyError` (404) for an unknown one."""
    with account.lock:
        for line in account.lines.values():
            if line.sid == sid:
                return line
    raise reply_error(20404)


def number_as_json(account: TwilioAccount, line: AccountLine) -> Json:
    """Return a number as Twilio shows it."""
    now = format_date(account.clock.now())
    return {
        "account_sid": account.sid,
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {
            "fax": False,
            "mms": line.can_text,
            "sms": line.can_text,
            "voice": line.can_call,
        },
        "date_created": now,
        "date_updated": now,
        "friendly_name": line.friendly_name or line.number,
        "origin": "twilio",
        "phone_number": line.number,
        "sid": line.sid,
        "sms_application_sid": line.sms_application_sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": line.sms_fallback_url,
        "sms_method": "POST",
        "sms_url": line.sms_url,
        "status": "in-use",
        "status_callback": line.status_callback,
        "status_callback_method": "POST",
        "trunk_sid": line.trunk_sid or None,
        "uri": f"/{API_VERSION}/Accounts/{account.sid}/IncomingPhoneNumbers/{line.sid}.json",
        "voice_application_sid": line.voice_application_sid or None,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": line.voice_fallback_url or None,
        "voice_method": "POST",
        "voice_url": line.voice_url,
    }
