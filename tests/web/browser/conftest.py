"""Fixtures: a real Chromium and the real server with live events, at noon of a weekday."""

import asyncio
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.utils import timezone
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.routing import lead_ownership
from tests import make
from tests.cast import Cast, gather

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    # Fewer processes to start for each page.
    *("--in-process-gpu", "--disable-extensions", "--disable-site-isolation-trials"),
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LOOKS = ((PHONE, "light"), (DESK, "dark"))  # how each page is looked at
expect.set_options(timeout=15_000)  # a busy computer is slow, not wrong
AXE = Axe()
OTHERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid()"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as a browser test; skip them where there is no browser."""
    for item in items:
        if "tests/web/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser; allow database access in spite of Playwright's event loop."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def closed(chromium: Browser, committed: None) -> Iterator[None]:
    """Close every page before the tables are emptied, so that none keeps sending requests."""
    yield
    for context in chromium.contexts:
        context.close()


@pytest.fixture(scope="session")
def front(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the server, which runs in this process on a free port."""
    from rooftree.asgi import application

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(application, address="127.0.0.1", port=port, interface=Interfaces.ASGI)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(server.stop)
    thread.join(5)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(OTHERS)  # open connections would keep the database from being dropped
    connection.close()


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The next weekday's noon in New York; every page uses it as the current time."""
    day = timezone.now().replace(hour=17, minute=0, second=0, microsecond=0)
    while day.weekday() > 3:
        day += timedelta(days=1)
    began = timezone.now()
    real = timezone.now
    monkeypatch.setattr("django.utils.timezone.now", lambda: day + (real() - began))
    return day


@pytest.fixture
def people(committed: None, noon: datetime) -> Cast:
    """The cast; Ben came through our own form and is assigned to Dana, with a first call due."""
    cast = gather()
    form = make.source("website_form", name="Our website", slug="site")
    Company.objects.update(emergencies_checked_at=noon, telemarketer_states=["FL", "CA", "TX"])
    Lead.objects.filter(pk=cast.ben.pk).update(source=form, last_inquiry_at=noon)
    make.user("executive", name="Ines Prado", email="ines@lindenfield.example")
    make.touch(Lead.objects.get(pk=cast.ben.pk), source=form, at=noon)
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=noon)
    Lead.objects.filter(pk=cast.ben.pk).update(response_due_at=noon + 5 * make.MINUTE)
    return cast


def open_as(chromium: Browser, address: str, role: str, size: dict[str, int] = PHONE) -> Page:
    """Open a new page and sign in by pressing the role button."""
    context = chromium.new_context(
        viewport=size, color_scheme="light", base_url=address, has_touch=size is PHONE
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/sign-in/")
    page.get_by_role("button", name=role, exact=True).click()
    expect(page.get_by_role("link", name="Skip to content")).to_be_attached()
    page.wait_for_url(lambda there: "sign-in" not in there)
    return page


def accessibility_problems(page: Page) -> list[str]:
    """Return the problems that axe-core reports, each with its element."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.axe_script)
    rules = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:120]}" for rule in rules]


def save_picture(page: Page, name: str) -> None:
    """Save a screenshot if ROOFTREE_PICTURES names a folder, to review a changed page."""
    if folder := os.environ.get("ROOFTREE_PICTURES"):
        path = Path(folder) / f"{re.sub('[^A-Za-z0-9]+', '-', name)}.png"
        page.screenshot(path=path, full_page=True)


def check_page(page: Page, name: str) -> None:
    """Assert that the page fits and is accessible on a phone in light and at a desk in dark.

    Saves both pictures and leaves the page as it was.
    """
    before = page.viewport_size
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        save_picture(page, f"{name}-{size['width']}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        assert accessibility_problems(page) == [], f"{name} in {scheme}"
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light")
