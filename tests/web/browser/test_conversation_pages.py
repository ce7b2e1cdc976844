"""A conversation on a phone: newest message and composer in view, a snippet, a kept draft, undo."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.db.db_role import assume_role
from rooftree.leads.models import ContactAttempt, Email
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.outreach.wording import snippets
from rooftree.outreach.wording.models import MessageDraft
from tests import make
from tests.web.browser.conftest import check_page, open_as


@pytest.fixture
def conversation(people, noon):
    """Ben wrote twenty times, and waits for an answer; he can be emailed."""
    snippets.ensure_default_snippets(at=noon - make.DAY)
    person = people.ben.person
    Company.objects.update(mail_is_authenticated=True)
    Email.objects.create(
        person=person, address="ben@home.example", key="ben@home.example", given_at=noon - make.DAY
    )
    with assume_role("door"):
        for number in range(20):
            Message.objects.create(
                lead=people.ben,
                person=person,
                direction="in",
                medium="email",
                purpose="reply",
                idempotency_key=f"in:{number}",
                to_address="dana@lindenfield.example",
                body=f"Question {number}: what do I need at closing, and when could we close?",
                state="received",
                created_at=noon - (20 - number) * make.MINUTE,
            )
    return reverse("conversation", args=[people.ben.pk])


def test_reply_with_a_snippet_on_a_phone_keeps_its_draft(chromium, front, people, conversation):
    page = open_as(chromium, front, "Loan officer")
    page.goto(conversation)
    box = page.get_by_label("Email to Ben")
    messages = page.get_by_role("region", name="Messages, newest last")
    expect(messages.get_by_text("Question 19")).to_be_in_viewport()
    expect(box).to_be_in_viewport()
    expect(page.get_by_role("button", name="Call Ben Ortiz")).to_be_in_viewport()

    page.get_by_role("link", name="Book a call").click()

    expect(box).to_have_value("Hi Ben, when’s a good time for a quick call about buying a home?")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.goto(reverse("queue"))
    page.goto(conversation)
    expect(box).to_have_value("Hi Ben, when’s a good time for a quick call about buying a home?")
    check_page(page, "conversation")

    page.get_by_role("button", name="Send to Ben").click()

    expect(messages.get_by_text("Dana Whitfield,")).to_have_count(1)
    expect(box).to_have_value("")
    page.get_by_role("link", name="Edit snippets").click()
    page.get_by_role("link", name="New snippet").click()
    page.wait_for_load_state()  # so that the preview hears the typing
    page.get_by_label("Text").fill("We have 6.0% today")
    expect(page.get_by_text("(“6.0%”)")).to_be_visible()
    check_page(page, "snippet")
    assert not MessageDraft.objects.exists()
    assert Message.objects.filter(by=people.dana.user).count() == 1


def test_outcome_on_a_phone_is_undone_from_the_toast(chromium, front, people):
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("lead", args=[people.ben.pk]))

    page.get_by_role("button", name="Spoke", exact=True).click()
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    expect(undo).to_contain_text("s")
    check_page(page, "outcome undo")
    covered = page.evaluate(
        """() => { const toast = document.querySelector(".toast").getBoundingClientRect();
        return [...document.querySelectorAll("main button, main .button, .tabbar a")].filter(
            (one) => { const box = one.getBoundingClientRect();
                return box.height && box.top < toast.bottom && box.bottom > toast.top;
            }).map((one) => one.textContent.trim()); }"""
    )
    assert covered == []
    undo.click()

    expect(page.get_by_text("Undone. Nothing was logged.")).to_be_visible()
    assert not ContactAttempt.objects.filter(lead=people.ben).exists()
