"""Import of a list of staff: read it, check each row, add users and invite them by email.

The list is a pasted table or a file. Its first line names the columns, in any order. A row is
refused with what to change, and the other rows are still added. Nobody is changed: a row with
the email address of a user is skipped.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.transaction import atomic

from rooftree.capture.imports.import_staging import UPLOAD_PROBLEMS
from rooftree.capture.imports.tabular_files import read_table
from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.flow import account_security
from rooftree.los import los_connections
from rooftree.los.models import Connection
from rooftree.org import role_combinations, staff_accounts, staff_details
from rooftree.org.models import DESK_ROLES, ROLES, Branch, LoanOfficer, User
from rooftree.org.working_hours import WEEKDAYS

MAX_ROWS = 500
COLUMNS = {  # our name: the squashed names of a list's columns
    "name": ("name", "fullname", "person", "employee", "user"),
    "email": ("email", "emailaddress", "workemail", "mail"),
    "role": ("role", "roles", "jobrole"),
    "branch": ("branch", "branchname", "office", "team", "region"),
    "phone": ("phone", "phonenumber", "cell", "cellphone", "mobile", "phonethatrings"),
    "nmls_id": ("nmls", "nmlsid", "nmlsnumber", "individualnmlsid"),
    "los_name": ("los", "losname", "losusername", "losuser", "loslogin", "encompassuser"),
}
REQUIRED_COLUMNS = ("name", "email", "role")
ROLE_WORDS = {  # squashed words: role
    **{key: key for key in ROLES},
    **{squash_word(label): key for key, label in ROLES.items()},
    "lo": "officer",
    "mlo": "officer",
    "loa": "assistant",
    "salesmanager": "manager",
    "ops": "operations",
    "admin": "administrator",
}
DEFAULT_HOURS = {day: ["09:00", "18:00"] for day in WEEKDAYS[:5]}


class UnreadableStaffList(Exception):
    """The list can't be read. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One row of a staff list, with what is wrong with it."""

    line: int
    cells: Mapping[str, str]  # as typed, by all of our column names; "" if empty
    roles: tuple[str, ...] = ()  # the primary one first
    branch: Branch | None = None  # whose leads they see; None: the whole company
    officer_branch: Branch | None = None  # where a loan officer gets leads
    phone: str = ""  # E.164
    user: User | None = None  # who has this email address already
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return not self.problems and self.user is None

    @property
    def role_label(self) -> str:
        return User(roles=[*self.roles]).role_label if self.roles else ""


@dataclass(slots=True, kw_only=True)
class StaffList:
    """A checked list of staff."""

    rows: list[StaffRow] = field(default_factory=list)
    unused_columns: list[str] = field(default_factory=list)

    @property
    def ready(self) -> list[StaffRow]:
        return [row for row in self.rows if row.is_ready]

    @property
    def to_fix(self) -> list[StaffRow]:
        return [row for row in self.rows if row.problems]

    @property
    def existing_users(self) -> list[StaffRow]:
        return [row for row in self.rows if row.user and not row.problems]


def read_staff_list(body: bytes) -> StaffList:
    """Read and check a pasted list or a file, and change nothing. Raises `UnreadableStaffList`."""
    try:
        table = read_table(body, ReadingNotes())
    except UnreadableBody as problem:
        text = UPLOAD_PROBLEMS.get(str(problem), "This list can't be read.")
        raise UnreadableStaffList(text) from problem
    if len(table.rows) > MAX_ROWS:
        raise UnreadableStaffList(f"A list can have at most {MAX_ROWS} people. Split it.")
    fields = {
        column: key
        for column in table.columns
        for key, words in COLUMNS.items()
        if squash_word(column) in words
    }
    if missing := [name for name in REQUIRED_COLUMNS if name not in fields.values()]:
        raise UnreadableStaffList(
            "The first line must name the columns: name, email and role, then branch, phone and "
            f"NMLS ID if you have them. Missing: {', '.join(missing)}."
        )
    typed_rows = [
        (
            row.line,
            dict.fromkeys(COLUMNS, "")
            | {fields[name]: cell for name, cell in row.cells.items() if name in fields},
        )
        for row in table.rows
    ]
    unused = [column for column in table.columns if column not in fields]
    return StaffList(rows=_check_rows(typed_rows), unused_columns=unused)


def add_staff(rows: Sequence[StaffRow], *, is_invited: bool, by: User, at: datetime) -> list[User]:
    """Add the users of checked rows, and invite them by email if asked.

    All rows are added or none. Raises `StaffChangeError`, or `InvalidConnection` for a LOS name
    that another officer has got meanwhile.
    """
    users = []
    with atomic():
        for row in rows:
            user = staff_accounts.add_user(
                email=row.cells["email"], name=row.cells["name"], roles=row.roles,
                branch=row.branch, by=by, at=at,
            )  # fmt: skip
            if row.phone:
                staff_details.update_user(user_id=user.pk, by=by, at=at, phone=row.phone)
            if "officer" in row.roles:
                staff_accounts.add_officer(
                    user=user, nmls_id=row.cells["nmls_id"], phone=row.phone, by=by, at=at,
                    details={
                        "branch": row.officer_branch, "languages": ["en"], "hours": DEFAULT_HOURS,
                    },
                )  # fmt: skip
            if is_invited:
                account_security.enqueue_invitation(user, by=by)
            users.append(user)
        logins = {
            row.cells["nmls_id"]: row.cells["los_name"]
            for row in rows
            if "officer" in row.roles and row.cells["los_name"]
        }
        if logins and (los := _find_connection()):
            los_connections.set_officer_logins(connection_id=los.pk, logins=logins, by=by, at=at)
    return users


def write_staff_list(rows: Sequence[StaffRow]) -> str:
    """Write rows as a CSV text, as they were typed, to correct and check again; "" if none."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.cells[name] for name in COLUMNS] for row in rows)
    return out.getvalue()


def _check_rows(typed_rows: Sequence[tuple[int, dict[str, str]]]) -> list[StaffRow]:
    """Check all rows against each other, the branches and the users on file."""
    branches: dict[str, list[Branch]] = {}
    for branch in Branch.objects.all():
        branches.setdefault(branch.name.casefold(), []).append(branch)
    users = {user.email.casefold(): user for user in User.objects.all()}
    staff = User.objects.filter(is_active=True).exclude(phone="")
    officers = LoanOfficer.objects.filter(terminated_at=None)
    phone_owners = dict([
        *staff.values_list("phone", "name"), *officers.values_list("phone", "user__name"),
    ])  # fmt: skip
    nmls_owners = dict(LoanOfficer.objects.values_list("nmls_id", "user__name"))
    owners: dict[str, dict[str, str]] = {
        "phone": phone_owners,
        "nmls_id": nmls_owners,
        "email": {},
        "los_name": {},
    }
    los = _find_connection()
    for nmls_id, los_name in (los.officer_users if los else {}).items():
        if nmls_id in nmls_owners:
            owners["los_name"][los_name.casefold()] = nmls_owners[nmls_id]
    rows = []
    for line, cells in typed_rows:
        user = users.get(cells["email"].casefold())
        if user is not None:
            notes = ("Already a user. Nothing is changed.",)
            rows.append(
                StaffRow(
                    line=line, cells=cells, roles=tuple(user.roles), branch=user.branch, user=user,
                    notes=notes,
                )
            )  # fmt: skip
            continue
        rows.append(_check_row(line, cells, branches, owners, has_los=bool(los)))
    return rows


def _check_row(
    line: int,
    cells: dict[str, str],
    branches: Mapping[str, list[Branch]],
    owners: dict[str, dict[str, str]],
    *,
    has_los: bool,
) -> StaffRow:
    roles, role_problem = _read_roles(cells["role"])
    phone = parse_phone_number(cells["phone"]).e164 or ""
    named = branches.get(cells["branch"].casefold(), [])
    branch = named[0] if len(named) == 1 else None
    is_officer = "officer" in roles
    home = branch or _find_only_branch(cells, branches)
    keys = {
        "email": cells["email"].casefold(),
        "phone": phone,
        "nmls_id": cells["nmls_id"] if is_officer else "",
        "los_name": cells["los_name"].casefold() if is_officer else "",
    }
    problems = [
        *([role_problem] if role_problem else ()),
        *_check_cells(cells, phone, len(named)),
        *(_check_officer_cells(cells, home) if is_officer else ()),
        *_find_owners(keys, cells["name"] or f"line {line}", owners),
    ]
    notes = [role_combinations.find_caution(roles), *_list_notes(cells, roles, has_los=has_los)]
    return StaffRow(
        line=line,
        cells=cells,
        roles=roles,
        branch=home if set(roles) <= set(DESK_ROLES) else branch,
        officer_branch=home,
        phone=phone,
        problems=tuple(problems),
        notes=tuple(filter(None, notes)),
    )


def _list_notes(cells: Mapping[str, str], roles: Sequence[str], *, has_los: bool) -> Iterator[str]:
    """Yield what of a row is not used."""
    if roles and "officer" not in roles:
        if cells["nmls_id"]:
            yield "NMLS ID not used: only loan officers get leads."
        if cells["los_name"]:
            yield "LOS name not used: only loan officers have loans handed off."
    elif cells["los_name"] and not has_los:
        yield "LOS name not saved: it needs one LOS connection. Add it on the officer’s page then."


def _find_connection() -> Connection | None:
    """Return the LOS connection that has the officers' names; None without exactly one."""
    connections = list(Connection.objects.all()[:2])
    return connections[0] if len(connections) == 1 else None


def _check_cells(cells: Mapping[str, str], phone: str, branch_count: int) -> list[str]:
    """Return what to change in a row of any role."""
    problems = [] if cells["name"] else ["Enter a name."]
    try:
        validate_email(cells["email"])
    except ValidationError:
        problems.append("Enter a valid email address.")
    if cells["phone"] and not phone:
        problems.append("Enter a US phone number with ten digits.")
    if cells["branch"] and not branch_count:
        problems.append(f"No branch is named {cells['branch']}.")
    elif branch_count > 1:
        problems.append(f"{branch_count} branches are named {cells['branch']}. Rename one first.")
    return problems


def _find_only_branch(
    cells: Mapping[str, str], branches: Mapping[str, list[Branch]]
) -> Branch | None:
    """Return the company's one branch for a row that names none; None if there are several."""
    nodes = [branch for named in branches.values() for branch in named]
    return nodes[0] if len(nodes) == 1 and not cells["branch"] else None


def _check_officer_cells(cells: Mapping[str, str], home: Branch | None) -> list[str]:
    """Return what a loan officer's row lacks."""
    needs = {
        "the phone that rings": cells["phone"],
        "a branch": cells["branch"] or home,
        "the NMLS ID": cells["nmls_id"],
    }
    problems = [f"A loan officer needs {what}." for what, value in needs.items() if not value]
    if cells["nmls_id"] and not cells["nmls_id"].isdecimal():
        problems.append("An NMLS ID is a number.")
    return problems


def _find_owners(
    keys: Mapping[str, str], name: str, owners: dict[str, dict[str, str]]
) -> list[str]:
    """Return which values somebody else has; record the others as this person's."""
    labels = {
        "email": "email address", "phone": "phone", "nmls_id": "NMLS ID", "los_name": "LOS name",
    }  # fmt: skip
    problems = []
    for key, value in keys.items():
        if value and value in owners[key]:
            problems.append(f"Same {labels[key]} as {owners[key][value]}.")
        elif value:
            owners[key][value] = name
    return problems


def _read_roles(typed: str) -> tuple[tuple[str, ...], str]:
    """Return the roles in the order typed and ""; or none and what to change."""
    words = [word.strip() for word in re.split(r"[;/,+]", typed) if word.strip()]
    roles = tuple(dict.fromkeys(ROLE_WORDS.get(squash_word(word), "") for word in words))
    if not roles or "" in roles:
        return (), f"Choose a role: {', '.join(ROLES.values())}."
    conflict = role_combinations.find_conflict(roles)
    return ((), conflict) if conflict else (roles, "")
