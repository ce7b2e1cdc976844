"""The embedded server, started for real in folders of its own."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from rooftree.core import embedded_database
from rooftree.core.data_dir import DataDir, DataDirLocked
from rooftree.core.process_supervisor import parent_death_hook

ROOT = Path(__file__).parents[2]
SMALL = {"shared_buffers": "16MB", "fsync": "off"}


@pytest.fixture(scope="module")
def home(folders):
    """A folder with a database in it, stopped."""
    home = folders()
    embedded_database.start_server(home, SMALL).stop()
    return home


@pytest.fixture
def server(home):
    server = embedded_database.start_server(home, SMALL)
    yield server
    server.stop()


def asked(home, statement):
    with psycopg.connect(embedded_database.server_conninfo(home), autocommit=True) as connection:
        return connection.execute(statement).fetchone()[0]


def until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_it_answers_on_its_socket_and_nowhere_else(server, home):
    assert asked(home, "show listen_addresses") == ""
    assert asked(home, "show data_checksums") == "on"
    assert asked(home, "select datlocprovider from pg_database where datname = 'rooftree'") == "b"
    assert embedded_database.socket_folder(home).stat().st_mode & 0o077 == 0


def test_what_was_committed_is_there_after_a_stop(home):
    first = embedded_database.start_server(home, {"shared_buffers": "16MB"})
    with psycopg.connect(embedded_database.server_conninfo(home)) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('here')")
    first.stop()
    assert not embedded_database.is_accepting_connections(home)

    again = embedded_database.start_server(home, {"shared_buffers": "16MB"})
    try:
        assert asked(home, "select word from kept") == "here"
    finally:
        again.stop()


def test_a_killed_server_starts_again(home):
    first = embedded_database.start_server(home, SMALL)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()

    again = embedded_database.start_server(home, SMALL)

    assert embedded_database.is_accepting_connections(home)
    again.stop()


OWNER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from rooftree.core import embedded_database
    if sys.argv[2] == "orphan":
        embedded_database.parent_death_hook = lambda how: None  # as on a system without that signal
    server = embedded_database.start_server(Path(sys.argv[1]), {"shared_buffers": "16MB"})
    print(server.process.pid, flush=True)
    time.sleep(60)
""")


def owner(home, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home), kind], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return process, int(process.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no such signal")
def test_the_server_ends_with_the_process_that_started_it(home):
    process, _ = owner(home, "linux")
    assert embedded_database.is_accepting_connections(home)

    process.kill()
    process.wait()

    assert until(lambda: not embedded_database.is_accepting_connections(home))


def test_an_orphan_is_stopped_before_the_next_start(home):
    process, orphan = owner(home, "orphan")
    process.kill()
    process.wait()
    time.sleep(1.5)
    assert embedded_database.is_accepting_connections(home)

    server = embedded_database.start_server(home, SMALL)

    assert server.process.pid != orphan
    assert asked(home, "select pg_postmaster_start_time() > now() - interval '10 s'")
    server.stop()


def test_a_stale_pid_that_belongs_to_another_program_is_ignored_and_left_alone(home):
    bystander = subprocess.Popen(["sleep", "60"])
    record = home / "database" / "postmaster.pid"
    record.write_text(f"{bystander.pid}\n{record.parent}\n1\n5432\n\n\n\n\n")

    server = embedded_database.start_server(home, SMALL)

    assert bystander.poll() is None
    assert embedded_database.is_accepting_connections(home)
    server.stop()
    bystander.kill()
    bystander.wait()


def test_a_path_too_long_for_a_socket_is_no_obstacle(folders):
    deep = folders() / ("d" * 60) / ("e" * 60)
    for folder in (deep.parent, deep):
        folder.mkdir(mode=0o711)

    server = embedded_database.start_server(deep, SMALL)

    assert (
        len(str(server.sockets / embedded_database.SOCKET_NAME))
        <= embedded_database.MAX_SOCKET_PATH
    )
    assert embedded_database.is_accepting_connections(deep)
    server.stop()


def test_another_major_version_is_named(home):
    data = home / "database"
    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("15\n")
    try:
        with pytest.raises(
            embedded_database.StartupError, match=r"PostgreSQL 15 .* 18.*rooftree backup"
        ):
            embedded_database.start_server(home, SMALL)
    finally:
        (data / "PG_VERSION").write_text(version)


def test_one_folder_has_one_owner(home):
    with (
        DataDir(home),
        pytest.raises(DataDirLocked, match=rf"another Rooftree holds .* \(pid {os.getpid()}\)"),
    ):
        DataDir(home).acquire()

    with DataDir(home):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to the server's account")
def test_a_private_home_of_root_stays_private(folders):
    home = folders() / "private"
    home.mkdir(mode=0o700)
    (home / "inside").mkdir(mode=0o700)

    server = embedded_database.start_server(home / "inside", SMALL)

    assert embedded_database.is_accepting_connections(home / "inside")
    assert home.stat().st_mode & 0o777 == 0o700
    server.stop()
    place = Path((home / "inside" / "database.path").read_text())
    assert place.parent == embedded_database.SHARED_FOLDER
    subprocess.run(["rm", "-rf", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to the server's account")
def test_the_tables_stay_where_they_were_made_when_a_folder_above_is_opened(folders):
    home = folders() / "private"
    home.mkdir(mode=0o700)
    embedded_database.start_server(home / "inside", SMALL).stop()
    with (home / "inside" / "database.path").open() as pointer:
        place = Path(pointer.read())
    home.chmod(0o711)

    server = embedded_database.start_server(home / "inside", SMALL)

    assert server.data == place
    server.stop()
    subprocess.run(["rm", "-rf", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs an account to change to")
def test_a_plain_user_can_start_it_too(folders):
    home = folders() / "plain"
    home.mkdir()
    os.chown(home, 65534, 65534)
    code = (
        "from pathlib import Path; from rooftree.core import embedded_database; import sys;"
        "home = Path(sys.argv[1]); server = embedded_database.start_server(home);"
        "print(embedded_database.is_accepting_connections(home)); server.stop()"
    )
    readable = all(folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents))
    if not readable:
        pytest.skip("the checkout is closed to other accounts")

    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], cwd=ROOT, user=65534, group=65534,
        extra_groups=[], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)},
    )  # fmt: skip

    assert done.stdout.strip() == "True", done.stderr
    assert (home / "database" / "PG_VERSION").stat().st_uid == 65534


def test_the_signal_of_a_dying_parent_is_asked_for_only_where_it_exists():
    assert (parent_death_hook(signal.SIGTERM) is not None) == (sys.platform == "linux")
