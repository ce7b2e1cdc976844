"""A production installation behind a proxy: secrets, static files, hosts and cookies."""

import re
import signal
import urllib.error
import urllib.request

import pytest

from rooftree.core.app_secrets import new_field_key, new_signing_key
from tests.management.test_serve import Place, wait_until


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
    assert wait_until(place.is_ready, 120)
    yield place
    for process in place.started:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def fetch(place, path, host="leads.example.com", **headers):
    """Return status, headers and text of a response through the proxy."""
    sent_headers = {"Host": host, "X-Forwarded-Proto": "https", **headers}
    request = urllib.request.Request(f"http://127.0.0.1:{place.port}{path}", headers=sent_headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers, response.read().decode(errors="replace")
    except urllib.error.HTTPError as problem:
        return problem.code, problem.headers, ""


def test_style_sheets_and_scripts_are_served_from_the_first_start(place):
    status, _, page = fetch(place, "/sign-in/")
    files = sorted(set(re.findall(r'"(/static/[^"#]+)', page)))

    assert status == 200
    assert any(name.endswith(".css") for name in files)
    for name in files:
        status, headers, _ = fetch(place, name)
        assert status == 200, name
        assert "immutable" in headers["Cache-Control"]


def test_cookies_are_secure_and_hsts_is_on(place):
    _, headers, _ = fetch(place, "/sign-in/")

    assert "Secure" in headers["Set-Cookie"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_unknown_host_name_is_rejected(place):
    assert fetch(place, "/sign-in/", host="elsewhere.example.com")[0] == 400


def test_metrics_require_the_token(place):
    assert fetch(place, "/metrics")[0] == 404
    status, _, text = fetch(place, "/metrics", Authorization="Bearer a-token-of-the-monitoring")
    assert status == 200
    assert "rooftree_release" in text


def test_full_readiness_includes_worker_and_clock(place):
    assert wait_until(lambda: place.status("/readyz/all") == 200, 60)


def test_request_id_is_returned(place):
    assert fetch(place, "/sign-in/", **{"X-Request-Id": "of-the-proxy-1"})[1]["X-Request-Id"] == (
        "of-the-proxy-1"
    )
    replaced = fetch(place, "/sign-in/", **{"X-Request-Id": "no spaces here"})[1]["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{16}", replaced)
