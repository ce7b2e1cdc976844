import pytest

from rooftree.leads.models import Lead, Touch
from rooftree.outreach.models import Message
from rooftree.outreach.releases import release_control
from rooftree.outreach.releases.models import Release
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company():
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))


def test_website_lead_with_consent_gets_text_and_email_at_once():
    lead = journey.deliver(journey.create_website(), journey.form_post())

    assert [text.to_address for text in journey.sent_texts(lead)] == ["+18135550142"]
    assert [email.to_address for email in journey.sent_emails(lead)] == ["ben.ortiz@home.example"]
    assert "NMLS 1204417" in journey.sent_texts(lead)[0].body


def test_zillow_lead_without_consent_gets_email_and_blocked_text():
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())

    assert journey.sent_texts(lead) == []
    assert len(journey.sent_emails(lead)) == 1
    text = Message.objects.get(lead=lead, medium="text")
    assert text.state == "blocked"
    assert text.verdict.decision == "block"
    assert any(result["id"].startswith("CON-") for result in text.verdict.results)


def test_consent_in_second_inquiry_allows_text():
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())

    again = journey.deliver(journey.create_website(), journey.form_post(), at=journey.later(20))

    assert again == lead
    assert Touch.objects.filter(lead=lead).count() == 2
    assert len(journey.sent_texts(lead)) == 1


def test_spanish_speaker_gets_messages_in_spanish():
    lead = journey.deliver(journey.create_website(), journey.form_post(language="es"))

    assert journey.sent_texts(lead)[0].body.startswith("Hola Ben")
    assert "ALTO" in journey.sent_texts(lead)[0].body


def test_night_lead_gets_email_now_and_text_in_the_morning():
    at_night = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.create_website(), at_night, at=make.NIGHT)
    assert journey.sent_texts(lead) == []
    assert len(journey.sent_emails(lead)) == 1
    text = Message.objects.get(lead=lead, medium="text")
    assert text.state == "held"
    assert text.due_at.isoformat() == "2026-11-24T13:00:00+00:00"  # 8:00 in Tampa

    journey.run(text.due_at - make.SECOND)
    assert journey.sent_texts(lead) == []
    journey.run(text.due_at)

    assert len(journey.sent_texts(lead)) == 1


def test_repeated_delivery_changes_nothing():
    source, contact = journey.create_zillow(), journey.zillow_contact()
    first = journey.arrive(source, contact)
    journey.run()
    before = (Lead.objects.count(), Touch.objects.count(), Message.objects.count())

    second = journey.arrive(source, contact)
    journey.run()

    assert (Lead.objects.count(), Touch.objects.count(), Message.objects.count()) == before
    assert second.answer.to_bytes() == first.answer.to_bytes()


def test_test_lead_is_stored_without_messages():
    lead = journey.deliver(journey.create_zillow(is_test=True), journey.zillow_contact())

    assert lead.is_test
    assert not Message.objects.exists()


def test_many_late_leads_wait_for_second_person():
    make.release_limits(free_size=1)
    site = journey.create_website()
    for name, phone in (("Ben", "(813) 555-0142"), ("Ida", "(813) 555-0143")):
        journey.arrive(
            site, journey.form_post(first_name=name, phone=phone, email=f"{name}@home.example")
        )

    journey.run(journey.later(90))
    assert Message.objects.count() == 0
    journey.run(journey.later(92))

    release = Release.objects.get()
    assert (release.kind, release.state, release.size) == ("greetings", "waiting", 2)
    release_control.approve_release(release, by=make.user("compliance"), at=journey.later(93))
    journey.run(journey.later(94))
    assert {message.state for message in Message.objects.filter(release=release)} == {"sent"}


def test_single_late_lead_is_answered_without_approval():
    journey.arrive(journey.create_website(), journey.form_post())

    journey.run(journey.later(90))
    journey.run(journey.later(92))

    lead = Lead.objects.get()
    assert len(journey.sent_texts(lead)) == len(journey.sent_emails(lead)) == 1
