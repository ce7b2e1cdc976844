"""One installation to be struck: its folder, its processes, and what may be done to them."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKEW = Path(__file__).parent / "skew"
PARTS = {
    "serve": "-m rooftree serve",
    "web": "-m granian",
    "worker": "-m rooftree worker",
    "clock": "-m rooftree clock",
    "postgres": "/postgres -D",
}


class NeverReady(Exception):
    """The installation does not come back."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> bool:
    """Whether it became true within the time."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(pause)
    return True


class Place:
    """A home of its own with everything that runs in it. Only its own processes are touched."""

    def __init__(self, environment: dict[str, str], *, disk_mb: int = 0) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="rooftree-chaos-"))
        self.home.chmod(0o711)
        self.has_small_disk = bool(disk_mb) and self._mount(disk_mb)
        self.ports = [free_port(), free_port()]
        self.log = self.home.with_suffix(".log")
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
            "ROOFTREE_ENV": "demo",
            "ROOFTREE_HOME": str(self.home),
            "PORT": str(self.ports[0]),
            "ROOFTREE_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "rooftree.settings",
            **environment,
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self._serve_request: subprocess.Popen[bytes] | None = None

    @property
    def webs(self) -> list[str]:
        """The addresses of both web servers; the second is not always there."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def serve(self) -> None:
        """Start the whole, as an operator does."""
        self._serve_request = self._run("-m", "rooftree", "serve")

    def keep_serving(self) -> None:
        """Start it again when its supervisor was killed, as an init system does."""
        if self._serve_request is None or self._serve_request.poll() is not None:
            self.serve()

    def beside(self, part: str, *, skew: float = 0.0) -> "subprocess.Popen[bytes]":
        """One more web, worker or clock on the same database; its clock may be wrong."""
        more = {"PORT": str(self.ports[1])} if part == "web" else {}
        if skew:
            more |= {"CHAOS_SKEW": str(skew), "PYTHONPATH": str(SKEW)}
        return self._run("-m", "rooftree", part, **more)

    def ready(self, port: int = 0) -> bool:
        """Whether pages are served now."""
        asked = f"http://127.0.0.1:{port or self.ports[0]}/readyz"
        try:
            with urllib.request.urlopen(asked, timeout=3) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def be_ready(self, seconds: float = 300.0) -> None:
        """Wait until all parts run and pages are served, starting it when nobody else would."""

        def whole() -> bool:
            self.keep_serving()
            return PARTS.keys() <= self.processes().keys() and self.ready()

        if not until(whole, seconds):
            raise NeverReady(f"after {seconds:.0f} s only {sorted(self.processes())} run")

    def processes(self) -> dict[str, list[int]]:
        """Every process of this installation by what it is, found by its environment."""
        wanted = f"ROOFTREE_HOME={self.home}".encode()
        found: dict[str, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            part = next((part for part, words in PARTS.items() if words in line), "")
            if part:
                found.setdefault(part, []).append(int(folder.name))
        return found

    def kill(self, what: str, rng: random.Random) -> None:
        """SIGKILL one process of a part, or `all` there are. Its descendants are not asked."""
        found = self.processes()
        pids = found.get(what, [])
        if what == "postgres":
            pids = [pid for pid in pids if self._is_postmaster(pid)]
        chosen = [pid for of in found.values() for pid in of] if what == "all" else pids
        if what not in ("all", "web") and chosen:  # a web server is a parent and its child
            chosen = [rng.choice(chosen)]
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def fill_disk(self) -> None:
        """Leave no room at all; only where the home has a disk of its own."""
        filler = self.home / "filler"
        with filler.open("ab") as file, suppress(OSError):
            while True:
                file.write(b"\0" * 1024 * 1024)
                file.flush()

    def make_room(self) -> None:
        """Give the room back."""
        (self.home / "filler").unlink(missing_ok=True)

    def command(self, *words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """One command of the product, run to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rooftree", *words],
            env=self.environment, cwd=ROOT, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip

    def end(self, *, keep: bool) -> None:
        """Stop everything; the folder stays when it is to be looked at."""
        if self._serve_request is not None and self._serve_request.poll() is None:
            self._serve_request.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._serve_request.wait(30)
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
        until(lambda: not self.processes(), 20)
        if keep:
            return
        if self.has_small_disk:
            subprocess.run(["umount", str(self.home)], check=False)
        shutil.rmtree(self.home, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _run(self, *words: str, **more: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                env=self.environment | more, cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        self._started = [one for one in self._started if one.poll() is None]
        self._started.append(process)
        return process

    def _mount(self, size: int) -> bool:
        """Whether the home lies on a disk of its own, `size` megabytes large."""
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0711", "tmpfs", str(self.home)]
        try:
            return subprocess.run(words, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _is_postmaster(self, pid: int) -> bool:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            parent = int(status.split("PPid:")[1].split()[0])
            line = Path(f"/proc/{parent}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError, ValueError):
            return True
        return PARTS["postgres"] not in line
