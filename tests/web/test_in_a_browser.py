"""The officer's minute in a real Chromium, on a phone and at a desk."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from rooftree.leads.models import ContactAttempt, Lead, Remark
from rooftree.routing import own
from rooftree.routing.models import Ownership
from tests import make
from tests.cast import gather
from tests.web.test_queue import offered

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"),
]


@pytest.fixture
def chromium(monkeypatch):
    """A browser; Playwright's own event loop must not forbid us the database."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def people(committed):
    """The cast; Ben is Dana's, with a call promised."""
    cast = gather()
    make.touch(cast.ben)
    own.give(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    Lead.objects.filter(pk=cast.ben.pk).update(promise_at=make.NOON + make.MINUTE)
    return cast


def open_as(chromium, live_server, role: str, size: dict, scheme: str = "light") -> Page:
    """A new page of somebody who has pressed their role on the sign-in page."""
    context = chromium.new_context(
        viewport=size, color_scheme=scheme, base_url=live_server.url, has_touch=size is PHONE
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/sign-in/")
    page.get_by_role("button", name=role, exact=True).click()
    expect(page.get_by_role("link", name="Skip to content")).to_be_attached()
    page.wait_for_url(lambda address: "sign-in" not in address)
    return page


def violations(page: Page) -> list[str]:
    """What axe-core finds, with the element."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_the_officers_minute_on_a_phone(chromium, live_server, people):
    page = open_as(chromium, live_server, "Loan officer", PHONE)
    page.locator("#queue-rows").get_by_role("link", name="Ben Ortiz", exact=True).click()

    page.get_by_role("button", name="Voicemail").click()
    expect(page.locator("#toasts")).to_contain_text("Marked as voicemail")
    expect(page.locator("#lead-story")).to_contain_text("Left a voicemail")
    page.get_by_label("A note for the team").fill("Calls back tonight")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#lead-story")).to_contain_text("Calls back tonight")

    assert ContactAttempt.objects.get(lead=people.ben).result == "voicemail"
    assert Remark.objects.get(lead=people.ben).text == "Calls back tonight"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_offer_is_taken_by_one_key(chromium, live_server, people):
    newcomer = make.lead(source=people.zillow)
    offered(newcomer, people.dana)
    page = open_as(chromium, live_server, "Loan officer", DESK)
    expect(page.locator(".offer")).to_be_visible()
    page.locator("h1").click()

    page.keyboard.press("a")

    page.wait_for_url(f"**{reverse('lead', args=[newcomer.pk])}")
    assert Ownership.objects.get(lead=newcomer, until_at=None).officer == people.dana


def test_the_keyboard_reaches_everything(chromium, live_server, people):
    page = open_as(chromium, live_server, "Loan officer", DESK)
    expect(page.locator("[data-row]")).to_have_count(1)

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("orti")

    expect(page.locator("#palette").get_by_role("link", name="Ben Ortiz")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium, live_server, people, size, scheme):
    page = open_as(chromium, live_server, "Loan officer", size, scheme)
    lead = reverse("lead", args=[people.ben.pk])
    for path in ("/queue/", lead, f"{lead}messages/?medium=text", "/conversations/", "/pipeline/"):
        page.goto(path)
        assert violations(page) == [], path

    page = open_as(chromium, live_server, "Branch manager", size, scheme)
    page.goto("/team/")
    assert violations(page) == []


def test_no_page_breaks_the_content_policy(chromium, live_server, people):
    page = open_as(chromium, live_server, "Loan officer", DESK)
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    for path in ("/queue/", reverse("lead", args=[people.ben.pk]), "/pipeline/"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()

    assert [line for line in said if "Content Security Policy" in line] == []
