import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from rooftree.core import environment_file
from rooftree.core.settings_readers import ConfigurationError
from rooftree.management import command_base, nightly_backup
from rooftree.management.commands import setup
from tests import make

ROOT = Path(__file__).parents[2]


def run_setup(home, *words):
    """Run `rooftree setup` without a terminal; return the process."""
    inherited = {name: value for name, value in os.environ.items() if "ROOFTREE" not in name}
    return subprocess.run(
        [sys.executable, "-m", "rooftree", *words],
        cwd=ROOT,
        env={**inherited, "ROOFTREE_HOME": str(home)},
        capture_output=True, text=True, check=False, timeout=170, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_settings_are_private_and_a_repeat_changes_the_address_alone(tmp_path):
    first = setup.new_settings({}, "http://localhost:8123", 8123)
    file = environment_file.write_environment_file(tmp_path, first)
    stored = environment_file.read_environment_file(tmp_path)
    again = setup.new_settings(stored, "https://leads.example.com", 8123)

    assert stored == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert {name for name in first if first[name] != again[name]} == {
        "ROOFTREE_PUBLIC_URL",
        "ROOFTREE_BEHIND_TLS_PROXY",
    }
    assert again["ROOFTREE_BEHIND_TLS_PROXY"] == "true"


def test_environment_of_a_process_wins_over_the_file(tmp_path, monkeypatch):
    environment_file.write_environment_file(
        tmp_path, {"A_SETTING_OF_THE_TEST": "file", "PORT": "81"}
    )
    monkeypatch.setenv("PORT", "80")
    monkeypatch.setenv("A_SETTING_OF_THE_TEST", "")
    monkeypatch.delenv("A_SETTING_OF_THE_TEST")
    environment_file.load_environment_file(tmp_path)

    assert (os.environ["PORT"], os.environ["A_SETTING_OF_THE_TEST"]) == ("80", "file")


def test_setup_refuses_a_demo_folder_and_missing_answers(tmp_path):
    (tmp_path / "kind").write_text("demo\n")
    refused = run_setup(tmp_path, "setup", "--email", "a@b.example", "--name", "A B")
    assert (refused.returncode, "belongs to a demo" in refused.stderr) == (2, True)

    silent = run_setup(tmp_path / "new", "setup")
    assert (silent.returncode, "--email and --name" in silent.stderr) == (2, True)


@pytest.mark.parametrize(
    "text", ["leads.example.com", "ftp://a.example", "http://a.example", "https://a.example/x"]
)
def test_address_that_cannot_work_is_refused(text):
    with pytest.raises(command_base.UsageError):
        setup.parse_address(text)


def test_line_that_is_no_setting_is_named(tmp_path):
    (tmp_path / environment_file.FILE_NAME).write_text("# fine\n\nPORT=1\nnonsense\n")
    with pytest.raises(ConfigurationError, match="line 4"):
        environment_file.read_environment_file(tmp_path)


def test_backup_is_due_at_night_and_after_a_missed_night():
    night = make.NOON.replace(hour=2)
    due = nightly_backup.is_backup_due

    assert due(None, make.NOON)
    assert due(night - timedelta(hours=24), night)
    assert not due(night - timedelta(hours=1), night)
    assert not due(make.NOON - timedelta(hours=24), make.NOON)
    assert due(make.NOON - timedelta(hours=27), make.NOON)
    assert nightly_backup.is_test_restore_due(night - timedelta(days=8), night)
    assert not nightly_backup.is_test_restore_due(night - timedelta(days=6), night)
