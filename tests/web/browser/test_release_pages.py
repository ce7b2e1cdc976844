"""Campaigns in a real Chromium: created, approved, viewed and stopped, by thumb and by mouse."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from rooftree.compliance.consent import store_revocation
from rooftree.flow import clock, release_runner
from rooftree.outreach.releases import release_control, release_drafts
from rooftree.outreach.releases.audience import Audience
from rooftree.outreach.releases.models import Release
from tests import make
from tests.flow import journey
from tests.web.browser.conftest import DESK, PHONE, check_page, open_as


@pytest.fixture
def crowd(people, noon, settings):
    """Twelve borrowers of Dana, in a company where more than three need a second approver."""
    settings.RELEASE_PER_SECOND = 5
    make.release_limits(free_size=3, canary_size=4, at=noon)
    journey.set_up_company(states=("CA", "FL", "TX"))
    names = ("Ida", "Jon", "Kay", "Lee", "Mae", "Ned", "Ola", "Pia", "Rex", "Sue", "Tim", "Una")
    leads = [
        make.lead(
            person=make.person(first_name=name, last_name="Berg"), officer=people.dana,
            state="nurture", at=noon - 90 * make.DAY,
        )
        for name in names
    ]  # fmt: skip
    store_revocation.store_revocation(
        person_id=leads[0].person_id, address=leads[0].person.emails.get().address,
        kind="unsubscribe", media=["email"], origin="page:1", idempotency_key="page:1",
        at=noon - make.DAY,
    )  # fmt: skip
    leads[1].person.emails.all().delete()
    make.user("marketing", name="Mia Torres", email="mia@lindenfield.example")
    return people


def create_campaign(crowd, noon) -> Release:
    mia = release_drafts.User.objects.get(email="mia@lindenfield.example")
    release = release_runner.create_release(
        title="Spring check-in", audience=Audience(stages=("nurture",)), key="not_reached_2",
        medium="email", by=mia, at=noon,
    )  # fmt: skip
    release_runner.run_dry_run(release_id=release.pk, at=noon)
    return release


def send_first_batch() -> None:
    """Send the first batch, including borrowers who can't be contacted."""
    for number in range(4):
        release_runner.run_releases(at=clock.now() + number * make.SECOND)


def test_campaign_pages_fit_and_are_accessible(chromium, front, crowd, noon):
    page = open_as(chromium, front, "Marketing")
    page.goto(reverse("releases"))
    check_page(page, "releases-empty")
    page.goto(reverse("release_new"))
    page.get_by_label("Property state").select_option("WY")
    page.get_by_role("button", name="Preview campaign").click()
    expect(page.get_by_text("Enter campaign name")).to_be_visible()
    check_page(page, "release-wrong")

    release = create_campaign(crowd, noon)
    address = reverse("release", args=[release.pk])
    page.goto(address)
    expect(page.get_by_text("11 would be sent")).to_be_visible()
    check_page(page, "release-draft")
    page.get_by_role("button", name="Request approval").click()
    expect(page.get_by_text("can approve it")).to_be_visible()
    check_page(page, "release-asked")

    omar = open_as(chromium, front, "Compliance")
    omar.goto(address)
    check_page(omar, "release-waiting")
    omar.get_by_role("button", name="Approve campaign").click()
    check_page(omar, "release-confirmation")
    omar.get_by_role("button", name="Send now").click()
    expect(omar.get_by_text("Sending first messages").first).to_be_visible()
    send_first_batch()
    expect(omar.get_by_text("Within limits")).to_be_visible()
    check_page(omar, "release-looking")
    omar.get_by_role("button", name="Send to everyone").click()
    omar.get_by_role("button", name="Send now").click()
    expect(omar.get_by_text("Sending", exact=True).first).to_be_visible()
    release_runner.run_releases(at=clock.now())
    check_page(omar, "release-going")
    omar.get_by_role("button", name="Stop campaign").click()
    expect(omar.get_by_text("Stopped by")).to_be_visible()
    check_page(omar, "release-stopped")
    omar.goto(reverse("releases"))
    check_page(omar, "releases")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_stop_button_is_in_thumb_reach_and_keeps_typed_text(chromium, front, crowd, noon, size):
    release = create_campaign(crowd, noon)
    release_drafts.seal_draft(release.pk, by=None, at=noon)
    release_control.approve_release(release, by=crowd.omar, at=noon)
    page = open_as(chromium, front, "Compliance", size)
    page.goto(reverse("release", args=[release.pk]))
    button = page.get_by_role("button", name="Stop campaign")
    box = button.bounding_box()
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= size["height"]  # without scrolling

    page.get_by_label("Reason").type("The wrong list")
    send_first_batch()
    expect(page.get_by_text("Results check needed").first).to_be_visible()  # it refreshed
    expect(page.get_by_label("Reason")).to_have_value("The wrong list")
    button.click()

    expect(page.get_by_text("The wrong list").first).to_be_visible()
    release.refresh_from_db()
    assert (release.state, release.stop_reason) == ("stopped", "The wrong list")
