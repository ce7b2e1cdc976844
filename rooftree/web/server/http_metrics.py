"""What a web process measures of itself, and all figures in the text form Prometheus reads.

The histogram is this process's own and carries its number: with several processes each asking
meets one of them, and their series stay apart. Every other figure comes from the database.
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
    """How long answers took, by kind and class of status; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._sums: dict[tuple[str, str], float] = {}

    def add(self, path: str, status: int, seconds: float) -> None:
        """One answer; `path` is only sorted, never kept."""
        key = (_path_kind(path), f"{status // 100}xx")
        place = next((at for at, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        with self._lock:
            self._buckets.setdefault(key, [0] * (len(BOUNDS) + 1))[place] += 1
            self._sums[key] = self._sums.get(key, 0.0) + seconds

    def lines(self) -> Iterator[str]:
        """As a Prometheus histogram."""
        name = "rooftree_http_seconds"
        yield f"# HELP {name} Time to answer, by kind of address and class of status"
        yield f"# TYPE {name} histogram"
        with self._lock:
            held = {key: (list(found), self._sums[key]) for key, found in self._buckets.items()}
        for (kind, status), (buckets, total) in sorted(held.items()):
            labels = {"kind": kind, "status": status, "process": str(os.getpid())}
            seen = 0
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
                seen += number
                yield _render_sample(f"{name}_bucket", {**labels, "le": bound}, seen)
            yield _render_sample(f"{name}_sum", labels, total)
            yield _render_sample(f"{name}_count", labels, seen)


LATENCY_HISTOGRAM = LatencyHistogram()


def can_read_metrics(peer: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether somebody may read the figures: with the token, or from this very machine.

    A proxy on this machine speaks for strangers: what it forwards is not from here. So once a
    token is set, only the token counts.
    """
    given = {name: value.decode("latin-1") for name, value in headers}
    if settings.METRICS_TOKEN:
        wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
        return hmac.compare_digest(given.get(b"authorization", "").encode(), wanted)
    if any(name in given for name in (b"x-forwarded-for", b"x-forwarded-proto", b"forwarded")):
        return False
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def render_metrics() -> str:
    """Every figure, in Prometheus' text form (version 0.0.4)."""
    own = [
        MetricFamily(
            name="rooftree_process_memory_bytes",
            what="Resident memory of the web process that answers",
            values=(({"process": str(os.getpid())}, float(_resident_bytes())),),
        ),
        MetricFamily(
            name="rooftree_release",
            what="Always 1; the label says which release answers",
            values=(({"version": app_version()}, 1.0),),
        ),
    ]
    lines = [line for family in (*metric_families(now()), *own) for line in _render_family(family)]
    return "\n".join([*lines, *LATENCY_HISTOGRAM.lines()]) + "\n"


def _render_family(family: MetricFamily) -> Iterator[str]:
    yield f"# HELP {family.name} {family.what}"
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
    """Resident bytes of this process; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
