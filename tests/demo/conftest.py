"""A demo's outside world in this process, and history loaded under history's own settings."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.tasks import task_backends

from rooftree.outreach.media.line import line
from rooftree_demo import at_once, company, staff
from rooftree_demo.control import Control
from rooftree_demo.life import source_of
from rooftree_demo.outside import Addresses
from rooftree_simulators.run import start

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.fixture
def control(db, settings, monkeypatch) -> Iterator[Control]:
    """Lindenfield, set up; Encompass answers; what history does stays in this process."""
    options = settings.TASKS["default"]
    settings.TASKS = {"default": {**options, "BACKEND": "rooftree_demo.at_once.AtOnce"}}
    monkeypatch.setattr(
        task_backends["default"], "enqueue", at_once.AtOnce("default", options).enqueue
    )
    settings.CARRIER = "console"
    settings.MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend", "OPTIONS": {}}
    }
    line.cache_clear()
    source_of.cache_clear()
    with start() as running:
        ports = running.ports
        addresses = Addresses(ctl=ports.ctl, enc=ports.enc, twilio=ports.twilio, smtp=ports.smtp)
        company.ensure(at=NOW)
        company.open_today(addresses, at=NOW)
        control = Control(addresses)
        control.say("enc/seed", {"users": {one.login: "made-up" for one in staff.OFFICERS}})
        yield control
    line.cache_clear()
    source_of.cache_clear()
