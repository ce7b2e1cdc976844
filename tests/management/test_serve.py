"""`rooftree serve` with real processes and real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from rooftree.core import embedded_database

ROOT = Path(__file__).parents[2]
# A task that no release has: a running worker takes it and gives up.
PROBE = """
    insert into oban_jobs (worker, queue, args)
    values ('rooftree.tasks.worker.Run', 'now', %s) returning id
"""

PARTS = {
    "serve": "-m rooftree serve",
    "web": "-m granian",
    "worker": "-m rooftree worker",
    "clock": "-m rooftree clock",
    "postgres": "/postgres -D",
}


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Place:
    """One installation's folder and port."""

    def __init__(self, home):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.home = home
        self.started = []

    def start(self, **changes):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "ROOFTREE_ENV"}
        }
        environment = {
            **inherited, "ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(self.home),
            "PORT": str(self.port), "DJANGO_SETTINGS_MODULE": "rooftree.settings", **changes,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "rooftree", "serve"],
            env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def status(self, path="/readyz"):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=3
            ) as response:
                return response.status
        except urllib.error.HTTPError as problem:
            return problem.code
        except OSError:
            return 0

    def is_ready(self):
        return self.status() == 200

    def runs_tasks(self):
        """Return True if a worker runs a task that is queued now."""
        try:
            with psycopg.connect(
                embedded_database.server_conninfo(self.home), autocommit=True
            ) as connection:
                args = json.dumps({"task": "nobody_knows_this", "args": [], "kwargs": {}})
                (job_id,) = connection.execute(PROBE, [args]).fetchone()
                connection.execute('notify "public.oban_insert", \'{"queue":"now"}\'')
                attempts = "select attempt from oban_jobs where id = %s"
                return wait_until(lambda: connection.execute(attempts, [job_id]).fetchone()[0], 10)
        except psycopg.OperationalError:
            return False

    def processes(self):
        """Return the pids of this installation's processes by part, found by their environment."""
        variable = f"ROOFTREE_HOME={self.home}".encode()
        pids = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if variable not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            for part, words in PARTS.items():
                if words in line:
                    pids.setdefault(part, []).append(int(folder.name))
        return pids

    def is_gone(self):
        return not self.processes()


@pytest.fixture(scope="module")
def place(folders):
    """A running installation."""
    place = Place(folders())
    place.start()
    assert wait_until(place.is_ready, 150)  # the first start creates all tables
    yield place
    for process in place.started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_installation_answers_and_runs_tasks(place):
    assert place.status("/healthz") == 200
    assert place.runs_tasks()


def send_partial_request(port, words):
    """Send the start of a request and nothing more; return the open socket."""
    sender = socket.create_connection(("127.0.0.1", port), timeout=30)
    sender.sendall(words)
    return sender


def read_response(sender):
    with suppress(OSError):  # the server can close the connection early
        return sender.recv(200).decode("latin-1")
    return ""


def test_slow_and_oversized_requests_are_rejected_without_harm(place):
    half_a_head = b"POST /in/zillow/x HTTP/1.1\r\nHost: localhost\r\n"
    half_a_body = half_a_head + b"Content-Length: 500\r\n\r\n{"
    too_much = half_a_head + b"Content-Length: 999999999\r\n\r\n{"
    two_lengths = half_a_head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    slow = [send_partial_request(place.port, words) for words in [half_a_head, half_a_body] * 40]
    invalid = [
        send_partial_request(place.port, words) for words in (too_much, two_lengths, b"\0" * 4000)
    ]

    started = time.monotonic()
    assert place.is_ready()
    assert place.status("/sign-in/") == 200
    assert time.monotonic() - started < 5  # before the first slow sender times out

    responses = [read_response(sender) for sender in invalid]
    assert " 413 " in responses[0]
    assert not any(" 200 " in response for response in responses)
    assert {read_response(sender)[9:12] for sender in slow} <= {"408", "", "400"}
    for sender in (*slow, *invalid):
        sender.close()
    assert place.is_ready()


def test_second_start_in_the_same_folder_names_the_first(place):
    second = place.start(PORT="1")

    assert second.wait(20) == 2
    message = second.stderr.read()
    assert message.count("\n") == 1
    assert f"another Rooftree is using {place.home} (pid {place.started[0].pid})" in message


def test_port_in_use_is_one_plain_sentence(place, folders):
    other = Place(folders())
    other.port = place.port
    second = other.start()

    assert second.wait(30) == 2
    message = second.stderr.read()
    assert f"port {place.port} can't be used" in message
    assert "Traceback" not in message


def test_two_installations_run_side_by_side(place, folders):
    other = Place(folders())
    process = other.start()

    assert wait_until(other.is_ready, 60)
    assert place.is_ready()

    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert place.is_ready()


def kill(pids):
    """Kill each process with SIGKILL, unless its supervisor or database ended it first."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@linux
@pytest.mark.parametrize("part", ["web", "worker", "clock", "postgres"])
def test_killed_process_is_restarted(place, part):
    assert wait_until(lambda: part in place.processes())
    killed = place.processes()[part]
    kill(killed)

    assert wait_until(lambda: set(place.processes().get(part, killed)).isdisjoint(killed))
    assert wait_until(place.is_ready)
    assert wait_until(place.runs_tasks)


@linux
def test_installation_restarts_after_all_processes_are_killed(place):
    kill(pid for pids in place.processes().values() for pid in pids)
    place.started[0].wait()

    place.started.insert(0, place.start())

    assert wait_until(place.is_ready, 60)
    assert wait_until(place.runs_tasks)


@linux
def test_no_process_outlives_a_killed_supervisor(place):
    place.started[0].kill()
    place.started[0].wait()

    assert wait_until(place.is_gone, 25), place.processes()

    place.started.insert(0, place.start())
    assert wait_until(place.is_ready, 60)


@linux
def test_ctrl_c_stops_everything_within_seconds(place):
    stopping_since = time.monotonic()
    place.started[0].send_signal(signal.SIGINT)

    assert place.started[0].wait(20) == 0
    assert time.monotonic() - stopping_since < 10
    assert place.is_gone()
