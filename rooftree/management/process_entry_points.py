"""Entry points of web, worker and clock, which fork from one process with all modules loaded.

Modules that two of them need are in memory once, and a restarted process loads nothing.
"""

import multiprocessing
from importlib import import_module

import django

from rooftree import settings
from rooftree.core import forked_process

# Modules that the three would load on their own, some only at the first request or task.
SHARED_MODULES = (
    "rooftree.wsgi",
    "rooftree.web.urls",
    "rooftree.web.server.asgi_application",
    "rooftree.flow.tick_schedule",
    "rooftree.tasks.worker",
    "rooftree.tasks.scheduler",
    "rooftree.management.commands.clock",
    "rooftree.management.commands.worker",
    "granian.server",
)


def preload_modules() -> None:
    """Load all shared modules. Opens no connection and starts no thread: both break in a fork."""
    django.setup()
    for name in SHARED_MODULES:
        import_module(name)
    resolve = import_module("django.urls").get_resolver()
    resolve.url_patterns  # noqa: B018 (read to load every view)
    forked_process.freeze_loaded_objects()


def run_web() -> None:
    """Run the web server, granian, which forks its own workers."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    multiprocessing.set_start_method("fork", force=True)
    Server(
        "rooftree.asgi:application",
        address=settings.LISTEN_ADDRESS,
        port=settings.PORT,
        interface=Interfaces.ASGI,
        workers=settings.WEB_PROCESSES,
        workers_kill_timeout=2,
        http1_settings=HTTP1Settings(header_read_timeout=5000),
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


def run_worker() -> None:
    """Run background tasks, as `rooftree worker` does."""
    _run_command("worker")


def run_clock() -> None:
    """Run the clock, as `rooftree clock` does."""
    _run_command("clock")


def _run_command(name: str) -> None:
    command = import_module(f"rooftree.management.commands.{name}").Command()
    command.run_from_argv(["rooftree", name])
