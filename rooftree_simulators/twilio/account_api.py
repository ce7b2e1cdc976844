"""The account and its phone numbers: read, list, and change the webhooks of a number."""

from urllib.parse import urlsplit

from rooftree_simulators.twilio.twilio_account import AccountLine, TwilioAccount
from rooftree_simulators.twilio.twilio_errors import (
    API_VERSION,
    format_date,
    read_form,
    read_paging,
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
}
_METHODS = {"SmsMethod", "VoiceMethod", "StatusCallbackMethod"}


def read_account(account: TwilioAccount) -> Reply:
    """Handle GET /Accounts/{sid}.json; Twilio answers it for a suspended account, too."""
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
    return json_reply(200, content)


def list_numbers(account: TwilioAccount, request: Request) -> Reply:
    """Handle GET …/IncomingPhoneNumbers.json, by page."""
    query = dict(request.query)
    if query.keys() - {"PhoneNumber", "PageSize", "Page"}:
        raise reply_error(20001)
    with account.lock:
        lines = sorted(account.lines.values(), key=lambda line: line.number)
    lines = [line for line in lines if query.get("PhoneNumber", "") in line.number]
    size, page = read_paging(query)
    place = f"/{API_VERSION}/Accounts/{account.sid}/IncomingPhoneNumbers.json?PageSize={size}"
    has_more = (page + 1) * size < len(lines)
    shown = lines[page * size : (page + 1) * size]
    content: Json = {
        "end": page * size + max(len(shown) - 1, 0),
        "first_page_uri": f"{place}&Page=0",
        "incoming_phone_numbers": [_number_as_json(account, line) for line in shown],
        "next_page_uri": f"{place}&Page={page + 1}" if has_more else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": f"{place}&Page={page - 1}" if page else None,
        "start": page * size,
        "uri": f"{place}&Page={page}",
    }
    return json_reply(200, content)


def read_number(account: TwilioAccount, sid: str) -> Reply:
    """Handle GET …/IncomingPhoneNumbers/{sid}.json."""
    return json_reply(200, _number_as_json(account, _find_line(account, sid)))


def update_number(account: TwilioAccount, request: Request, sid: str) -> Reply:
    """Handle POST …/IncomingPhoneNumbers/{sid}.json: change webhooks and what overrides them."""
    line = _find_line(account, sid)
    fields = read_form(request, {*_FIELDS, *_METHODS, "FriendlyName"})
    for name, (_, error) in _FIELDS.items():
        url = fields.get(name, "")
        if error and url and not urlsplit(url).hostname:
            raise reply_error(error)
    with account.lock:
        for name, (attribute, _) in _FIELDS.items():
            if name in fields:
                setattr(line, attribute, fields[name])
    return json_reply(200, _number_as_json(account, line))


def _find_line(account: TwilioAccount, sid: str) -> AccountLine:
    with account.lock:
        for line in account.lines.values():
            if line.sid == sid:
                return line
    raise reply_error(20404)


def _number_as_json(account: TwilioAccount, line: AccountLine) -> Json:
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
        "friendly_name": line.number,
        "origin": "twilio",
        "phone_number": line.number,
        "sid": line.sid,
        "sms_application_sid": line.sms_application_sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
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
        "voice_fallback_url": None,
        "voice_method": "POST",
        "voice_url": line.voice_url,
    }
