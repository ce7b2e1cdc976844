"""Fixtures of demo tests: simulators in this process, and the settings for loading history."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.tasks import task_backends

from rooftree_demo import demo_company, demo_staff, inline_queue
from rooftree_demo.lead_story import source_by_slug
from rooftree_demo.simulator_addresses import SimulatorAddresses
from rooftree_demo.simulator_client import SimulatorClient
from rooftree_simulators.start_simulators import start_simulators

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.fixture
def control(db, settings, monkeypatch) -> Iterator[SimulatorClient]:
    """Set up Lindenfield and the simulators; tasks of the history stay in this process."""
    options = settings.TASKS["default"]
    settings.TASKS = {"default": {**options, "BACKEND": "rooftree_demo.inline_queue.InlineBackend"}}
    monkeypatch.setattr(
        task_backends["default"], "enqueue", inline_queue.InlineBackend("default", options).enqueue
    )
    settings.CARRIER = "console"
    settings.MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend", "OPTIONS": {}}
    }
    source_by_slug.cache_clear()
    with start_simulators() as running:
        ports = running.ports
        addresses = SimulatorAddresses(
            ctl=ports.ctl, enc=ports.enc, twilio=ports.twilio, smtp=ports.smtp
        )
        demo_company.ensure_company(at=NOW)
        demo_company.prepare_run(addresses, at=NOW)
        control = SimulatorClient(addresses)
        users = {officer.login: "made-up" for officer in demo_staff.OFFICERS}
        control.call("enc/seed", {"users": users})
        yield control
    source_by_slug.cache_clear()
