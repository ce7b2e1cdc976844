"""Run a whole installation on one machine: database, web, worker and clock, kept alive."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime

from rooftree import settings
from rooftree.core import embedded_database
from rooftree.core.data_dir import DataDir, record_installation_kind
from rooftree.core.process_supervisor import (
    ProcessSpec,
    SupervisedProcess,
    stop_processes,
    supervise_processes,
)
from rooftree.management import database, process_entry_points
from rooftree.management.nightly_backup import NightlyBackup

WEB_HEAD_START = 3.0  # seconds at most that worker and clock wait for the web to be ready
DATABASE_RETRY_SECONDS = 5.0  # seconds between two attempts to restart the database
WORKER_STOP_TIMEOUT = 20.0  # the worker's grace for running tasks plus five seconds
log = logging.getLogger(__name__)


class Installation:
    """A running installation; `run` returns after a request to stop."""

    def __init__(
        self,
        *,
        parts: Sequence[ProcessSpec],
        prepare: Sequence[Sequence[str]],
        first: Sequence[Sequence[str]] = (),
    ) -> None:
        self.parts = parts
        self.first = first
        self.prepare = prepare
        self.is_stopping = False
        self.is_announced = False
        self.nightly_backup = NightlyBackup() if settings.MAKES_NIGHTLY_BACKUPS else None
        self.server: embedded_database.Server | None = None
        self._database_due = 0.0
        self.wake, self._wake_writer = os.pipe()

    def run(self) -> None:
        """Start everything in order, keep it alive, and stop it in reverse order."""
        self._watch_signals()
        home = DataDir(settings.ROOFTREE_HOME)
        with home:
            record_installation_kind(settings.ROOFTREE_HOME, settings.ROOFTREE_ENV)
            check_port_free()
            processes = [SupervisedProcess(part) for part in self.parts]
            print_progress("starting…")
            try:
                # The web server scans static files only at startup.
                for command in self.first:
                    self._run_preparation(command)
                # Loading takes longer than the database needs to start.
                loading = threading.Thread(target=process_entry_points.preload_modules)
                loading.start()
                self._keep_database_running()
                database.migrate_if_needed()
                loading.join()  # never fork while another thread runs
                for command in self.prepare:
                    self._run_preparation(command)
                for process in processes:
                    if process.spec.name != "web":
                        process.next_start = time.monotonic() + WEB_HEAD_START
                supervise_processes(
                    processes,
                    is_stopping=lambda: self.is_stopping,
                    each_round=lambda: self._supervise_round(processes),
                    wake=self.wake,
                )
            finally:
                if self.nightly_backup:
                    self.nightly_backup.stop()
                stop_processes(processes)
                if self.server is not None:
                    self.server.stop()
        print_progress("stopped.")

    def _watch_signals(self) -> None:
        def request_stop(*_: object) -> None:
            if not self.is_stopping:
                print_progress("stopping…")
            self.is_stopping = True

        os.set_blocking(self._wake_writer, False)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signal_number, request_stop)

    def _supervise_round(self, processes: Sequence[SupervisedProcess]) -> None:
        self._keep_database_running()
        if self.nightly_backup:
            self.nightly_backup.start_if_due(datetime.now().astimezone())
        if self.is_announced or not _is_web_ready():
            return
        # Until now the web had the cores to itself.
        self.is_announced = True
        for process in processes:
            process.next_start = min(process.next_start, time.monotonic())
        print_progress(f"ready at {settings.PUBLIC_URL} (press Ctrl-C to stop).")

    def _keep_database_running(self) -> None:
        if not settings.DATABASE_IS_EMBEDDED or (self.server and self.server.is_alive):
            return
        tuning = {"shared_buffers": "256MB"} if settings.IS_DEMO else {}
        if self.server is None:
            self.server = embedded_database.start_server(settings.ROOFTREE_HOME, tuning)
            return
        if time.monotonic() < self._database_due:
            return
        log.warning("the database stopped; restarting it")
        try:
            self.server = embedded_database.start_server(settings.ROOFTREE_HOME, tuning)
        except embedded_database.StartupError as problem:
            log.error("%s", problem)  # such as a full disk, which can have room again later
            self._database_due = time.monotonic() + DATABASE_RETRY_SECONDS

    def _run_preparation(self, command: Sequence[str]) -> None:
        if self.is_stopping:
            return
        result = subprocess.run(
            command, check=False, env={**os.environ, **database.child_environment()},
            start_new_session=True,
        )  # fmt: skip
        if result.returncode and not self.is_stopping:
            raise embedded_database.StartupError(f"{' '.join(command[2:])} failed; see above.")


def serve_installation(
    *, extra: Sequence[ProcessSpec] = (), prepare: Sequence[Sequence[str]] = ()
) -> None:
    """Serve until a request to stop.

    Args:
        extra: more processes to keep alive beside our own (a demo's market).
        prepare: commands to run once, in order, after the tables are migrated
            and before anything is served. Each must be safe to run at every start.
    """
    Installation(
        parts=[*rooftree_processes(), *extra],
        prepare=prepare,
        first=collect_static_commands("--clear"),
    ).run()


def rooftree_processes() -> list[ProcessSpec]:
    """Return web, worker and clock as processes to keep alive."""
    shared = database.child_environment() | {
        "DATABASE_OWNER_URL": ""
    }  # these never run as the owner
    return [
        ProcessSpec(
            name="web",
            command=web_command(),
            entry_point=process_entry_points.run_web,
            environment=shared,
        ),
        ProcessSpec(
            name="worker",
            command=database.rooftree_command("worker"),
            entry_point=process_entry_points.run_worker,
            environment=shared,
            stop_timeout=WORKER_STOP_TIMEOUT,
        ),
        ProcessSpec(
            name="clock",
            command=database.rooftree_command("clock"),
            entry_point=process_entry_points.run_clock,
            environment=shared,
        ),
    ]


def web_command() -> list[str]:
    """Return the command line of the web server: one port, our ASGI application, HTTP/1.1 and 2."""
    return [
        sys.executable, "-m", "granian", "rooftree.asgi:application",
        "--interface", "asgi", "--host", settings.LISTEN_ADDRESS, "--port", str(settings.PORT),
        "--workers", str(settings.WEB_PROCESSES), "--workers-kill-timeout", "2",
        "--http1-header-read-timeout", "5000", "--no-ws", "--log-level", "warning",
    ]  # fmt: skip


def collect_static_commands(*words: str) -> list[Sequence[str]]:
    """Return the commands that collect static files; a demo needs none.

    Production serves compressed files whose names change with their content.
    """
    if settings.IS_DEMO:
        return []
    return [database.rooftree_command("collectstatic", "--noinput", "--verbosity", "0", *words)]


def check_port_free(patience: float = 4.0) -> None:
    """Raise `StartupError` when another program uses our port.

    A web server whose supervisor was killed needs a moment to exit.
    """
    deadline = time.monotonic() + patience
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.LISTEN_ADDRESS, settings.PORT))
            except OSError as problem:
                if time.monotonic() > deadline:
                    raise embedded_database.StartupError(
                        f"port {settings.PORT} can't be used ({problem.strerror}); "
                        f"choose another, such as PORT={settings.PORT + 1}."
                    ) from problem
                time.sleep(0.2)
                continue
            return


def print_progress(text: str) -> None:
    """Print one line of progress on stderr."""
    print(f"rooftree: {text}", file=sys.stderr, flush=True)


def _is_web_ready() -> bool:
    """Return True if the web server can serve pages now."""
    url = f"http://127.0.0.1:{settings.PORT}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
