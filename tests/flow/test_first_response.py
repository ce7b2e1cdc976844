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
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))


def test_a_website_lead_with_consent_gets_a_text_and_an_email_at_once():
    lead = journey.deliver(journey.website(), journey.form_post())

    assert [text.to_address for text in journey.texts(lead)] == ["+18135550142"]
    assert [email.to_address for email in journey.emails(lead)] == ["ben.ortiz@home.example"]
    assert "NMLS 1204417" in journey.texts(lead)[0].body


def test_a_zillow_lead_without_consent_gets_the_email_and_a_reason_for_the_missing_text():
    lead = journey.deliver(journey.zillow(), journey.zillow_contact())

    assert journey.texts(lead) == []
    assert len(journey.emails(lead)) == 1
    text = Message.objects.get(lead=lead, medium="text")
    assert text.state == "blocked"
    assert text.verdict.decision == "block"
    assert any(result["id"].startswith("CON-") for result in text.verdict.results)


def test_consent_that_comes_with_the_second_inquiry_lets_the_text_go():
    lead = journey.deliver(journey.zillow(), journey.zillow_contact())

    again = journey.deliver(journey.website(), journey.form_post(), at=journey.later(20))

    assert again == lead
    assert Touch.objects.filter(lead=lead).count() == 2
    assert len(journey.texts(lead)) == 1


def test_a_borrower_who_states_spanish_is_written_to_in_spanish():
    lead = journey.deliver(journey.website(), journey.form_post(language="es"))

    assert journey.texts(lead)[0].body.startswith("Hola Ben")
    assert "ALTO" in journey.texts(lead)[0].body


def test_a_lead_at_night_has_its_email_now_and_its_text_in_the_morning():
    at_night = journey.form_post(
        rendered_at="2026-11-24T03:58:00Z", submitted_at="2026-11-24T03:59:30Z"
    )
    lead = journey.deliver(journey.website(), at_night, at=make.NIGHT)
    assert journey.texts(lead) == []
    assert len(journey.emails(lead)) == 1
    held = Message.objects.get(lead=lead, medium="text")
    assert held.state == "held"
    assert held.due_at.isoformat() == "2026-11-24T13:00:00+00:00"  # 8:00 in Tampa

    journey.run(held.due_at - make.SECOND)
    assert journey.texts(lead) == []
    journey.run(held.due_at)

    assert len(journey.texts(lead)) == 1


def test_the_same_delivery_twice_changes_nothing():
    source, contact = journey.zillow(), journey.zillow_contact()
    first = journey.arrive(source, contact)
    journey.run()
    before = (Lead.objects.count(), Touch.objects.count(), Message.objects.count())

    second = journey.arrive(source, contact)
    journey.run()

    assert (Lead.objects.count(), Touch.objects.count(), Message.objects.count()) == before
    assert second.answer.to_bytes() == first.answer.to_bytes()


def test_a_test_lead_is_stored_and_starts_nothing():
    lead = journey.deliver(journey.zillow(is_test=True), journey.zillow_contact())

    assert lead.is_test
    assert not Message.objects.exists()


def test_many_who_are_only_worked_hours_later_are_answered_when_a_second_person_agrees():
    make.release_limits(free_size=1)
    site = journey.website()
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


def test_one_who_is_only_worked_hours_later_is_answered_without_anybody():
    journey.arrive(journey.website(), journey.form_post())

    journey.run(journey.later(90))
    journey.run(journey.later(92))

    lead = Lead.objects.get()
    assert len(journey.texts(lead)) == len(journey.emails(lead)) == 1
