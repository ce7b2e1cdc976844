"""Facts about the code in documents are checked against the code."""

import re
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = (ROOT / "docs/design/rooms.md").read_text(encoding="utf-8")
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
}
# Folders that a path in a document is relative to.
PATH_ROOTS = ("", "rooftree", "rooftree/compliance", "rooftree/outreach", "rooftree_simulators")
FILE_TYPES = "py|toml|yaml|jsonl?|md|html|css|js|typ|service|timer|example"
PLANNED = {"docs/roadmap.md"}  # names files that do not exist yet
# Files that Rooftree writes or an example reads; the repository does not have them.
FILES_ELSEWHERE = {
    *("controls.json", "last-backup.json", "last-test-restore.json", "rooftree.env", "rule.json"),
}
DJANGO_COMMANDS = {"migrate", "makemigrations", "dbshell"}


def code_texts(text: str) -> Iterator[str]:
    """Yield the content of each code block and code span."""
    blocks = r"^ *```\w*\n(.*?)^ *```$"
    yield from re.findall(blocks, text, re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`]+)`", re.sub(blocks, "", text, flags=re.MULTILINE | re.DOTALL))


@cache
def heading_anchors(name: str) -> set[str]:
    """Return the anchor of each heading of a document."""
    headings = re.findall(r"^#+ (.+)$", DOCUMENTS[name], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def file_names() -> set[str]:
    """Return the names of all files of the repository's code, tests and documents."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return {path.name for folder in folders for path in folder.rglob("*") if path.is_file()} | {
        path.name for path in ROOT.iterdir()
    }


def test_relative_links_lead_to_files_and_headings():
    broken = []
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if path.startswith(("http:", "https:")):
                continue
            file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            linked = file.relative_to(ROOT).as_posix()
            if not file.exists() or (anchor and anchor not in heading_anchors(linked)):
                broken.append(f"{name}: {target}")

    assert broken == []


def test_paths_in_backticks_exist():
    missing = []
    for name in DOCUMENTS.keys() - PLANNED:
        for span in re.findall(r"`([^`\s]+)`", DOCUMENTS[name]):
            path = span.partition("::")[0]
            if not re.fullmatch(rf"(?!/)[\w./-]+\.({FILE_TYPES})", path):
                continue
            if path in file_names() | FILES_ELSEWHERE or any(
                (ROOT / root / path).exists() for root in PATH_ROOTS
            ):
                continue
            missing.append(f"{name}: {path}")

    assert sorted(missing) == []


def test_named_commands_exist():
    folders = ("rooftree/management/commands", "rooftree_casebook/management/commands")
    commands = {
        path.stem.replace("_", "-") for folder in folders for path in (ROOT / folder).glob("*.py")
    }
    named = {
        (name, command)
        for name, text in DOCUMENTS.items()
        for code in code_texts(text)
        for command in re.findall(
            r"(?:^|bin/|\$ |=\S+ |\| )rooftree ([a-z][a-z-]*)", code, re.MULTILINE
        )
    }

    assert len(named) > 50
    assert {row for row in named if row[1] not in commands | DJANGO_COMMANDS} == set()


def test_named_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    targets |= set(re.findall(r"^PARTS := (.+)$", makefile, re.MULTILINE)[0].split())
    named = {
        (name, target)
        for name, text in DOCUMENTS.items()
        for code in code_texts(text)
        for target in re.findall(r"^(?:\w+=\S+ )*make ([a-z][a-z-]*)", code, re.MULTILINE)
    }

    assert len(named) > 10
    assert {row for row in named if row[1] not in targets} == set()


def test_rooms_page_shows_the_layers_of_the_import_contract():
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:rooms"]["layers"].split("\n")

    picture = ROOMS.split("```")[1].strip().split("\n")

    assert picture == [layer.strip() for layer in layers if layer.strip()]


def test_rooms_page_describes_every_room_and_names_files_that_exist():
    described = dict(re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", ROOMS, re.MULTILINE))
    rooms = {
        folder.parent.name
        for folder in (ROOT / "rooftree").glob("*/__init__.py")
        if folder.parent.name != "migrations"
    }

    assert set(described) == rooms
    named = [path for paths in described.values() for path in re.findall(r"`([^`]+)`", paths)]
    assert [path for path in named if not (ROOT / "rooftree" / path).exists()] == []


def test_documents_name_as_many_checks_as_the_gate_has():
    from rooftree.compliance.gate.message_gate import CHECKS

    for name in ("README.md", "docs/compliance-tour.md", "docs/roadmap.md"):
        stated = re.findall(r"(\d+) checks", DOCUMENTS[name])
        assert set(stated) == {str(len(CHECKS))}, name


def test_invariants_page_lists_the_invariants_in_the_order_of_rooftree_check():
    page = DOCUMENTS["docs/design/invariants.md"]
    listed = re.findall(r"^\| ([a-z ]+?)(?: \(deep\))? \| ", page, re.MULTILINE)
    sources = (
        "rooftree/reporting/invariants.py",
        "rooftree/retention/removal_check.py",
        "rooftree/reporting/deep_checks.py",
    )
    names = [
        name
        for source in sources
        for name in re.findall(
            r'build_finding\(\n\s+"([a-z ]+)"', (ROOT / source).read_text(encoding="utf-8")
        )
    ]

    assert listed[1:] == names


def test_operators_page_counts_the_checks_of_doctor():
    from rooftree.management.doctor_machine_checks import MACHINE_CHECKS
    from rooftree.management.doctor_work_checks import WORK_CHECKS

    [stated] = re.findall(r"`rooftree doctor`: (\d+) checks", DOCUMENTS["docs/operators.md"])

    assert int(stated) == len(MACHINE_CHECKS) + len(WORK_CHECKS)


def test_documents_count_the_worked_cases_and_labeled_replies():
    def count(name: str) -> str:
        lines = (ROOT / "tests/compliance" / name).read_text(encoding="utf-8").splitlines()
        return f"{len(lines):,}"

    sentences = {
        "docs/compliance-tour.md": (
            f"`tests/compliance/cases.jsonl` has {count('cases.jsonl')},",
            f"`tests/compliance/boundaries.jsonl` has {count('boundaries.jsonl')} more",
        ),
        "docs/rules/stops.md": (f"{count('optout_messages.jsonl')} hand-labeled messages",),
        "CHANGELOG.md": (f"{count('optout_messages.jsonl')} labeled messages",),
    }
    for name, expected in sentences.items():
        text = " ".join(DOCUMENTS[name].split())
        assert [sentence for sentence in expected if sentence not in text] == [], name


def test_every_source_has_a_page():
    from rooftree.capture.sources import SOURCES

    pages = {path.stem.replace("-", "_") for path in (ROOT / "docs/sources").glob("*.md")}
    shared = {"crm": "crm_", "email": "email_", "ping_post": "ping_post"}
    undescribed = [
        key
        for key in SOURCES
        if key not in pages
        and not any(key.startswith(shared[page]) for page in shared.keys() & pages)
    ]

    assert undescribed == ["csv_import"]  # docs/how-to/import-a-spreadsheet.md
