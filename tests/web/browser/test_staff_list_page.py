"""Import of users, and the page of an import with past clients, in Chromium."""

from django.urls import reverse
from playwright.sync_api import expect

from tests import make
from tests.web.browser.conftest import check_page, open_as

LIST = """name,email,role,branch,phone,nmls
Elena Ruiz,elena@lender.example,loan officer,Tampa,813-555-0131,1307755
Priya Nair,priya@lender.example,officer,Bend,813-555-0131,1411902
"""


def test_staff_list_is_previewed_in_place_and_invited(chromium, front, people):
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_people"))
    page.get_by_role("link", name="Import users").click()
    check_page(page, "staff-list-none")

    page.get_by_label("Pasted list").fill(LIST)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("No branch is named Bend.")).to_be_visible()
    check_page(page, "staff-list-preview")

    page.get_by_role("button", name="Invite 1 person").click()
    expect(page.get_by_text("1 user invited")).to_be_visible()
    expect(page.get_by_text("1 to fix").first).to_be_visible()
