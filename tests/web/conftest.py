"""Fixtures: signed-in browsers, htmx headers and the public form's website."""

import pytest
from django.test import Client

from rooftree.leads.models import Source
from rooftree.org.models import User
from tests import make
from tests.flow import journey


@pytest.fixture
def signed_in():
    """Return a function that opens a browser in which `user` is signed in."""

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
    """The website source that shows the public form."""
    make.company()
    return journey.create_website()
