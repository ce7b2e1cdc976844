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
PASSWORD = "a long enough password"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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


def open_page(chromium, address, size) -> Page:
    """Open a page in a context of its own, which trusts the proxy's certificate."""
    page = chromium.new_context(
        viewport=size, base_url=address, ignore_https_errors=True, has_touch=size is PHONE
    ).new_page()
    page.set_default_timeout(20_000)
    return page


def sign_in_by_link(page, link) -> None:
    """Choose a password and an authenticator app, as the link of an invitation asks."""
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="sign in").click()
    page.get_by_role("link", name="Use an authenticator app").click()
    page.get_by_text("No camera? Enter the key").click()
    secret = page.locator(".key-text").inner_text().replace(" ", "")
    code = make.app_code(secret, int(time.time() // 30))
    page.get_by_label("Six-digit code from the app").fill(code)
    page.get_by_role("button", name="Set up app").click()
    page.get_by_role("link", name="I saved them").click()


def enter_company(page) -> None:
    page.goto("/setup/company/")
    for label, value in (
        ("Legal name", "Harbor Lending LLC"),
        ("Name in messages", "Harbor Lending"),
        ("NMLS ID", "123456"),
        ("Mailing address", "1 Main St, Tampa, FL 33602"),
        ("Main phone", "(813) 555-0100"),
        ("Telemarketer states", "FL"),
    ):
        page.get_by_label(label).first.fill(value)
    page.get_by_label("Call if no one accepts a lead").select_option("Ana Ruiz, Administrator")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/setup/")
    page.goto("/setup/branches/")
    page.locator("main [name=name]").fill("Tampa")
    page.locator("main [name=kind]").select_option("Branch")
    page.get_by_role("button", name="Add").first.click()
    expect(page.locator("main")).to_contain_text("0 loan officers")


def add_user(page, name, role, branch="") -> str:
    """Add a user; return the link where they choose a password."""
    page.goto("/setup/people/")
    form = page.locator("main form", has=page.get_by_role("button", name="Add user"))
    form.get_by_label("Name").fill(name)
    form.get_by_label("Work email").fill(f"{name.split()[0].lower()}@lender.example")
    form.get_by_label("Role").select_option(role)
    if branch:
        form.get_by_label("Branch").select_option(branch)
    form.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    return re.search(r"https://\S+/set-password/[^\s<\"]+", page.content())[0]


def license_officer(page) -> None:
    page.goto("/setup/people/")
    page.get_by_role("link", name="Olivia Park").click()
    page.get_by_role("link", name="Enter NMLS ID").click()
    page.get_by_label("NMLS ID").fill("1111111")
    page.get_by_label("Phone").first.fill("(813) 555-0111")
    for day in DAYS:
        page.locator(f"[name={day}_from]").fill("12 AM")
        page.locator(f"[name={day}_until]").fill("11:59 PM")
    page.get_by_role("button", name=re.compile("^Make")).click()
    for holder in ("The company", "Olivia Park"):
        page.goto("/setup/licenses/")
        page.get_by_label("Holder").select_option(holder)
        page.locator("main [name=state]").select_option("Florida")
        page.locator("main [name=number]").fill(f"FL-{holder[:2]}")
        page.get_by_label("First day").fill("2025-01-01")
        page.get_by_role("button", name="Add license").click()
        expect(page.get_by_role("alert")).to_have_count(0)


def load_lists(page, folder) -> None:
    today = time.strftime("%Y-%m-%d")
    file = folder / f"list-{today}.txt"
    file.write_text("813,5559999\n")
    for registry in ("National registry", "Florida state list"):
        page.goto("/compliance/lists/")
        page.locator("main [name=registry]").select_option(registry)
        page.locator("main [name=file]").set_input_files(file)
        page.locator("main [name=dated]").fill(today)
        page.get_by_role("button", name="Load file").click()
        expect(page.get_by_role("alert")).to_have_count(0)


def adopt_wording(page) -> None:
    page.goto("/wording/adoption/")
    check_page(page, "adopt templates")
    for box in page.locator("[name=keys]").all():
        box.check()
    page.get_by_role("button", name="Approve checked templates").click()
    page.get_by_role("link", name="Not reached yet").click()
    page.get_by_role("button", name="Approve and publish").click()
    expect(page.locator("main")).to_contain_text("live")


def add_form(page, address) -> str:
    """Add the lender's own form; return where borrowers open it."""
    page.goto("/setup/sources/")
    page.locator("main select").first.select_option("Website form")
    page.locator("main [name=name]").fill("Our website")
    page.get_by_label("Websites with the form").fill(address)
    page.get_by_role("button", name="Add source").click()
    link = page.locator("main a[href*='/forms/']").first
    expect(link).to_be_visible()
    return link.get_attribute("href")


def inquire(page, form, *, first, last, email, phone) -> None:
    """Fill in the form as a borrower on a phone."""
    page.goto(form)
    page.get_by_label("Buy a home").check()
    page.get_by_label("State where the home is").select_option("FL")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Phone").fill(phone)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Home price or value").fill("$458,000")
    page.get_by_label("Call and text me").check()
    page.wait_for_timeout(3_000)  # a human is not faster
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", name="We got your request")).to_be_visible()


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
