"""The pages in a real Chromium, on a phone and at a desk, in light and dark."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import ContactAttempt, Remark
from rooftree.org import staff_notices
from rooftree.routing import lead_ownership
from rooftree.routing.models import Ownership
from tests import make
from tests.web.browser.conftest import DESK, PHONE, check_page, open_as, save_picture
from tests.web.test_queue import create_offer


def test_officer_works_a_lead_on_a_phone(chromium, front, people):
    page = open_as(chromium, front, "Loan officer", PHONE)
    page.locator("#queue-rows").get_by_role("link", name="Ben Ortiz", exact=True).click()

    page.get_by_role("button", name="Voicemail").click()
    expect(page.locator("#toasts")).to_contain_text("Logged: voicemail")
    expect(page.locator("#lead-story")).to_contain_text("Left a voicemail")
    page.get_by_label("Add a note").fill("Calls back tonight")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#lead-story")).to_contain_text("Calls back tonight")

    assert ContactAttempt.objects.get(lead=people.ben).result == "voicemail"
    assert Remark.objects.get(lead=people.ben).text == "Calls back tonight"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_offer_is_accepted_with_one_key(chromium, front, people):
    newcomer = make.lead(source=people.zillow)
    create_offer(newcomer, people.dana)
    page = open_as(chromium, front, "Loan officer", DESK)
    expect(page.locator(".offer")).to_be_visible()
    page.locator("h1").click()

    page.keyboard.press("a")

    page.wait_for_url(f"**{reverse('lead', args=[newcomer.pk])}")
    assert Ownership.objects.get(lead=newcomer, until_at=None).officer == people.dana


def sixty_leads(people):
    for nth in range(59):
        lead = make.lead(source=people.zillow, score=nth)
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=make.NOON)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_long_queue_loads_more_while_scrolling(chromium, front, people, size):
    sixty_leads(people)
    page = open_as(chromium, front, "Loan officer", size)
    rows, more = page.locator("[data-row]"), page.get_by_role("link", name="Show more")
    expect(rows).to_have_count(25)
    page.locator("h1").click()
    page.keyboard.press("j")
    chosen = page.locator("[data-row][aria-current]").get_attribute("id")

    more.scroll_into_view_if_needed()
    expect(rows).to_have_count(50)
    more.scroll_into_view_if_needed()
    expect(rows).to_have_count(60)

    expect(more).to_have_count(0)
    assert page.locator("[data-row][aria-current]").get_attribute("id") == chosen
    page.evaluate("document.body.dispatchEvent(new Event('reread', {bubbles: true}))")
    page.wait_for_timeout(1000)
    assert rows.count() == 60


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_long_queue_loads_more_by_a_link_without_javascript(chromium, front, people, size):
    sixty_leads(people)
    cookies = open_as(chromium, front, "Loan officer", size).context.cookies()
    plain = chromium.new_context(viewport=size, base_url=front, java_script_enabled=False)
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto("/queue/")
    more = page.get_by_role("link", name="Show more")
    more.scroll_into_view_if_needed()
    save_picture(page, f"queue goes on {size['width']}")

    more.click()

    expect(page.locator("[data-row]")).to_have_count(50)
    expect(page.get_by_text("50 of 60")).to_be_visible()


def test_keyboard_reaches_every_control(chromium, front, people):
    page = open_as(chromium, front, "Loan officer", DESK)
    expect(page.locator("[data-row]")).to_have_count(1)

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("orti")

    expect(page.locator("#palette").get_by_role("link", name="Ben Ortiz")).to_be_visible()


SEEN = {  # pages by role; {lead} is the address of a lead
    "Loan officer": (
        "/queue/", "/queue/?tab=waiting", "{lead}", "{lead}?show=decisions",
        "{lead}messages/?medium=email", "{lead}may/call/", "/conversations/",
        "/conversations/{id}/", "/pipeline/", "/tasks/", "/notices/", "/more/",
    ),
    "Branch manager": ("/team/", "/home/", "/routing/", "/notices/", "/tasks/"),
    "Executive": ("/home/", "/home/records/leads/"),
    "Operations": ("/sources/", "/routing/"),
    "Compliance": (
        "/compliance/", "/compliance/?q=%2B18135550142", "/compliance/messages/",
        "/compliance/lists/",
    ),
    "Administrator": ("/setup/",),
}  # fmt: skip


def test_pages_are_accessible_and_fit(chromium, front, people):
    staff_notices.notify_user(
        user_id=people.ruth.pk, kind="unclaimed", idempotency_key="u:1", at=make.NOON,
        text="Unclaimed lead: Zillow purchase in FL.", link="/team/",
    )  # fmt: skip
    for role in ("operations", "administrator"):
        make.user(role, name=f"The {role}")
    lead = reverse("lead", args=[people.ben.pk])
    for role, paths in SEEN.items():
        page = open_as(chromium, front, role)
        for path in paths:
            page.goto(path.format(lead=lead, id=people.ben.pk))
            check_page(page, f"{role} {path}")
        page.context.close()


def test_no_page_violates_the_content_security_policy(chromium, front, people):
    page = open_as(chromium, front, "Loan officer", DESK)
    console_lines: list[str] = []
    page.on("console", lambda line: console_lines.append(line.text))
    for path in ("/queue/", reverse("lead", args=[people.ben.pk]), "/pipeline/"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()

    assert [line for line in console_lines if "Content Security Policy" in line] == []
