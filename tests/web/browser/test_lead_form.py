"""The public form in a real Chromium: step by step, in a frame, and without script."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from rooftree.capture.models import FormDraft
from rooftree.capture.own_form import form_wording
from rooftree.leads.models import Delivery
from tests import make
from tests.flow import journey
from tests.web.browser.conftest import DESK, PHONE, check_page


@pytest.fixture
def site(committed, live_server):
    """A company whose form is allowed on a page of 127.0.0.1, which is not localhost."""
    make.company()
    port = urlsplit(live_server.url).port
    return journey.create_website(allowed_origins=[f"http://127.0.0.1:{port}"])


def open_form(browser, live_server, size=PHONE, lang="en", **context) -> Page:
    page = browser.new_context(
        viewport=size, base_url=live_server.url, has_touch=size is PHONE, **context
    ).new_page()
    page.set_default_timeout(20_000)
    page.goto(f"/forms/our-site/?lang={lang}&utm_source=google")
    return page


def first_two_steps(page) -> None:
    page.get_by_label("Buy a home").check()
    page.get_by_label("State where the home is").select_option("FL")
    page.get_by_role("button", name="Next").click()
    contact(page)
    page.get_by_role("button", name="Next").click()


def money(page) -> None:
    page.get_by_label("Home price or value").fill("$458,000")
    page.get_by_label("Down payment").fill("10%")


def contact(page) -> None:
    page.get_by_label("First name").fill("Ben")
    page.get_by_label("Last name").fill("Ortiz")
    page.get_by_label("Email").fill("ben.ortiz@home.example")
    page.get_by_label("Phone").fill("(813) 555-0142")


def stored() -> dict:
    return json.loads(bytes(Delivery.objects.get().body))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_three_steps_record_what_the_visitor_saw(chromium, live_server, site, size):
    page = open_form(chromium, live_server, size)
    first_two_steps(page)
    money(page)
    page.get_by_label("Call and text me").check()
    page.wait_for_timeout(3_000)  # a human is not faster
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", name="We got your request")).to_be_visible()

    answers = stored()
    consent = answers["consent"]
    wording = form_wording.EDITIONS[0].render("Lindenfield Mortgage, LLC")
    assert Delivery.objects.get().outcome == "accepted"
    assert consent["shown_sha256"] == form_wording.text_fingerprint(wording)
    assert float(consent["font_px"]) >= 14
    assert float(consent["contrast"]) >= 7
    assert (consent["visible"], consent["box_at_load"], consent["ticks"]) == (
        "yes",
        "unticked",
        "1",
    )
    assert consent["version"] == form_wording.EDITIONS[0].version
    assert consent["checked_at"].endswith("Z")
    assert int(answers["seconds_on_page"]) >= 3
    assert {"loan_purpose", "email", "consent"} <= set(answers["fields_touched"].split(","))
    assert answers["utm"] == {"source": "google"}
    steps = [step.split(" ", 1)[1] for step in answers["steps"].split(";")]
    assert steps[:2] == ["shown", "step 1"]
    assert steps[-2:] == ["ticked", "sent"]
    assert {"step 2", "step 3", "field email"} <= set(steps)
    assert "Ben" not in answers["steps"]


def test_next_button_names_the_missing_answer_and_focuses_it(chromium, live_server, site):
    page = open_form(chromium, live_server)
    page.get_by_role("button", name="Next").click()

    expect(page.get_by_text("Choose what you would like to do.")).to_be_visible()
    expect(page.get_by_text("Choose the state where the home is.")).to_be_visible()
    expect(page.get_by_label("Buy a home")).to_be_focused()
    page.get_by_label("Buy a home").check()
    expect(page.get_by_text("Choose what you would like to do.")).to_be_hidden()


def test_server_error_opens_its_step_and_gets_the_focus(chromium, live_server, site):
    page = open_form(chromium, live_server)
    page.get_by_label("Buy a home").check()
    page.get_by_label("State where the home is").select_option("FL")
    page.get_by_role("button", name="Next").click()
    contact(page)
    page.get_by_label("Phone").fill("12")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Home price or value").fill("458k")
    page.get_by_label("Call and text me").check()
    page.get_by_role("button", name="Send my request").click()

    expect(page.get_by_label("Phone")).to_be_focused()
    expect(page.get_by_label("Phone")).to_have_value("12")
    expect(page.get_by_text("Enter a phone number with area code")).to_be_visible()
    page.get_by_label("Phone").fill("(813) 555-0142")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Home price or value")).to_have_value("458k")
    page.wait_for_timeout(2_000)
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", name="We got your request")).to_be_visible()
    assert stored()["consent"]["box_at_load"] == "unticked"
    assert stored()["consent"]["checked"] is True


def test_form_without_javascript_is_one_working_page(chromium, live_server, site):
    page = open_form(chromium, live_server, java_script_enabled=False)
    page.get_by_label("Lower my rate or payment").check()
    page.get_by_label("State where the home is").select_option("FL")
    expect(page.get_by_label("Down payment")).to_be_hidden()
    page.get_by_label("How much would you like to borrow?").fill("280000")
    contact(page)
    page.get_by_label("Call and text me").check()
    page.get_by_role("button", name="Send my request").click()

    expect(page.get_by_role("heading", name="We got your request")).to_be_visible()
    answers = stored()
    assert answers["loan_amount"] == "280000"
    assert answers["consent"]["version"] == form_wording.EDITIONS[0].version
    assert "font_px" not in answers["consent"]


def embedded(browser, live_server, query: str = "") -> Page:
    """A minimal page of another site with our embedding line."""
    page = browser.new_context(viewport=DESK).new_page()
    page.set_default_timeout(20_000)
    other = live_server.url.replace("localhost", "127.0.0.1")
    page.goto(f"{other}/static/css/tokens.css{query}")
    page.evaluate(
        """address => {
            const line = Object.assign(document.createElement("script"), { src: address });
            document.body.replaceChildren(line);
        }""",
        f"{live_server.url}/forms/our-site/embed.js",
    )
    expect(page.locator("iframe")).to_be_attached()
    return page


def test_form_works_and_grows_in_a_frame_of_an_allowed_site(
    chromium,
    live_server,
    site,
):
    page = embedded(chromium, live_server, "?utm_campaign=spring&gclid=Cj0")
    frame = page.frame_locator("iframe")
    first_two_steps(frame)
    page.wait_for_timeout(3_000)
    inner = frame.locator("html").evaluate("one => [one.scrollHeight, one.clientHeight]")
    frame.get_by_role("button", name="Send my request").click()
    expect(frame.get_by_role("heading", name="We got your request")).to_be_visible()

    answers = stored()
    assert inner[0] <= inner[1] + 1  # nothing to scroll inside the frame
    assert answers["landing_page"].endswith("/static/css/tokens.css?utm_campaign=spring&gclid=Cj0")
    assert (answers["utm"], answers["gclid"]) == ({"campaign": "spring"}, "Cj0")


def test_another_site_cannot_frame_the_form(chromium, live_server, site):
    site.allowed_origins = ["https://www.lindenfield.example"]
    site.save()
    page = embedded(chromium, live_server)
    page.wait_for_timeout(1_500)

    expect(page.frame_locator("iframe").get_by_text("Buy a home")).to_have_count(0)


def test_form_is_accessible_and_fits_the_page(chromium, live_server, site):
    page = open_form(chromium, live_server, color_scheme="light")
    check_page(page, "form")
    page.get_by_role("button", name="Next").click()
    check_page(page, "form 1")
    page.get_by_label("Buy a home").check()
    page.get_by_label("State where the home is").select_option("FL")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Enter an email or a phone number so we can reply")).to_be_visible()
    check_page(page, "form 2")
    contact(page)
    page.get_by_role("button", name="Next").click()
    check_page(page, "form 3")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .input, .tile, main a, .disclosure__label")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    money(page)
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", name="We got your request")).to_be_visible()

    check_page(page, "form sent")
    assert small == []


def test_abandoned_form_sends_only_the_completed_steps(chromium, live_server, site):
    page = open_form(chromium, live_server)
    page.wait_for_timeout(3_000)
    page.get_by_label("Buy a home").check()
    page.get_by_label("State where the home is").select_option("FL")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("we save your answers")).to_be_visible()
    contact(page)
    assert not FormDraft.objects.exists()  # nothing is sent before the visitor continues

    with page.expect_response("**/draft/") as answer:
        page.get_by_role("button", name="Next").click()
    assert answer.value.status == 204
    page.get_by_label("Home price or value").fill("$458,000")
    page.get_by_label("Call and text me").check()
    page.context.close()

    draft = FormDraft.objects.get()
    draft_answers = json.loads(bytes(draft.body))
    assert draft_answers["phone"] == "(813) 555-0142"
    assert "property_value" not in draft_answers
    assert "consent" not in draft_answers
    assert draft.due_at - draft.saved_at <= make.MINUTE
