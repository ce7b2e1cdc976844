"""One minute of an officer and of an executive, by keyboard alone and with live events."""

import re
import time
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from rooftree.compliance.models import Verdict
from rooftree.leads.models import ContactAttempt, Lead, Remark
from rooftree.org import staff_notices
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing.models import Ownership
from rooftree.tasks.live_updates import publish_update
from tests import make
from tests.cast import Cast
from tests.web.browser.conftest import DESK, open_as
from tests.web.test_queue import create_offer


def test_officer_works_a_lead_by_keyboard(chromium, front, people, noon):
    page = open_as(chromium, front, "Loan officer", DESK)
    expect(page.locator("[data-row]")).to_have_count(1)
    with transaction.atomic():
        newcomer = make.lead(source=make.source("website_form", slug="two"), at=noon)
        make.touch(newcomer, source=newcomer.source, at=noon)
        create_offer(newcomer, people.dana)
        publish_update("offer", lead=str(newcomer.pk))

    expect(page.locator(".offer")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url(f"**{reverse('lead', args=[newcomer.pk])}")
    assert Ownership.objects.get(lead=newcomer, until_at=None).officer == people.dana

    dialled = []
    page.route("**/calls/", lambda route: dialled.append(block_dialing(route)))
    page.keyboard.press("c")
    expect(page.locator("#lead-story")).to_contain_text("Call by Dana")
    wait_until(page, lambda: dialled)  # the stream can be faster than the response
    assert dialled[0].startswith("tel:+1")
    assert Verdict.objects.get(lead=newcomer).decision == "allow"
    page.get_by_label("Add a note").focus()
    page.keyboard.type("Calls back tonight")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#lead-story")).to_contain_text("Calls back tonight")
    page.get_by_role("button", name="Voicemail").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('lead', args=[people.ben.pk])}")  # on to the next lead

    assert ContactAttempt.objects.get(lead=newcomer, medium="call").result == "voicemail"
    assert Remark.objects.get(lead=newcomer).text == "Calls back tonight"


def block_dialing(route: Route) -> str:
    """Block the tel: link, because a headless browser's own dialog would swallow the keys."""
    answer = route.fetch()
    headers = dict(answer.headers)
    number = headers.pop("hx-redirect", "")
    route.fulfill(response=answer, headers=headers)
    return number


def wait_until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until the condition is true."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It never came to hold.")


def test_executive_reads_home_by_keyboard(chromium, front, people, noon):
    rollup_deltas.count_lead(make.lead(source=people.zillow, at=noon - make.HOUR))
    page = open_as(chromium, front, "Executive", DESK)
    figure = page.locator("main a[href*='/home/records/']").first

    figure.focus()
    page.keyboard.press("Enter")

    page.wait_for_url("**/home/records/**")
    expect(page.locator("h1")).to_be_visible()


def test_contact_badge_opens_its_rules_in_place(chromium, front, people):
    page = open_as(chromium, front, "Loan officer", DESK)
    page.goto(reverse("lead", args=[people.ben.pk]))

    page.locator("#badge-text").click()

    expect(page.locator("#verdict-text .rule-line").first).to_be_visible()
    expect(page.locator("#verdict-text")).to_contain_text("47 CFR 64.1200")


def test_notice_arrives_while_the_page_is_open(chromium, front, people, noon):
    page = open_as(chromium, front, "Loan officer", DESK)
    expect(page.locator("#bell .count")).to_have_text("1")  # Ben was assigned to Dana

    tell_dana(people, noon)

    expect(page.locator("#bell .count")).to_have_text("2")
    page.locator("#bell").click()
    page.get_by_role("button", name="Ben wrote.").click()
    page.wait_for_url(f"**{reverse('lead', args=[people.ben.pk])}")
    expect(page.locator("#bell .count")).to_have_text("1")


def tell_dana(people: Cast, at: datetime) -> None:
    """Store Ben's reply and notify his officer."""
    staff_notices.notify_user(
        user_id=people.dana.user.pk, kind="reply", idempotency_key="r:1", text="Ben wrote.",
        link=reverse("lead", args=[people.ben.pk]), at=at,
    )  # fmt: skip


def test_live_stream_connects_after_a_late_script_and_a_failed_first_try(
    chromium, front, people, noon
):
    page = open_as(chromium, front, "Loan officer", DESK)
    requests = []
    page.route("**/hx-sse*.js", lambda route: (time.sleep(1), route.continue_()))
    page.route("**/events/", lambda route: fails_once(route, requests))
    page.goto(reverse("queue"))
    expect(page.locator("#bell .count")).to_have_text("1")
    wait_until(page, lambda: len(requests) > 1)

    tell_dana(people, noon)

    expect(page.locator("#bell .count")).to_have_text("2")


def fails_once(route: Route, requests: list[str]) -> None:
    """Refuse the first stream as a starting server does."""
    requests.append(route.request.url)
    route.fulfill(status=503, body="") if len(requests) == 1 else route.continue_()


def test_call_from_the_queue_opens_the_lead(chromium, front, people):
    page = open_as(chromium, front, "Loan officer", DESK)

    page.locator("[data-row]").get_by_role("button", name="Call Ben Ortiz").click()

    expect(page).to_have_url(re.compile(reverse("lead", args=[people.ben.pk])))
    assert Lead.objects.get(pk=people.ben.pk).first_attempt_at is not None
