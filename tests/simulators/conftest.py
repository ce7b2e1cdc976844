"""Fixtures: simulators on free ports, with a clock that only tests move."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rooftree_simulators.encompass.encompass_instance import INSTANCE_ID
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import Simulators, start_simulators
from tests.simulators.receiver import Receiver, serve

EXCHANGES = Path(__file__).parent / "exchanges"
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.fixture
def running() -> Iterator[Simulators]:
    with start_simulators(clock=SimulatedClock(at=NOON, speed=0)) as simulators:
        yield simulators


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    new_receiver = Receiver()
    server = serve(new_receiver)
    yield new_receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def control(running: Simulators) -> Iterator[Callable[..., Any]]:
    """Return a function that calls the control API: `control("POST", "clock", advance="PT20S")`."""
    with httpx2.Client(base_url=running.urls["ctl"]) as client:

        def call(method: str, path: str, /, **body: Any) -> Any:
            answer = client.request(method, f"/_sim/{path}", json=body or None)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield call


@pytest.fixture
def encompass(running: Simulators) -> Iterator[httpx2.Client]:
    """Return a signed-in client of the simulated Encompass, without duplicated webhooks."""
    running.encompass.instance.update_switches({"dup_rate": 0})
    with httpx2.Client(base_url=running.urls["enc"]) as client:
        client.headers["Authorization"] = f"Bearer {sign_in(client).json()['access_token']}"
        yield client


def sign_in(client: httpx2.Client, **changes: str) -> httpx2.Response:
    form = {
        "grant_type": "password",
        "username": f"svc_rooftree@encompass:{INSTANCE_ID}",
        "password": "svc-secret",
        **changes,
    }
    return client.post("/oauth2/v1/token", data=form, auth=("enc-client", "enc-secret"))


@pytest.fixture
def sample_loan() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXCHANGES / "encompass_create_loan.json").read_text())
    return content
