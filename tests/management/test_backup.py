"""Backup and restore as an operator meets them: real commands, a real server, real files."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rooftree.core import postgres
from rooftree.core.home import Home
from rooftree.management import rights
from tests.conftest import FAST

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a sentence that nobody guesses"


class House:
    """One installation whose database runs, with one administrator on file."""

    def __init__(self, home):
        self.home = home
        self.backups = home / "backups"

    def rooftree(self, *words, preexec=None, **changes):
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("ROOFTREE_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"))
        }
        return subprocess.run(
            [sys.executable, "-m", "rooftree", *map(str, words)],
            cwd=ROOT,
            env={**kept, "ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(self.home), **changes},
            capture_output=True, text=True, check=False, timeout=180, stdin=subprocess.DEVNULL,
            preexec_fn=preexec,
        )  # fmt: skip

    def sql(self, statement, database=postgres.DATABASE):
        with psycopg.connect(postgres.conninfo(self.home, database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def backup(self, *words, **changes):
        done = self.rooftree("backup", "--json", *words, **changes)
        assert done.returncode == 0, done.stderr
        return Path(json.loads(done.stdout)["folder"])


@pytest.fixture(scope="module")
def house(folders):
    home = folders()
    with Home(home):
        server = postgres.start(home, FAST)
        try:
            made = House(home)
            migrated = made.rooftree("migrate", "--verbosity", "0")
            assert migrated.returncode == 0, migrated.stderr
            asked = made.rooftree("administrator", "ana@lender.example", "Ana Ruiz")
            assert asked.returncode == 0, asked.stderr
            yield made
        finally:
            server.stop()


@pytest.fixture(scope="module")
def whole(house):
    """A backup that the tests may not touch."""
    return house.backup("--to", house.home / "whole")


def names(house):
    return sorted(name for (name,) in house.sql('select name from "user"'))


def test_a_backup_says_what_is_in_it_and_leaves_the_secrets_out(house):
    folder = house.backup()

    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["rows"]["user"] == 1
    assert manifest["environment"] == "demo"
    assert manifest["secrets"] == "left out"
    assert not (folder / "secrets.sealed").exists()
    assert folder.stat().st_mode & 0o077 == 0
    kept = (house.home / "secrets" / "rooftree_field_keys").read_text().strip()
    assert kept not in (folder / "manifest.json").read_text()
    checked = subprocess.run(["sha256sum", "-c", "checksums"], cwd=folder, check=False)
    assert checked.returncode == 0


def test_only_the_newest_backups_stay(house, tmp_path):
    (tmp_path / "rooftree-20200101T000000Z").mkdir()  # somebody else's: not a backup of ours
    first = house.backup("--to", tmp_path)
    second = house.backup("--to", tmp_path, "--keep", "1")

    assert first != second
    assert not first.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "rooftree-20200101T000000Z",
        second.name,
    ]


def test_secrets_go_in_under_a_passphrase_and_come_out_with_it_alone(house, tmp_path):
    folder = house.backup("--to", tmp_path, "--with-secrets", ROOFTREE_BACKUP_PASSPHRASE=PASSPHRASE)
    kept = (house.home / "secrets" / "rooftree_field_keys").read_text().strip()
    out = tmp_path / "rooftree.env"

    wrong = house.rooftree(
        "restore", "--secrets", out, folder, ROOFTREE_BACKUP_PASSPHRASE="another sentence"
    )
    assert (wrong.returncode, out.exists()) == (1, False)
    right = house.rooftree(
        "restore", "--secrets", out, folder, ROOFTREE_BACKUP_PASSPHRASE=PASSPHRASE
    )

    assert right.returncode == 0, right.stderr
    assert f"ROOFTREE_FIELD_KEYS={kept}\n" in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    assert kept not in (folder / "secrets.sealed").read_text()


def test_a_short_passphrase_is_refused(house):
    done = house.rooftree("backup", "--with-secrets", ROOFTREE_BACKUP_PASSPHRASE="short")

    assert done.returncode == 2
    assert "12 characters" in done.stderr


def test_a_disk_without_room_is_one_sentence_and_leaves_nothing(house, tmp_path):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = house.rooftree(
        "backup", "--to", tmp_path, preexec=little_room, PYTHONDONTWRITEBYTECODE="1"
    )

    assert done.returncode == 1
    assert done.stderr.startswith("rooftree: no backup was made: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_backup_that_was_touched_is_refused(house, tmp_path):
    folder = house.backup("--to", tmp_path)
    dump = folder / "database.dump"
    data = bytearray(dump.read_bytes())
    data[len(data) // 2] ^= 1
    dump.write_bytes(data)

    done = house.rooftree("restore", folder, "--replace", postgres.DATABASE)

    assert done.returncode == 1
    assert "checksum differs" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_a_database_that_holds_something_is_replaced_only_by_its_name(house, whole):

    for words in ([], ["--replace", "yes"]):
        done = house.rooftree("restore", whole, *words)
        assert done.returncode == 1
        assert f"--replace {postgres.DATABASE}" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_a_backup_of_other_secrets_is_refused(house, whole):
    other = "vN0hWbhA6zOpl3YcvSmJ2hTpXnG0mUkqFyC0bD1eQ2s="

    done = house.rooftree(
        "restore", whole, "--replace", postgres.DATABASE, ROOFTREE_FIELD_KEYS=other
    )

    assert done.returncode == 1
    assert "ROOFTREE_FIELD_KEYS" in done.stderr


def test_nothing_is_replaced_under_those_who_work_with_it(house, whole):

    with psycopg.connect(postgres.conninfo(house.home)):
        done = house.rooftree("restore", whole, "--replace", postgres.DATABASE)

    assert done.returncode == 1
    assert "connections" in done.stderr


def test_a_restore_brings_everything_back_keeps_the_former_and_pauses_sending(house, whole):
    house.sql("update \"user\" set name = 'Somebody Else'")

    done = house.rooftree("restore", whole, "--replace", postgres.DATABASE)

    assert done.returncode == 0, done.stderr
    assert names(house) == ["Ana Ruiz"]
    assert "Sending is paused" in done.stdout
    assert house.sql("select backup_at is not null, released_at from sending_pause") == [
        (True, None)
    ]
    assert house.sql("select kind from staff_notice") == [("sending_paused",)]
    ((aside,),) = house.sql("select datname from pg_database where datname like '%_before_%'")
    assert aside in done.stdout
    assert house.sql('select name from "user"', database=aside) == [("Somebody Else",)]
    left = house.sql("select datname from pg_database where datname like '%_restoring_%'")
    assert left == []


SOMEBODY = """
insert into person (id, first_name, middle_name, last_name, suffix, language, street, city, state,
                    zip, created_at)
values ('01900000-0000-7000-8000-00000000000{0}', 'Ida', '', 'Berg{0}', '', '', '', '', '', '',
        now() - interval '3 years')
"""
REMOVE = """
from django.utils.timezone import now
from rooftree.compliance.keeping import purges
from rooftree.flow import keeping
purges.plan(at=now()); keeping.remove(at=now())
"""


def last_names(house):
    return [name for (name,) in house.sql("select last_name from person order by id")]


def test_a_restore_does_not_bring_back_whom_the_replaced_database_had_erased(house, tmp_path):
    house.sql(SOMEBODY.format(1))
    before = house.backup("--to", tmp_path)
    assert house.rooftree("shell", "-c", REMOVE).returncode == 0
    assert last_names(house) == [""]

    done = house.rooftree("restore", before, "--replace", postgres.DATABASE)

    assert done.returncode == 0, done.stderr
    assert "1 records that were erased are removed again" in done.stderr
    assert last_names(house) == [""]
    assert house.rooftree("check").returncode == 0


def test_a_restore_does_not_bring_back_whom_a_newer_backup_knows_of(house, tmp_path):
    house.sql(SOMEBODY.format(2))
    before = house.backup("--to", tmp_path)
    assert house.rooftree("shell", "-c", REMOVE).returncode == 0
    house.backup("--to", tmp_path)
    house.sql("delete from purge_row")  # the database to be replaced has forgotten

    done = house.rooftree("restore", before, "--replace", postgres.DATABASE)

    assert done.returncode == 0, done.stderr
    assert last_names(house)[-1] == ""


def test_a_restore_does_not_bring_back_whom_a_list_kept_elsewhere_knows_of(house, tmp_path):
    house.sql(SOMEBODY.format(3))
    before = house.backup("--to", tmp_path)
    assert house.rooftree("shell", "-c", REMOVE).returncode == 0
    kept = tmp_path / "erased.json"
    kept.write_text(house.rooftree("erasures").stdout)
    house.sql("delete from purge_row")

    done = house.rooftree("restore", before, "--replace", postgres.DATABASE, "--erasures", kept)

    assert done.returncode == 0, done.stderr
    assert last_names(house)[-1] == ""


def test_what_is_restored_has_the_programs_account_apart_from_its_owners(house, whole):
    done = house.rooftree("restore", whole, "--replace", postgres.DATABASE)

    assert done.returncode == 0, done.stderr
    with psycopg.connect(postgres.conninfo(house.home)) as owner:
        assert rights.are_given(owner, postgres.PROGRAM)
    assert accounts(house) == (True, "rooftree_program")


def accounts(house):
    """Whether doctor finds the accounts apart, and as whom a command of ours works."""
    said = [json.loads(line) for line in house.rooftree("doctor", "--json").stdout.splitlines()]
    found = next(one for one in said if one["what"] == "database account")
    asked = "from django.db import connection as c; k = c.cursor()\n"
    asked += "k.execute('select session_user::text'); print(k.fetchone()[0])"
    return found["well"], house.rooftree("shell", "-v", "0", "-c", asked).stdout.strip()


OLD = """
drop trigger message_leaves_by_the_door on message;
drop function message_leaves_by_the_door();
create or replace trigger claim_step_append_only before update or delete on claim_step
    for each row execute function row_is_append_only();
drop function claim_step_is_append_only();
delete from django_migrations where app = 'rooftree' and name = '0038_rights';
drop owned by rooftree_program, rooftree_program_door, rooftree_program_keeper,
    rooftree_program_sealer;
drop role rooftree_program, rooftree_program_door, rooftree_program_keeper,
    rooftree_program_sealer;
"""


def test_a_database_of_one_account_is_parted_in_place_by_the_next_start(folders):
    home = folders()
    old = House(home)
    assert old.rooftree("administrator", "ana@lender.example", "Ana Ruiz").returncode == 0
    with Home(home):
        server = postgres.start(home, FAST)
        try:
            old.sql(OLD)
            backup = old.backup()
        finally:
            server.stop()

    assert old.rooftree("check").returncode == 0
    with Home(home):
        server = postgres.start(home, FAST)
        try:
            assert accounts(old) == (True, "rooftree_program")
            done = old.rooftree("restore", backup, "--replace", postgres.DATABASE)
            assert done.returncode == 0, done.stderr
            assert accounts(old) == (True, "rooftree_program")
            assert names(old) == ["Ana Ruiz"]
        finally:
            server.stop()


MIGRATES = "from rooftree.management import database; database.migrate_if_needed()"


@pytest.fixture
def operators(house):
    """An operator's two accounts in a database of their own, the owner no superuser."""
    house.sql("create role leads_owner login createdb createrole")
    house.sql("create role leads login")
    house.sql("create database leads owner leads_owner")
    where = f"@/leads?host={postgres.socket_folder(house.home)}"
    yield {
        "DATABASE_URL": f"postgresql://leads{where}",
        "DATABASE_OWNER_URL": f"postgresql://leads_owner{where}",
    }
    house.sql("drop database leads with (force)")
    for role in ("leads_door", "leads_keeper", "leads_sealer", "leads", "leads_owner"):
        house.sql(f"drop role if exists {role}")


def test_an_operators_two_accounts_are_parted_by_an_upgrade_and_one_goes_on_as_it_was(
    house, operators
):
    def says(**environment):
        told = house.rooftree("doctor", "--json", **environment).stdout.splitlines()
        return next(one for line in told if (one := json.loads(line))["what"] == "database account")

    done = house.rooftree("upgrade", **operators)
    assert done.returncode == 0, done.stderr

    runs = {"DATABASE_URL": operators["DATABASE_URL"]}  # what runs is not told of the owner
    one = {"DATABASE_URL": operators["DATABASE_OWNER_URL"]}
    made = house.rooftree("administrator", "ana@lender.example", "Ana Ruiz", **runs)
    assert made.returncode == 0, made.stderr
    assert says(**runs)["well"]
    assert "The program runs as leads, which owns no table" in says(**runs)["text"]
    assert not says(**one)["well"]
    assert "One database account, leads_owner" in says(**one)["text"]
    assert house.rooftree("check", **one).returncode == 0
    assert house.backup(**runs).exists()
    house.sql("delete from django_migrations where name = '0038_rights'", database="leads")
    told = house.rooftree("shell", "-c", MIGRATES, **runs)
    assert "run `rooftree upgrade` with DATABASE_OWNER_URL" in told.stderr
    refused = house.rooftree("migrate", **runs)
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr


def test_an_upgrade_without_anything_to_do_says_so_and_checks(house):
    done = house.rooftree("upgrade")

    assert done.returncode == 0, done.stderr
    assert "nothing to bring up to date" in done.stdout
    assert "holds" in done.stdout


def test_tables_of_a_newer_release_are_refused_in_one_sentence(house):
    house.sql(
        "insert into django_migrations (app, name, applied) values ('rooftree', '9999_x', now())"
    )
    try:
        done = [house.rooftree(words) for words in ("upgrade", "worker", "clock")]
    finally:
        house.sql("delete from django_migrations where name = '9999_x'")

    for one in done:
        assert one.returncode == 2
        assert "newer release" in one.stderr
        assert "Traceback" not in one.stderr
