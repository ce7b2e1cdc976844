"""Mailboxes in Setup, in a real Chromium: none, some, and one that can't be read."""

from django.urls import reverse
from playwright.sync_api import expect

from tests import make
from tests.web.browser.conftest import check_page, open_as


def test_mailbox_page_fits_empty_filled_and_with_an_unreachable_mailbox(chromium, front, people):
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_mailboxes"))
    expect(page.get_by_text("No mailboxes yet")).to_be_visible()
    check_page(page, "mailboxes-none")

    make.mailbox(user="rates@lindenfield.example", taken=14, source=make.source("email_text"))
    make.mailbox(due_at=None)
    page.get_by_label("Server").fill("127.0.0.1")
    page.get_by_label("Port").fill("9")
    page.get_by_label("Encryption").select_option("none")
    page.get_by_label("User name").fill("leads@lindenfield.example")
    page.get_by_label("Password").fill("app-password")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("refused the connection")).to_be_visible()
    check_page(page, "mailboxes-some")

    page.get_by_role("link", name="rates@lindenfield.example").click()
    check_page(page, "mailbox")
