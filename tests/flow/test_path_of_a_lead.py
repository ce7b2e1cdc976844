"""docs/design/path-of-a-lead.md lists the files from the POST to the text, as a lead runs them."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType

import pytest

from rooftree.compliance.gate.message_gate import CHECKS
from rooftree.flow import clock, lead_arrival
from rooftree.leads.models import Touch
from rooftree.tasks.drain_queue import queued_task_names
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "rooftree"
DOCUMENT = (ROOT / "docs/design/path-of-a-lead.md").read_text(encoding="utf-8")
MAX_FILES = 25
TOOL = 3  # a free tool id of `sys.monitoring`

# Files that a reader of the path does not open. The document gives the same reasons.
KNOWN_ROOMS = (
    "core/",  # plain values: phones, ids, masking
    "db/",  # statements and inserts
    "tasks/",  # the queue
    "ledger/",  # the event log
    "org/",  # the company's row and hours
    "leads/",  # the canonical record and the tables of people and leads
)
VALUE_READERS = "capture/parsing/"  # each function turns one text of a post into one value
CLOCK = "flow/clock.py"
# Rules of compliance are pure functions from facts to a ruling. The gate names them all.
RULES = "compliance/"
GATE = "compliance/gate/message_gate.py"


@pytest.fixture
def twilio(settings) -> Iterator[Twilio]:
    """Send texts to a simulated Twilio."""
    setup = SimulatorSetup(clock=SimulatedClock(at=make.NOON, speed=0))
    vendor = Twilio(setup)
    listener = HttpListener(vendor, 0)
    settings.CARRIER = "twilio"
    settings.TWILIO_BASE_URL = listener.url
    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_NUMBERS = [MAIN_NUMBER]
    yield vendor
    listener.stop()
    setup.clock.stop()


@pytest.fixture
def executed_files(as_the_program, client, twilio) -> list[str]:
    """Return the files that one lead runs through, from the POST to its text, by first call.

    Another lead came before: what a process does only once is not part of the path.
    """
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("FL",))
    site = journey.create_website()
    with clock.freeze(make.NOON):
        deliver_lead(client, site.slug, first_name="Xan", phone="(813) 555-0141")
        with record_files() as files:
            deliver_lead(client, site.slug, first_name="Ann", phone="(813) 555-0142")
    assert [text.to for text in twilio.account.messages.values()] == [
        "+18135550141",
        "+18135550142",
    ]
    return files


def deliver_lead(client, slug: str, **borrower: str) -> None:
    """Post a lead of our own website and run the tasks that lead to its text."""
    body = json.dumps(journey.form_post(email="", **borrower))
    response = client.post(
        f"/in/form/{slug}",
        data=body,
        content_type="application/json",
        headers=journey.sign_form_post(body.encode()),
        REMOTE_ADDR="203.0.113.10",
    )
    assert response.status_code == 200
    assert lead_arrival.process_deliveries.name in queued_task_names()
    lead_arrival.process_deliveries.call()
    assert lead_arrival.respond_to_touches.name in queued_task_names()
    touch = Touch.objects.get(person__first_name=borrower["first_name"])
    lead_arrival.respond_to_touches.call(touch_ids=[str(touch.pk)])


@contextmanager
def record_files() -> Iterator[list[str]]:
    """Record every file of the product in which a function runs, in order of first call."""
    files: list[str] = []

    def on_start(code: CodeType, offset: int) -> object:
        path = Path(code.co_filename)
        is_function = code.co_flags & CO_OPTIMIZED  # not a module or class body
        if is_function and path.is_relative_to(PRODUCT):
            name = path.relative_to(PRODUCT).as_posix()
            if name not in files:
                files.append(name)
        return sys.monitoring.DISABLE

    sys.monitoring.use_tool_id(TOOL, "path of a lead")
    sys.monitoring.register_callback(TOOL, sys.monitoring.events.PY_START, on_start)
    sys.monitoring.restart_events()  # an earlier recording disabled what it had seen
    sys.monitoring.set_events(TOOL, sys.monitoring.events.PY_START)
    try:
        yield files
    finally:
        sys.monitoring.set_events(TOOL, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.register_callback(TOOL, sys.monitoring.events.PY_START, None)
        sys.monitoring.free_tool_id(TOOL)


def is_opened(file: str) -> bool:
    """Return True if a reader of the path opens this file."""
    if file.startswith((*KNOWN_ROOMS, VALUE_READERS)) or file.endswith("/models.py"):
        return False
    is_other_rule = file.startswith(RULES) and file != GATE and is_pure(file)
    return not is_other_rule and file != CLOCK


def is_pure(file: str) -> bool:
    """Return True if a module imports no table, no statement and no Django."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse((PRODUCT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return not any(
        module.split(".")[0] in ("django", "psycopg")
        or module.startswith("rooftree.db.")
        or "models" in module.split(".")
        for module in modules
    )


def listed_files() -> list[str]:
    """Return the files of the document's numbered list."""
    return re.findall(r"^\d+\. `([\w/]+\.py)`", DOCUMENT, re.MULTILINE)


def test_document_lists_files_of_a_real_lead_in_order(executed_files):
    assert listed_files() == [file for file in executed_files if is_opened(file)]


def test_path_has_few_files(executed_files):
    opened = [file for file in executed_files if is_opened(file)]

    assert len(opened) <= MAX_FILES
    assert f"{len(opened)} files" in DOCUMENT
    assert 80 < len(executed_files) < 120  # the document says about 100
    assert f"all {len(CHECKS)} checks" in DOCUMENT


def test_path_is_recorded_from_webhook_to_carrier(executed_files):
    assert executed_files[0] == "web/inbound/views.py"
    assert "outreach/media/twilio.py" in executed_files
    assert {file for file in executed_files if file.startswith(KNOWN_ROOMS)}
