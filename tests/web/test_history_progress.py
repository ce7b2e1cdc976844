"""The progress line of a demo's history loading."""

import json

import pytest
from django.urls import reverse

from tests import make

SAID = {"told": 12_400, "of": 30_000, "what": "June 2025", "pct": 34}


@pytest.fixture
def executive(client, db, settings, tmp_path):
    settings.ROOFTREE_HOME = tmp_path
    (tmp_path / "demo").mkdir()
    make.company()
    client.force_login(make.user("executive"))
    return client


def _progress_line(settings, **changes):
    file = settings.ROOFTREE_HOME / "demo" / "loading.json"
    file.write_text(json.dumps({**SAID, **changes}))


def test_every_page_shows_history_loading_progress_and_the_lead_count(executive, settings):
    _progress_line(settings)

    page = executive.get("/home/").text

    assert "loading: June 2025, 34%" in page
    assert "12,400 of 30,000 leads" in page
    assert f'hx-get="{reverse("loading")}"' in page


def test_progress_line_disappears_when_loading_is_done(executive, settings):
    _progress_line(settings, what="", told=30_000, pct=100)

    assert 'id="loading"' not in executive.get("/home/").text
    assert executive.get("/loading/").text.strip() == ""


def test_installation_without_demo_history_has_no_progress_line(executive, settings):
    assert 'id="loading"' not in executive.get("/home/").text

    _progress_line(settings)
    settings.IS_DEMO = False

    assert 'id="loading"' not in executive.get("/home/").text
    assert executive.get("/loading/").status_code == 404


@pytest.mark.parametrize("content", ["", "[]", '{"what": "June"}'])
def test_unreadable_progress_file_breaks_no_page(executive, settings, content):
    (settings.ROOFTREE_HOME / "demo" / "loading.json").write_text(content)

    assert executive.get("/home/").status_code == 200
