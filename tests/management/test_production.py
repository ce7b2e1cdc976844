"""Production as a proxy meets it: its own secrets, its own files, nothing for strangers."""

import re
import signal
import urllib.error
import urllib.request

import pytest

from rooftree.core.app_secrets import new_field_key, new_signing_key
from tests.management.test_serve import Place, until


@pytest.fixture(scope="module")
def place(folders):
    place = Place(folders())
    place.start(
        ROOFTREE_ENV="production",
        ROOFTREE_SECRET_KEY=new_signing_key(),
        ROOFTREE_FIELD_KEYS=new_field_key(),
        ROOFTREE_PUBLIC_URL="https://leads.example.com",
        ROOFTREE_BEHIND_TLS_PROXY="true",
        ROOFTREE_METRICS_TOKEN="a-token-of-the-monitoring",
    )
    assert until(place.ready, 120)
    yield place
    for process in place.started:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def asked(place, path, host="leads.example.com", **headers):
    """Status, headers and text of an answer that came through the proxy."""
    sent = {"Host": host, "X-Forwarded-Proto": "https", **headers}
    request = urllib.request.Request(f"http://127.0.0.1:{place.port}{path}", headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers, ""


def test_every_style_sheet_and_script_of_a_page_is_there_from_the_first_start(place):
    status, _, page = asked(place, "/sign-in/")
    files = sorted(set(re.findall(r'"(/static/[^"#]+)', page)))

    assert status == 200
    assert any(name.endswith(".css") for name in files)
    for name in files:
        found, headers, _ = asked(place, name)
        assert found == 200, name
        assert "immutable" in headers["Cache-Control"]


def test_cookies_are_for_https_alone_and_browsers_are_told_to_stay_there(place):
    _, headers, _ = asked(place, "/sign-in/")

    assert "Secure" in headers["Set-Cookie"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_another_host_name_gets_nothing(place):
    assert asked(place, "/sign-in/", host="elsewhere.example.com")[0] == 400


def test_figures_want_the_token(place):
    assert asked(place, "/metrics")[0] == 404
    status, _, text = asked(place, "/metrics", Authorization="Bearer a-token-of-the-monitoring")
    assert status == 200
    assert "rooftree_release" in text


def test_worker_and_clock_are_part_of_all_of_it(place):
    assert until(lambda: place.status("/readyz/all") == 200, 60)


def test_a_requests_id_comes_back(place):
    assert asked(place, "/sign-in/", **{"X-Request-Id": "of-the-proxy-1"})[1]["X-Request-Id"] == (
        "of-the-proxy-1"
    )
    strange = asked(place, "/sign-in/", **{"X-Request-Id": "no spaces here"})[1]["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{16}", strange)
