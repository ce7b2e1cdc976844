"""Our live server with the simulated outside world around it, and who sends us leads there."""

from collections.abc import Iterator

import pytest

from rooftree_simulators.ads import meta
from tests.flow import journey
from tests.flow.outside_world import World, around
from tests.flow.senders import TOKEN, source


@pytest.fixture
def world(live_server, settings) -> Iterator[World]:
    journey.ready()
    with around(live_server.url.replace("localhost", "127.0.0.1"), settings) as found:
        yield found


@pytest.fixture
def facebook(world) -> meta.Meta:
    """Meta, subscribed to our address, with a token that works."""
    source(
        "meta_lead_ads", meta.APP_SECRET, verify_token=meta.VERIFY_TOKEN, access_token=meta.TOKEN
    )
    vendor = world.simulators.meta
    vendor.callback = f"{world.url}/in/meta_lead_ads/{TOKEN}"
    return vendor


@pytest.fixture(autouse=True)
def _as_it_runs(as_the_program: None) -> None:
    """The whole flow is walked with the rights of the running program."""
