"""Backup and restore as an operator meets them: real commands, a real server, real files."""

import difflib
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rooftree.core import embedded_database
from rooftree.core.data_dir import DataDir
from rooftree.management import database_grants
from tests.database import FAST

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

    def sql(self, statement, database=embedded_database.DATABASE_NAME):
        with psycopg.connect(
            embedded_database.server_conninfo(self.home, database), autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def backup(self, *words, **changes):
        done = self.rooftree("backup", "--json", *words, **changes)
        assert done.returncode == 0, done.stderr
        return Path(json.loads(done.stdout)["folder"])

    def made(self):
        """Tables, functions, triggers, who may do what, and the rows that come with them."""
        dump = [embedded_database.client_program("pg_dump"), "--schema-only", "--create"]
        said = subprocess.run(
            [*dump, "--dbname", embedded_database.server_conninfo(self.home)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for written, meant in SAME_WORDS:
            said = re.sub(written, meant, said)
        return [*said.splitlines(), *map(str, self.sql(STEPS)), *map(str, self.sql(KNOWN))]


STEPS = "select app, name from django_migrations order by 1, 2"
KNOWN = """
select t.app_label, t.model, p.codename, p.name
  from django_content_type t left join auth_permission p on p.content_type_id = t.id
 order by 1, 2, 3
"""
# What is the same in other words: a list that was restored, and each dump's own password.
SAME_WORDS = (
    (r"\((ARRAY\[[^]]*\])\)::text\[\]", r"\1"),
    (r"\(('[^']*'::character varying)\)::text", r"\1"),
    (r"(?m)^\\(un)?restrict .*$", ""),
)


@pytest.fixture(scope="module")
def house(folders):
    home = folders()
    with DataDir(home):
        server = embedded_database.start_server(home, FAST)
        try:
            made = House(home)
            migrated = made.rooftree("migrate", "--verbosity", "0", "--skip-checks")
            assert migrated.returncode == 0, migrated.stderr
            made.new = made.made()
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
    assert sorted(path.name for path in tmp_path.iterdir()) == [
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

    done = house.rooftree("restore", folder, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "checksum differs" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_a_database_that_holds_something_is_replaced_only_by_its_name(house, whole):

    for words in ([], ["--replace", "yes"]):
        done = house.rooftree("restore", whole, *words)
        assert done.returncode == 1
        assert f"--replace {embedded_database.DATABASE_NAME}" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_a_backup_of_other_secrets_is_refused(house, whole):
    other = "vN0hWbhA6zOpl3YcvSmJ2hTpXnG0mUkqFyC0bD1eQ2s="

    done = house.rooftree(
        "restore", whole, "--replace", embedded_database.DATABASE_NAME, ROOFTREE_FIELD_KEYS=other
    )

    assert done.returncode == 1
    assert "ROOFTREE_FIELD_KEYS" in done.stderr


def test_nothing_is_replaced_under_those_who_work_with_it(house, whole):

    with psycopg.connect(embedded_database.server_conninfo(house.home)):
        done = house.rooftree("restore", whole, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "connections" in done.stderr


def test_a_restore_brings_everything_back_keeps_the_former_and_pauses_sending(house, whole):
    house.sql("update \"user\" set name = 'Somebody Else'")

    done = house.rooftree("restore", whole, "--replace", embedded_database.DATABASE_NAME)

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
    with psycopg.connect(embedded_database.server_conninfo(house.home)) as owner:
        assert database_grants.are_grants_current(owner, embedded_database.PROGRAM_ROLE)
    assert accounts(house) == (True, "rooftree_program")


REFUSED = """
create function refused() returns trigger language plpgsql as $$
begin raise exception 'The disk is full.'; end $$;
update sending_pause set released_at = now() where released_at is null;
create trigger refused before insert on sending_pause for each row execute function refused();
"""


def test_a_restore_in_which_sending_cannot_be_paused_replaces_nothing(house, tmp_path):
    house.sql(REFUSED)
    without_pause = house.backup("--to", tmp_path)
    house.sql("drop function refused cascade")
    house.sql("update \"user\" set name = 'Ana Maria Ruiz'")

    done = house.rooftree("restore", without_pause, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "sending could not be paused" in done.stderr
    assert names(house) == ["Ana Maria Ruiz"]
    assert house.sql("select from pg_database where datname like '%_restoring_%'") == []


PERSON = "01900000-0000-7000-8000-00000000000{0}"
SOMEBODY = f"""
insert into person (id, first_name, middle_name, last_name, suffix, language, street, city, state,
                    zip, created_at)
values ('{PERSON}', 'Ida', '', 'Berg{{0}}', '', '', '', '', '', '', now() - interval '{{1}} years')
"""
REMOVE = """
from django.utils.timezone import now
from rooftree.flow import data_removal
from rooftree.retention import purges
purges.plan_scheduled_purge(at=now()); data_removal.run_removals(at=now())
"""


def last_names(house):
    return [name for (name,) in house.sql("select last_name from person order by id")]


def test_a_restore_does_not_bring_back_whom_any_list_of_erasures_knows_of(house, tmp_path):
    for number, years in ((1, 3), (2, 3), (3, 3), (4, 0)):
        house.sql(SOMEBODY.format(number, years))
    before = house.backup("--to", tmp_path)
    assert house.rooftree("shell", "-c", REMOVE).returncode == 0
    assert last_names(house) == ["", "", "", "Berg4"]
    # The first is known to a list kept elsewhere, the second to a newer backup, the third to
    # the database that is replaced; each to that one alone.
    erased = json.loads(house.rooftree("erasures").stdout)
    assert erased == {"person": [PERSON.format(number) for number in (1, 2, 3)]}
    kept = tmp_path / "erased.json"
    kept.write_text(json.dumps({"person": [PERSON.format(1)]}))
    house.sql(f"delete from purge_row where row_id <> '{PERSON.format(2)}'")
    house.backup("--to", tmp_path)
    house.sql(f"update purge_row set row_id = '{PERSON.format(3)}'")

    done = house.rooftree(
        "restore", before, "--replace", embedded_database.DATABASE_NAME, "--erasures", kept
    )

    assert done.returncode == 0, done.stderr
    assert "3 records that were erased are removed again" in done.stderr
    assert last_names(house) == ["", "", "", "Berg4"]
    assert house.rooftree("check").returncode == 0


def accounts(house):
    """Whether doctor finds the accounts apart, and as whom a command of ours works."""
    said = [json.loads(line) for line in house.rooftree("doctor", "--json").stdout.splitlines()]
    found = next(one for one in said if one["what"] == "database account")
    asked = "from django.db import connection as c; k = c.cursor()\n"
    asked += "k.execute('select session_user::text'); print(k.fetchone()[0])"
    return found["well"], house.rooftree("shell", "-v", "0", "-c", asked).stdout.strip()


BEFORE_ACCOUNTS = """
from django.core.management import call_command
call_command("migrate", "rooftree", "0037_words_and_purposes", verbosity=0)
for app in ("account", "auth", "mfa", "sessions"):
    call_command("migrate", app, verbosity=0)
"""
ONE_ACCOUNT = """
drop role rooftree_program, rooftree_program_door, rooftree_program_keeper,
    rooftree_program_sealer;
insert into "user" (id, password, email, name, role, phone, title, is_active)
values (gen_random_uuid(), '', 'ana@lender.example', 'Ana Ruiz', 'administrator', '', '', true)
"""


@pytest.fixture(scope="module")
def old(folders):
    """A database that walked the steps of old, when there was one account; and its backup."""
    made = House(folders())
    with DataDir(made.home):
        server = embedded_database.start_server(made.home, FAST)
        try:
            walked = made.rooftree("shell", "-c", BEFORE_ACCOUNTS, ROOFTREE_DATABASE_AS="owner")
            assert walked.returncode == 0, walked.stderr
            made.sql(ONE_ACCOUNT)
            made.whole = made.backup()
        finally:
            server.stop()
    return made


def differences(one, new):
    return list(difflib.unified_diff(new, one.made(), "new", "walked", n=1, lineterm=""))


def test_a_database_of_old_steps_and_its_backup_become_what_a_new_one_is(house, old):
    assert old.rooftree("check").returncode == 0  # the next start brings it up and parts it

    with DataDir(old.home):
        server = embedded_database.start_server(old.home, FAST)
        try:
            assert accounts(old) == (True, "rooftree_program")
            assert names(old) == ["Ana Ruiz"]
            assert differences(old, house.new) == []
            old.sql('delete from "user"')
            done = old.rooftree("restore", old.whole, "--replace", embedded_database.DATABASE_NAME)
            assert done.returncode == 0, done.stderr
            assert accounts(old) == (True, "rooftree_program")
            assert names(old) == ["Ana Ruiz"]
            assert differences(old, house.new) == []
        finally:
            server.stop()


MIGRATES = "from rooftree.management import database; database.migrate_if_needed()"


@pytest.fixture
def operators(house):
    """An operator's two accounts in a database of their own, the owner no superuser."""
    house.sql("create role leads_owner login createdb createrole")
    house.sql("create role leads login")
    house.sql("create database leads owner leads_owner")
    where = f"@/leads?host={embedded_database.socket_folder(house.home)}"
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
    parted, single = says(**runs), says(**one)
    assert parted["well"]
    assert "The program runs as leads, which owns no table" in parted["text"]
    assert not single["well"]
    assert "One database account, leads_owner" in single["text"]
    assert house.rooftree("check", **one).returncode == 0
    assert house.backup(**runs).exists()
    newest = (
        "(select name from django_migrations where app = 'rooftree' order by name desc limit 1)"
    )
    house.sql(f"delete from django_migrations where name = {newest}", database="leads")
    told = house.rooftree("shell", "-c", MIGRATES, **runs)
    assert "run `rooftree upgrade` with DATABASE_OWNER_URL" in told.stderr
    refused = house.rooftree("migrate", "--skip-checks", **runs)
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
