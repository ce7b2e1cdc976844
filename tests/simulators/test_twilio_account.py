"""The simulated account and its numbers, through Twilio's own client library."""

from urllib.parse import urlsplit

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from rooftree_simulators.start_simulators import Simulators
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER


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
