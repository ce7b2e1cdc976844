"""The pipeline search: a lagging copy of the reportable fields, filters, cursors."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from rooftree_simulators.encompass.encompass_errors import (
    bad_request_error,
    check_parameters,
    error_reply,
    read_json_body,
    read_whole_number,
)
from rooftree_simulators.encompass.encompass_instance import EncompassInstance
from rooftree_simulators.vendor_base import Json, Reply, ReplyError, Request, json_reply

_MAX_ROWS = 1000
_MAX_CURSORS = 10
_CURSOR_IDLE = timedelta(minutes=5)
_CURSOR_LIFETIME = timedelta(hours=1)
_KNOWN_KEYS = {
    "fields",
    "filter",
    "sortOrder",
    "loanFolders",
    "includeArchivedLoans",
    "loanOwnership",
    "orgType",
}


def _sort_key(text: str) -> tuple[int, float | str]:
    """Numbers and dates compare by size, everything else by letter."""
    try:
        return 0, float(text)
    except ValueError:
        pass
    for pattern in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return 0, datetime.strptime(text, pattern).replace(tzinfo=None).timestamp()  # noqa: DTZ007
        except ValueError:
            continue
    try:
        return 0, datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 1, text.lower()


_MATCH_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda kept, asked: kept.lower() == asked.lower(),
    "startsWith": lambda kept, asked: kept.lower().startswith(asked.lower()),
    "contains": lambda kept, asked: asked.lower() in kept.lower(),
    "greaterThan": lambda kept, asked: kept != "" and _sort_key(kept) > _sort_key(asked),
    "greaterThanOrEquals": lambda kept, asked: kept != "" and _sort_key(kept) >= _sort_key(asked),
    "lessThan": lambda kept, asked: kept != "" and _sort_key(kept) < _sort_key(asked),
    "lessThanOrEquals": lambda kept, asked: kept != "" and _sort_key(kept) <= _sort_key(asked),
    "notEquals": lambda kept, asked: kept.lower() != asked.lower(),
    "isEmpty": lambda kept, asked: kept == "",
    "isNotEmpty": lambda kept, asked: kept != "",
}


def search_pipeline(office: EncompassInstance, request: Request) -> Reply:
    """POST /encompass/v3/loanPipeline."""
    check_parameters(request, "start", "limit", "cursorType", "cursor")
    start = read_whole_number(request, "start", 0)
    limit = read_whole_number(request, "limit", _MAX_ROWS)
    if limit > _MAX_ROWS:
        raise bad_request_error(f"limit may be at most {_MAX_ROWS}.")
    body = read_json_body(request, dict, empty={} if request.parameter("cursor") else None)
    headers: list[tuple[str, str]] = []
    if request.parameter("cursor"):
        rows = _cursor_rows(office, request.parameter("cursor"))
    else:
        rows = _find_rows(office, body)
        if request.parameter("cursorType") == "randomAccess":
            headers.append(("X-Cursor", _open_cursor(office, rows)))
    headers.append(("X-Total-Count", str(len(rows))))
    return json_reply(200, rows[start : start + limit], *headers)


def _find_rows(office: EncompassInstance, body: Json) -> list[Json]:
    unknown = body.keys() - _KNOWN_KEYS
    if unknown:
        raise bad_request_error(f"Unknown property: {', '.join(sorted(unknown))}")
    fields = list(body.get("fields") or ["Loan.GUID"])
    order = list(body.get("sortOrder") or [])
    for name in [*fields, *(str(item.get("canonicalName")) for item in order)]:
        _check_reportable(office, name)
    _check_filter(office, body.get("filter"))
    lag = timedelta(seconds=float(office.switches.values["pipeline_lag_s"]))
    seen_at = office.clock.now() - lag
    with office.lock:
        copies = [(loan, loan.reported_row(seen_at)) for loan in office.loans.values()]
    rows = [(loan.guid, row) for loan, row in copies if row is not None]
    folders = set(body.get("loanFolders") or [])
    kept = [
        (guid, row)
        for guid, row in rows
        if (not folders or row["Loan.LoanFolder"] in folders)
        and _matches_filter(row, body.get("filter"))
    ]
    for item in reversed(order):
        name, down = str(item["canonicalName"]), str(item.get("order", "asc")).lower()
        kept.sort(
            key=lambda pair, name=name: _sort_key(pair[1][name]), reverse=down.startswith("d")
        )  # type: ignore[misc]
    return [{"loanId": guid, "fields": {name: row[name] for name in fields}} for guid, row in kept]


def _check_reportable(office: EncompassInstance, name: str) -> None:
    if name not in office.reportable:
        raise bad_request_error(
            "A field is not in the reporting database.", [(name, "Not reportable.")]
        )


def _check_filter(office: EncompassInstance, node: Any) -> None:
    """Refuse a filter with an unknown operator, match or field."""
    if node is None:
        return
    if not isinstance(node, dict):
        raise bad_request_error("filter must be an object.")
    if "terms" in node:
        if node.get("operator") not in {"and", "or"}:
            raise bad_request_error("operator must be and or or.")
        for term in node["terms"]:
            _check_filter(office, term)
        return
    if node.get("matchType") not in _MATCH_OPERATORS:
        raise bad_request_error(f"Unknown matchType {node.get('matchType')}.")
    _check_reportable(office, str(node.get("canonicalName")))


def _matches_filter(row: Json, node: Any) -> bool:
    if node is None:
        return True
    if "terms" in node:
        results = [_matches_filter(row, term) for term in node["terms"]]
        return all(results) if node["operator"] == "and" else any(results)
    kept = str(row[node["canonicalName"]])
    return _MATCH_OPERATORS[node["matchType"]](kept, str(node.get("value", "")))


def _open_cursor(office: EncompassInstance, rows: list[Json]) -> str:
    now = office.clock.now()
    for name in [name for name, kept in office.cursors.items() if _is_expired(kept, now)]:
        del office.cursors[name]
    if len(office.cursors) >= _MAX_CURSORS:
        raise ReplyError(error_reply(429, "Too Many Requests", "No more cursors."))
    name = str(uuid.uuid4())
    office.cursors[name] = {"rows": rows, "opened": now, "used": now}
    return name


def _is_expired(cursor: Json, now: datetime) -> bool:
    too_idle: bool = now - cursor["used"] > _CURSOR_IDLE
    return too_idle or bool(now - cursor["opened"] > _CURSOR_LIFETIME)


def _cursor_rows(office: EncompassInstance, name: str) -> list[Json]:
    cursor = office.cursors.get(name)
    now = office.clock.now()
    if cursor is None or _is_expired(cursor, now):
        office.cursors.pop(name, None)
        raise bad_request_error("The cursor has ended.")
    cursor["used"] = now
    rows: list[Json] = cursor["rows"]
    return rows
