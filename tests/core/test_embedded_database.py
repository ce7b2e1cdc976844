"""The embedded server, started for real in its own folders."""

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
    """A data folder with a stopped database."""
    home = folders()
    embedded_database.start_server(home, SMALL).stop()
    return home


@pytest.fixture
def server(home):
    server = embedded_database.start_server(home, SMALL)
    yield server
    server.stop()


def fetch_value(home, statement):
    with psycopg.connect(embedded_database.server_conninfo(home), autocommit=True) as connection:
        return connection.execute(statement).fetchone()[0]


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_server_listens_on_its_socket_only(server, home):
    assert fetch_value(home, "show listen_addresses") == ""
    assert fetch_value(home, "show data_checksums") == "on"
    assert (
        fetch_value(home, "select datlocprovider from pg_database where datname = 'rooftree'")
        == "b"
    )
    assert embedded_database.socket_folder(home).stat().st_mode & 0o077 == 0


def test_committed_rows_survive_a_stop(home):
    first = embedded_database.start_server(home, {"shared_buffers": "16MB"})
    with psycopg.connect(embedded_database.server_conninfo(home)) as connection:
        connection.execute("create table notes (word text)")
        connection.execute("insert into notes values ('here')")
    first.stop()
    assert not embedded_database.is_accepting_connections(home)

    again = embedded_database.start_server(home, {"shared_buffers": "16MB"})
    try:
        assert fetch_value(home, "select word from notes") == "here"
    finally:
        again.stop()


def test_killed_server_starts_again(home):
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
        embedded_database.parent_death_hook = lambda signum: None  # as on a system without it
    server = embedded_database.start_server(Path(sys.argv[1]), {"shared_buffers": "16MB"})
    print(server.process.pid, flush=True)
    time.sleep(60)
""")


def start_owner(home, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home), kind], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return process, int(process.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this signal")
def test_server_stops_when_its_owner_process_dies(home):
    process, _ = start_owner(home, "linux")
    assert embedded_database.is_accepting_connections(home)

    process.kill()
    process.wait()

    assert wait_until(lambda: not embedded_database.is_accepting_connections(home))


def test_orphaned_server_is_stopped_before_the_next_start(home):
    process, orphan = start_owner(home, "orphan")
    process.kill()
    process.wait()
    time.sleep(1.5)
    assert embedded_database.is_accepting_connections(home)

    server = embedded_database.start_server(home, SMALL)

    assert server.process.pid != orphan
    assert fetch_value(home, "select pg_postmaster_start_time() > now() - interval '10 s'")
    server.stop()


def test_stale_pid_of_another_program_is_ignored(home):
    bystander = subprocess.Popen(["sleep", "60"])
    record = home / "database" / "postmaster.pid"
    record.write_text(f"{bystander.pid}\n{record.parent}\n1\n5432\n\n\n\n\n")

    server = embedded_database.start_server(home, SMALL)

    assert bystander.poll() is None
    assert embedded_database.is_accepting_connections(home)
    server.stop()
    bystander.kill()
    bystander.wait()


def test_server_starts_in_a_folder_with_a_path_too_long_for_a_socket(folders):
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


def test_data_of_another_major_version_is_refused_by_name(home):
    data = home / "database"
    version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("15\n")
    try:
        with pytest.raises(
            embedded_database.StartupError, match=r"PostgreSQL 15, .* 18.*rooftree backup"
        ):
            embedded_database.start_server(home, SMALL)
    finally:
        (data / "PG_VERSION").write_text(version)


def test_data_folder_has_one_owner(home):
    with (
        DataDir(home),
        pytest.raises(DataDirLocked, match=rf"another Rooftree is using .* \(pid {os.getpid()}\)"),
    ):
        DataDir(home).acquire()

    with DataDir(home):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to the server's account")
def test_private_folder_of_root_stays_private(folders):
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
def test_tables_stay_in_place_when_a_parent_folder_is_opened(folders):
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
def test_unprivileged_user_can_start_the_server(folders):
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

    result = subprocess.run(
        [sys.executable, "-c", code, str(home)], cwd=ROOT, user=65534, group=65534,
        extra_groups=[], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)},
    )  # fmt: skip

    assert result.stdout.strip() == "True", result.stderr
    assert (home / "database" / "PG_VERSION").stat().st_uid == 65534


def test_parent_death_hook_exists_only_on_linux():
    assert (parent_death_hook(signal.SIGTERM) is not None) == (sys.platform == "linux")
