"""Visitors of the site, signed in as somebody."""

import pytest
from django.test import Client

from rooftree.org.models import User


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
