"""One installation under test: its folder, its processes, and ways to kill them."""

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


class StartTimeout(Exception):
    """The installation does not become ready."""


def find_free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> bool:
    """Wait until the condition is true; return False if it takes too long."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(pause)
    return True


class Installation:
    """A temporary home and its processes. No other process is touched."""

    def __init__(self, environment: dict[str, str], *, disk_mb: int = 0) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="rooftree-chaos-"))
        self.home.chmod(0o711)
        self.has_small_disk = bool(disk_mb) and self._mount(disk_mb)
        self.ports = [find_free_port(), find_free_port()]
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
        """The base URLs of both web servers; the second does not always run."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def serve(self) -> None:
        """Start the installation, as an operator does."""
        self._serve_request = self._start("-m", "rooftree", "serve")

    def keep_serving(self) -> None:
        """Restart the installation if its supervisor was killed, as an init system does."""
        if self._serve_request is None or self._serve_request.poll() is not None:
            self.serve()

    def start_second(self, part: str, *, skew: float = 0.0) -> "subprocess.Popen[bytes]":
        """Start one more web, worker or clock on the same database, with a skewed clock."""
        variables = {"PORT": str(self.ports[1])} if part == "web" else {}
        if skew:
            variables |= {"CHAOS_SKEW": str(skew), "PYTHONPATH": str(SKEW)}
        return self._start("-m", "rooftree", part, **variables)

    def is_ready(self, port: int = 0) -> bool:
        """Decide whether pages are served now."""
        url = f"http://127.0.0.1:{port or self.ports[0]}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=3) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_until_ready(self, seconds: float = 300.0) -> None:
        """Wait until all parts run and pages are served; restart the installation if needed."""

        def is_complete() -> bool:
            self.keep_serving()
            return PARTS.keys() <= self.find_processes().keys() and self.is_ready()

        if not wait_until(is_complete, seconds):
            raise StartTimeout(f"after {seconds:.0f} s only {sorted(self.find_processes())} run")

    def find_processes(self) -> dict[str, list[int]]:
        """Find the process ids of this installation by part, through their environment."""
        marker = f"ROOFTREE_HOME={self.home}".encode()
        pids: dict[str, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            part = next((part for part, words in PARTS.items() if words in line), "")
            if part:
                pids.setdefault(part, []).append(int(folder.name))
        return pids

    def kill_part(self, part: str, rng: random.Random) -> None:
        """SIGKILL one process of a part, or `all` processes; descendants are left alone."""
        processes = self.find_processes()
        pids = processes.get(part, [])
        if part == "postgres":
            pids = [pid for pid in pids if self._is_postmaster(pid)]
        everything = [pid for part_pids in processes.values() for pid in part_pids]
        chosen = everything if part == "all" else pids
        if part not in ("all", "web") and chosen:  # a web server is a parent and its child
            chosen = [rng.choice(chosen)]
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def fill_disk(self) -> None:
        """Fill the disk completely; only if the home has its own disk."""
        filler = self.home / "filler"
        with filler.open("ab") as file, suppress(OSError):
            while True:
                file.write(b"\0" * 1024 * 1024)
                file.flush()

    def free_disk(self) -> None:
        """Free the disk again."""
        (self.home / "filler").unlink(missing_ok=True)

    def run_command(self, *words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run one command of the product to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rooftree", *words],
            env=self.environment, cwd=ROOT, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip

    def end(self, *, keep: bool) -> None:
        """Stop everything; with `keep` the folder stays for inspection."""
        if self._serve_request is not None and self._serve_request.poll() is None:
            self._serve_request.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._serve_request.wait(30)
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
        wait_until(lambda: not self.find_processes(), 20)
        if keep:
            return
        if self.has_small_disk:
            subprocess.run(["umount", str(self.home)], check=False)
        shutil.rmtree(self.home, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _start(self, *words: str, **variables: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *words],
                env=self.environment | variables, cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        self._started = [process for process in self._started if process.poll() is None]
        self._started.append(child)
        return child

    def _mount(self, size: int) -> bool:
        """Mount a disk of `size` megabytes for the home; return False if that fails."""
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
