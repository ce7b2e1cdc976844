"""Contact Center Compliance: its Full Scrub, version 5, and its query of the FCC's database.

After docs.dncscrub.com (Scrub multiple numbers, Output guide, RND Basic). As a caller agent
it asks the Reassigned Numbers Database for us, once the letter of authorization is filed.
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
MAX_NUMBERS = 1000  # of RND Basic; a scrub takes 10,000
CLEAN_CODES = frozenset("CWLEFGY")  # on no list, whatever else it says of the line
LISTED_CODES = frozenset("DXHOV")  # also where the vendor knows an exemption: ours are our own
PROJECT_LIST_CODE = "P"  # on the project's own list; "no further checks are performed"
LIST_CODES_BY_NAME = {name.lower(): code for code, name in STATE_NAMES.items()} | {
    "national": "US",
    "litigator": "LITIGATOR",
    "internal": "INTERNAL",
    "project": "INTERNAL",
}


def check_lists(account: VendorAccount, numbers: Sequence[str]) -> dict[str, NumberAnswer]:
    """See `shapes.Adapter`."""
    body = {"phoneList": ",".join(map(_ten_digits, numbers)), "version": "5", "output": "json"}
    if account.project:
        body["projId"] = account.project
    rows = _request_rows(account, QuestionKind.LISTS, "app/main/rpc/scrub", body)
    found = {f"+1{row.get('Phone', '')}": _list_answer(row, account.covers) for row in rows}
    return {number: found[number] for number in numbers if number in found}


def check_reassigned(account: VendorAccount, asked: Mapping[str, date]) -> dict[str, NumberAnswer]:
    """See `shapes.Adapter`."""
    body: dict[str, Any] = {
        "data": [
            {"phoneNumber": _ten_digits(number), "date": f"{since:%Y%m%d}"}
            for number, since in asked.items()
        ]
    }
    if account.project:
        body["projId"] = account.project
    rows = _request_rows(account, QuestionKind.REASSIGNED, "v1.5/Data/RNDBasic", body)
    if any(row.get("IsSandBox") for row in rows):
        raise Misconfigured(f"{NAME} answers from its sandbox, by chance; use the real key.")
    found = {f"+1{row.get('PhoneNumber', '')}": _reassigned_answer(row) for row in rows}
    return {number: found[number] for number in asked if number in found}


def _list_answer(row: Mapping[str, Any], covers: Sequence[str]) -> NumberAnswer:
    """A code that is none of ours, as for an area code outside the subscription, says nothing."""
    code = str(row.get("ResultCode", ""))
    if code in CLEAN_CODES:
        return NumberAnswer(raw=row, covers=tuple(covers))
    if code == PROJECT_LIST_CODE:
        return NumberAnswer(raw=row, covers=("INTERNAL",), listed=("INTERNAL",))
    if code in LISTED_CODES:
        named = _lists_in_reason(str(row.get("Reason", ""))) or tuple(covers)
        return NumberAnswer(raw=row, covers=named, listed=named)
    return NumberAnswer(raw=row)


def _lists_in_reason(reason: str) -> tuple[str, ...]:
    """The lists that a reason names, as `National (USA) 2003-06-01;;;`; none unless all are known.

    Of the others it says nothing, as it may have stopped at the first.
    """
    parts = [part.split("(")[0].strip().lower() for part in reason.replace(",", ";").split(";")]
    found = [LIST_CODES_BY_NAME.get(part, "") for part in parts if part and part != "w"]
    return tuple(found) if all(found) else ()


def _reassigned_answer(row: Mapping[str, Any]) -> NumberAnswer:
    """A no without the safe harbor proves as little as no data (47 CFR 64.1200(m))."""
    changed, is_safe = row.get("IsReassigned"), row.get("HasSafeHarbor") is True
    if changed is True:
        return NumberAnswer(raw=row, response="yes")
    return NumberAnswer(raw=row, response="no" if changed is False and is_safe else "no_data")


def _request_rows(
    account: VendorAccount, kind: QuestionKind, path: str, body: Mapping[str, Any]
) -> list[Any]:
    ask = http_client.VendorRequest(
        method="POST", path=path, is_idempotent=True, headers={"loginId": account.key}, json=body
    )
    rows = _client(account.urls[kind]).send(ask).json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RetryLater(f"{NAME} gave no list of answers.")
    return rows


@cache
def _client(address: str) -> http_client.VendorClient:
    return http_client.VendorClient(
        address, limits=http_client.ClientLimits(read_timeout_seconds=30, total_timeout_seconds=90)
    )


def _ten_digits(number: str) -> str:
    return number.removeprefix("+1")
