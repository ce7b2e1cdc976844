"""One machine's whole installation: database, web, worker and clock, kept alive together."""

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

from rooftree import settings
from rooftree.core import postgres
from rooftree.core.home import Home, remember_kind
from rooftree.core.supervise import Kept, Part, end, keep
from rooftree.management import database, preloaded

HEAD_START = 3.0  # seconds at most that the rest waits for the first page to be ready
DATABASE_WAIT = 5.0  # seconds between two tries of a database that will not start again
WORKER_PATIENCE = 20.0  # the worker's grace for running tasks, and five seconds more
log = logging.getLogger(__name__)


class Installation:
    """The running whole; `run` returns when it was asked to stop."""

    def __init__(
        self,
        *,
        parts: Sequence[Part],
        prepare: Sequence[Sequence[str]],
        first: Sequence[Sequence[str]] = (),
    ) -> None:
        self.parts = parts
        self.first = first
        self.prepare = prepare
        self.stop_asked = False
        self.is_announced = False
        self.server: postgres.Server | None = None
        self._database_due = 0.0
        self.wake, self._wake_writes = os.pipe()

    def run(self) -> None:
        """Start everything in order, keep it alive, stop it in the opposite order."""
        self._watch_signals()
        home = Home(settings.ROOFTREE_HOME)
        with home:
            remember_kind(settings.ROOFTREE_HOME, settings.ROOFTREE_ENV)
            refuse_taken_port()
            kept = [Kept(part) for part in self.parts]
            try:
                # A web server finds its files when it starts, and looks no more.
                for command in self.first:
                    self._prepare(command)
                # Loading takes longer than the database needs to start.
                loading = threading.Thread(target=preloaded.load)
                loading.start()
                self._look_after_database()
                database.migrate_if_needed()
                loading.join()  # nothing may be forked beside another thread
                for command in self.prepare:
                    self._prepare(command)
                for one in kept:
                    if one.part.name != "web":
                        one.next_start = time.monotonic() + HEAD_START
                keep(
                    kept,
                    stopping=lambda: self.stop_asked,
                    each_round=lambda: self._each_round(kept),
                    wake=self.wake,
                )
            finally:
                end(kept)
                if self.server is not None:
                    self.server.stop()
        say("stopped.")

    def _watch_signals(self) -> None:
        os.set_blocking(self._wake_writes, False)
        signal.set_wakeup_fd(self._wake_writes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, self._stop)

    def _stop(self, *_: object) -> None:
        if not self.stop_asked:
            say("stopping…")
        self.stop_asked = True

    def _each_round(self, kept: Sequence[Kept]) -> None:
        self._look_after_database()
        if self.is_announced or not _answers():
            return
        # Until now the web had the cores.
        self.is_announced = True
        for one in kept:
            one.next_start = min(one.next_start, time.monotonic())
        say(f"ready at {settings.PUBLIC_URL} (Ctrl-C stops it).")

    def _look_after_database(self) -> None:
        if not settings.DATABASE_IS_EMBEDDED or (self.server and self.server.alive):
            return
        tuning = {"shared_buffers": "256MB"} if settings.IS_DEMO else {}
        if self.server is None:
            self.server = postgres.start(settings.ROOFTREE_HOME, tuning)
            return
        if time.monotonic() < self._database_due:
            return
        log.warning("the database ended; starting it again")
        try:
            self.server = postgres.start(settings.ROOFTREE_HOME, tuning)
        except postgres.CannotStart as problem:
            log.error("%s", problem)  # a full disk may have room again in a while
            self._database_due = time.monotonic() + DATABASE_WAIT

    def _prepare(self, command: Sequence[str]) -> None:
        if self.stop_asked:
            return
        done = subprocess.run(
            command, check=False, env={**os.environ, **database.environment()},
            start_new_session=True,
        )  # fmt: skip
        if done.returncode and not self.stop_asked:
            raise postgres.CannotStart(f"{' '.join(command[2:])} failed; see above.")


def run(*, extra: Sequence[Part] = (), prepare: Sequence[Sequence[str]] = ()) -> None:
    """Serve until asked to stop.

    Args:
        extra: more processes to keep alive beside our own (a demo's market).
        prepare: commands to run once, in order, when the tables are up to date
            and before anything is served. Each must be safe to run at every start.
    """
    Installation(
        parts=[*our_parts(), *extra], prepare=prepare, first=collect_static("--clear")
    ).run()


def our_parts() -> list[Part]:
    """Web, worker and clock, as processes."""
    shared = database.environment() | {"DATABASE_OWNER_URL": ""}  # what runs is not the owner
    return [
        Part(name="web", command=web_command(), call=preloaded.web, environment=shared),
        Part(
            name="worker",
            command=database.our_command("worker"),
            call=preloaded.worker,
            environment=shared,
            patience=WORKER_PATIENCE,
        ),
        Part(
            name="clock",
            command=database.our_command("clock"),
            call=preloaded.clock,
            environment=shared,
        ),
    ]


def web_command() -> list[str]:
    """The web server: one port, our front, HTTP/1.1 and 2."""
    return [
        sys.executable, "-m", "granian", "rooftree.asgi:application",
        "--interface", "asgi", "--host", settings.LISTEN_ON, "--port", str(settings.PORT),
        "--workers", str(settings.WEB_PROCESSES), "--workers-kill-timeout", "2",
        "--http1-header-read-timeout", "5000", "--no-ws", "--log-level", "warning",
    ]  # fmt: skip


def collect_static(*words: str) -> list[Sequence[str]]:
    """Production serves compressed files under names that change with their content."""
    if settings.IS_DEMO:
        return []
    return [database.our_command("collectstatic", "--noinput", "--verbosity", "0", *words)]


def refuse_taken_port(patience: float = 4.0) -> None:
    """Raise `CannotStart` when another program answers on our port.

    A web server of ours whose supervisor was killed needs a moment to go.
    """
    deadline = time.monotonic() + patience
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.LISTEN_ON, settings.PORT))
            except OSError as problem:
                if time.monotonic() > deadline:
                    raise postgres.CannotStart(
                        f"port {settings.PORT} cannot be used ({problem.strerror}); "
                        f"choose another, such as PORT={settings.PORT + 1}."
                    ) from problem
                time.sleep(0.2)
                continue
            return


def say(text: str) -> None:
    """One line of progress on stderr."""
    print(f"rooftree: {text}", file=sys.stderr, flush=True)


def _answers() -> bool:
    """Whether pages can be served now."""
    asked = f"http://127.0.0.1:{settings.PORT}/readyz"
    try:
        with urllib.request.urlopen(asked, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
