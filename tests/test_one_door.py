"""Read the source tree for ways around the door that import contracts cannot see."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rooftree.core.database_roles import ROLE_SUFFIXES
from rooftree.org import staff_mail
from rooftree.outreach.media import CARRIERS
from rooftree.outreach.messages import reassign_messages, send_pacing
from rooftree.outreach.shadow_triggers import SHADOW_TRIGGERS

ROOT = Path(__file__).parent.parent
OURS = sorted((ROOT / "rooftree").rglob("*.py"))
MEDIA = "rooftree/outreach/media"
TRANSPORT = "rooftree/org/mail_transport.py"  # it takes ready emails, and no address
MAILERS = {f"{MEDIA}/borrower_mail.py", "rooftree/org/staff_mail.py", TRANSPORT}
DOOR = {
    f"rooftree/outreach/{name}.py"
    for name in (
        "messages/send",
        "calls/officer_calls",
        "inbound/carrier_callbacks",
        "calls/answer_inbound_call",
        "calls/call_recordings",
    )
}
PLANNER = "rooftree/outreach/messages/plan_messages.py"
SENT_STATES = {"claimed", "sent", "delivered"}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text(file)))


@cache
def imported(file: Path) -> set[str]:
    names = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@cache
def strings(file: Path) -> tuple[str, ...]:
    return tuple(
        node.value
        for node in nodes(file)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def where(holds) -> set[str]:
    return {name_of(file) for file in OURS if holds(file)}


def importing(prefix: str) -> set[str]:
    return where(lambda file: any(name.startswith(prefix) for name in imported(file)))


def test_source_tree_is_read():
    assert len(OURS) > 100


def test_dotted_carrier_names_are_only_in_the_carrier_table():
    dotted = re.compile(r"^rooftree\.outreach\.media\.\w+$")

    assert where(lambda file: any(dotted.match(string) for string in strings(file))) == {
        f"{MEDIA}/__init__.py"
    }
    assert all((ROOT / f"{path.replace('.', '/')}.py").exists() for path in CARRIERS.values())


def test_only_the_door_imports_media():
    users = importing("rooftree.outreach.media")

    assert {user for user in users if not user.startswith(MEDIA)} == DOOR


def test_only_three_files_import_djangos_mail():
    assert importing("django.core.mail") == MAILERS


def test_no_other_file_uses_smtp():
    packages = {"smtplib", "aiosmtplib", "anymail"}
    users = where(lambda file: {name.partition(".")[0] for name in imported(file)} & packages)

    assert users == {TRANSPORT}


@pytest.mark.parametrize("name", ["get_model", "email_user", "mail_admins", "mail_managers"])
def test_no_file_works_around_the_door(name):
    def uses(file: Path) -> bool:
        return name in text(file) and any(
            (isinstance(node, ast.Attribute) and node.attr == name)
            or (isinstance(node, ast.Name) and node.id == name)
            for node in nodes(file)
        )

    assert where(uses) - {name for name in where(uses) if "/migrations/" in name} == set()


def test_only_the_door_marks_messages_as_sent():
    """Only the door and its callbacks set a state that means a message went out."""

    def writes(file: Path) -> bool:
        if "rooftree.outreach.models.Message" not in imported(file):
            return False
        return any(_sets_sent_state(node) for node in nodes(file))

    assert where(writes) <= DOOR
    assert "rooftree/outreach/messages/send.py" in where(writes)


def test_only_the_planner_and_the_inboxes_create_messages():
    def makes(file: Path) -> bool:
        return "Message" in text(file) and any(
            isinstance(node, ast.Call)
            and ast.unparse(node.func)
            in {"Message", "Message.objects.create", "Message.objects.get_or_create"}
            for node in nodes(file)
        )

    inboxes = {
        f"rooftree/outreach/{name}.py"
        for name in ("inbound/store_inbound_text", "inbound/store_inbound_email")
    }
    assert where(makes) == {PLANNER, *inboxes}
    for name in inboxes:
        assert any(
            string == "in" for string in strings(ROOT / name)
        )  # the direction of the messages they store


def test_planner_saves_nothing_and_only_the_door_queues_its_messages():
    calls = {ast.unparse(node.func) for node in nodes(ROOT / PLANNER) if isinstance(node, ast.Call)}
    saves = re.compile(r"(^|\.)(save|create|bulk_create|update|insert\w*|update_each|assume_role)$")

    assert "Message" in calls
    assert not [call for call in calls if saves.search(call) or ".objects" in call]
    assert not [module for module in imported(ROOT / PLANNER) if module.startswith("rooftree.db")]


def test_handwritten_sql_on_messages_changes_only_due_time_and_person_or_stops_them():
    handwritten = re.compile(r"\b(insert\s+into|update)\s+\"?message\"?\b", re.IGNORECASE)

    written = where(lambda file: any(handwritten.search(string) for string in strings(file)))

    assert written == {
        "rooftree/outreach/messages/reassign_messages.py",
        "rooftree/outreach/messages/send_pacing.py",
        "rooftree/outreach/shadow_triggers.py",
        "rooftree/migrations/0065_shadow_mode.py",  # a copy of the trigger
    }
    ended = next(
        trigger for trigger in SHADOW_TRIGGERS if trigger.name == "shadow_ends_its_messages"
    )
    assert re.findall(r"\bset\s+(\w+ = '?\w+)", ended.function.sql) == ["state = 'shadow"]
    assert re.findall(r"\bset\s+(\w+)", send_pacing.SPREAD_SQL) == [
        "due_at"
    ]  # nothing but the due time
    assert "," not in send_pacing.SPREAD_SQL.partition("update message")[2].partition(" from ")[0]
    assert re.findall(r"\bset\s+(\w+)", reassign_messages.REASSIGN_SQL) == [
        "person_id"
    ]  # nothing but the person
    assert "," not in reassign_messages.REASSIGN_SQL.partition(" from ")[0]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("door", [f"outreach/{name}.py" for name in
                  ("messages/send", "messages/cancel_messages", "inbound/carrier_callbacks",
                   "inbound/store_inbound_text", "inbound/store_inbound_email")]),
        ("keeper", ["retention/purges.py"]),
        ("sealer", ["ledger/seal.py"]),
    ],
)  # fmt: skip
def test_each_database_role_is_assumed_only_in_its_files(name, files):
    def assumes(file: Path) -> bool:
        return "assume_role" in text(file) and any(
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "assume_role"
            and ast.unparse(node.args[0]) == repr(name)
            for node in nodes(file)
        )

    assert where(assumes) == {f"rooftree/{file}" for file in files}


def test_database_roles_are_set_in_one_file_and_named_literally():
    """No other file changes the account, and no role name is built at run time."""
    statement = re.compile(
        r"set_config\('role'|\bset (local )?(role\b|session authorization)", re.IGNORECASE
    )
    assert where(lambda file: any(statement.search(string) for string in strings(file))) == {
        "rooftree/db/db_role.py"
    }
    role_names = [
        node.args[0]
        for file in OURS
        if "assume_role" in text(file)
        for node in nodes(file)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "assume_role"
    ]
    assert role_names
    assert all(
        isinstance(name, ast.Constant) and name.value in ROLE_SUFFIXES for name in role_names
    )


def test_staff_mail_takes_user_ids_and_no_addresses():
    parameters = set(staff_mail.mail_users.__annotations__)

    assert "user_ids" in parameters
    assert not parameters & {"to", "email", "address", "addresses", "recipients"}
    addresses = [
        ast.unparse(key.value)
        for node in nodes(ROOT / "rooftree/org/staff_mail.py")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "EmailMessage"
        for key in node.keywords
        if key.arg in {"to", "cc", "bcc"}
    ]
    assert addresses
    assert all(re.fullmatch(r"\[(\w+\.)*user\.email\]", address) for address in addresses)


def _sets_sent_state(node: ast.AST) -> bool:
    is_verb = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if is_verb and node.func.attr in {"update", "create", "get_or_create"}:
        return any(key.arg == "state" and _is_sent_state(key.value) for key in node.keywords)
    if isinstance(node, ast.Assign):
        targets = [item for target in node.targets for item in getattr(target, "elts", [target])]
        sets_state = any(
            isinstance(item, ast.Attribute) and item.attr == "state" for item in targets
        )
        return sets_state and any(_is_sent_state(value) for value in ast.walk(node.value))
    return False


def _is_sent_state(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in SENT_STATES
