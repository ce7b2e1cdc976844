"""Backup and restore with real commands, a real server and real files."""

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
    """An installation with a running database and one administrator."""

    def __init__(self, home):
        self.home = home
        self.backups = home / "backups"

    def rooftree(self, *words, preexec=None, **changes):
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("ROOFTREE_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"))
        }
        return subprocess.run(
            [sys.executable, "-m", "rooftree", *map(str, words)],
            cwd=ROOT,
            env={**inherited, "ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(self.home), **changes},
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
        result = self.rooftree("backup", "--json", *words, **changes)
        assert result.returncode == 0, result.stderr
        return Path(json.loads(result.stdout)["folder"])

    def describe(self):
        """Return lines for tables, functions, triggers, grants and the rows of Django."""
        dump = [embedded_database.client_program("pg_dump"), "--schema-only", "--create"]
        text = subprocess.run(
            [*dump, "--dbname", embedded_database.server_conninfo(self.home)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for pattern, replacement in EQUAL_SPELLINGS:
            text = re.sub(pattern, replacement, text)
        rows = [*self.sql(SELECT_MIGRATIONS), *self.sql(SELECT_PERMISSIONS)]
        return [*text.splitlines(), *map(str, rows)]


SELECT_MIGRATIONS = "select app, name from django_migrations order by 1, 2"
SELECT_PERMISSIONS = """
select t.app_label, t.model, p.codename, p.name
  from django_content_type t left join auth_permission p on p.content_type_id = t.id
 order by 1, 2, 3
"""
# Differences in spelling only: a restored list, and each dump's own password.
EQUAL_SPELLINGS = (
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
            house = House(home)
            migrated = house.rooftree("migrate", "--verbosity", "0", "--skip-checks")
            assert migrated.returncode == 0, migrated.stderr
            house.new = house.describe()
            added = house.rooftree("administrator", "ana@lender.example", "Ana Ruiz")
            assert added.returncode == 0, added.stderr
            yield house
        finally:
            server.stop()


@pytest.fixture(scope="module")
def whole(house):
    """A backup that no test changes."""
    return house.backup("--to", house.home / "whole")


def names(house):
    return sorted(name for (name,) in house.sql('select name from "user"'))


def test_backup_has_a_manifest_and_no_secrets(house):
    folder = house.backup()

    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["rows"]["user"] == 1
    assert manifest["environment"] == "demo"
    assert manifest["secrets"] == "left out"
    assert not (folder / "secrets.sealed").exists()
    assert folder.stat().st_mode & 0o077 == 0
    field_key = (house.home / "secrets" / "rooftree_field_keys").read_text().strip()
    assert field_key not in (folder / "manifest.json").read_text()
    checked = subprocess.run(["sha256sum", "-c", "checksums"], cwd=folder, check=False)
    assert checked.returncode == 0


def test_backup_with_keep_deletes_older_backups(house, tmp_path):
    (tmp_path / "rooftree-20200101T000000Z").mkdir()  # not a backup
    first = house.backup("--to", tmp_path)
    second = house.backup("--to", tmp_path, "--keep", "1")

    assert first != second
    assert not first.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rooftree-20200101T000000Z",
        second.name,
    ]


def test_secrets_are_readable_only_with_the_passphrase(house, tmp_path):
    folder = house.backup("--to", tmp_path, "--with-secrets", ROOFTREE_BACKUP_PASSPHRASE=PASSPHRASE)
    field_key = (house.home / "secrets" / "rooftree_field_keys").read_text().strip()
    out = tmp_path / "rooftree.env"

    wrong = house.rooftree(
        "restore", "--secrets", out, folder, ROOFTREE_BACKUP_PASSPHRASE="another sentence"
    )
    assert (wrong.returncode, out.exists()) == (1, False)
    right = house.rooftree(
        "restore", "--secrets", out, folder, ROOFTREE_BACKUP_PASSPHRASE=PASSPHRASE
    )

    assert right.returncode == 0, right.stderr
    assert f"ROOFTREE_FIELD_KEYS={field_key}\n" in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    assert field_key not in (folder / "secrets.sealed").read_text()


def test_short_passphrase_is_rejected(house):
    done = house.rooftree("backup", "--with-secrets", ROOFTREE_BACKUP_PASSPHRASE="short")

    assert done.returncode == 2
    assert "12 characters" in done.stderr


def test_full_disk_is_one_sentence_and_leaves_nothing(house, tmp_path):
    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = house.rooftree(
        "backup", "--to", tmp_path, preexec=limit_file_size, PYTHONDONTWRITEBYTECODE="1"
    )

    assert done.returncode == 1
    assert done.stderr.startswith("rooftree: the backup failed: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_restore_runs_beside_the_running_database_and_drops_it(house, whole):
    databases = "select datname from pg_database order by 1"
    before = house.sql(databases)

    done = house.rooftree("restore", whole, "--test")

    assert done.returncode == 0, done.stderr
    assert "can be restored" in done.stdout
    assert "rooftree check passed" in done.stderr
    assert house.sql(databases) == before
    assert house.sql("select count(*) from sending_pause") == [(0,)]
    record = json.loads((house.home / "last-test-restore.json").read_text())
    assert record["backup_at"] == json.loads((whole / "manifest.json").read_text())["made_at"]


def test_changed_backup_is_rejected(house, tmp_path):
    folder = house.backup("--to", tmp_path)
    dump = folder / "database.dump"
    data = bytearray(dump.read_bytes())
    data[len(data) // 2] ^= 1
    dump.write_bytes(data)

    done = house.rooftree("restore", folder, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "checksum differs" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_database_with_data_is_replaced_only_by_name(house, whole):

    for words in ([], ["--replace", "yes"]):
        done = house.rooftree("restore", whole, *words)
        assert done.returncode == 1
        assert f"--replace {embedded_database.DATABASE_NAME}" in done.stderr
    assert names(house) == ["Ana Ruiz"]


def test_backup_with_other_secrets_is_rejected(house, whole):
    other = "vN0hWbhA6zOpl3YcvSmJ2hTpXnG0mUkqFyC0bD1eQ2s="

    done = house.rooftree(
        "restore", whole, "--replace", embedded_database.DATABASE_NAME, ROOFTREE_FIELD_KEYS=other
    )

    assert done.returncode == 1
    assert "ROOFTREE_FIELD_KEYS" in done.stderr


def test_database_in_use_is_not_replaced(house, whole):

    with psycopg.connect(embedded_database.server_conninfo(house.home)):
        done = house.rooftree("restore", whole, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "connections" in done.stderr


def test_restore_keeps_the_old_database_and_pauses_sending(house, whole):
    house.sql("update \"user\" set name = 'Someone Else'")

    done = house.rooftree("restore", whole, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 0, done.stderr
    assert names(house) == ["Ana Ruiz"]
    assert "Sending is paused" in done.stdout
    assert house.sql("select backup_at is not null, released_at from sending_pause") == [
        (True, None)
    ]
    assert house.sql("select kind from staff_notice") == [("sending_paused",)]
    ((former,),) = house.sql("select datname from pg_database where datname like '%_before_%'")
    assert former in done.stdout
    assert house.sql('select name from "user"', database=former) == [("Someone Else",)]
    assert house.sql("select from pg_database where datname like '%_restoring_%'") == []
    with psycopg.connect(embedded_database.server_conninfo(house.home)) as owner:
        assert database_grants.are_grants_current(owner, embedded_database.PROGRAM_ROLE)
    assert accounts(house) == (True, "rooftree_program")


BREAK_PAUSE = """
create function refused() returns trigger language plpgsql as $$
begin raise exception 'The disk is full.'; end $$;
update sending_pause set released_at = now() where released_at is null;
create trigger refused before insert on sending_pause for each row execute function refused();
"""


def test_restore_that_cannot_pause_sending_replaces_nothing(house, tmp_path):
    house.sql(BREAK_PAUSE)
    without_pause = house.backup("--to", tmp_path)
    house.sql("drop function refused cascade")
    house.sql("update \"user\" set name = 'Ana Maria Ruiz'")

    done = house.rooftree("restore", without_pause, "--replace", embedded_database.DATABASE_NAME)

    assert done.returncode == 1
    assert "sending couldn't be paused" in done.stderr
    assert names(house) == ["Ana Maria Ruiz"]
    assert house.sql("select from pg_database where datname like '%_restoring_%'") == []


PERSON = "01900000-0000-7000-8000-00000000000{0}"
INSERT_PERSON = f"""
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


def test_restore_removes_everyone_on_any_list_of_erasures(house, tmp_path):
    for number, years in ((1, 3), (2, 3), (3, 3), (4, 0)):
        house.sql(INSERT_PERSON.format(number, years))
    before = house.backup("--to", tmp_path)
    assert house.rooftree("shell", "-c", REMOVE).returncode == 0
    assert last_names(house) == ["", "", "", "Berg4"]
    # The first is only on a list stored elsewhere, the second only in a newer backup, the third
    # only in the database to replace.
    erased = json.loads(house.rooftree("erasures").stdout)
    assert erased == {"person": [PERSON.format(number) for number in (1, 2, 3)]}
    erasure_list = tmp_path / "erased.json"
    erasure_list.write_text(json.dumps({"person": [PERSON.format(1)]}))
    house.sql(f"delete from purge_row where row_id <> '{PERSON.format(2)}'")
    house.backup("--to", tmp_path)
    house.sql(f"update purge_row set row_id = '{PERSON.format(3)}'")

    done = house.rooftree(
        "restore", before, "--replace", embedded_database.DATABASE_NAME, "--erasures", erasure_list
    )

    assert done.returncode == 0, done.stderr
    assert "Deleted 3 erased records again" in done.stderr
    assert last_names(house) == ["", "", "", "Berg4"]
    assert house.rooftree("check").returncode == 0


def accounts(house):
    """Return whether doctor sees two accounts, and the account of a command."""
    lines = house.rooftree("doctor", "--json").stdout.splitlines()
    findings = [json.loads(line) for line in lines]
    account = next(finding for finding in findings if finding["what"] == "database account")
    code = "from django.db import connection as c; k = c.cursor()\n"
    code += "k.execute('select session_user::text'); print(k.fetchone()[0])"
    return account["well"], house.rooftree("shell", "-v", "0", "-c", code).stdout.strip()


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
    """A database of the old migrations, with one account, and its backup."""
    house = House(folders())
    with DataDir(house.home):
        server = embedded_database.start_server(house.home, FAST)
        try:
            migrated = house.rooftree("shell", "-c", BEFORE_ACCOUNTS, ROOFTREE_DATABASE_AS="owner")
            assert migrated.returncode == 0, migrated.stderr
            house.sql(ONE_ACCOUNT)
            house.whole = house.backup()
        finally:
            server.stop()
    return house


def differences(house, new):
    return list(difflib.unified_diff(new, house.describe(), "new", "migrated", n=1, lineterm=""))


@pytest.mark.timeout(420)  # it migrates twice
def test_database_with_old_migrations_ends_like_a_new_one(house, old):
    assert old.rooftree("check").returncode == 0  # the start migrates it and separates the accounts

    with DataDir(old.home):
        server = embedded_database.start_server(old.home, FAST)
        try:
            assert accounts(old) == (True, "rooftree_program")
            assert names(old) == ["Ana Ruiz"]
            assert old.sql('select roles from "user"') == [(["administrator"],)]
            assert differences(old, house.new) == []
            old.sql('delete from "user"')
            done = old.rooftree("restore", old.whole, "--replace", embedded_database.DATABASE_NAME)
            assert done.returncode == 0, done.stderr
            assert accounts(old) == (True, "rooftree_program")
            assert names(old) == ["Ana Ruiz"]
            assert old.sql('select roles from "user"') == [(["administrator"],)]
            assert differences(old, house.new) == []
        finally:
            server.stop()


MIGRATE = "from rooftree.management import database; database.migrate_if_needed()"


@pytest.fixture
def operators(house):
    """An operator's two accounts in a separate database; the owner is no superuser."""
    house.sql("create role leads_owner login createdb createrole")
    house.sql("create role leads login")
    house.sql("create database leads owner leads_owner")
    location = f"@/leads?host={embedded_database.socket_folder(house.home)}"
    yield {
        "DATABASE_URL": f"postgresql://leads{location}",
        "DATABASE_OWNER_URL": f"postgresql://leads_owner{location}",
    }
    house.sql("drop database leads with (force)")
    for role in ("leads_door", "leads_keeper", "leads_sealer", "leads", "leads_owner"):
        house.sql(f"drop role if exists {role}")


UNDO_NEWEST_MIGRATION = """
delete from django_migrations where app = 'rooftree'
   and name = (select max(name) from django_migrations where app = 'rooftree')
"""


def test_upgrade_separates_two_accounts_and_supports_one(house, operators):
    def check_account(**environment):
        lines = house.rooftree("doctor", "--json", **environment).stdout.splitlines()
        findings = [json.loads(line) for line in lines]
        return next(finding for finding in findings if finding["what"] == "database account")

    done = house.rooftree("upgrade", **operators)
    assert done.returncode == 0, done.stderr

    program = {"DATABASE_URL": operators["DATABASE_URL"]}  # without the owner's URL
    owner = {"DATABASE_URL": operators["DATABASE_OWNER_URL"]}
    added = house.rooftree("administrator", "ana@lender.example", "Ana Ruiz", **program)
    assert added.returncode == 0, added.stderr
    separate, single = check_account(**program), check_account(**owner)
    assert separate["well"]
    assert "The program runs as leads, which owns no table" in separate["text"]
    assert not single["well"]
    assert "One database account, leads_owner" in single["text"]
    assert house.rooftree("check", **owner).returncode == 0
    assert house.backup(**program).exists()
    house.sql(UNDO_NEWEST_MIGRATION, database="leads")
    shell = house.rooftree("shell", "-c", MIGRATE, **program)
    assert "run `rooftree upgrade` with DATABASE_OWNER_URL" in shell.stderr
    migrate = house.rooftree("migrate", "--skip-checks", **program)
    assert migrate.returncode != 0
    assert re.search("permission denied|must be owner of table", migrate.stderr)


def test_upgrade_without_migrations_says_so_and_checks(house):
    done = house.rooftree("upgrade")

    assert done.returncode == 0, done.stderr
    assert "already up to date" in done.stdout
    assert "holds" in done.stdout


def test_tables_of_a_newer_release_are_rejected_in_one_sentence(house):
    house.sql(
        "insert into django_migrations (app, name, applied) values ('rooftree', '9999_x', now())"
    )
    try:
        results = [house.rooftree(command) for command in ("upgrade", "worker", "clock")]
    finally:
        house.sql("delete from django_migrations where name = '9999_x'")

    for result in results:
        assert result.returncode == 2
        assert "newer release" in result.stderr
        assert "Traceback" not in result.stderr
