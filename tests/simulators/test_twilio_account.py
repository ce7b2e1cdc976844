"""The simulated account and its numbers, through Twilio's own client library."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from rooftree_simulators.start_simulators import Simulators
from rooftree_simulators.twilio.twilio_account import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    MAIN_NUMBER,
    SERVICE_SID,
)
from tests.simulators.conftest import NOON


class SimulatorClient(TwilioHttpClient):
    """Send the library's requests to the simulator in place of api.twilio.com."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method, url, *args, **kwargs):
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self.url}{parts.path}{query}", *args, **kwargs)


def connect(running: Simulators, token: str = AUTH_TOKEN) -> Client:
    return Client(ACCOUNT_SID, token, http_client=SimulatorClient(running.urls["twilio"]))


def test_account_numbers_texts_and_calls_answer_the_client_library(running):
    numbers = [f"+1512555{place:04}" for place in range(200, 260)]
    running.twilio.load_seed({"numbers": [{"number": number} for number in numbers]})
    client = connect(running)

    account = client.api.accounts(ACCOUNT_SID).fetch()
    listed = client.incoming_phone_numbers.list(page_size=50)
    changed = client.incoming_phone_numbers(listed[0].sid).update(
        sms_url="https://leads.example.com/in/twilio/text/", sms_method="POST"
    )
    text = client.messages.create(to="+13055550123", from_=MAIN_NUMBER, body="Hello")
    call = client.calls.create(to="+13055550123", from_=MAIN_NUMBER, url="https://example.com/x")

    assert (account.status, account.type) == ("active", "Full")
    assert {row.phone_number for row in listed} == {MAIN_NUMBER, *numbers}
    assert listed[0].capabilities["sms"]
    assert changed.sms_url == "https://leads.example.com/in/twilio/text/"
    assert client.messages(text.sid).fetch().body == "Hello"
    assert client.calls(call.sid).fetch().to == "+13055550123"


def test_wrong_token_and_suspended_account_are_refused_with_twilios_codes(running):
    with pytest.raises(TwilioRestException) as refused:
        connect(running, "wrong").api.accounts(ACCOUNT_SID).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)

    running.twilio.load_seed({"status": "suspended"})
    assert connect(running).api.accounts(ACCOUNT_SID).fetch().status == "suspended"
    with pytest.raises(TwilioRestException) as refused:
        connect(running).messages("SM" + "0" * 32).fetch()
    assert refused.value.code == 20005


def test_client_library_changes_lists_and_removes_texts(running):
    client, person = connect(running), "+13055550123"
    later = NOON + timedelta(hours=2)
    text = client.messages.create(
        to=person, from_=MAIN_NUMBER, body="Hello", media_url=["https://example.com/a.png"]
    )
    scheduled = client.messages.create(
        to=person, messaging_service_sid=SERVICE_SID, body="Later", schedule_type="fixed",
        send_at=later,
    )  # fmt: skip
    with pytest.raises(TwilioRestException) as refused:
        client.messages(text.sid).delete()
    assert (refused.value.status, refused.value.code) == (409, 20009)
    running.clock.advance(5)

    assert client.messages(scheduled.sid).fetch().status == "scheduled"
    assert client.messages(scheduled.sid).update(status="canceled").status == "canceled"
    running.clock.advance(3 * 3600)
    assert client.messages(scheduled.sid).fetch().status == "canceled"
    assert len(client.messages(text.sid).media.list()) == int(text.num_media) == 1
    assert client.messages(text.sid).feedback.create(outcome="confirmed").outcome == "confirmed"
    assert client.messages(text.sid).update(body="").body == ""
    sent = client.messages.list(date_sent_after=NOON - timedelta(days=1), to=person)
    assert {row.sid for row in sent} == {text.sid, scheduled.sid}
    assert client.messages.list(date_sent_before=NOON - timedelta(days=1)) == []
    assert client.messages(text.sid).delete()
    for options, code in (
        ({"to": "123"}, 21211),
        ({"schedule_type": "fixed", "send_at": NOON + timedelta(minutes=1)}, 35118),
        ({"content_sid": "HX" + "0" * 32}, 20001),
    ):
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(**{"to": person, "from_": MAIN_NUMBER, "body": "x"} | options)
        assert refused.value.code == code, options


def test_client_library_places_records_and_removes_calls(running):
    client, person = connect(running), "+13055550123"
    running.twilio.account.usual.talk_s = 5
    call = client.calls.create(
        to=person, from_=MAIN_NUMBER, twiml="<Response><Say>Good day to you</Say></Response>",
        record=True, recording_channels="dual", timeout=20,
    )  # fmt: skip
    with pytest.raises(TwilioRestException) as refused:
        client.calls(call.sid).delete()
    assert refused.value.code == 21220
    running.clock.advance(60)

    heard = running.twilio.account.calls[call.sid].spoken
    assert "Good day" in str(heard)
    assert client.calls(call.sid).fetch().status == "completed"
    recording = client.recordings.list(call_sid=call.sid, date_created_after=NOON.date())[0]
    assert client.recordings(recording.sid).fetch().channels == 2
    assert client.calls(call.sid).recordings.list()[0].sid == recording.sid
    assert client.recordings(recording.sid).delete()
    day = timedelta(days=1)
    assert client.calls.list(start_time_after=NOON - day, end_time_before=NOON + day, limit=5)
    assert client.calls.list(start_time_before=NOON - day) == []
    assert client.calls(call.sid).delete()


def test_client_library_buys_and_releases_numbers_and_reads_the_account(running):
    client = connect(running)
    offered = client.available_phone_numbers("US").local.list(area_code=303, limit=3)
    bought = client.incoming_phone_numbers.create(
        phone_number=offered[0].phone_number, sms_url="https://example.com/t", friendly_name="West"
    )
    with pytest.raises(TwilioRestException) as refused:
        client.incoming_phone_numbers.create(phone_number=offered[0].phone_number)
    assert refused.value.code == 21422

    assert len(offered) == 3 and offered[0].phone_number.startswith("+1303")
    assert client.incoming_phone_numbers.list(friendly_name="West")[0].sid == bought.sid
    changed = client.incoming_phone_numbers(bought.sid).update(
        voice_url="https://example.com/v", voice_fallback_url="https://example.com/f"
    )
    assert changed.voice_fallback_url == "https://example.com/f"
    assert client.incoming_phone_numbers(bought.sid).delete()
    assert len(client.incoming_phone_numbers.list()) == 1
    assert client.balance.fetch().currency == "USD"
    assert client.api.accounts.list()[0].sid == ACCOUNT_SID
    assert client.api.accounts(ACCOUNT_SID).update(friendly_name="Loans").friendly_name == "Loans"
    service = client.messaging.v1.services.list()[0]
    assert client.messaging.v1.services(service.sid).fetch().sid == SERVICE_SID
    senders = client.messaging.v1.services(service.sid).phone_numbers.list()
    assert [row.phone_number for row in senders] == [MAIN_NUMBER]


def test_what_the_account_does_not_simulate_is_refused_by_name(running):
    client = connect(running)
    for ask, name in (
        (client.conferences.list, "Conferences"),
        (client.usage.records.list, "Usage/Records"),
        (client.messaging.v1.brand_registrations.list, "a2p/BrandRegistrations"),
        (client.lookups.v2.phone_numbers("+13055550123").fetch, "v2/PhoneNumbers"),
    ):
        with pytest.raises(TwilioException) as refused:
            ask()
        assert f"{name}" in str(refused.value) and "was not found" in str(refused.value)
