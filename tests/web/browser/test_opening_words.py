"""Call opening shown while the phone rings, on a phone and at a desk."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.flow import call_events
from rooftree.leads.models import Person
from rooftree.org.models import Company
from rooftree.outreach.models import Ring
from rooftree.outreach.wording import message_templates
from tests import make
from tests.web.browser.conftest import check_page, open_as
from tests.web.browser.test_keyboard_work import block_dialing
from tests.web.test_queue import create_offer

PLACE = ["call_opening", "call", "any", "any"]
OFFERS = "{{ caller.name }} of {{ company.brand }}, about {{ lead.kind }}."


@pytest.fixture
def washington(people, noon):
    """Ben lives in Washington, is buying in Florida, and speaks Spanish."""
    make.user("marketing", name="Mia Park", email="mia@lindenfield.example")
    message_templates.ensure_default_templates(at=noon - make.DAY)
    Company.objects.update(telemarketer_states=["FL", "WA"])
    Person.objects.filter(pk=people.ben.person_id).update(state="WA", language="es")
    return people


def test_call_button_shows_the_opening_and_its_seconds(chromium, front, washington):
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("lead", args=[washington.ben.pk]))
    page.route("**/calls/", block_dialing)

    page.get_by_role("button", name="Call", exact=True).click()

    words = page.get_by_label("Say first")
    expect(words).to_contain_text("Hola Ben, le habla Dana Whitfield")
    expect(words).to_contain_text("Say this within 30 seconds (Washington law)")
    expect(words).to_contain_text("hang up within 10 seconds")
    expect(words).to_be_in_viewport()
    check_page(page, "opening lead")
    page.goto(reverse("calls", args=[washington.ben.pk]))
    expect(page.get_by_label("Say first")).to_be_in_viewport()
    check_page(page, "opening call")


def test_connected_call_shows_the_opening_on_the_open_page(chromium, front, washington, noon):
    ana = make.person(first_name="Ana", state="WA", language="es", at=noon)
    lead = make.lead(person=ana, source=make.source("website_form", slug="two"), at=noon)
    make.touch(lead, source=lead.source, at=noon)
    offer = create_offer(lead, washington.dana)
    rung = Ring.objects.create(offer=offer, officer=washington.dana, due_at=noon)
    page = open_as(chromium, front, "Loan officer")
    page.goto(reverse("queue"))
    expect(page.locator(".offer")).to_contain_text("Offered to you")

    call_events.on_officer_pressed(ring_id=rung.pk, digits="1", at=noon)

    expect(page.locator(".offer")).to_contain_text("Hola Ana, le habla Dana Whitfield")
    check_page(page, "opening ring")
    page.locator(".offer a").click()
    expect(page.get_by_label("Say first")).to_have_count(1)
    page.goto(reverse("queue"))
    expect(page.locator(".offer")).to_contain_text("On the line")

    call_events.on_borrower_call_ended(
        ring_id=rung.pk, dial_status="completed", at=noon + make.MINUTE
    )

    expect(page.locator(".offer")).to_have_count(0)


def test_late_opening_is_refused_while_typing(chromium, front, washington):
    page = open_as(chromium, front, "Marketing")
    page.goto(reverse("wording"))
    check_page(page, "opening wording")
    page.goto(reverse("wording_place", args=PLACE))
    expect(page.locator("#read")).to_contain_text("with long names to say who is calling")
    page.locator("#body-en").fill("Hello! " + "How are you this fine day? " * 3 + OFFERS)
    expect(page.locator("#read")).to_contain_text(
        "Connecticut allows 10 seconds. This script takes"
    )
    check_page(page, "opening refused")
    page.locator("#body-en").fill(OFFERS)
    expect(page.locator("#read")).not_to_contain_text("Connecticut gives")
