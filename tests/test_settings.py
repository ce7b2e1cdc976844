"""The settings, read in a separate process."""

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
def test_suite_runs_on_a_real_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        assert int(cursor.fetchone()[0]) >= 160000


def start(*words, **environment):
    """Run a command in its own process with only these settings."""
    prefixes = ("ROOFTREE_", "DATABASE_URL", "PORT", "DJANGO_SETTINGS_MODULE", "TWILIO_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
    return subprocess.run(
        [sys.executable, "-m", "rooftree", *words], env={**inherited, **environment}, cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


SECRETS = {
    "ROOFTREE_SECRET_KEY": "s" * 50,
    "ROOFTREE_FIELD_KEYS": "5vSNXLkgrPYDm-4Th7Y7r2zTYbbMUJdNXo2Tu9uyfpE=",
    "ROOFTREE_PUBLIC_URL": "https://leads.example.com",
}


@pytest.mark.parametrize("missing", SECRETS)
def test_production_does_not_start_without_its_secrets(missing, tmp_path):
    secrets = {name: value for name, value in SECRETS.items() if name != missing}
    done = start("serve", ROOFTREE_HOME=str(tmp_path / "home"), **secrets)

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
def test_invalid_setting_is_one_sentence(name, value, tmp_path):
    environment = {"ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(tmp_path / "home"), name: value}
    done = start("serve", **environment)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr


def doctor_settings_check(tmp_path, **environment):
    """Return doctor's finding on the settings, and its whole output."""
    done = start("doctor", "--json", ROOFTREE_HOME=str(tmp_path / "home"), **environment)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    settings = next(finding for finding in findings if finding["what"] == "settings")
    return settings, done.stdout + done.stderr


@pytest.mark.parametrize("kind", [{"ROOFTREE_ENV": "demo"}, SECRETS])
def test_doctor_names_unknown_settings_without_their_values(kind, tmp_path):
    finding, output = doctor_settings_check(
        tmp_path, **kind,
        ROOFTREE_RELEASE_FREE_SIZE="a-value-of-ours-1", ROOFTREE_SMPT_PASSWORD="a-value-of-ours-2",
        ROOFTREE_MOON="a-value-of-ours-3", ROOFTREE_SMTP_HOST="127.0.0.1", ROOFTREE_SUN="",
        ROOFTREE_BACKUP_PASSPHRASE="a-value-of-ours-4", TWILIO_MOON="a-value-of-ours-5",
    )  # fmt: skip

    assert not finding["well"]
    assert finding["text"] == (
        "unknown: ROOFTREE_MOON, ROOFTREE_RELEASE_FREE_SIZE, ROOFTREE_SMPT_PASSWORD"
    )
    assert finding["do"] == (
        "remove ROOFTREE_MOON: docs/settings.md lists all settings; remove "
        "ROOFTREE_RELEASE_FREE_SIZE: it is now under Compliance, Rules, Everywhere; "
        "ROOFTREE_SMPT_PASSWORD: did you mean ROOFTREE_SMTP_PASSWORD?"
    )
    assert "a-value-of-ours" not in output


def test_doctor_accepts_settings_that_this_installation_does_not_use(tmp_path):
    finding, _ = doctor_settings_check(
        tmp_path, ROOFTREE_ENV="demo",
        ROOFTREE_LISTEN_ON="0.0.0.0", ROOFTREE_HOSTS="leads.example.com",
        ROOFTREE_MAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        ROOFTREE_SMTP_HOST="mail.example.com", ROOFTREE_DEMO_NICE="5",
    )  # fmt: skip

    assert finding == {
        "what": "settings", "well": True, "text": "every setting is known", "do": "",
    }  # fmt: skip


def test_doctor_knows_every_setting_in_code_and_manual():
    """Doctor would report a name in the tree that no setting reads and no list has."""
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


def test_demo_secrets_are_stored_for_their_owner_alone(tmp_path):
    secrets = [
        load_or_create_secret(
            "A_TEST_SECRET", folder=tmp_path / "home" / "secrets", make=new_signing_key
        )
        for _ in range(2)
    ]

    assert secrets[0] == secrets[1]
    assert (tmp_path / "home" / "secrets" / "a_test_secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home" / "secrets").stat().st_mode & 0o777 == 0o700


def test_eight_concurrent_starts_share_one_secret(tmp_path):
    folder = tmp_path / "home" / "secrets"
    with ThreadPoolExecutor(8) as pool:
        secrets = pool.map(
            lambda _: load_or_create_secret("A_TEST_SECRET", folder=folder, make=new_signing_key),
            range(8),
        )

    assert len(set(secrets)) == 1


@pytest.mark.parametrize(
    ("stored", "requested", "kind"),
    [
        ("", "", "production"),  # the default, which refuses to start without secrets
        ("", "demo", "demo"),
        ("demo", "", "demo"),
        ("production", "", "production"),
        ("demo", "production", None),  # made-up borrowers must not reach real carriers
        ("production", "demo", None),
    ],
)
def test_data_folder_keeps_its_kind(stored, requested, kind, tmp_path):
    if stored:
        record_installation_kind(tmp_path, stored)
    if kind is None:
        with pytest.raises(ConfigurationError, match="set ROOFTREE_HOME to a separate folder"):
            installation_kind(tmp_path, requested=requested)
    else:
        assert installation_kind(tmp_path, requested=requested) == kind


@pytest.mark.parametrize("address", ["http://[", "postgresql://%zz", "postgresql://host"])
def test_invalid_database_url_is_not_shown(address):
    with pytest.raises(ConfigurationError) as problem:
        settings_readers.database_config(address)

    assert address not in str(problem.value)


def test_database_url_becomes_a_django_configuration():
    config = settings_readers.database_config("postgresql://u:p%40ss@db:5433/leads?sslmode=require")

    assert (config["NAME"], config["USER"], config["PASSWORD"]) == ("leads", "u", "p@ss")
    assert (config["HOST"], config["PORT"], config["OPTIONS"]) == (
        "db",
        "5433",
        {"sslmode": "require"},
    )
