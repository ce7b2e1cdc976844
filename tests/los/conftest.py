"""A simulated Encompass, and a lead that can be handed to it."""

from collections.abc import Iterator

import pytest

from rooftree.leads.models import Lead
from rooftree.los.models import Connection
from tests import make as rows
from tests.flow import journey
from tests.flow.outside_world import World, around, connect_encompass


@pytest.fixture
def world(db, settings) -> Iterator[World]:
    journey.ready()
    with around("http://127.0.0.1:9", settings) as found:
        yield found


@pytest.fixture
def dana(world):
    return rows.officer("Dana Whitfield", licensed=("FL",), text_number="")


@pytest.fixture
def encompass(world, dana) -> Connection:
    return connect_encompass(world, {dana.nmls_id: "lofficer"})


@pytest.fixture
def lead(encompass, dana) -> Lead:
    arrived = journey.deliver(journey.zillow(), journey.zillow_contact())
    rows.ownership(arrived, dana)
    return Lead.objects.get(pk=arrived.pk)
