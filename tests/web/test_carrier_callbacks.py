"""Carrier callbacks: texts, delivery statuses and calls, accepted only when signed."""

from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.conf import settings as project

from rooftree.compliance.models import Revocation
from rooftree.outreach.models import Message
from rooftree_simulators.twilio.webhook_signature import compute_signature
from tests import make
from tests.flow import journey
from tests.web.webhook_client import post

NOBODY = UUID(int=7)  # parallel workers need the same order in every process
pytestmark = pytest.mark.django_db
AUTH_TOKEN = "a twilio auth token"
OUR_NUMBER, BEN = "+18135550111", "+18135550142"


@pytest.fixture
def twilio(settings):
    """An installation that sends its texts through Twilio."""
    settings.CARRIER = "twilio"
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_NUMBERS = [OUR_NUMBER]


def twilio_post(path: str, form: dict[str, str], *, token: str = AUTH_TOKEN, **changes: str):
    """Post as Twilio does; it signs the public address, not the internal one."""
    url = changes.pop("url", f"{project.PUBLIC_URL}{path}")
    signed = compute_signature(token, url, list(form.items()))
    return post(
        path,
        urlencode(form | changes).encode(),
        **{
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
        },
    )


def text_from_ben(body: str) -> dict[str, str]:
    return {
        "MessageSid": f"SM{make.number():032d}",
        "AccountSid": "AC" + "0" * 32,
        "From": BEN,
        "To": OUR_NUMBER,
        "Body": body,
        "NumMedia": "0",
    }


def test_opt_out_is_recorded_before_twilio_gets_its_answer(twilio):
    journey.set_up_company()
    journey.deliver(journey.create_website(), journey.form_post(consent=False))

    answer = twilio_post("/in/twilio/text/", text_from_ben("STOP"))

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    assert answer.content.decode().endswith("<Response />")
    stop = Revocation.objects.get(kind="stop")
    assert stop.address == BEN
    assert "text" in stop.media
    assert Message.objects.get(direction="in").body == "STOP"


def test_text_delivered_twice_is_stored_once(twilio):
    journey.set_up_company()
    journey.deliver(journey.create_website(), journey.form_post(consent=False))
    form = text_from_ben("Tell me more")

    twilio_post("/in/twilio/text/", form)
    twilio_post("/in/twilio/text/", form)

    assert Message.objects.filter(direction="in").count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "/in/twilio/text/",
        f"/in/twilio/status/{NOBODY}/",
        f"/in/twilio/ring/{NOBODY}/",
        f"/in/twilio/ring/{NOBODY}/key/",
        f"/in/twilio/ring/{NOBODY}/after/",
        f"/in/twilio/ring/{NOBODY}/status/",
    ],
)
def test_callback_not_signed_by_twilio_is_refused(twilio, path):
    form = text_from_ben("STOP")

    assert twilio_post(path, form, token="another token").status_code == 403
    assert twilio_post(path, form, Body="START").status_code == 403  # changed in transit
    assert twilio_post(path, form, url="https://evil.example/").status_code == 403
    assert post(path, urlencode(form).encode()).status_code == 403
    assert not Message.objects.exists()
    assert not Revocation.objects.exists()


def test_callback_is_refused_without_a_configured_carrier(settings):
    settings.TWILIO_AUTH_TOKEN = ""

    assert twilio_post("/in/twilio/text/", text_from_ben("STOP"), token="").status_code == 403


def test_carrier_status_updates_its_text(twilio):
    journey.set_up_company()
    lead = make.lead()
    text = Message.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        purpose="marketing",
        idempotency_key="test:1",
        to_address=BEN,
        body="Hello",
        state="sent",
        carrier="twilio",
        carrier_id="SM" + "7" * 32,
        created_at=make.NOON,
    )
    form = {"MessageSid": "SM" + "7" * 32, "MessageStatus": "delivered", "To": BEN}

    assert twilio_post(f"/in/twilio/status/{text.pk}/", form).status_code == 204
    text.refresh_from_db()
    assert text.state == "delivered"

    late = form | {"MessageStatus": "sent"}
    assert twilio_post(f"/in/twilio/status/{text.pk}/", late).status_code == 204
    text.refresh_from_db()
    assert text.state == "delivered"


def test_callback_for_an_unknown_call_is_not_found(twilio):
    ring = uuid4()
    for path in ("", "key/", "after/"):
        fields = {"CallSid": "CA1", "Digits": "1", "DialCallStatus": "completed"}
        assert twilio_post(f"/in/twilio/ring/{ring}/{path}", fields).status_code == 404
    fields = {"CallStatus": "completed"}
    assert twilio_post(f"/in/twilio/ring/{ring}/status/", fields).status_code == 204
