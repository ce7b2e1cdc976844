"""From `rooftree setup` to funded loans: production, behind TLS, pages alone.

Nothing of the demo, no table that the test writes: a person sets up a lender, a borrower fills in
the lender's own form, a loan officer takes the lead on a phone. Then leads of four sources are
handed off and fund, money is booked, past clients are imported, and a complaint is answered.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rooftree_simulators.start_simulators import Simulators, start_simulators
from tests.dns_server import start_dns_server
from tests.journeys.lender_setup import (
    accept_offer,
    add_form,
    add_user,
    add_vendor,
    adopt_wording,
    book_spend,
    connect_carrier,
    connect_los,
    connect_mail,
    enter_company,
    import_past_clients,
    inquire,
    license_officer,
    load_lists,
    open_page,
    record_rate,
    sign_in_by_link,
    step,
    wait_for_rate,
)
from tests.journeys.tls_proxy import tls_proxy, write_certificate
from tests.management.test_serve import Place, wait_until
from tests.web.browser.conftest import DESK, PHONE, check_page

ROOT = Path(__file__).parents[2]
DNS = {
    "harbor.example": ["v=spf1 a:127.0.0.1 ~all"],
    "s1._domainkey.harbor.example": ["v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC"],
    "_dmarc.harbor.example": ["v=DMARC1; p=none; rua=mailto:loans@harbor.example"],
}


@dataclass(slots=True)
class Installation:
    """A served installation, the vendors it can reach, and who has signed in so far."""

    address: str
    link: str  # where the first administrator chooses a password
    vendors: Simulators
    form: str = ""
    sessions: dict[str, dict] = field(default_factory=dict)  # first name -> cookies

    def keep_session(self, name, page) -> None:
        self.sessions[name] = page.context.storage_state()


@pytest.fixture(scope="module")
def installation(folders):
    """Set up an installation by its command, and serve it behind a proxy with TLS."""
    place = Place(folders())
    certificate = write_certificate(place.home)
    inherited = {name: value for name, value in os.environ.items() if "ROOFTREE" not in name}
    with (
        pytest.MonkeyPatch.context() as patch,
        tls_proxy(certificate, port=place.port) as port,
        start_dns_server() as dns,
    ):
        dns.texts = DNS
        patch.setenv("SSL_CERT_FILE", str(certificate))  # the simulators post through the proxy
        vendors = start_simulators()
        environment = {
            **inherited, "ROOFTREE_HOME": str(place.home), "SSL_CERT_FILE": str(certificate),
            "DJANGO_SETTINGS_MODULE": "rooftree.settings",
            "TWILIO_BASE_URL": vendors.urls["twilio"], "ROOFTREE_UPSTREAMS": f"dns={dns.url}",
        }  # fmt: skip
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
        yield Installation(address, setup.stdout.strip(), vendors)
        serving.send_signal(signal.SIGINT)
        serving.wait(30)
        vendors.stop()


@pytest.mark.timeout(420)  # it starts an installation and walks through all of Setup
def test_lender_goes_live_in_pages_alone(chromium, installation, tmp_path):
    address = installation.address
    ana = open_page(chromium, address, DESK)
    sign_in_by_link(ana, installation.link)
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
    form = installation.form = add_form(ana, address)

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
    installation.keep_session("Ana", ana)
    installation.keep_session("Olivia", olivia)


VENDORS = {  # source -> its kind, its price, and what it posts about one borrower
    "Zillow": ("Zillow", "", "application/json", {
        "id": "LC-9001", "type": "longForm", "price": 65.0,
        "sender": {
            "firstName": "Maya", "lastName": "Torres", "emailAddress": "maya@home.example",
            "phoneNumber": "8135550171",
        },
        "details": {
            "loanPurpose": "Purchase", "loanAmount": 350000, "stateAbbreviation": "FL",
        },
    }),
    "LendingTree": ("LendingTree", "", "text/xml", """<LeadInformation><LeadApplication>
        <TrackingNumber>LT-77</TrackingNumber><FirstName>Omar</FirstName><LastName>Haddad</LastName>
        <HomePhone>8135550172</HomePhone><EmailAddress>omar@home.example</EmailAddress>
        <LoanRequested>refinance</LoanRequested><LoanAmount>280000</LoanAmount>
        <PropertyState>FL</PropertyState><MatchFee>45.00</MatchFee>
        </LeadApplication></LeadInformation>"""),
    "Partner site": ("Generic webhook (form, JSON, XML, query)", "20", "application/json", {
        "vendor_lead_id": "P-1", "name": "Nina Brooks", "phone": "8135550173",
        "email": "nina@home.example", "loan_purpose": "purchase", "property_state": "FL",
    }),
}  # fmt: skip
REVENUE = {  # borrower -> revenue of the loan, in dollars
    "Maya Torres": "9270.55",
    "Omar Haddad": "5000.10",
    "Nina Brooks": "7812.35",
    "Jordan Pike": "4100.00",
}


def post_lead(address, kind, content) -> None:
    body = content if isinstance(content, str) else json.dumps(content)
    request = urllib.request.Request(address, body.encode(), {"Content-Type": kind})
    with urllib.request.urlopen(request, context=ssl.create_default_context()) as answer:
        assert answer.status == 200


def hand_off(page, encompass) -> str:
    """Hand the lead on the page off; return the ID of its loan in the LOS."""
    known = set(encompass.instance.loans)
    page.get_by_role("button", name="Hand off to LOS").click()
    assert wait_until(lambda: len(encompass.instance.loans) > len(known), 20)
    (loan_id,) = set(encompass.instance.loans) - known
    return loan_id


@pytest.mark.timeout(420)
def test_leads_of_four_sources_fund_and_home_is_right_to_the_cent(chromium, installation, tmp_path):
    address, vendors = installation.address, installation.vendors
    encompass = vendors.encompass
    encompass.load_seed({"custom_fields": ["CX.REVENUE"]})
    pages = {
        name: open_page(chromium, address, size, session=installation.sessions[name])
        for name, size in (("Ana", DESK), ("Olivia", PHONE))
    }
    ana, olivia = pages["Ana"], pages["Olivia"]
    connect_carrier(ana)
    connect_mail(ana, vendors.urls["smtp"])
    connect_los(ana, encompass, vendors.urls["enc"])
    for role in ("Marketing", "Compliance", "Executive"):
        name = f"{role[:4]} Lane"
        pages[role] = open_page(chromium, address, DESK)
        sign_in_by_link(pages[role], add_user(ana, name, role))
    loans = {}
    for name, (kind, cost, content_type, content) in VENDORS.items():
        post_lead(add_vendor(ana, kind, name, cost), content_type, content)
        borrower = accept_offer(olivia)
        loans[borrower] = hand_off(olivia, encompass)
    olivia.goto("/people/")
    olivia.get_by_role("link", name="Jordan Pike").click()
    loans["Jordan Pike"] = hand_off(olivia, encompass)
    for borrower, loan_id in loans.items():
        for what, change in (
            ("field", {"field": "CX.REVENUE", "value": REVENUE[borrower], "by": "processor1"}),
            ("status", {"status": "Funding"}),
        ):
            encompass.control("POST", ["loans", loan_id, what], change)
    check_page(olivia, "lead that was handed off")

    marketing = pages["Marketing"]
    book_spend(marketing, "Our website", "300.25")
    import_past_clients(marketing, tmp_path)
    wait_for_rate(olivia, "Rita Nolan", "6.5")
    record_rate(marketing, rate="6.25", apr="6.41")
    assert wait_until(lambda: vendors.mailbox.messages_to("rita@home.example"), 30)

    compliance = pages["Compliance"]
    compliance.goto("/compliance/?q=8135550171")
    with compliance.expect_download() as download:
        compliance.get_by_role("button", name="Download evidence file").click()
    file = tmp_path / "evidence.zip"
    download.value.save_as(file)
    checked = subprocess.run(
        [sys.executable, "-m", "rooftree", "evidence", "verify", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr

    executive = pages["Executive"]
    executive.goto("/home/")
    executive.locator("a[href*='/records/profit/']").first.click()
    expect(executive.locator("main")).to_contain_text("$25,752.75")
    check_page(executive, "records behind the gross profit")
    marketing.goto("/money/")
    expect(marketing.locator("main")).to_contain_text("Net spend $430.25 · revenue $26,183.00")
