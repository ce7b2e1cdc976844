"""Fixtures: Zillow as a source, and a contract with it."""

import pytest

from tests import make
from tests.flow import journey
from tests.flow.returns import claiming


@pytest.fixture
def pat(db):
    journey.set_up_company()
    return make.user("operations", name="Pat Lowe")


@pytest.fixture
def zillow(pat):
    return journey.create_zillow()


@pytest.fixture
def contract(zillow, pat):
    return claiming.record_contract(zillow, pat)
