"""Fixtures: our live server, the simulated outside world around it, and its lead vendors."""

from collections.abc import Iterator

import pytest

from rooftree_simulators.ads import meta
from tests.flow import journey
from tests.flow.outside_world import World, start_outside_world
from tests.flow.senders import TOKEN, create_source


@pytest.fixture
def world(live_server, settings) -> Iterator[World]:
    journey.set_up_company()
    with start_outside_world(
        live_server.url.replace("localhost", "127.0.0.1"), settings
    ) as outside_world:
        yield outside_world


@pytest.fixture
def facebook(world) -> meta.Meta:
    """Return Meta, subscribed to our address, with a valid token."""
    create_source(
        "meta_lead_ads", meta.APP_SECRET, verify_token=meta.VERIFY_TOKEN, access_token=meta.TOKEN
    )
    vendor = world.simulators.meta
    vendor.callback = f"{world.url}/in/meta_lead_ads/{TOKEN}"
    return vendor


@pytest.fixture(autouse=True)
def _as_it_runs(as_the_program: None) -> None:
    """Run the whole flow with the database rights of the running program."""
