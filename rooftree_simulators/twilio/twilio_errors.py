"""Twilio's answers: errors by code, dates, identifiers, form bodies."""

import secrets
from datetime import UTC, date, datetime
from email.utils import format_datetime
from urllib.parse import urlencode

from rooftree_simulators.vendor_base import Json, Reply, ReplyError, Request, json_reply

API_VERSION = "2010-04-01"

# code -> (HTTP status, our wording of its meaning)
ERROR_CODES = {
    20001: (400, "A parameter is not known or not valid."),
    20003: (401, "Authenticate"),
    20005: (403, "Account not active"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url is not a valid URL"),
    21210: (400, "The 'From' number is not one of this account's"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21212: (400, "The 'From' number is not a valid phone number."),
    21213: (400, "No 'From' number is specified"),
    21220: (400, "The call is not in a state in which it can be changed"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21402: (400, "VoiceUrl is not a valid URL"),
    21408: (400, "No permission to send to this region"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number cannot send messages for this account."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "The 'From' number's queue is full."),
    21612: (400, "The 'To' number cannot be reached from this 'From' number."),
    21614: (400, "The 'To' number is not a mobile number."),
    21617: (400, "The message body is longer than 1600 characters."),
    20009: (409, "The message cannot be changed before its delivery has ended."),
    21421: (400, "PhoneNumber is not valid."),
    21422: (400, "PhoneNumber is not available."),
    30409: (400, "The message cannot be canceled."),
    35114: (400, "SendAt must be between 15 minutes and 35 days from now."),
    35118: (400, "MessagingServiceSid is required to schedule a message."),
    21502: (400, "SmsUrl is not a valid URL"),
    21701: (404, "The Messaging Service does not exist."),
}


def error_reply(code: int, detail: str = "") -> Reply:
    """Build an error answer in Twilio's format."""
    status, message = ERROR_CODES[code]
    content = {
        "code": code,
        "message": detail or message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return json_reply(status, content)


def reply_error(code: int, detail: str = "") -> ReplyError:
    return ReplyError(error_reply(code, detail))


def new_sid(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(16)}"


def format_date(at: datetime | None) -> str | None:
    """Format a time as RFC 2822 in UTC, as the 2010 API does; None stays None."""
    return format_datetime(at.astimezone(UTC)) if at else None


def iso_date(at: datetime) -> str:
    """Format a time as the newer interfaces do."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def list_reply(request: Request, key: str, rows: list[Json]) -> Reply:
    """Answer one page of rows in the 2010 API's form, with the links to other pages."""
    query = [(name, value) for name, value in request.query if name not in ("Page", "PageToken")]
    size, page = read_paging(dict(request.query))
    place = f"{request.path}?{urlencode([*query, ('Page', '')])}"
    shown = rows[page * size : (page + 1) * size]
    content: Json = {
        key: shown,
        "end": page * size + max(len(shown) - 1, 0),
        "first_page_uri": f"{place}0",
        "next_page_uri": f"{place}{page + 1}" if (page + 1) * size < len(rows) else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": f"{place}{page - 1}" if page else None,
        "start": page * size,
        "uri": f"{place}{page}",
    }
    return json_reply(200, content)


def matches_day(query: dict[str, str], name: str, at: datetime | None) -> bool:
    """Decide whether a moment is on, before or after the days of a filter such as `StartTime<`."""
    filters = {sign: query[name + sign] for sign in ("", "<", ">") if name + sign in query}
    if not filters or at is None:
        return not filters
    day = at.astimezone(UTC).date()
    try:
        days = {sign: date.fromisoformat(text[:10]) for sign, text in filters.items()}
    except ValueError as problem:
        raise reply_error(20001, f"Not a date: {problem}") from problem
    return day == days.get("", day) and day <= days.get("<", day) and day >= days.get(">", day)


def read_form(request: Request, known_names: set[str]) -> dict[str, str]:
    """Read the form, joining repeated names by spaces. Refuses parameters Twilio lacks."""
    fields: dict[str, str] = {}
    for name, value in request.form:
        fields[name] = f"{fields[name]} {value}" if name in fields else value
    unknown = fields.keys() - known_names
    if unknown:
        raise reply_error(20001, f"Unknown parameter: {', '.join(sorted(unknown))}")
    return fields


def read_paging(query: dict[str, str]) -> tuple[int, int]:
    """Read PageSize and Page of a list; 50 and 0 by default."""
    size, page = query.get("PageSize", "50"), query.get("Page", "0")
    if not (size.isdigit() and page.isdigit() and 1 <= int(size) <= 1000):
        raise reply_error(20001)
    return int(size), int(page)
