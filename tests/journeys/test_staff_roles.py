"""Journeys of the assistant, the compliance officer and the executive."""

import re

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.compliance.models import Verdict
from rooftree.leads.models import Lead, Loan, Remark, Task
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.models import Message
from rooftree.reporting.rollups import rollup_deltas
from tests import make
from tests.reporting.test_rollup_deltas import book_entry
from tests.web.browser.conftest import check_page, open_as


def test_assistant_works_the_queue_of_their_officer(chromium, front, people, noon):
    make.assistant(people.dana, name="Nina Petrov")
    page = open_as(chromium, front, "Loan officer assistant")
    check_page(page, "queue of an assistant")
    page.get_by_role("link", name="Ben Ortiz").first.tap()
    expect(page.get_by_role("heading", name="Ben Ortiz", level=1)).to_be_visible()
    check_page(page, "a lead as an assistant sees it")

    page.get_by_label("Add a note").fill("Asked for the pay stubs by Friday")
    page.get_by_role("button", name="Save note").tap()
    expect(page.locator("#lead-story")).to_contain_text("Asked for the pay stubs by Friday")
    page.get_by_role("button", name="Task", exact=True).tap()
    page.keyboard.type("Read the pay stubs")
    page.locator("#add-task").get_by_role("button", name="9 AM").first.tap()
    expect(page.locator("#lead-next")).to_contain_text("Read the pay stubs")

    remark, task = Remark.objects.get(), Task.objects.get()
    assert (remark.by.name, task.title) == ("Nina Petrov", "Read the pay stubs")
    page.goto("/tasks/")
    expect(page.get_by_text("Read the pay stubs")).to_be_visible()


def test_compliance_defends_a_call_and_decides_a_message(chromium, front, people, noon):
    dial_borrower.begin_call(lead_id=people.ben.pk, by=people.dana.user, at=noon)
    Message.objects.create(
        lead=people.ben, person=people.ben.person, medium="text", purpose="marketing",
        idempotency_key="step:1", to_address="+18135550142", state="review", created_at=noon,
        body="Good morning, Ben. Shall we look at your numbers again?",
        problem="Possible opt-out: a person must read the reply.",
    )  # fmt: skip
    page = open_as(chromium, front, "Compliance")
    page.get_by_role("searchbox", name="Phone number or email").fill("(813) 555-0142")
    page.get_by_role("button", name="Look up").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("(813) 555-0142")
    check_page(page, "everything about a number")

    page.goto(reverse("verdict", args=[Verdict.objects.get(medium="call").pk]))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check_page(page, "the decision about a call")

    page.goto(reverse("compliance"))
    page.get_by_role("link", name="Review message to Ben Ortiz").tap()
    page.get_by_role("textbox", name="Reason").fill("He asked for a pause")
    page.get_by_role("button", name="Discard message").tap()
    expect(page.get_by_text("No messages to review")).to_be_visible()
    assert Message.objects.get(idempotency_key="step:1").state == "cancelled"

    page.goto(reverse("access_log"))
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    check_page(page, "audit log after a look-up")


def test_executive_opens_the_loans_behind_the_cost_of_one(chromium, front, people, noon):
    day = noon - 100 * make.DAY  # in a quarter that is complete
    lead = make.lead(
        at=day, source=people.zillow, branch=people.tampa,
        person=make.person(first_name="Rosa", last_name="Diaz", phone="+18135550161", at=day),
    )  # fmt: skip
    loan = Loan.objects.create(
        lead=lead, los="encompass", instance="main", los_loan_id="1", created_at=day,
        application_date=day.date(), funded_date=day.date(), amount_cents=400_000_00,
    )  # fmt: skip
    Lead.objects.filter(pk=lead.pk).update(state="funded")
    book_entry(people.zillow, lead_id=lead.pk)
    book_entry(
        people.zillow, kind="revenue", amount_cents=8_000_00, lead_id=lead.pk, loan_id=loan.pk
    )
    rollup_deltas.append_missing_deltas(lead.pk)

    page = open_as(chromium, front, "Executive")
    expect(page.get_by_role("region", name=re.compile("source", re.I)).first).to_contain_text(
        "Zillow"
    )
    check_page(page, "home of an executive")
    page.locator("main a[href*='/home/records/funded']").first.tap()

    expect(page.get_by_text("Rosa Diaz")).to_be_visible()
    expect(page.locator("main")).to_contain_text("$400,000")
    check_page(page, "the loans behind a figure")
    page.get_by_role("main").get_by_role("link", name="Home").tap()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
