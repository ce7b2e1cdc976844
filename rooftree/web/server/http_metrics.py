"""HTTP metrics of a web process, and all metrics in the Prometheus text format.

The histogram belongs to this process and is labeled with its pid: with several processes, each
scrape reaches one of them and their series stay separate. All other metrics come from the database.
"""

import hmac
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.utils.timezone import now

from rooftree.core.app_version import app_version
from rooftree.reporting.monitoring_metrics import MetricFamily, metric_families

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class LatencyHistogram:
    """A histogram of response times by kind of URL and status class; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._sums: dict[tuple[str, str], float] = {}

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Record one response; `path` is only classified, never stored."""
        key = (_path_kind(path), f"{status // 100}xx")
        bucket = next((n for n, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        with self._lock:
            self._buckets.setdefault(key, [0] * (len(BOUNDS) + 1))[bucket] += 1
            self._sums[key] = self._sums.get(key, 0.0) + seconds

    def render_lines(self) -> Iterator[str]:
        """Yield the lines of the Prometheus histogram."""
        name = "rooftree_http_seconds"
        yield f"# HELP {name} Response time, by kind of URL and status class"
        yield f"# TYPE {name} histogram"
        with self._lock:
            copies = {key: ([*counts], self._sums[key]) for key, counts in self._buckets.items()}
        for (kind, status), (counts, total) in sorted(copies.items()):
            labels = {"kind": kind, "status": status, "process": str(os.getpid())}
            cumulative = 0
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                cumulative += number
                yield _render_sample(f"{name}_bucket", {**labels, "le": bound}, cumulative)
            yield _render_sample(f"{name}_sum", labels, total)
            yield _render_sample(f"{name}_count", labels, cumulative)


LATENCY_HISTOGRAM = LatencyHistogram()


def can_read_metrics(peer: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Decide whether a client can read the metrics: with the token, or from this machine.

    A request that a proxy on this machine forwards is not local. Once a token is set, only the
    token counts.
    """
    received = {name: value.decode("latin-1") for name, value in headers}
    if settings.METRICS_TOKEN:
        expected = f"Bearer {settings.METRICS_TOKEN}".encode()
        return hmac.compare_digest(received.get(b"authorization", "").encode(), expected)
    if any(name in received for name in (b"x-forwarded-for", b"x-forwarded-proto", b"forwarded")):
        return False
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def render_metrics() -> str:
    """Render every metric in the Prometheus text format (version 0.0.4)."""
    own = [
        MetricFamily(
            name="rooftree_process_memory_bytes",
            help_text="Resident memory of the responding web process",
            values=(({"process": str(os.getpid())}, float(_resident_bytes())),),
        ),
        MetricFamily(
            name="rooftree_release",
            help_text="Always 1; the label is the running release",
            values=(({"version": app_version()}, 1.0),),
        ),
    ]
    lines = [line for family in (*metric_families(now()), *own) for line in _render_family(family)]
    return "\n".join([*lines, *LATENCY_HISTOGRAM.render_lines()]) + "\n"


def _render_family(family: MetricFamily) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help_text}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in family.values:
        yield _render_sample(family.name, labels, value)


def _render_sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escape_label(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value:.12g}" if inside else f"{name} {value:.12g}"


def _escape_label(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _path_kind(path: str) -> str:
    if path.startswith("/in/"):
        return "delivery"
    return "static" if path.startswith("/static/") else "page"


def _resident_bytes() -> int:
    """Return this process's resident memory in bytes; 0 on systems other than Linux."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
