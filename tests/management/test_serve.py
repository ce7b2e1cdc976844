"""`rooftree serve` as a person meets it: real processes, real signals."""

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
# A row that no release knows: the worker shows that it lives by giving it up.
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


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
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
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "ROOFTREE_ENV"}}
        environment = {
            **kept, "ROOFTREE_ENV": "demo", "ROOFTREE_HOME": str(self.home),
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
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=3) as answer:
                return answer.status
        except urllib.error.HTTPError as problem:
            return problem.code
        except OSError:
            return 0

    def ready(self):
        return self.status() == 200

    def tasks_run(self):
        """Whether a task written now is taken up by a worker."""
        try:
            with psycopg.connect(
                embedded_database.server_conninfo(self.home), autocommit=True
            ) as connection:
                args = json.dumps({"task": "nobody_knows_this", "args": [], "kwargs": {}})
                (job_id,) = connection.execute(PROBE, [args]).fetchone()
                connection.execute('notify "public.oban_insert", \'{"queue":"now"}\'')
                tried = "select attempt from oban_jobs where id = %s"
                return until(lambda: connection.execute(tried, [job_id]).fetchone()[0], 10)
        except psycopg.OperationalError:
            return False

    def processes(self):
        """Every process of this installation by what it is, found by its environment."""
        wanted = f"ROOFTREE_HOME={self.home}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            for part, words in PARTS.items():
                if words in line:
                    found.setdefault(part, []).append(int(folder.name))
        return found

    def gone(self):
        return not self.processes()


@pytest.fixture(scope="module")
def place(folders):
    """An installation that is running."""
    place = Place(folders())
    place.start()
    assert until(place.ready, 150)  # the first start makes every table
    yield place
    for process in place.started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_it_answers_and_works(place):
    assert place.status("/healthz") == 200
    assert place.tasks_run()


def half_sent(port, words):
    """A sender that begins a request and then says nothing."""
    line = socket.create_connection(("127.0.0.1", port), timeout=30)
    line.sendall(words)
    return line


def answer_to(line):
    with suppress(OSError):  # it may be cut off while it still sends
        return line.recv(200).decode("latin-1")
    return ""


def test_slow_and_oversized_senders_are_turned_away_and_harm_nobody(place):
    half_a_head = b"POST /in/zillow/x HTTP/1.1\r\nHost: localhost\r\n"
    half_a_body = half_a_head + b"Content-Length: 500\r\n\r\n{"
    too_much = half_a_head + b"Content-Length: 999999999\r\n\r\n{"
    two_lengths = half_a_head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    slow = [half_sent(place.port, words) for words in [half_a_head, half_a_body] * 40]
    odd = [half_sent(place.port, words) for words in (too_much, two_lengths, b"\0" * 4000)]

    began = time.monotonic()
    assert place.ready()
    assert place.status("/sign-in/") == 200
    assert time.monotonic() - began < 5  # before the first of them gives up

    said = [answer_to(line) for line in odd]
    assert " 413 " in said[0]
    assert not any(" 200 " in one for one in said)
    assert {answer_to(line)[9:12] for line in slow} <= {"408", "", "400"}
    for line in (*slow, *odd):
        line.close()
    assert place.ready()


def test_a_second_one_in_the_same_folder_says_who_has_it(place):
    second = place.start(PORT="1")

    assert second.wait(20) == 2
    message = second.stderr.read()
    assert message.count("\n") == 1
    assert f"another Rooftree holds {place.home} (pid {place.started[0].pid})" in message


def test_a_taken_port_is_one_plain_sentence(place, folders):
    other = Place(folders())
    other.port = place.port
    second = other.start()

    assert second.wait(30) == 2
    message = second.stderr.read()
    assert f"port {place.port} cannot be used" in message
    assert "Traceback" not in message


def test_two_run_side_by_side(place, folders):
    other = Place(folders())
    process = other.start()

    assert until(other.ready, 60)
    assert place.ready()

    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert place.ready()


@linux
@pytest.mark.parametrize("part", ["web", "worker", "clock", "postgres"])
def test_a_part_that_is_killed_comes_back(place, part):
    assert until(lambda: part in place.processes())
    killed = place.processes()[part]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    assert until(lambda: set(place.processes().get(part, killed)).isdisjoint(killed))
    assert until(place.ready)
    assert until(place.tasks_run)


@linux
def test_it_comes_back_whole_after_everything_is_killed_at_once(place):
    for pids in place.processes().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    place.started[0].wait()

    place.started.insert(0, place.start())

    assert until(place.ready, 60)
    assert until(place.tasks_run)


@linux
def test_nothing_outlives_a_supervisor_that_is_killed(place):
    place.started[0].kill()
    place.started[0].wait()

    assert until(place.gone, 25), place.processes()

    place.started.insert(0, place.start())
    assert until(place.ready, 60)


@linux
def test_ctrl_c_stops_everything_within_seconds(place):
    began = time.monotonic()
    place.started[0].send_signal(signal.SIGINT)

    assert place.started[0].wait(20) == 0
    assert time.monotonic() - began < 10
    assert place.gone()
