"""Numbers for sale: search the ones on offer, buy one, release one.

After the public pages of AvailablePhoneNumbers and IncomingPhoneNumbers. What is on offer is made
up from the area code: ten numbers of the range that is never assigned.
"""

from rooftree_simulators.twilio.account_api import find_line, number_as_json, update_number
from rooftree_simulators.twilio.twilio_account import AccountLine, TwilioAccount, is_valid_number
from rooftree_simulators.twilio.twilio_errors import API_VERSION, reply_error
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

NUMBER_KINDS = {"Local": ("available_phone_numbers", "512"), "TollFree": ("", "833")}
_MAX_OFFERED = 10


def list_available(account: TwilioAccount, request: Request, country: str, kind: str) -> Reply:
    """Handle GET …/AvailablePhoneNumbers/{country}/Local.json and TollFree.json."""
    if country != "US" or kind not in NUMBER_KINDS:
        raise reply_error(20404)
    area = request.parameter("AreaCode") or NUMBER_KINDS[kind][1]
    size = min(int(request.parameter("PageSize", "10")), _MAX_OFFERED)
    with account.lock:
        rows: list[Json] = [
            {
                "address_requirements": "none",
                "beta": False,
                "capabilities": {"MMS": True, "SMS": True, "fax": False, "voice": True},
                "friendly_name": f"({area}) 555-{place:04}",
                "iso_country": "US",
                "lata": None,
                "latitude": None,
                "locality": None,
                "longitude": None,
                "phone_number": f"+1{area}555{place:04}",
                "postal_code": None,
                "rate_center": None,
                "region": None,
            }
            for place in range(150, 150 + _MAX_OFFERED)
            if f"+1{area}555{place:04}" not in account.lines
        ]
    place = f"/{API_VERSION}/Accounts/{account.sid}/AvailablePhoneNumbers/{country}/{kind}.json"
    return json_reply(200, {"available_phone_numbers": rows[:size], "uri": place})


def buy_number(account: TwilioAccount, request: Request) -> Reply:
    """Handle POST …/IncomingPhoneNumbers.json: by number, or any of an area code."""
    fields = dict(request.form)
    number = fields.get("PhoneNumber", "")
    if not number and fields.get("AreaCode"):
        number = f"+1{fields['AreaCode']}5550150"
    if not is_valid_number(number):
        raise reply_error(21421)
    with account.lock:
        if number in account.lines:
            raise reply_error(21422)
        line = account.lines[number] = AccountLine(number=number)
    update_number(account, request, line.sid)
    return json_reply(201, number_as_json(account, line))


def release_number(account: TwilioAccount, sid: str) -> Reply:
    """Handle DELETE …/IncomingPhoneNumbers/{sid}.json."""
    line = find_line(account, sid)
    with account.lock:
        account.lines.pop(line.number, None)
    return Reply(status=204)
