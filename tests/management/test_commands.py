"""The command line, as scripts use it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(file.stem for file in ROOT.glob("rooftree*/management/commands/[a-z]*.py"))


def rooftree(*words, home):
    """Run a command without settings, except for a folder that must stay untouched."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ROOFTREE_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"))
    }
    return subprocess.run(
        [sys.executable, "-m", "rooftree", *words],
        cwd=ROOT, env={**inherited, "ROOFTREE_HOME": str(home)},
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_help_names_every_command(tmp_path):
    done = rooftree("--help", home=tmp_path / "none")

    assert done.returncode == 0
    for name in COMMANDS:
        assert f"  {name.replace('_', '-')} " in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name, tmp_path):
    done = rooftree(name.replace("_", "-"), "--help", home=tmp_path / "none")

    assert done.returncode == 0, done.stderr
    assert "rooftree " in done.stdout.lower()
    assert "example" in done.stdout.lower()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", [["no-such-thing"], ["serve", "--no-such-option"]])
def test_unknown_command_or_option_is_one_sentence_and_exit_code_2(words, tmp_path):
    done = rooftree(*words, home=tmp_path / "none")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_pure_command_needs_no_settings_and_leaves_nothing_behind(tmp_path):
    done = rooftree("decide", str(tmp_path / "missing.jsonl"), home=tmp_path / "none")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "missing.jsonl" in done.stderr
    assert not (tmp_path / "none").exists()
