"""Messaging services and their senders, as messaging.twilio.com lists them (version 1)."""

from rooftree_simulators.twilio.twilio_account import TwilioAccount
from rooftree_simulators.twilio.twilio_errors import iso_date, reply_error
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply


def answer_services(account: TwilioAccount, request: Request, path: list[str]) -> Reply:
    """Handle GET /v1/Services, /v1/Services/{sid} and /v1/Services/{sid}/PhoneNumbers."""
    match request.method, *path:
        case ("GET",):
            rows = [_service_as_json(account, sid) for sid in sorted(account.services)]
            return _page_reply(request, "services", rows)
        case "GET", sid if sid in account.services:
            return json_reply(200, _service_as_json(account, sid))
        case "GET", sid, "PhoneNumbers" if sid in account.services:
            rows = [_sender_as_json(account, sid, number) for number in account.services[sid]]
            return _page_reply(request, "phone_numbers", rows)
    raise reply_error(20404, f"The requested resource {request.path} was not found")


def _service_as_json(account: TwilioAccount, sid: str) -> Json:
    now = iso_date(account.clock.now())
    return {
        "account_sid": account.sid,
        "date_created": now,
        "date_updated": now,
        "fallback_method": "POST",
        "fallback_url": None,
        "friendly_name": "Borrower messages",
        "inbound_method": "POST",
        "inbound_request_url": None,
        "links": {},
        "sid": sid,
        "smart_encoding": True,
        "status_callback": None,
        "sticky_sender": True,
        "synchronous_validation": False,
        "url": f"https://messaging.twilio.com/v1/Services/{sid}",
        "use_inbound_webhook_on_number": True,
        "us_app_to_person_registered": True,
        "usecase": "undeclared",
        "validity_period": 14400,
    }


def _sender_as_json(account: TwilioAccount, service: str, number: str) -> Json:
    line, now = account.line(number), iso_date(account.clock.now())
    return {
        "account_sid": account.sid,
        "capabilities": ["SMS", "MMS", "Voice"],
        "country_code": "US",
        "date_created": now,
        "date_updated": now,
        "phone_number": number,
        "service_sid": service,
        "sid": line.sid,
        "url": f"https://messaging.twilio.com/v1/Services/{service}/PhoneNumbers/{line.sid}",
    }


def _page_reply(request: Request, key: str, rows: list[Json]) -> Reply:
    url = f"https://messaging.twilio.com{request.path}?PageSize=50&Page=0"
    meta: Json = {
        "first_page_url": url,
        "key": key,
        "next_page_url": None,
        "page": 0,
        "page_size": 50,
        "previous_page_url": None,
        "url": url,
    }
    return json_reply(200, {"meta": meta, key: rows})
