"""The demo starts in a demo environment and nowhere else."""

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


def _run_demo(home, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ROOFTREE")}
    return subprocess.run(
        [sys.executable, "-m", "rooftree", "demo"],
        env={**inherited, "ROOFTREE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_demo_refuses_production_environment(tmp_path):
    refused = _run_demo(tmp_path, ROOFTREE_ENV="production")

    assert refused.returncode == 2
    assert "does not run with ROOFTREE_ENV=production" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_refuses_folder_of_production(tmp_path):
    (tmp_path / "kind").write_text("production\n")

    refused = _run_demo(tmp_path)

    assert refused.returncode == 2
    assert "belongs to production" in refused.stderr


def test_two_demos_get_separate_simulator_ports():
    first, second = (
        simulator_addresses.find_free_addresses(),
        simulator_addresses.find_free_addresses(),
    )

    assert len({first.ctl, first.enc, first.twilio, first.smtp}) == 4
    assert first.environment()["ROOFTREE_CARRIER"] == "twilio"
    assert first.environment()["TWILIO_BASE_URL"].startswith("http://127.0.0.1:")
    assert first.control != second.control or first.twilio != second.twilio


@pytest.mark.django_db
def test_sign_in_page_offers_every_role_only_in_demo(settings):
    demo_company.ensure_company(at=NOW)

    page = Client().get("/sign-in/").text

    for title in ("Loan officer", "Branch manager", "Compliance", "Executive", "Administrator"):
        assert title in page
    settings.IS_DEMO = False
    assert "look-around" not in Client().get("/sign-in/").text


@pytest.mark.django_db
def test_demo_login_answers_404_outside_demo(settings):
    user = make.user("executive")
    address = reverse("look_around", args=[user.pk])
    settings.IS_DEMO = False

    answer = Client().post(address)

    assert answer.status_code == 404


def test_demo_login_url_does_not_exist_outside_demo(settings, monkeypatch):
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
def test_demo_offers_two_compliance_users():
    demo_company.ensure_company(at=NOW)

    personas = [
        persona for persona in demo_login.list_personas() if persona.user.has_role("compliance")
    ]

    labels = [persona.label for persona in personas]
    assert labels == ["Compliance", "Compliance, second person"]
    assert personas[0].user != personas[1].user


@pytest.mark.django_db
def test_demo_offers_officer_at_work_and_their_manager_at_any_hour():
    demo_company.ensure_company(at=NOW)

    for hour in range(0, 24, 3):
        at_work = demo_login._find_officer_at_work(NOW.replace(hour=hour))
        assert at_work
        manager = demo_login._find_manager(at_work)
        assert manager
        assert at_work.branch.path.startswith(manager.branch.path)
