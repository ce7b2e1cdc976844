"""Visitors of the site, signed in as somebody."""

import pytest
from django.test import Client

from rooftree.leads.models import Source
from rooftree.org.models import User
from tests import make
from tests.flow import journey


@pytest.fixture
def signed_in():
    """A browser in which `user` has signed in."""

    def sign_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return sign_in


@pytest.fixture
def htmx():
    """The headers that htmx sends."""
    return {"HX-Request": "true"}


@pytest.fixture
def source() -> Source:
    """The website on which the public form stands."""
    make.company()
    return journey.create_website()
