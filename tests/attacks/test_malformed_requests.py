"""Malformed requests: never an error page, on any address, in any part.

An administrator, who reaches every page, sends hostile values in each part of each address, in
every name that a page reads, and in each field of each form that the site shows. The suite tries
a few values in each place; `make fuzz` tries all of them.
"""

import re
import traceback
from collections import Counter
from copy import copy
from itertools import count
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import settings

import rooftree
from rooftree.org.models import User
from tests import make
from tests.attacks.page_forms import FormReader, PageForm
from tests.cast import gather
from tests.web.access_table import TABLE
from tests.web.test_page_access import build_world, fill_route

PACKAGE = Path(rooftree.__file__).parent
IN_PATH = ["%00", "x", "9" * 30, "-1", "%ff", "00000000-0000-0000-0000-000000000000"]
IN_FIELD = [
    "\0", "x", "-1", "9" * 30, "1e999999", "NaN", "\uff11", "2026-13-45", "<" * 3000, "",
    "00000000-0000-0000-0000-000000000000", "198.51.100.9:80", "\ufffd\u202e\u200b", "٣", "0x10",
]  # fmt: skip
ROLES = ["administrator", "compliance"]
LEAVES = ("sign-out", "demo/")  # the session ends here
turns = count()  # each place gets the next value


class Attacker:
    """A signed-in browser that notes each request that ends in an error of ours."""

    def __init__(self, user: User) -> None:
        self.browser = Client(REMOTE_ADDR="198.51.100.9:51234")
        self.browser.force_login(user)
        self.failures: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()

    def send(self, method: str, address: str, data: dict | None = None, note: str = ""):
        """Send one request, and undo what it changed; return its response."""
        cookies = copy(self.browser.cookies)
        response = None
        with transaction.atomic():
            try:
                response = getattr(self.browser, method)(address, data or {})
            except Exception as problem:
                own = [
                    frame for frame in traceback.extract_tb(problem.__traceback__)
                    if str(PACKAGE) in frame.filename
                ]  # fmt: skip
                place = f"{own[-1].filename}:{own[-1].lineno}" if own else "Django"
                where = f"{type(problem).__name__} at {place}"
                self.failures.setdefault(where, f"{method} {address[:150]} {note}: {problem!s:.80}")
            transaction.set_rollback(True)
        self.browser.cookies = cookies
        if response is not None:
            self.statuses[response.status_code] += 1
            if response.status_code >= 500 and response.status_code != 503:
                self.failures.setdefault(f"{response.status_code} {address[:150]}", note)
        return response


def is_thorough() -> bool:
    return settings.get_current_profile_name() == "fuzz"


def some(values: list[str], number: int) -> list[str]:
    """Return the next `number` of the values, or all in a thorough run."""
    if is_thorough():
        return values
    return [values[next(turns) % len(values)] for _ in range(number)]


@pytest.fixture
def attacker(db):
    user = make.user("administrator", roles=ROLES)
    return Attacker(user)


def test_malformed_requests_are_never_error_pages(attacker):
    world = build_world(gather())
    forms: dict[tuple, PageForm] = {}
    for route, line in TABLE.items():
        if route.startswith(LEAVES):
            continue
        parts = [world.things[name] for name in line.args.split()]
        attack_route(attacker, route, parts, method="post" if line.post else "get")
        if line.post:
            continue
        address = "/" + fill_route(route, parts)
        response = attacker.send("get", address)
        if response is not None and "html" in response.get("Content-Type", ""):
            for form in FormReader(response.content.decode(), address).forms:
                forms.setdefault((form.address, *sorted(form.fields)), form)
    for form in forms.values():
        attack_form(attacker, form)

    assert attacker.failures == {}
    assert attacker.statuses[400] > 100
    assert len(forms) > 150


def attack_route(attacker: Attacker, route: str, parts: list, *, method: str) -> None:
    for place in range(len(parts)):
        for value in some(IN_PATH, 1):
            changed = [*parts[:place], value, *parts[place + 1 :]]
            attacker.send(method, "/" + fill_route(route, changed), note=f"part {place}")
    address = "/" + fill_route(route, parts)
    for value in some(IN_FIELD, 1):
        data = dict.fromkeys(FIELD_NAMES, value)
        attacker.send("get", address, data, note=f"all names {value[:20]!r}")
        attacker.send("post", address, data, note=f"all names {value[:20]!r}")
    if is_thorough():
        attacker.send("post", address, {name: ["x", "y"] for name in FIELD_NAMES}, note="twice")
        for query in ("%ff=%ff", "a=%00", "%00", "a[]=1&a[]=2"):
            attacker.send("get", f"{address}?{query}")


def attack_form(attacker: Attacker, form: PageForm) -> None:
    for name in form.fields if is_thorough() else list(form.fields)[next(turns) % 2 :: 2]:
        for value in some(IN_FIELD, 1):
            data = {**form.fields, name: value}
            attacker.send(form.method, form.address, data, note=f"{name} {value[:20]!r}")


def names_that_pages_read() -> list[str]:
    """Return every name that a template's field has or a view reads from the request."""
    templates = "".join(path.read_text() for path in sorted(PACKAGE.rglob("*.html")))
    views = "".join(path.read_text() for path in sorted(PACKAGE.glob("web/**/*.py")))
    names = re.findall(r'name="([a-z_0-9]+)"', templates)
    names += re.findall(r'(?:GET|POST)(?:\.get|\.getlist)?[\[(]"([a-z_0-9]+)"', views)
    return sorted({*names} - {"csrfmiddlewaretoken"})


FIELD_NAMES = names_that_pages_read()


@pytest.mark.parametrize(
    "request_of",
    [
        lambda browser: browser.get("/sign-in/?next=%00"),
        lambda browser: browser.get("/sign-in/?next=%ff%fe"),
        lambda browser: browser.get("/sign-in/%00"),
        lambda browser: browser.post("/sign-in/", {"email": "a\0b", "password": "x"}),
        lambda browser: browser.post(
            "/sign-in/", b"email=%ff", content_type="application/x-www-form-urlencoded"
        ),
        lambda browser: browser.post(
            "/sign-in/", b"email=a", content_type="application/x-www-form-urlencoded; charset=utf-7"
        ),
        lambda browser: browser.post(
            "/sign-in/", b"x", content_type="multipart/form-data; boundary="
        ),
        lambda browser: browser.get("/forms/our-form/?lang=%00"),
    ],
)
def test_unreadable_request_gets_one_clear_400(request_of, db):
    response = request_of(Client())

    assert response.status_code == 400
    assert "read that" in response.content.decode()
