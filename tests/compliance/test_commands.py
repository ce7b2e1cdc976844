"""The commands decide, optout and lint."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import BaseCommand, call_command

from rooftree_casebook.management.commands import decide


def _run(command: str | BaseCommand, path: Path) -> list[dict[str, object]]:
    out = StringIO()
    call_command(command, str(path), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_decide_prints_one_line_per_case_in_order(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    source = Path(__file__).parent / "cases.jsonl"
    path.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    ids = [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]
    lines = _run(decide.Command(), path)
    assert [line["id"] for line in lines] == ids
    assert set(lines[0]) == {"id", "decision", "reason", "next_allowed_at", "rules"}


def test_optout_prints_text_meaning_match_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "inbound.txt"
    path.write_text("STOP\nHola\nwrong number\n", encoding="utf-8")
    lines = _run("optout", path)
    assert [(line["text"], line["result"], line["matched"]) for line in lines] == [
        ("STOP", "revoke", "stop"),
        ("Hola", "none", None),
        ("wrong number", "wrong_person", "wrong number"),
    ]
    assert [line["reason"] for line in lines[:2]] == [
        "“stop” asks us to stop.",
        "Nothing in it asks us to stop.",
    ]


def test_lint_exits_with_1_when_a_finding_blocks(tmp_path: Path) -> None:
    path = tmp_path / "message.txt"
    path.write_text("Guaranteed approval", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        _run("lint", path)
    assert ended.value.code == 1
    path.write_text("You are pre-approved!", encoding="utf-8")
    [finding] = _run("lint", path)
    assert (finding["id"], finding["action"]) == ("CT-13", "require")


def test_lint_reads_json_with_facts(tmp_path: Path) -> None:
    path = tmp_path / "message.json"
    message = {
        "body": "Only $999 a month",
        "channel": "sms",
        "facts": ["disclosure_set_ok", "rate_snapshot_ok"],
    }
    path.write_text(json.dumps(message), encoding="utf-8")
    assert _run("lint", path) == []
