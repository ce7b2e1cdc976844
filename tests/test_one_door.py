"""What import contracts cannot see: the tree itself is read for ways around the one door."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rooftree.core.database_roles import ROLE_SUFFIXES
from rooftree.org import staff_mail
from rooftree.outreach.media import CARRIERS
from rooftree.outreach.messages import reassign_messages, send_pacing

ROOT = Path(__file__).parent.parent
OURS = sorted((ROOT / "rooftree").rglob("*.py"))
MEDIA = "rooftree/outreach/media"
MAILERS = {f"{MEDIA}/borrower_mail.py", "rooftree/org/staff_mail.py"}
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
LEFT = {"claimed", "sent", "delivered"}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def imported(file: Path) -> set[str]:
    found = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def strings(file: Path) -> Iterator[str]:
    for node in nodes(file):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def where(holds) -> set[str]:
    return {name_of(file) for file in OURS if holds(file)}


def importing(prefix: str) -> set[str]:
    return where(lambda file: any(one.startswith(prefix) for one in imported(file)))


def test_the_tree_is_read():
    assert len(OURS) > 100


def test_a_carriers_dotted_name_stands_in_the_table_only():
    dotted = re.compile(r"^rooftree\.outreach\.media\.\w+$")

    assert where(lambda file: any(dotted.match(string) for string in strings(file))) == {
        f"{MEDIA}/__init__.py"
    }
    assert all((ROOT / f"{path.replace('.', '/')}.py").exists() for path in CARRIERS.values())


def test_only_the_door_imports_what_reaches_a_person():
    users = importing("rooftree.outreach.media")

    assert {user for user in users if not user.startswith(MEDIA)} == DOOR


def test_mail_is_handed_over_in_two_files():
    assert importing("django.core.mail") == MAILERS


def test_nothing_else_speaks_smtp():
    speaks = where(lambda file: imported(file) & {"smtplib", "aiosmtplib", "anymail"})

    assert speaks == MAILERS


@pytest.mark.parametrize("name", ["get_model", "email_user", "mail_admins", "mail_managers"])
def test_no_roundabout_way_is_taken(name):
    def uses(file: Path) -> bool:
        return any(
            (isinstance(node, ast.Attribute) and node.attr == name)
            or (isinstance(node, ast.Name) and node.id == name)
            for node in nodes(file)
        )

    assert where(uses) - {one for one in where(uses) if "/migrations/" in one} == set()


def test_a_message_leaves_in_the_door_only():
    """Whoever writes a state that says "handed over" on a message is the door or its news."""

    def writes(file: Path) -> bool:
        if "rooftree.outreach.models.Message" not in imported(file):
            return False
        return any(_writes_left(node) for node in nodes(file))

    assert where(writes) <= DOOR
    assert "rooftree/outreach/messages/send.py" in where(writes)


def test_messages_are_made_by_the_planner_and_by_what_borrowers_write_only():
    def makes(file: Path) -> bool:
        return any(
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
        )  # the direction of what they keep


def test_planner_saves_nothing_and_only_the_door_queues_its_messages():
    calls = {ast.unparse(node.func) for node in nodes(ROOT / PLANNER) if isinstance(node, ast.Call)}
    saves = re.compile(r"(^|\.)(save|create|bulk_create|update|insert\w*|update_each|assume_role)$")

    assert "Message" in calls
    assert not [call for call in calls if saves.search(call) or ".objects" in call]
    assert not [module for module in imported(ROOT / PLANNER) if module.startswith("rooftree.db")]


def test_no_statement_of_ours_writes_messages_by_hand():
    by_hand = re.compile(r"\b(insert\s+into|update)\s+\"?message\"?\b", re.IGNORECASE)

    written = where(lambda file: any(by_hand.search(string) for string in strings(file)))

    assert written == {
        "rooftree/outreach/messages/reassign_messages.py",
        "rooftree/outreach/messages/send_pacing.py",
    }
    assert re.findall(r"\bset\s+(\w+)", send_pacing.SPREAD_SQL) == [
        "due_at"
    ]  # when, and nothing else
    assert "," not in send_pacing.SPREAD_SQL.partition("update message")[2].partition(" from ")[0]
    assert re.findall(r"\bset\s+(\w+)", reassign_messages.REASSIGN_SQL) == [
        "person_id"
    ]  # whose, and nothing else
    assert "," not in reassign_messages.REASSIGN_SQL.partition(" from ")[0]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("door", [f"outreach/{one}.py" for one in
                  ("messages/send", "messages/cancel_messages", "inbound/carrier_callbacks",
                   "inbound/store_inbound_text", "inbound/store_inbound_email")]),
        ("keeper", ["retention/purges.py"]),
        ("sealer", ["ledger/seal.py"]),
    ],
)  # fmt: skip
def test_each_right_of_the_database_is_taken_where_it_is_meant_to_be(name, files):
    def takes(file: Path) -> bool:
        return any(
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "assume_role"
            and ast.unparse(node.args[0]) == repr(name)
            for node in nodes(file)
        )

    assert where(takes) == {f"rooftree/{file}" for file in files}


def test_a_right_is_taken_by_name_in_one_file():
    """Nothing else changes the account, and no name of a right is put together."""
    said = re.compile(
        r"set_config\('role'|\bset (local )?(role|session authorization)", re.IGNORECASE
    )
    assert where(lambda file: any(said.search(string) for string in strings(file))) == {
        "rooftree/db/db_role.py"
    }
    named = [
        node.args[0]
        for file in OURS
        for node in nodes(file)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "assume_role"
    ]
    assert named
    assert all(isinstance(one, ast.Constant) and one.value in ROLE_SUFFIXES for one in named)


def test_staff_mail_takes_ids_of_users_and_no_address():
    taken = set(staff_mail.mail_users.__annotations__)

    assert "user_ids" in taken
    assert not taken & {"to", "email", "address", "addresses", "recipients"}
    addresses = [
        ast.unparse(key.value)
        for node in nodes(ROOT / "rooftree/org/staff_mail.py")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "EmailMessage"
        for key in node.keywords
        if key.arg in {"to", "cc", "bcc"}
    ]
    assert addresses
    assert all(re.fullmatch(r"\[(\w+\.)*user\.email\]", address) for address in addresses)


def _writes_left(node: ast.AST) -> bool:
    is_verb = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if is_verb and node.func.attr in {"update", "create", "get_or_create"}:
        return any(key.arg == "state" and _says_left(key.value) for key in node.keywords)
    if isinstance(node, ast.Assign):
        names = [one for target in node.targets for one in getattr(target, "elts", [target])]
        stated = any(isinstance(name, ast.Attribute) and name.attr == "state" for name in names)
        return stated and any(_says_left(one) for one in ast.walk(node.value))
    return False


def _says_left(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in LEFT
