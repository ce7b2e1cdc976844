"""Facts about the code in documents are checked against the code."""

import re
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = (ROOT / "docs/design/rooms.md").read_text(encoding="utf-8")


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
        stated = re.findall(r"(\d+) checks", (ROOT / name).read_text(encoding="utf-8"))
        assert set(stated) == {str(len(CHECKS))}, name
