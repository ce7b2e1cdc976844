"""A lender of California and Florida on a weekday's noon, and the two who change its rules."""

import pytest

from rooftree.flow import clock
from tests import make
from tests.flow import journey


@pytest.fixture(autouse=True)
def noon(db):
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def omar():
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def lena():
    return make.user("compliance", name="Lena Park")
