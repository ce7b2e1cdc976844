"""The Twilio account page in Chromium: empty, refused, connected, with trials."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.org import carrier_account
from rooftree_simulators.start_simulators import start_simulators
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from tests import make
from tests.web.browser.conftest import check_page, open_as

PHONE = "+18135550142"


@pytest.fixture
def twilio(settings):
    with start_simulators() as running:
        running.twilio.load_seed(
            {
                "friendly_name": "Cedar Ridge Mortgage",
                "numbers": [
                    {"number": "+12085550139", "can_text": False},
                    {"number": "+12085550107", "sms_url": "https://old.example.com/sms"},
                ],
            }
        )
        settings.CARRIER, settings.TWILIO_NUMBERS = "", []
        settings.TWILIO_BASE_URL = running.urls["twilio"]
        carrier_account.forget_stored_account()
        yield running.twilio
        carrier_account.forget_stored_account()


def test_administrator_connects_twilio_and_rings_their_own_phone(chromium, front, people, twilio):
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example", phone=PHONE)
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_carrier"))
    expect(page.get_by_text("Nothing is sent yet")).to_be_visible()
    check_page(page, "carrier-none")

    page.get_by_label("Account SID").fill(ACCOUNT_SID)
    page.get_by_label("Auth token").fill("wrong")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("refused this account SID and auth token")).to_be_visible()
    check_page(page, "carrier-refused")

    page.get_by_label("Auth token").fill(AUTH_TOKEN)
    page.get_by_role("button", name="Check and save").click()
    page.get_by_label("(512) 555-0100").check()
    page.get_by_label("(208) 555-0107").check()
    page.get_by_label("Main number").select_option(MAIN_NUMBER)
    page.get_by_role("button", name="Save numbers").click()
    page.get_by_role("button", name="Text me").click()
    expect(page.get_by_text("accepted by Twilio")).to_be_visible()
    check_page(page, "carrier-chosen")
    page.get_by_role("button", name="Set webhooks").click()
    expect(page.get_by_text("Replies and calls come here")).to_have_count(2)
    check_page(page, "carrier-set")
