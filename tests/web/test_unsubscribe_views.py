"""The unsubscribe link: one press, no sign-in, permanent."""

import pytest
from django.core.signing import Signer
from django.test import Client

from rooftree.compliance.models import Revocation
from rooftree.flow import clock
from rooftree.leads.models import Lead
from rooftree.outreach.messages.plan_messages import unsubscribe_url
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def message() -> Message:
    """The first email sent to Ben."""
    journey.set_up_company()
    lead = journey.deliver(journey.create_website(), journey.form_post(consent=False))
    return journey.sent_emails(lead)[0]


def path_of(message: Message) -> str:
    return "/unsubscribe/" + unsubscribe_url(message).split("/unsubscribe/")[1]


def is_unsubscribed() -> bool:
    return Revocation.objects.filter(address="ben.ortiz@home.example", media=["email"]).exists()


def test_opening_the_page_does_not_unsubscribe(message):
    page = Client().get(path_of(message))

    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("<button") == 1
    assert "ben.ortiz@home.example" in text
    assert "Lindenfield Mortgage" in text
    assert not is_unsubscribed()


def test_email_link_opens_this_page(message, mailoutbox):
    assert unsubscribe_url(message).endswith(path_of(message))
    assert Client().get(path_of(message)).status_code == 200


def test_unsubscribe_button_ends_email(message):
    answer = Client(enforce_csrf_checks=True).post(path_of(message))

    assert answer.status_code == 200
    assert "You’re unsubscribed" in answer.content.decode()
    assert is_unsubscribed()


def test_one_click_unsubscribe_ends_email(message):
    answer = Client(enforce_csrf_checks=True).post(path_of(message), ONE_CLICK)

    assert answer.status_code == 200  # never a redirect: RFC 8058, section 3.1
    assert is_unsubscribed()


def test_unsubscribing_twice_is_harmless(message):
    Client().post(path_of(message))
    answer = Client().post(path_of(message))

    assert answer.status_code == 200
    assert Revocation.objects.filter(kind="unsubscribe").count() == 1


def test_next_inquiry_gets_no_marketing_email(message):
    with clock.freeze(journey.later(5)):
        Client().post(path_of(message), ONE_CLICK)
    sent_count = Message.objects.filter(medium="email", state__in=["sent", "delivered"]).count()

    journey.deliver(
        Lead.objects.get().source, journey.form_post(consent=False), at=journey.later(60)
    )

    assert (
        Message.objects.filter(medium="email", state__in=["sent", "delivered"]).count()
        == sent_count
    )


def test_scheduled_emails_are_canceled(message):
    waiting = Message.objects.create(
        lead=message.lead,
        person=message.person,
        medium="email",
        purpose="marketing",
        idempotency_key="test:waiting",
        to_address=message.to_address,
        body="x",
        state="held",
        created_at=make.NOON,
        due_at=make.NOON + make.DAY,
    )

    Client().post(path_of(message))

    waiting.refresh_from_db()
    assert waiting.state == "cancelled"


def test_page_is_in_the_emails_language(message):
    Message.objects.filter(pk=message.pk).update(language="es")

    page = Client().get(path_of(message)).content.decode()

    assert '<html lang="es">' in page
    assert "Cancelar suscripción" in page


def test_invalid_token_is_not_found_and_does_not_unsubscribe(message):
    good = path_of(message)
    for bad in (
        good.replace(str(message.pk), str(make.lead().pk)),
        good[:-3] + ("aa/" if good[-3:-1] != "aa" else "bb/"),
        "/unsubscribe/x/",
        f"/unsubscribe/{message.pk}/",
        f"/unsubscribe/{Signer(salt='lead-form').sign(str(message.pk))}/",
    ):
        assert Client().get(bad).status_code == 404, bad
        assert Client().post(bad, ONE_CLICK).status_code == 404, bad
    assert not is_unsubscribed()


def test_token_of_a_text_does_not_unsubscribe_email(message):
    text = Message.objects.get(medium="text")  # the email that the gate blocked

    assert Client().post(path_of(text)).status_code == 404


def test_page_address_is_not_leaked(message):
    page = Client().get(path_of(message))

    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert not page.cookies
