"""Contact Center Compliance: Full Scrub, version 5, and its query of the FCC's database.

From docs.dncscrub.com (Scrub multiple numbers, Output guide, RND Basic). As a caller agent, it
queries the Reassigned Numbers Database for the company once the letter of authorization is
filed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from rooftree.compliance.numbers.number_vendor import NumberAnswer, QuestionKind, VendorAccount
from rooftree.core import http_client
from rooftree.core.area_codes_and_zones import STATE_NAMES
from rooftree.core.vendor_errors import Misconfigured, RetryLater

NAME = "DNCScrub"
ADDRESSES = {
    QuestionKind.LISTS: "https://www.dncscrub.com",
    QuestionKind.REASSIGNED: "https://dataapi.dncscrub.com",
}
MAX_NUMBERS = 1000  # limit of RND Basic; a scrub accepts 10,000
CLEAN_CODES = frozenset("CWLEFGY")  # on no list, whatever else the code says about the line
LISTED_CODES = frozenset("DXHOV")  # also with a vendor's exemption: the gate has its own
PROJECT_LIST_CODE = "P"  # project list; "no further checks are performed"
LIST_CODES_BY_NAME = {name.lower(): code for code, name in STATE_NAMES.items()} | {
    "national": "US",
    "litigator": "LITIGATOR",
    "internal": "INTERNAL",
    "project": "INTERNAL",
}


def check_lists(account: VendorAccount, numbers: Sequence[str]) -> dict[str, NumberAnswer]:
    """Return, by number (E.164), the lists it is on; see `NumberVendor`."""
    body = {"phoneList": ",".join(map(_ten_digits, numbers)), "version": "5", "output": "json"}
    if account.project:
        body["projId"] = account.project
    rows = _request_rows(account, QuestionKind.LISTS, "app/main/rpc/scrub", body)
    answers = {f"+1{row.get('Phone', '')}": _list_answer(row, account.covers) for row in rows}
    return {number: answers[number] for number in numbers if number in answers}


def check_reassigned(account: VendorAccount, dates: Mapping[str, date]) -> dict[str, NumberAnswer]:
    """Return, by number, whether it was reassigned after its day; see `NumberVendor`."""
    body: dict[str, Any] = {
        "data": [
            {"phoneNumber": _ten_digits(number), "date": f"{since:%Y%m%d}"}
            for number, since in dates.items()
        ]
    }
    if account.project:
        body["projId"] = account.project
    rows = _request_rows(account, QuestionKind.REASSIGNED, "v1.5/Data/RNDBasic", body)
    if any(row.get("IsSandBox") for row in rows):
        raise Misconfigured(f"{NAME} sends random sandbox answers. Use the production key.")
    answers = {f"+1{row.get('PhoneNumber', '')}": _reassigned_answer(row) for row in rows}
    return {number: answers[number] for number in dates if number in answers}


def _list_answer(row: Mapping[str, Any], covers: Sequence[str]) -> NumberAnswer:
    """Read a result; an unknown code, as for an unsubscribed area code, is no answer."""
    code = str(row.get("ResultCode", ""))
    if code in CLEAN_CODES:
        return NumberAnswer(raw=row, covers=tuple(covers))
    if code == PROJECT_LIST_CODE:
        return NumberAnswer(raw=row, covers=("INTERNAL",), listed=("INTERNAL",))
    if code in LISTED_CODES:
        lists = _lists_in_reason(str(row.get("Reason", ""))) or tuple(covers)
        return NumberAnswer(raw=row, covers=lists, listed=lists)
    return NumberAnswer(raw=row)


def _lists_in_reason(reason: str) -> tuple[str, ...]:
    """Return the lists in a reason like `National (USA) 2003-06-01;;;`, if all are known.

    The reason says nothing about other lists: the vendor might stop at the first.
    """
    parts = [part.split("(")[0].strip().lower() for part in reason.replace(",", ";").split(";")]
    codes = [LIST_CODES_BY_NAME.get(part, "") for part in parts if part and part != "w"]
    return tuple(codes) if all(codes) else ()


def _reassigned_answer(row: Mapping[str, Any]) -> NumberAnswer:
    """Read a result; a no without the safe harbor counts as no data (47 CFR 64.1200(m))."""
    is_reassigned, is_safe = row.get("IsReassigned"), row.get("HasSafeHarbor") is True
    if is_reassigned is True:
        return NumberAnswer(raw=row, response="yes")
    is_no = is_reassigned is False and is_safe
    return NumberAnswer(raw=row, response="no" if is_no else "no_data")


def _request_rows(
    account: VendorAccount, kind: QuestionKind, path: str, body: Mapping[str, Any]
) -> list[Any]:
    ask = http_client.VendorRequest(
        method="POST", path=path, is_idempotent=True, headers={"loginId": account.key}, json=body
    )
    rows = _client(account.urls[kind]).send(ask).json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RetryLater(f"{NAME} didn't return a list of answers.")
    return rows


@cache
def _client(address: str) -> http_client.VendorClient:
    return http_client.VendorClient(
        address, limits=http_client.ClientLimits(read_timeout_seconds=30, total_timeout_seconds=90)
    )


def _ten_digits(number: str) -> str:
    return number.removeprefix("+1")
