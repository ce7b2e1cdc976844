"""Fixtures: a simulated Encompass, and a lead ready for hand-off."""

from collections.abc import Iterator

import pytest

from rooftree.leads.models import Lead
from rooftree.los.models import Connection
from tests import make as rows
from tests.flow import journey
from tests.flow.outside_world import World, connect_encompass, start_outside_world


@pytest.fixture
def world(db, settings) -> Iterator[World]:
    journey.set_up_company()
    with start_outside_world("http://127.0.0.1:9", settings) as outside_world:
        yield outside_world


@pytest.fixture
def dana(world):
    return rows.officer("Dana Whitfield", licensed=("FL",), text_number="")


@pytest.fixture
def encompass(world, dana) -> Connection:
    return connect_encompass(world, {dana.nmls_id: "lofficer"})


@pytest.fixture
def lead(encompass, dana) -> Lead:
    arrived = journey.deliver(journey.create_zillow(), journey.zillow_contact())
    rows.ownership(arrived, dana)
    return Lead.objects.get(pk=arrived.pk)
