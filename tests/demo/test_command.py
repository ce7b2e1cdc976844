"""The demo starts in a demo's surroundings and nowhere else."""

import os
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import NoReverseMatch, clear_url_caches, reverse

from rooftree.web.demo import demo_login
from rooftree_demo import demo_company, simulator_addresses
from tests import make
from tests.demo.conftest import NOW


def _demo(home, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ROOFTREE")}
    return subprocess.run(
        [sys.executable, "-m", "rooftree", "demo"],
        env={**kept, "ROOFTREE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_demo_refuses_production(tmp_path):
    refused = _demo(tmp_path, ROOFTREE_ENV="production")

    assert refused.returncode == 2
    assert "does not run with ROOFTREE_ENV=production" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_demo_refuses_the_folder_of_a_production(tmp_path):
    (tmp_path / "kind").write_text("production\n")

    refused = _demo(tmp_path)

    assert refused.returncode == 2
    assert "belongs to production" in refused.stderr


def test_two_demos_get_worlds_of_their_own():
    first, second = (
        simulator_addresses.find_free_addresses(),
        simulator_addresses.find_free_addresses(),
    )

    assert len({first.ctl, first.enc, first.twilio, first.smtp}) == 4
    assert first.environment()["ROOFTREE_CARRIER"] == "twilio"
    assert first.environment()["TWILIO_BASE_URL"].startswith("http://127.0.0.1:")
    assert first.control != second.control or first.twilio != second.twilio


@pytest.mark.django_db
def test_the_sign_in_page_offers_every_role_in_the_demo_alone(settings):
    demo_company.ensure_company(at=NOW)

    page = Client().get("/sign-in/").text

    for title in ("Loan officer", "Branch manager", "Compliance", "Executive", "Administrator"):
        assert title in page
    settings.IS_DEMO = False
    assert "look-around" not in Client().get("/sign-in/").text


@pytest.mark.django_db
def test_nobody_is_signed_in_without_a_password_outside_the_demo(settings):
    user = make.user("executive")
    address = reverse("look_around", args=[user.pk])
    settings.IS_DEMO = False

    answer = Client().post(address)

    assert answer.status_code == 404


def test_outside_the_demo_the_address_does_not_exist_at_all(settings, monkeypatch):
    import importlib

    from rooftree.web import urls

    settings.IS_DEMO = False
    try:
        importlib.reload(urls)
        clear_url_caches()
        with pytest.raises(NoReverseMatch):
            reverse("look_around", args=["00000000-0000-0000-0000-000000000000"])
    finally:
        settings.IS_DEMO = True
        importlib.reload(urls)
        clear_url_caches()


@pytest.mark.django_db
def test_what_takes_two_of_compliance_can_be_tried_as_both():
    demo_company.ensure_company(at=NOW)

    found = [persona for persona in demo_login.list_personas() if persona.user.role == "compliance"]

    assert [one.label for one in found] == ["Compliance", "Compliance, second person"]
    assert found[0].user != found[1].user


@pytest.mark.django_db
def test_a_visitor_of_any_hour_meets_an_officer_at_work_and_who_sees_them():
    demo_company.ensure_company(at=NOW)

    for hour in range(0, 24, 3):
        at_work = demo_login._find_officer_at_work(NOW.replace(hour=hour))
        assert at_work
        manager = demo_login._find_manager(at_work)
        assert manager
        assert at_work.branch.path.startswith(manager.branch.path)
