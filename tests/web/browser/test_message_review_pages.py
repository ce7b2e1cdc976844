"""Message review and task completion, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from rooftree.leads import lead_tasks
from rooftree.leads.models import Task
from rooftree.outreach.models import Message
from tests import make
from tests.web.browser.conftest import DESK, PHONE, check_page, open_as


@pytest.fixture
def waiting(people, noon):
    Message.objects.create(
        lead=people.ben, person=people.ben.person, medium="text", purpose="marketing",
        idempotency_key="step:1", to_address="+18135550142", state="review", created_at=noon,
        body="Good morning, Ben. Rates moved this week. Shall we look at your numbers again?",
        problem="Possible opt-out: a person must read the reply.",
    )  # fmt: skip
    for title, role, hours in (
        ("Ask for a pay stub", "", -2), ("Call back as agreed", "", 5),
        ("Read the reply: did they ask us to stop?", "compliance", 3),
    ):  # fmt: skip
        task = lead_tasks.SystemTask(
            kind=f"test:{hours}", title=title, due_at=noon + hours * make.HOUR, role=role
        )
        lead_tasks.add_or_update_task(task, lead_id=people.ben.pk, at=noon)
    return people


def test_full_review_and_task_pages_fit_and_are_accessible(chromium, front, waiting):
    for role, paths in {
        "Loan officer": ("/tasks/", f"/leads/{waiting.ben.pk}/", "/queue/"),
        "Branch manager": ("/tasks/",),
        "Compliance": ("/compliance/messages/", "/compliance/", "/tasks/"),
    }.items():
        page = open_as(chromium, front, role)
        for path in paths:
            page.goto(path)
            check_page(page, f"full {role} {path[-16:]}")
        page.context.close()


def test_message_is_discarded_and_task_completed_with_one_press_each(chromium, front, waiting):
    page = open_as(chromium, front, "Compliance", DESK)
    page.goto("/compliance/messages/")
    page.get_by_role("link", name="Ben Ortiz").first.click()
    check_page(page, "message open")
    page.get_by_label("Reason", exact=True).last.fill("He asked for a pause")
    page.get_by_role("button", name="Discard message").click()
    expect(page.locator("#reviews")).to_contain_text("No messages to review")
    assert Message.objects.get(idempotency_key="step:1").state == "cancelled"
    page.context.close()

    page = open_as(chromium, front, "Loan officer", PHONE)
    page.goto("/tasks/")
    page.get_by_role("button", name="Mark done: Ask for a pay stub").click()
    expect(page.locator("#tasks")).not_to_contain_text("Ask for a pay stub")
    assert Task.objects.get(title="Ask for a pay stub").done_by == waiting.dana.user
