"""The officer's commonest jobs on a phone, in at most two taps each."""

from playwright.sync_api import expect

from rooftree.leads.models import Lead, Task
from tests.web.browser.conftest import PHONE, accessibility_problems, open_as


def test_task_snooze_and_search_take_two_taps_each(chromium, front, people, noon):
    Lead.objects.filter(pk=people.ben.pk).update(first_attempt_at=noon, response_due_at=None)
    page = open_as(chromium, front, "Loan officer", PHONE)
    lead_address = f"/leads/{people.ben.pk}/"
    page.goto(lead_address)

    page.get_by_role("button", name="Task", exact=True).tap()
    page.keyboard.type("Send the document list")  # the field has the focus
    page.locator("#add-task").get_by_role("button", name="9 AM").first.tap()
    expect(page.locator("#lead-next")).to_contain_text("Send the document list")
    assert Task.objects.get().title == "Send the document list"
    expect(page.locator("#add-task")).to_be_hidden()

    page.get_by_role("button", name="Snooze", exact=True).tap()
    page.locator("#snooze-lead").get_by_role("button", name="9 AM").first.tap()
    expect(page.locator("#lead-next")).to_contain_text("Snoozed until")
    assert accessibility_problems(page) == []

    page.goto("/tasks/")
    page.get_by_role("banner").get_by_role("link", name="Find").tap()
    page.keyboard.type("Ortiz")
    page.locator(".palette__list").get_by_role("link", name="Ben Ortiz").tap()
    page.wait_for_url(f"**{lead_address}")
