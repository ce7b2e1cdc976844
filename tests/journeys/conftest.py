"""Fixtures: the browser and the server of the page tests."""

import pytest

from tests.web.browser.conftest import CHROMIUM, chromium, closed, front, noon, people

__all__ = ["chromium", "closed", "front", "noon", "people"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as a browser test; skip them where there is no browser."""
    for item in items:
        if "tests/journeys" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"))
