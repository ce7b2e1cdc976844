"""The settings as another process meets them."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from rooftree.core import settings_readers
from rooftree.core.app_secrets import load_or_create_secret, new_signing_key
from rooftree.core.data_dir import installation_kind, record_installation_kind
from rooftree.core.settings_readers import ConfigurationError
from rooftree.management import doctor_machine_checks

ROOT = Path(__file__).parent.parent


@pytest.mark.django_db
def test_the_suite_runs_on_a_real_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        assert int(cursor.fetchone()[0]) >= 160000


def start(*words, **environment):
    """A command in a process of its own, with only these variables of ours set."""
    ours = ("ROOFTREE_", "DATABASE_URL", "PORT", "DJANGO_SETTINGS_MODULE", "TWILIO_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "rooftree", *words], env={**kept, **environment}, cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


SECRETS = {
    "ROOFTREE_SECRET_KEY": "s" * 50,
    "ROOFTREE_FIELD_KEYS": "5vSNXLkgrPYDm-4Th7Y7r2zTYbbMUJdNXo2Tu9uyfpE=",
    "ROOFTREE_PUBLIC_URL": "https://leads.example.com",
}


@pytest.mark.parametrize("missing", SECRETS)
def test_production_does_not_start_without(missing, tmp_path):
    given = {name: value for name, value in SECRETS.items() if name != missing}
    done = start("serve", ROOFTREE_HOME=str(tmp_path / "home"), **given)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DATABASE_URL", "mysql://root@localhost/leads"),
        ("ROOFTREE_ENV", "staging"),
        ("ROOFTREE_SMTP_TLS", "maybe"),
        ("ROOFTREE_CARRIER", "pigeon"),
        ("ROOFTREE_FIELD_KEYS", "short"),
    ],
)
def test_a_value_that_cannot_be_read_is_one_sentence(name, value, tmp_path):
    changed = {"ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(tmp_path / "home"), name: value}
    done = start("serve", **changed)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr


def told_of_settings(tmp_path, **environment):
    """What doctor finds of them, and all that it says."""
    done = start("doctor", "--json", ROOFTREE_HOME=str(tmp_path / "home"), **environment)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return next(one for one in said if one["what"] == "settings"), done.stdout + done.stderr


@pytest.mark.parametrize("kind", [{"ROOFTREE_ENV": "demo"}, SECRETS])
def test_doctor_names_each_setting_that_nobody_reads_and_no_value(kind, tmp_path):
    found, whole = told_of_settings(
        tmp_path, **kind,
        ROOFTREE_RELEASE_FREE_SIZE="a-value-of-ours-1", ROOFTREE_SMPT_PASSWORD="a-value-of-ours-2",
        ROOFTREE_MOON="a-value-of-ours-3", ROOFTREE_SMTP_HOST="127.0.0.1", ROOFTREE_SUN="",
        ROOFTREE_BACKUP_PASSPHRASE="a-value-of-ours-4", TWILIO_MOON="a-value-of-ours-5",
    )  # fmt: skip

    assert not found["well"]
    assert found["text"] == (
        "nobody reads ROOFTREE_MOON, ROOFTREE_RELEASE_FREE_SIZE, ROOFTREE_SMPT_PASSWORD"
    )
    assert found["do"] == (
        "take ROOFTREE_MOON out: docs/settings.md has all there are; take "
        "ROOFTREE_RELEASE_FREE_SIZE out: it is changed under Compliance, Rules, Everywhere now; "
        "ROOFTREE_SMPT_PASSWORD: did you mean ROOFTREE_SMTP_PASSWORD?"
    )
    assert "a-value-of-ours" not in whole


def test_doctor_is_content_with_settings_that_this_installation_has_no_use_for(tmp_path):
    found, _ = told_of_settings(
        tmp_path, ROOFTREE_ENV="demo",
        ROOFTREE_LISTEN_ON="0.0.0.0", ROOFTREE_HOSTS="leads.example.com",
        ROOFTREE_MAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        ROOFTREE_SMTP_HOST="mail.example.com", ROOFTREE_DEMO_NICE="5",
    )  # fmt: skip

    assert found == {
        "what": "settings", "well": True, "text": "each that is set is read", "do": "",
    }  # fmt: skip


def test_doctor_knows_every_setting_that_code_and_manual_name():
    """A name in the tree that is neither asked for by the settings nor listed would be reported."""
    folders = (
        *("rooftree", "rooftree_casebook", "rooftree_demo", "rooftree_simulators"),
        *("scripts", "bench", "deploy"),
    )
    files = [path for name in (*folders, "tests", ".ci") for path in (ROOT / name).rglob("*")]
    files += [ROOT / "Makefile", ROOT / "docs" / "settings.md"]
    named = {
        name
        for file in files
        if file.is_file() and file.suffix not in {".pyc", ".xlsx"} and file != Path(__file__)
        for name in re.findall(r"\bROOFTREE_[A-Z_]*[A-Z]\b", file.read_text(errors="replace"))
    }
    assert len(named) > 40
    assert (
        named - settings_readers.READ_NAMES - doctor_machine_checks.SETTINGS_READ_ELSEWHERE
        == set(doctor_machine_checks.MOVED_SETTINGS)
    )
    assert named >= doctor_machine_checks.SETTINGS_READ_ELSEWHERE


def test_a_demo_keeps_the_secrets_it_made_for_its_owner_alone(tmp_path):
    made = [
        load_or_create_secret(
            "A_TEST_SECRET", folder=tmp_path / "home" / "secrets", make=new_signing_key
        )
        for _ in range(2)
    ]

    assert made[0] == made[1]
    assert (tmp_path / "home" / "secrets" / "a_test_secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home" / "secrets").stat().st_mode & 0o777 == 0o700


def test_eight_starts_at_once_end_with_one_secret(tmp_path):
    folder = tmp_path / "home" / "secrets"
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(
            lambda _: load_or_create_secret("A_TEST_SECRET", folder=folder, make=new_signing_key),
            range(8),
        )

    assert len(set(made)) == 1


@pytest.mark.parametrize(
    ("remembered", "asked", "kind"),
    [
        ("", "", "production"),  # nobody said: the one that refuses to start without secrets
        ("", "demo", "demo"),
        ("demo", "", "demo"),
        ("production", "", "production"),
        ("demo", "production", None),  # made-up people must not meet real carriers
        ("production", "demo", None),
    ],
)
def test_a_folder_is_of_one_kind_for_ever(remembered, asked, kind, tmp_path):
    if remembered:
        record_installation_kind(tmp_path, remembered)
    if kind is None:
        with pytest.raises(ConfigurationError, match="of its own in ROOFTREE_HOME"):
            installation_kind(tmp_path, requested=asked)
    else:
        assert installation_kind(tmp_path, requested=asked) == kind


@pytest.mark.parametrize("address", ["http://[", "postgresql://%zz", "postgresql://host"])
def test_an_unreadable_database_address_never_shows_itself(address):
    with pytest.raises(ConfigurationError) as problem:
        settings_readers.database_config(address)

    assert address not in str(problem.value)


def test_a_database_address_becomes_djangos():
    found = settings_readers.database_config("postgresql://u:p%40ss@db:5433/leads?sslmode=require")

    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("leads", "u", "p@ss")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == (
        "db",
        "5433",
        {"sslmode": "require"},
    )
