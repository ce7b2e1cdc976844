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
    """Sort numbers and dates by size, everything else alphabetically."""
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
    "exact": lambda value, operand: value.lower() == operand.lower(),
    "startsWith": lambda value, operand: value.lower().startswith(operand.lower()),
    "contains": lambda value, operand: operand.lower() in value.lower(),
    "greaterThan": lambda value, operand: value != "" and _sort_key(value) > _sort_key(operand),
    "greaterThanOrEquals": lambda value, operand: (
        value != "" and _sort_key(value) >= _sort_key(operand)
    ),
    "lessThan": lambda value, operand: value != "" and _sort_key(value) < _sort_key(operand),
    "lessThanOrEquals": lambda value, operand: (
        value != "" and _sort_key(value) <= _sort_key(operand)
    ),
    "notEquals": lambda value, operand: value.lower() != operand.lower(),
    "isEmpty": lambda value, operand: value == "",
    "isNotEmpty": lambda value, operand: value != "",
}


def search_pipeline(instance: EncompassInstance, request: Request) -> Reply:
    """Handle POST /encompass/v3/loanPipeline."""
    check_parameters(request, "start", "limit", "cursorType", "cursor")
    start = read_whole_number(request, "start", 0)
    limit = read_whole_number(request, "limit", _MAX_ROWS)
    if limit > _MAX_ROWS:
        raise bad_request_error(f"limit must be at most {_MAX_ROWS}.")
    body = read_json_body(request, dict, empty={} if request.parameter("cursor") else None)
    headers: list[tuple[str, str]] = []
    if request.parameter("cursor"):
        rows = _cursor_rows(instance, request.parameter("cursor"))
    else:
        rows = _find_rows(instance, body)
        if request.parameter("cursorType") == "randomAccess":
            headers.append(("X-Cursor", _open_cursor(instance, rows)))
    headers.append(("X-Total-Count", str(len(rows))))
    return json_reply(200, rows[start : start + limit], *headers)


def _find_rows(instance: EncompassInstance, body: Json) -> list[Json]:
    unknown = body.keys() - _KNOWN_KEYS
    if unknown:
        raise bad_request_error(f"Unknown property: {', '.join(sorted(unknown))}")
    fields = list(body.get("fields") or ["Loan.GUID"])
    order = list(body.get("sortOrder") or [])
    for name in [*fields, *(str(item.get("canonicalName")) for item in order)]:
        _check_reportable(instance, name)
    _check_filter(instance, body.get("filter"))
    lag = timedelta(seconds=float(instance.switches.values["pipeline_lag_s"]))
    seen_at = instance.clock.now() - lag
    with instance.lock:
        copies = [(loan, loan.reported_row(seen_at)) for loan in instance.loans.values()]
    rows = [(loan.guid, row) for loan, row in copies if row is not None]
    folders = set(body.get("loanFolders") or [])
    value = [
        (guid, row)
        for guid, row in rows
        if (not folders or row["Loan.LoanFolder"] in folders)
        and _matches_filter(row, body.get("filter"))
    ]
    for item in reversed(order):
        name, down = str(item["canonicalName"]), str(item.get("order", "asc")).lower()
        value.sort(
            key=lambda pair, name=name: _sort_key(pair[1][name]), reverse=down.startswith("d")
        )  # type: ignore[misc]
    return [{"loanId": guid, "fields": {name: row[name] for name in fields}} for guid, row in value]


def _check_reportable(instance: EncompassInstance, name: str) -> None:
    if name not in instance.reportable:
        raise bad_request_error(
            "A field is not in the reporting database.", [(name, "Not reportable.")]
        )


def _check_filter(instance: EncompassInstance, node: Any) -> None:
    """Refuse a filter with an unknown operator, match or field."""
    if node is None:
        return
    if not isinstance(node, dict):
        raise bad_request_error("filter must be an object.")
    if "terms" in node:
        if node.get("operator") not in {"and", "or"}:
            raise bad_request_error("operator must be and or or.")
        for term in node["terms"]:
            _check_filter(instance, term)
        return
    if node.get("matchType") not in _MATCH_OPERATORS:
        raise bad_request_error(f"Unknown matchType {node.get('matchType')}.")
    _check_reportable(instance, str(node.get("canonicalName")))


def _matches_filter(row: Json, node: Any) -> bool:
    if node is None:
        return True
    if "terms" in node:
        results = [_matches_filter(row, term) for term in node["terms"]]
        return all(results) if node["operator"] == "and" else any(results)
    value = str(row[node["canonicalName"]])
    return _MATCH_OPERATORS[node["matchType"]](value, str(node.get("value", "")))


def _open_cursor(instance: EncompassInstance, rows: list[Json]) -> str:
    now = instance.clock.now()
    for name in [name for name, value in instance.cursors.items() if _is_expired(value, now)]:
        del instance.cursors[name]
    if len(instance.cursors) >= _MAX_CURSORS:
        raise ReplyError(error_reply(429, "Too Many Requests", "No more cursors."))
    name = str(uuid.uuid4())
    instance.cursors[name] = {"rows": rows, "opened": now, "used": now}
    return name


def _is_expired(cursor: Json, now: datetime) -> bool:
    too_idle: bool = now - cursor["used"] > _CURSOR_IDLE
    return too_idle or bool(now - cursor["opened"] > _CURSOR_LIFETIME)


def _cursor_rows(instance: EncompassInstance, name: str) -> list[Json]:
    cursor = instance.cursors.get(name)
    now = instance.clock.now()
    if cursor is None or _is_expired(cursor, now):
        instance.cursors.pop(name, None)
        raise bad_request_error("The cursor has ended.")
    cursor["used"] = now
    rows: list[Json] = cursor["rows"]
    return rows
