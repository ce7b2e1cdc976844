"""The go-live check of a connection against the LOS itself; its result is kept."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.los import adapter_pool, lender_mapping, los_connections
from rooftree.los.adapters import load_profile
from rooftree.los.go_live_check import check_go_live
from rooftree.los.go_live_files import CheckFile, LosUser
from rooftree.los.los_adapter import (
    ListsCustomFields,
    ListsFolders,
    ListsMilestones,
    ListsUsers,
    LosAdapter,
    Updates,
)
from rooftree.los.models import Connection
from rooftree.org.models import LoanOfficer, User

OK, NOTE, BLOCK = "ok", "note", "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One line of the check's result."""

    level: str  # ok, note, or block: hand-offs or milestones would fail
    text: str
    place: str = ""  # the part of the connection's page that fixes it


def run_go_live_check(
    *, connection_id: UUID | str, site: str, by: User, at: datetime
) -> list[CheckLine]:
    """Check a connection against the LOS and store the result. Writes nothing in the LOS.

    Args:
        site: our public address, without a trailing slash.
    """
    connection = Connection.objects.get(pk=connection_id)
    problem = los_connections.check_connection(connection, at=at)
    if problem:
        lines = [_block(problem, "settings")]
    else:
        lines = [CheckLine(level=OK, text="Signs in and searches loans.")]
        lines += _iter_lines(connection, adapter_pool.get_adapter(connection), site, at)
    problem_count = sum(line.level == BLOCK for line in lines)
    Connection.objects.filter(pk=connection.pk).update(
        checked_at=at,
        check_report={"ok": not problem_count, "lines": [asdict(line) for line in lines]},
    )
    write_event(
        "los.connection.checked",
        at=at,
        actor=f"user:{by.pk}",
        connection_id=connection.pk,
        problems=problem_count,
    )
    return lines


def _iter_lines(
    connection: Connection, adapter: LosAdapter, site: str, at: datetime
) -> Iterator[CheckLine]:
    for point in load_profile(connection.los).unverified:
        yield CheckLine(level=NOTE, text=f"Verify with the vendor: {point}.")
    yield from _check_folder(connection, adapter)
    yield from _check_fields(connection, adapter)
    yield from _check_statuses(connection, adapter)
    yield from _check_officers(connection, adapter)
    yield from _check_subscription(connection, site, at)


def _block(text: str, place: str) -> CheckLine:
    return CheckLine(level=BLOCK, text=text, place=place)


def _read_list[Item](
    read: Callable[[], tuple[Item, ...]],
) -> tuple[tuple[Item, ...] | None, str]:
    """Return a list of the LOS, or None with the reason it can't be read."""
    try:
        return read(), ""
    except VendorError as problem:
        return None, str(problem)


def _check_folder(connection: Connection, adapter: LosAdapter) -> Iterator[CheckLine]:
    folder = connection.folder
    if load_profile(connection.los).field("folder") is None:
        return
    if not folder:
        yield _block("Enter the loan folder for new loans.", "settings")
        return
    if not isinstance(adapter, ListsFolders):
        return
    folders, problem = _read_list(adapter.list_folders)
    if folders is None:
        text = f"Couldn’t check the loan folder {folder}. {problem}"
        yield CheckLine(level=NOTE, text=text)
    elif folder not in folders:
        text = f"The LOS has no loan folder {folder}. It has: {', '.join(folders)}."
        yield _block(text, "settings")
    else:
        yield CheckLine(level=OK, text=f"The loan folder {folder} exists.")


def _check_fields(connection: Connection, adapter: LosAdapter) -> Iterator[CheckLine]:
    if not isinstance(adapter, ListsCustomFields):
        yield from _check_revenue(connection)
        return
    fields, problem = _read_list(adapter.list_custom_fields)
    if fields is None:
        text = f"Couldn’t check custom fields. {problem}"
        yield CheckLine(level=NOTE, text=text, place="fields")
        return
    known = {name.upper() for name in fields}
    used = {connection.lead_id_field: "settings"} if connection.lead_id_field else {}
    used |= dict.fromkeys(connection.lead_fields.values(), "fields")
    shape = load_profile(connection.los).custom_fields
    used |= {
        name: "fields"
        for name in connection.revenue_fields
        if shape and re.fullmatch(shape.pattern, name)
    }
    missing = [name for name in used if name.upper() not in known]
    yield from (_block(f"The LOS has no custom field {name}.", used[name]) for name in missing)
    if not missing:
        yield CheckLine(level=OK, text=f"Custom fields exist: {', '.join(used)}.")
    if not known.issuperset(lender_mapping.list_revenue_fields(connection)):
        yield from _check_revenue(connection)


def _check_revenue(connection: Connection) -> Iterator[CheckLine]:
    if not connection.revenue_fields:
        text = "No revenue fields: the revenue of funded loans won’t come from the LOS."
        yield CheckLine(level=NOTE, text=text, place="fields")


def _check_statuses(connection: Connection, adapter: LosAdapter) -> Iterator[CheckLine]:
    names: tuple[str, ...] | None = ()
    problem = ""
    if isinstance(adapter, ListsMilestones):
        names, problem = _read_list(adapter.list_milestones)
    if problem:
        text = f"Couldn’t read milestones from the LOS, so the list here was checked. {problem}"
        yield CheckLine(level=NOTE, text=text, place="milestones")
    statuses = tuple(dict.fromkeys([*(names or ()), *lender_mapping.list_statuses(connection)]))
    report = check_go_live(
        connection.los,
        [CheckFile(name="milestones", kind="statuses", statuses=statuses)],
        lender_mapping.build_lender_mapping(connection),
    )
    findings = [finding for finding in report.findings if finding.blocks]
    for finding in findings:
        place = "milestones" if finding.about == "status" else "fields"
        yield _block(f"{finding.item}: {finding.message}.", place)
    if not findings:
        yield CheckLine(level=OK, text=f"{len(statuses)} of {len(statuses)} milestones are mapped.")


def _check_officers(connection: Connection, adapter: LosAdapter) -> Iterator[CheckLine]:
    if not load_profile(connection.los).is_officer_login_required:
        text = "Officers are matched by NMLS ID and email. Check the officer of the first loan."
        yield CheckLine(level=NOTE, text=text, place="officers")
        return
    users, problem = None, ""
    if isinstance(adapter, ListsUsers):
        users, problem = _read_list(adapter.list_users)
    if problem:
        text = f"Couldn’t check user names in the LOS. {problem}"
        yield CheckLine(level=NOTE, text=text, place="officers")
    users_by_name = {user.name.casefold(): user for user in users} if users is not None else None
    officers = LoanOfficer.objects.filter(terminated_at=None).select_related("user")
    faults = [
        (officer.user.name, fault)
        for officer in officers.order_by("user__name")
        if (fault := _find_officer_fault(officer.nmls_id, connection, users_by_name))
    ]
    yield from (_block(f"{name}: {fault}.", "officers") for name, fault in faults)
    if not faults:
        text = f"{len(officers)} of {len(officers)} loan officers have a user name."
        yield CheckLine(level=OK, text=text)


def _find_officer_fault(
    nmls_id: str, connection: Connection, users_by_name: Mapping[str, LosUser] | None
) -> str:
    """Return what would stop or misassign an officer's loans; "" if nothing would.

    Args:
        users_by_name: the users of the LOS by casefolded name; None if they can't be read.
    """
    login = connection.officer_users.get(nmls_id, "")
    if not login:
        return "no user name"
    if users_by_name is None:
        return ""
    user = users_by_name.get(login.casefold())
    if user is None:
        return f"the LOS has no user {login}"
    if user.nmls_id and user.nmls_id != nmls_id:
        return f"NMLS ID {nmls_id} here, {user.nmls_id} in the LOS"
    return ""


def _check_subscription(connection: Connection, site: str, at: datetime) -> Iterator[CheckLine]:
    updates = load_profile(connection.los).updates
    if updates is Updates.PUSH and connection.subscribed_at is None:
        text = "No update came from the LOS yet. Until one does, Rooftree asks every five minutes."
        yield CheckLine(level=NOTE, text=text, place="subscription")
    if updates is not Updates.SUBSCRIPTION:
        return
    try:
        is_subscribed = los_connections.confirm_subscription(connection, site=site, at=at)
    except VendorError as problem:
        yield _block(f"Couldn’t check the subscription. {problem}", "subscription")
        return
    if is_subscribed:
        yield CheckLine(level=OK, text="The LOS lists our subscription to loan changes.")
    else:
        text = connection.subscription_problem or "Not subscribed to loan changes yet."
        yield _block(text, "subscription")
