"""Campaign pages: permissions, texts, and the stop button."""

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.flow import clock
from rooftree.org import sending_pause
from rooftree.outreach.models import Message
from rooftree.outreach.releases.models import Release
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db) -> list:
    """Four borrowers, in a company where more than two need a second approver."""
    make.release_limits(free_size=2, canary_size=1)
    journey.set_up_company()
    dana = make.officer("Dana Whitfield", licensed=("CA", "FL"))
    return [make.lead(officer=dana, state="nurture") for _ in range(4)]


def signed_in(role: str, **changes) -> Client:
    browser = Client()
    browser.force_login(make.user(role, **changes))
    return browser


@pytest.fixture
def mia(people) -> Client:
    return signed_in("marketing", name="Mia Torres")


@pytest.fixture
def omar(people) -> Client:
    return signed_in("compliance", name="Omar Haddad")


@pytest.fixture(autouse=True)
def noon():
    with clock.freeze(make.NOON):
        yield


CHOICE = {
    "title": "Spring check-in",
    "wording": "not_reached_2/email",
    "stages": ["nurture"],
}


def create_campaign(browser: Client, **changes) -> Release:
    answer = browser.post(reverse("release_new"), CHOICE | changes)
    assert answer.status_code == 303
    journey.run()
    return Release.objects.get()


def press(browser: Client, release: Release, url_name: str, **data) -> Release:
    assert browser.post(reverse(url_name, args=[release.pk]), data).status_code == 303
    release.refresh_from_db()
    return release


def page(browser: Client, release: Release) -> str:
    return browser.get(reverse("release", args=[release.pk])).content.decode()


def test_dry_run_is_shown_before_approval_is_requested(mia, people):
    people[0].person.emails.all().delete()
    release = create_campaign(mia)

    text = page(mia, release)

    assert "3 would be sent, 0 held, 0 blocked, 0 for review" in text
    assert "and 1 without an address" in text
    assert "Request approval" in text
    assert Message.objects.count() == 0


def test_campaign_has_only_leads_of_its_audience(mia, people):
    make.lead(state="application")
    make.lead(state="nurture", property_state="CA")

    assert create_campaign(mia, state="FL").members.count() == 4


def test_empty_audience_is_reported_at_once(mia, people):
    answer = mia.post(reverse("release_new"), CHOICE | {"state": "TX"})

    assert answer.status_code == 422
    assert "No one is in this audience." in answer.content.decode()


def test_campaign_needs_approval_by_another_person(mia, omar, people):
    release = press(mia, create_campaign(mia), "request_campaign_approval")
    assert release.state == "waiting"
    assert "Omar Haddad can approve it" in page(mia, release)

    assert press(mia, release, "approve_campaign").state == "waiting"
    assert press(omar, release, "approve_campaign").state == "canary"


def test_first_batch_results_are_shown_before_the_rest_is_sent(mia, omar, people):
    release = press(mia, create_campaign(mia), "request_campaign_approval")
    press(omar, release, "approve_campaign")
    journey.run()

    text = page(omar, release)
    assert "Results check needed" in text
    assert "Within limits" in text

    assert press(omar, release, "continue_campaign").state == "going"
    journey.run(make.NOON + 2 * make.SECOND)
    assert "Done" in page(omar, release)
    assert release.messages.filter(state="sent").count() == 4


def test_stop_takes_one_press_and_lists_messages_already_sent(mia, omar, people):
    release = press(mia, create_campaign(mia), "request_campaign_approval")
    press(omar, release, "approve_campaign")
    journey.run()

    stopped = press(mia, release, "stop_campaign", reason="Wrong list")

    assert (stopped.state, stopped.stop_reason) == ("stopped", "Wrong list")
    text = page(omar, release)
    name = release.messages.get().lead.person.name
    assert "Stopped by Mia Torres" in text
    assert f"<b>{name}</b>" in text
    assert "Stop campaign" not in text


def test_user_of_another_branch_sees_no_borrower_names(mia, omar, people):
    release = press(mia, create_campaign(mia), "request_campaign_approval")
    press(omar, release, "approve_campaign")
    journey.run()
    press(mia, release, "stop_campaign", reason="Wrong list")
    elsewhere = signed_in("compliance", branch=make.branch("Far away"))

    text = page(elsewhere, release)

    assert release.messages.get().lead.person.name not in text
    assert "1 more to borrowers of other branches" in text


def test_operations_create_and_stop_campaigns_but_cannot_approve(mia, people):
    pat = signed_in("operations")
    release = press(mia, create_campaign(mia), "request_campaign_approval")

    assert pat.post(reverse("approve_campaign", args=[release.pk])).status_code == 403
    assert press(pat, release, "stop_campaign").state == "stopped"


def test_draft_campaign_is_discarded_only_by_its_author(mia, people):
    release = create_campaign(mia)
    other = signed_in("marketing")

    assert press(other, release, "request_campaign_approval").state == "draft"


def test_compliance_stops_all_campaigns_from_the_page(omar, people):
    omar.post(reverse("stop_everything"), {"because": "The carrier asked us to."})

    assert (
        "Stopped by Omar Haddad. The carrier asked us to." in sending_pause.current_pause().reason
    )
    text = omar.get(reverse("releases")).content.decode()
    assert "All sending is stopped." in text
    assert "The carrier had no campaign messages" in text
    assert "Individual messages are not listed here" in text


def test_restored_campaign_does_not_claim_to_know_what_the_carrier_has(omar, people):
    sending_pause.begin_pause(reason="A backup was restored.", backup_at=make.NOON, at=make.NOON)

    text = omar.get(reverse("releases")).content.decode()
    assert "All sending is stopped." in text
    assert "already sent to the carrier" not in text.lower()


def test_unknown_campaign_action_is_not_found(omar, mia, people):
    page_url = reverse("release", args=[create_campaign(mia).pk])

    assert omar.post(f"{page_url}doubling/").status_code == 404


def test_discarded_draft_is_closed_and_nothing_is_sent(mia, people):
    release = press(mia, create_campaign(mia), "discard_campaign")
    journey.run()

    assert (release.state, release.size) == ("stopped", 4)
    text = page(mia, release)
    assert "Discarded by Mia Torres" in text
    assert "Nothing was sent." in text
    assert "The first message goes out" not in text
    assert "Discarded" in mia.get(reverse("releases")).content.decode()
    assert Message.objects.count() == 0


def test_stopping_a_draft_discards_it(omar, mia, people):
    assert press(omar, create_campaign(mia), "stop_campaign").state == "stopped"


def test_sent_campaign_cannot_be_discarded(mia, people):
    release = press(mia, create_campaign(mia), "request_campaign_approval")

    assert press(mia, release, "discard_campaign").state == "waiting"


def test_small_campaign_asks_before_it_sends(mia, people):
    for lead in people[2:]:
        type(lead).objects.filter(pk=lead.pk).update(state="application")
    release = create_campaign(mia)

    text = page(mia, release)

    assert "Send to 2 people now?" in text
    assert "2 of 2 messages could go out" in text


def test_campaign_refuses_words_that_are_untrue_for_its_audience(mia, people):
    type(people[0]).objects.filter(pk=people[0].pk).update(first_conversation_at=make.NOON)

    answer = mia.post(reverse("release_new"), CHOICE)

    assert answer.status_code == 422
    assert "1 lead in this audience has been spoken with" in answer.content.decode()
    assert not Release.objects.exists()


def test_campaign_offers_only_words_that_fit_its_audience(mia, people):
    type(people[0]).objects.filter(pk=people[0].pk).update(
        first_conversation_at=make.NOON, property_state="TX"
    )

    def offered(**filters) -> str:
        return mia.get(reverse("release_new"), filters).content.decode()

    assert "not_reached_2/email" not in offered()
    assert "No approved template fits everyone" in offered()
    assert "not_reached_2/email" in offered(state="FL")
