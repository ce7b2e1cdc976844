"""What a person does in pages to set up a lender, as functions of the journeys without the demo."""

import re
import time

from playwright.sync_api import Page, expect

from tests import make
from tests.web.browser.conftest import PHONE, check_page

PASSWORD = "a long enough password"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
