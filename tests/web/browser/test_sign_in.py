"""Signing in with a real browser and a virtual authenticator: passkeys, codes."""

import re
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from playwright.sync_api import expect

from rooftree.org.models import AccessEntry
from tests import make
from tests.web.browser.conftest import PHONE, check_page, open_as

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def production(settings, people):
    """Production settings: no role buttons; a second factor and re-authentication are required."""
    import_module(
        settings.ROOT_URLCONF
    )  # the URLs are read once, in demo mode like the other tests
    settings.IS_DEMO, settings.SECOND_FACTOR_REQUIRED = False, True
    return people


def open_sign_in(chromium, front):
    """Open the sign-in page in a browser whose device has a screen lock."""
    address = front.replace("127.0.0.1", "localhost")  # an IP address cannot have passkeys
    context = chromium.new_context(viewport=PHONE, color_scheme="light", base_url=address)
    page = context.new_page()
    page.set_default_timeout(20_000)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    page.goto("/sign-in/")
    return page


def type_password(page, user):
    page.get_by_label("Work email").fill(user.email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_passkey_is_set_up_first_and_signs_in_by_itself(chromium, front, production):
    page = open_sign_in(chromium, front)
    check_page(page, "sign-in")
    type_password(page, production.dana.user)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.goto("/queue/")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    check_page(page, "second factor")

    page.get_by_role("button", name="Set up a passkey").click()
    expect(page.get_by_role("heading", name="You’re set up. Save these codes")).to_be_visible()
    expect(page.get_by_label("Recovery codes").get_by_role("listitem")).to_have_count(10)
    check_page(page, "recovery codes")
    page.get_by_role("link", name="I saved them").click()
    page.wait_for_url("**/queue/")
    page.goto("about:blank")  # pending queue requests must not restore a session
    page.context.clear_cookies()
    page.goto("/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/queue/")

    entry = AccessEntry.objects.filter(kind="signed_in").latest("at")
    assert (entry.user, entry.factor) == (production.dana.user, "passkey")
    assert "Chrome" in entry.device


def test_passkey_is_renamed_and_removed(chromium, front, production):
    page = open_sign_in(chromium, front)
    type_password(page, production.dana.user)
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_role("link", name="I saved them").click()
    page.wait_for_url("**/queue/")
    page.goto("/me/sign-in/")
    page.get_by_text(re.compile("^Edit")).first.click()
    page.get_by_label(re.compile("^Name of")).fill("My laptop")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("region", name="Passkeys").locator("b")).to_have_text("My laptop")
    check_page(page, "own sign-in")
    assert Authenticator.objects.get(type="webauthn").data["name"] == "My laptop"

    page.get_by_text(re.compile("^Edit")).first.click()
    page.get_by_role("button", name="Remove My laptop").click()

    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    assert not Authenticator.objects.exists()


def test_authenticator_app_is_scanned_and_its_code_required_after_the_password(
    chromium, front, production
):
    page = open_sign_in(chromium, front)
    type_password(page, production.dana.user)
    page.get_by_role("link", name="Use an authenticator app").click()
    check_page(page, "authenticator app")
    page.get_by_text("No camera? Enter the key").click()
    secret = page.locator(".key-text").inner_text().replace(" ", "")
    page.get_by_label("Six-digit code from the app").fill(code_of(secret))
    page.get_by_role("button", name="Set up app").click()
    expect(page.get_by_role("heading", name="You’re set up. Save these codes")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/sign-in/")
    type_password(page, production.dana.user)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    check_page(page, "second step")
    page.get_by_label("Code from your app").fill(code_of(secret, later=1))
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url("**/queue/")


def test_security_pages_fit_and_are_accessible(chromium, front, people):
    make.user("administrator", name="Ada Nash", email="ada@lindenfield.example")
    page = open_as(chromium, front, "Administrator")
    page.goto("/setup/api-keys/")
    page.get_by_label("Name", exact=True).fill("Website")
    page.get_by_label("Acts as").select_option(label="Ruth Adler, Branch manager")
    page.get_by_label("Read a lead that its user can see").check()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_label("API key", exact=True)).to_contain_text("rt_")
    check_page(page, "api keys")
    for path in (
        "/access-log/", "/me/sign-in/", "/home/records/leads/export/?period=12m-2026-10",
        "/pipeline/export/", "/api/v1/docs/", f"/setup/people/{people.dana.user.pk}/",
    ):  # fmt: skip
        page.goto(path)
        check_page(page, path)


def code_of(secret, later=0):
    return make.app_code(secret, int(timezone.now().timestamp()) // 30 + later)
