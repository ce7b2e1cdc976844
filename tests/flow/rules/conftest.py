"""Fixtures: a lender in California and Florida at noon, and two compliance users."""

import pytest

from rooftree.flow import clock
from tests import make
from tests.flow import journey


@pytest.fixture(autouse=True)
def noon(db):
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def omar():
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def lena():
    return make.user("compliance", name="Lena Park")
