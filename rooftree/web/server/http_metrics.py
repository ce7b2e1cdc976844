"""HTTP metrics of a web process, and all metrics in the Prometheus text format.

The histogram belongs to this process and is labeled with its pid: with several processes, each
scrape reaches one of them and their series stay separate. All other metrics come from the database.
"""

import hmac
import os
import sys
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.utils.timezone import now
from prometheus_client import (
    CollectorRegistry,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rooftree.core.app_version import app_version
from rooftree.reporting.monitoring_metrics import build_gauge, metric_families

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds

disable_created_metrics()  # type: ignore[no-untyped-call]  # a start time for each series
REGISTRY = CollectorRegistry()
LATENCY_HISTOGRAM = Histogram(
    "rooftree_http_seconds",
    "Response time, by kind of URL and status class",
    ("kind", "status", "process"),
    buckets=BOUNDS,
    registry=REGISTRY,
)


class InstallationCollector(Collector):
    """Reads the metrics of the database and of this process at each scrape."""

    def collect(self) -> Iterable[Metric]:
        """Return all metrics except the histogram."""
        process = str(os.getpid())
        return [
            *metric_families(now()),
            build_gauge(
                "rooftree_process_memory_bytes",
                "Resident memory of the responding web process",
                ("process",),
                [(process, _resident_bytes())],
            ),
            build_gauge(
                "rooftree_release",
                "Always 1; the label is the running release",
                ("version",),
                [(app_version(), 1)],
            ),
        ]


REGISTRY.register(InstallationCollector())


def observe_response(path: str, status: int, seconds: float) -> None:
    """Record one response; `path` is only classified, never stored."""
    labels = (_path_kind(path), f"{status // 100}xx", str(os.getpid()))
    LATENCY_HISTOGRAM.labels(*labels).observe(seconds)


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
    """Render every metric in the Prometheus text format, of type `CONTENT_TYPE_PLAIN_0_0_4`."""
    return generate_latest(REGISTRY).decode()


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
