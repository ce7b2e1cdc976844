"""What a person does in pages to set up a lender, as functions of the journeys without the demo."""

import re
import time
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests import make
from tests.web.browser.conftest import PHONE, check_page

PASSWORD = "a long enough password"
PAST_CLIENTS = """\
First name,Last name,Mobile,Email,Property state,Loan officer,Closed with us on,Loan amount,Rate
Rita,Nolan,8135550181,rita@home.example,FL,Olivia Park,2023-06-15,310000,7.125
Saul,Weber,8135550182,saul@home.example,FL,Olivia Park,2024-02-20,265000,6.875
"""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_page(chromium, address, size, session=None) -> Page:
    """Open a page in a context of its own, which trusts the proxy's certificate."""
    page = chromium.new_context(
        viewport=size, base_url=address, ignore_https_errors=True, has_touch=size is PHONE,
        storage_state=session,
    ).new_page()  # fmt: skip
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
    form.get_by_label("Primary role").select_option(role)
    if branch:
        form.locator("[name=branch]").select_option(branch)
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


def connect_carrier(page) -> None:
    page.goto("/setup/carrier/")
    page.get_by_label("Account SID").fill(ACCOUNT_SID)
    page.get_by_label("Auth token").fill(AUTH_TOKEN)
    page.get_by_role("button", name="Check and save").click()
    page.locator("main [name=numbers]").first.check()
    page.get_by_role("button", name="Save numbers").click()
    expect(page.locator("main")).to_contain_text("Webhooks")


def connect_mail(page, server) -> None:
    """Connect a mail server on this machine, and look up the sender's domain."""
    host, port = server.split(":")
    page.goto("/setup/mail/")
    for label, value in (
        ("Sender name", "Harbor Lending"),
        ("Sender address", "loans@harbor.example"),
        ("Server", host),
        ("Port", port),
    ):
        page.get_by_label(label).first.fill(value)
    page.get_by_label("Encryption").select_option("None, only for a server on this machine")
    page.get_by_role("button", name="Test and save").click()
    page.get_by_label("DKIM selector").fill("s1")
    page.get_by_role("button", name="Check DNS").click()
    page.goto("/setup/")
    expect(step(page, "Connect email")).to_contain_text("(verified)")


def connect_los(page, encompass, address) -> None:
    """Connect the LOS with the lender's revenue field; turn it on after its check passed."""
    page.goto("/setup/los/")
    for label, value in (
        ("Name", "Encompass"),
        ("Instance", "TEBE00000001"),
        ("API address", address),
        ("Loan folder", "Prospects"),
        ("API client ID", "enc-client"),
        ("API client secret", "enc-secret"),
        ("API user", "svc_rooftree"),
        ("Password", encompass.instance.tokens.users["svc_rooftree"]),
    ):
        page.get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Worked")).to_be_visible()
    page.get_by_role("button", name="Read from Encompass").click()
    expect(page.get_by_text("All mapped")).to_be_visible()
    page.locator("[name='1111111']").fill("lofficer")
    page.get_by_role("button", name="Save user names").click()
    expect(page.get_by_text("All have a user name")).to_be_visible()
    page.locator("[name=revenue_fields]").fill("CX.REVENUE")
    page.get_by_role("button", name="Save fields").click()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Subscribed, as the LOS confirmed")).to_be_visible()
    page.get_by_role("button", name="Run check").click()
    expect(page.get_by_text("The LOS lists our subscription to loan changes.")).to_be_visible()
    page.get_by_role("button", name="Turn on").click()
    page.goto("/setup/")
    expect(step(page, "Connect the LOS")).to_contain_text("(verified)")


def add_vendor(page, kind, name, cost="") -> str:
    """Add a source that vendors post to; return its post address."""
    page.goto("/setup/sources/")
    page.locator("main select").first.select_option(kind)
    page.locator("main [name=name]").fill(name)
    page.get_by_label("Cost per lead").fill(cost)
    page.get_by_role("button", name="Add source").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return re.search(r"https://\S+/in/[^\s<\"']+", page.locator("main").inner_text())[0]


def accept_offer(page) -> str:
    """Accept the offer that shows on the officer's phone; return the borrower's name.

    A press is repeated, because a live update can replace the button under it.
    """
    page.goto("/queue/")
    for seconds in (10, 20):
        page.get_by_role("button", name="Accept lead").last.click()
        with suppress(PlaywrightTimeout):
            page.wait_for_url("**/leads/**", timeout=seconds * 1_000)
            break
    return page.locator("h1").inner_text()


def step(page, name):
    """Return the line of one step of the go-live list."""
    return page.locator(".goal__step", has_text=name)


def book_spend(page, source, amount) -> None:
    """Book ad spend of today, in the company's time zone."""
    today = datetime.now(ZoneInfo("America/New_York")).date().isoformat()
    page.goto("/money/spend/")
    page.get_by_label("Source").select_option(label=source)
    page.get_by_label("From").fill(today)
    page.get_by_label("Through").fill(today)
    page.get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Book ad spend").click()
    expect(page.get_by_role("region", name="Entries")).to_contain_text(amount)


def import_past_clients(page, folder) -> None:
    """Upload a list of past clients; they go to the officer whom the file names."""
    page.goto("/setup/imports/")
    page.get_by_role("link", name="Add a source for spreadsheets").click()
    page.locator("main [name=name]").fill("Past clients")
    page.get_by_role("button", name="Add source").click()
    file = folder / "clients.csv"
    file.write_text(PAST_CLIENTS)
    page.goto("/setup/imports/")
    page.locator("main [name=source]").select_option(label="Past clients")
    page.locator("main [name=file]").set_input_files(file)
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_label("Past clients and contacts")).to_be_checked()
    page.get_by_label("Give to the loan officer named in the file").check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("All rows were usable")).to_be_visible()


def wait_for_rate(page, borrower, target) -> None:
    """Watch the 30-year rate for a borrower of one's own."""
    page.goto("/people/?kind=clients")
    page.get_by_role("link", name=borrower).click()
    page.locator("summary", has_text="Rate watch").last.click()
    page.get_by_label("Notify the borrower at this rate or lower").fill(target)
    page.get_by_role("button", name="Set rate watch").click()
    expect(page.locator("main")).to_contain_text(target)


def record_rate(page, *, rate, apr) -> None:
    page.goto("/rates/")
    page.get_by_label("Loan product").select_option(label="30-year fixed")
    page.locator("main [name=rate_pct]").fill(rate)
    page.locator("main [name=apr_pct]").fill(apr)
    page.locator("main [name=points]").fill("0")
    page.locator("main [name=sheet]").fill("House sheet")
    page.get_by_role("button", name="Record rate").click()
    expect(page.locator("main")).to_contain_text(rate)
