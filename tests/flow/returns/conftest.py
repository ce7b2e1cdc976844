"""Zillow sends us leads, and operations has a contract with it."""

import pytest

from tests import make
from tests.flow import journey
from tests.flow.returns import claiming


@pytest.fixture
def pat(db):
    journey.ready()
    return make.user("operations", name="Pat Lowe")


@pytest.fixture
def zillow(pat):
    return journey.zillow()


@pytest.fixture
def contract(zillow, pat):
    return claiming.agree(zillow, pat)
