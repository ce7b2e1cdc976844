"""Template editing and approval, on a phone and at a desk."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import Lead
from rooftree.nurture import sequence_approval, sequence_enrollment, sequence_library
from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, template_approval
from tests import make
from tests.web.browser.conftest import DESK, check_page, open_as

BODY = "Hi {{ borrower.first_name }}, {{ sender }}. Shall we talk? Reply STOP to end."
HERE = ["first_hello", "text", "any", "any"]


@pytest.fixture
def waiting(people, noon):
    message_templates.ensure_default_templates(at=noon - make.DAY)
    sequence_enrollment.ensure_first_sequence(at=noon - make.DAY)
    mia = make.user("marketing", name="Mia Park", email="mia@lindenfield.example")
    draft = Template(key="first_hello", medium="text", language="en", body=BODY)
    steps = Sequence.objects.get().steps
    sooner = Sequence(key="not_reached", name="Not reached yet",
                      steps=[{**steps[0], "after_minutes": 20}, *steps[1:]])  # fmt: skip
    sequence_approval.propose_draft(sooner, by=mia, summary="Sooner", at=noon)
    return template_approval.propose_draft(draft, by=mia, summary="Half as long", at=noon)


def test_wording_and_sequence_pages_fit_and_are_accessible(chromium, front, waiting, noon):
    steps = Sequence.objects.get(decided_at=None)
    mia = User.objects.get(name="Mia Park")
    sequence_library.add_from_library("new_purchase", by=mia, at=noon)
    lead = Lead.objects.order_by("-last_inquiry_at")[0]
    pages = {
        "Marketing": [
            reverse("wording"), reverse("wording_new"),
            reverse("wording_place", args=HERE),
            reverse("wording_place", args=["rate_reached", "email", "any", "any"]),
            reverse("sequences"), reverse("sequence", args=["not_reached"]),
            reverse("sequence_library"), reverse("sequence_calendar"),
            f"{reverse('sequence', args=['new_purchase'])}?lead={lead.pk}",
        ],
        "Compliance": [
            reverse("wording_edition", args=[waiting.pk]),
            reverse("sequence_edition", args=[steps.pk]),
            f"{reverse('wording')}?at=2020-01-01T00:00:00",
        ],
    }  # fmt: skip
    for role, paths in pages.items():
        page = open_as(chromium, front, role)
        for nth, path in enumerate(paths):
            page.goto(path)
            check_page(page, f"wording {role} {nth}")
        page.context.close()


def test_findings_appear_while_typing_and_a_second_person_approves(chromium, front, waiting):
    page = open_as(chromium, front, "Marketing", DESK)
    page.goto(reverse("wording_place", args=["not_reached_1", "text", "any", "any"]))
    words = page.locator("#body-en")
    words.fill(BODY + " Guaranteed approval.")
    expect(page.locator("#read")).to_contain_text("Rewrite “")
    check_page(page, "wording finding 1440")
    words.fill(BODY)
    expect(page.locator("#read")).not_to_contain_text("Rewrite “")
    page.locator("#summary").fill("Shorter")
    page.get_by_role("button", name="Send for approval").click()
    expect(page.locator("#toasts")).to_contain_text("sent for approval")
    page.context.close()

    page = open_as(chromium, front, "Compliance", DESK)
    page.goto(reverse("wording"))
    page.get_by_role("link", name="Not reached, first try, English, v2").click()
    page.get_by_role("button", name="Approve and publish").click()
    expect(page.locator("h1 + .badge")).to_contain_text("live")
    live = Template.objects.get(key="not_reached_1", medium="text", language="en", until_at=None)
    assert (live.version, live.body) == (2, BODY)
    page.context.close()
