"""Contact Center Compliance: its Full Scrub, version 5, and its query of the FCC's database.

After docs.dncscrub.com (Scrub multiple numbers, Output guide, RND Basic). As a caller agent
it asks the Reassigned Numbers Database for us, once the letter of authorization is filed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from rooftree.compliance.numbers.shapes import Account, Kind, Said
from rooftree.core import http
from rooftree.core.failures import Misconfigured, TryLater
from rooftree.core.zones import STATE_NAMES

NAME = "DNCScrub"
ADDRESSES = {
    Kind.LISTS: "https://www.dncscrub.com",
    Kind.REASSIGNED: "https://dataapi.dncscrub.com",
}
MOST = 1000  # of RND Basic; a scrub takes 10,000
CLEAN = frozenset("CWLEFGY")  # on no list, whatever else it says of the line
ON_A_LIST = frozenset("DXHOV")  # also where the vendor knows an exemption: ours are our own
OURS_THERE = "P"  # on the project's own list; "no further checks are performed"
NAMES = {name.lower(): code for code, name in STATE_NAMES.items()} | {
    "national": "US",
    "litigator": "LITIGATOR",
    "internal": "INTERNAL",
    "project": "INTERNAL",
}


def lists(account: Account, numbers: Sequence[str]) -> dict[str, Said]:
    """See `shapes.Adapter`."""
    body = {"phoneList": ",".join(map(_ten, numbers)), "version": "5", "output": "json"}
    if account.project:
        body["projId"] = account.project
    rows = _asked(account, Kind.LISTS, "app/main/rpc/scrub", body)
    found = {f"+1{row.get('Phone', '')}": _listed(row, account.covers) for row in rows}
    return {number: found[number] for number in numbers if number in found}


def reassigned(account: Account, asked: Mapping[str, date]) -> dict[str, Said]:
    """See `shapes.Adapter`."""
    body: dict[str, Any] = {
        "data": [
            {"phoneNumber": _ten(number), "date": f"{since:%Y%m%d}"}
            for number, since in asked.items()
        ]
    }
    if account.project:
        body["projId"] = account.project
    rows = _asked(account, Kind.REASSIGNED, "v1.5/Data/RNDBasic", body)
    if any(row.get("IsSandBox") for row in rows):
        raise Misconfigured(f"{NAME} answers from its sandbox, by chance; use the real key.")
    found = {f"+1{row.get('PhoneNumber', '')}": _changed(row) for row in rows}
    return {number: found[number] for number in asked if number in found}


def _listed(row: Mapping[str, Any], covers: Sequence[str]) -> Said:
    """A code that is none of ours, as for an area code outside the subscription, says nothing."""
    code = str(row.get("ResultCode", ""))
    if code in CLEAN:
        return Said(words=row, covers=tuple(covers))
    if code == OURS_THERE:
        return Said(words=row, covers=("INTERNAL",), listed=("INTERNAL",))
    if code in ON_A_LIST:
        named = _named(str(row.get("Reason", ""))) or tuple(covers)
        return Said(words=row, covers=named, listed=named)
    return Said(words=row)


def _named(reason: str) -> tuple[str, ...]:
    """The lists that a reason names, as `National (USA) 2003-06-01;;;`; none unless all are known.

    Of the others it says nothing, as it may have stopped at the first.
    """
    parts = [part.split("(")[0].strip().lower() for part in reason.replace(",", ";").split(";")]
    found = [NAMES.get(part, "") for part in parts if part and part != "w"]
    return tuple(found) if all(found) else ()


def _changed(row: Mapping[str, Any]) -> Said:
    """A no without the safe harbor proves as little as no data (47 CFR 64.1200(m))."""
    changed, is_safe = row.get("IsReassigned"), row.get("HasSafeHarbor") is True
    if changed is True:
        return Said(words=row, response="yes")
    return Said(words=row, response="no" if changed is False and is_safe else "no_data")


def _asked(account: Account, kind: Kind, path: str, body: Mapping[str, Any]) -> list[Any]:
    ask = http.Ask(
        method="POST", path=path, repeatable=True, headers={"loginId": account.key}, json=body
    )
    rows = _client(account.addresses[kind]).ask(ask).json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TryLater(f"{NAME} gave no list of answers.")
    return rows


@cache
def _client(address: str) -> http.Client:
    return http.Client(address, limits=http.Limits(silence_seconds=30, answer_seconds=90))


def _ten(number: str) -> str:
    return number.removeprefix("+1")
