"""From `rooftree setup` to a lead that an officer takes: production, behind TLS, pages alone.

Nothing of the demo, no table that the test writes: a person sets up a lender, a borrower fills in
the lender's own form, and a loan officer takes the lead on a phone.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import make
from tests.journeys.tls_proxy import tls_proxy, write_certificate
from tests.management.test_serve import Place, wait_until
from tests.web.browser.conftest import DESK, PHONE, check_page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installation(folders):
    """Set up an installation by its command, and serve it behind a proxy; yield address, link."""
    place = Place(folders())
    certificate = write_certificate(place.home)
    inherited = {name: value for name, value in os.environ.items() if "ROOFTREE" not in name}
    environment = {
        **inherited, "ROOFTREE_HOME": str(place.home), "SSL_CERT_FILE": str(certificate),
        "DJANGO_SETTINGS_MODULE": "rooftree.settings",
    }  # fmt: skip
    with tls_proxy(certificate, port=place.port) as port:
        address = f"https://localhost:{port}"
        command = [sys.executable, "-m", "rooftree"]
        setup = subprocess.run(
            [
                *command, "setup", "--address", address, "--port", str(place.port),
                "--email", "ana@lender.example", "--name", "Ana Ruiz",
            ],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        serving = subprocess.Popen(
            [*command, "serve"], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL
        )
        assert wait_until(place.is_ready, 120)
        yield address, setup.stdout.strip()
        serving.send_signal(signal.SIGINT)
        serving.wait(30)


def step(page, name):
    """Return the line of one step of the go-live list."""
    return page.locator(".goal__step", has_text=name)


@pytest.mark.timeout(420)  # it starts an installation and walks through all of Setup
def test_lender_goes_live_in_pages_alone(chromium, installation, tmp_path):
    address, link = installation
    ana = open_page(chromium, address, DESK)
    sign_in_by_link(ana, link)
    expect(ana.get_by_role("heading", name=re.compile("Go live: 18 steps left"))).to_be_visible()
    check_page(ana, "go-live list of an empty installation")

    ana.goto("/setup/address/")
    ana.get_by_role("button", name="Check now").click()
    expect(step(ana, "Check the public address")).to_contain_text("leads here with TLS")

    enter_company(ana)
    invitation = add_user(ana, "Olivia Park", "Loan officer", "Tampa")
    license_officer(ana)
    load_lists(ana, tmp_path)
    adopt_wording(ana)
    form = add_form(ana, address)

    olivia = open_page(chromium, address, PHONE)
    sign_in_by_link(olivia, invitation)
    olivia.goto("/queue/")
    borrower = open_page(chromium, address, PHONE)
    inquire(
        borrower, form, first="Jordan", last="Pike", email="jordan.pike@home.example",
        phone="(813) 555-0142",
    )  # fmt: skip
    olivia.get_by_role("button", name="Accept lead").last.click()

    expect(olivia.get_by_role("heading", name="Jordan Pike")).to_be_visible()
    badge = olivia.locator("#badge-call")  # at night it says when calling is allowed again
    expect(badge).to_have_text(re.compile("OK to call|Call (after|at|from)|8 AM", re.IGNORECASE))
    check_page(olivia, "first lead of a new installation")

    ana.goto("/setup/test-lead/")
    ana.get_by_role("button", name="Start").click()
    expect(ana.get_by_role("heading", name="Waiting for your lead")).to_be_visible()
    check_page(ana, "waiting for a test lead")
    inquire(
        borrower, form, first="Test", last="Ruiz", email="ana@lender.example",
        phone="(813) 555-0143",
    )  # fmt: skip
    expect(ana.get_by_role("heading", name=re.compile("stages passed"))).to_be_visible()
    olivia.goto("/queue/")
    olivia.get_by_role("button", name="Accept lead").last.click()
    taken = ana.locator(".run li", has_text="Accepted")
    expect(taken).to_contain_text("By Olivia Park")
    expect(ana.locator(".run li", has_text="Routed")).to_contain_text("(passed)")
    called = ana.locator(".run li", has_text="Officer called")
    expect(called).to_contain_text("No carrier is connected")
    check_page(ana, "test lead, taken")
    ana.get_by_role("button", name="Remove test lead").click()
    expect(step(ana, "Send a test lead")).to_contain_text("stages passed, sent by Ana Ruiz")

    ana.goto("/setup/")
    for name in ("Add users", "Check licenses", "Approve default templates", "Add a source"):
        expect(step(ana, name)).to_contain_text("(verified)")
