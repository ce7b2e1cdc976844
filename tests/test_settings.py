"""The settings as another process meets them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from rooftree.core import settings_readers
from rooftree.core.home import kind_of, remember_kind
from rooftree.core.secrets import given_or_kept, signing_key
from rooftree.core.settings_readers import Unconfigured

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


def test_a_demo_keeps_the_secrets_it_made_for_its_owner_alone(tmp_path):
    made = [
        given_or_kept("A_TEST_SECRET", folder=tmp_path / "home" / "secrets", make=signing_key)
        for _ in range(2)
    ]

    assert made[0] == made[1]
    assert (tmp_path / "home" / "secrets" / "a_test_secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home" / "secrets").stat().st_mode & 0o777 == 0o700


def test_eight_starts_at_once_end_with_one_secret(tmp_path):
    folder = tmp_path / "home" / "secrets"
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(
            lambda _: given_or_kept("A_TEST_SECRET", folder=folder, make=signing_key), range(8)
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
        remember_kind(tmp_path, remembered)
    if kind is None:
        with pytest.raises(Unconfigured, match="of its own in ROOFTREE_HOME"):
            kind_of(tmp_path, asked=asked)
    else:
        assert kind_of(tmp_path, asked=asked) == kind


@pytest.mark.parametrize("address", ["http://[", "postgresql://%zz", "postgresql://host"])
def test_an_unreadable_database_address_never_shows_itself(address):
    with pytest.raises(Unconfigured) as problem:
        settings_readers.database(address)

    assert address not in str(problem.value)


def test_a_database_address_becomes_djangos():
    found = settings_readers.database("postgresql://u:p%40ss@db:5433/leads?sslmode=require")

    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("leads", "u", "p@ss")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == (
        "db",
        "5433",
        {"sslmode": "require"},
    )
