"""Fixtures: a company at noon, and the two roles that see fair lending and pay."""

from collections.abc import Iterator

import pytest
from django.test import Client

from rooftree.flow import clock
from tests import make


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    make.company()
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def compliance(signed_in) -> Client:
    return signed_in(make.user("compliance"))


@pytest.fixture
def operations(signed_in) -> Client:
    return signed_in(make.user("operations"))
