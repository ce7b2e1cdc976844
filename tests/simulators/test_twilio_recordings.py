"""The simulated Recordings resource: recordings of a call in progress, with signed callbacks."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rooftree_simulators.start_simulators import Simulators
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from tests.simulators.receiver import Receiver
from tests.simulators.test_twilio_messages import assert_signed

DANA = "+14155550111"
PLACE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
AUTH = (ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def talk(running: Simulators, receiver: Receiver) -> str:
    """Place a call of one minute that has lasted five seconds; return its id."""
    receiver.answers["/ring"] = '<Response><Pause length="60"/></Response>'
    form = {"To": DANA, "From": MAIN_NUMBER, "Url": f"{receiver.url}/ring"}
    url = f"{running.urls['twilio']}{PLACE}/Calls.json"
    sid = str(httpx2.post(url, data=form, auth=AUTH).json()["sid"])
    running.clock.advance(5)
    return sid


@pytest.fixture
def ask(running: Simulators) -> Callable[..., httpx2.Response]:
    def send(method: str, path: str, **form: Any) -> httpx2.Response:
        url = f"{running.urls['twilio']}{PLACE}/{path}.json"
        return httpx2.request(method, url, data=form or None, auth=AUTH)

    return send


def start_recording(
    ask: Callable[..., httpx2.Response], receiver: Receiver, call: str, **options: Any
) -> httpx2.Response:
    form = {"RecordingStatusCallback": f"{receiver.url}/recorded", **options}
    return ask("POST", f"Calls/{call}/Recordings", **form)


def test_recording_is_reported_signed_when_call_ends(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    started = start_recording(ask, receiver, talk, RecordingChannels="dual")
    assert (started.status_code, started.json()["status"], started.json()["channels"]) == (
        201, "in-progress", 2,
    )  # fmt: skip
    assert receiver.at("/recorded") == []
    running.clock.advance(100)

    [callback] = receiver.at("/recorded")
    assert_signed(callback, receiver.url)
    assert callback.form["RecordingSid"] == started.json()["sid"]
    assert (callback.form["CallSid"], callback.form["RecordingStatus"]) == (talk, "completed")
    assert int(callback.form["RecordingDuration"]) > 50
    [listed] = ask("GET", f"Calls/{talk}/Recordings").json()["recordings"]
    assert (listed["status"], listed["duration"]) == (
        "completed",
        callback.form["RecordingDuration"],
    )


def test_only_call_in_progress_can_be_recorded(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    running.clock.advance(100)
    refused = start_recording(ask, receiver, talk)
    assert (refused.status_code, refused.json()["code"]) == (400, 21220)
    assert start_recording(ask, receiver, "CA" + "0" * 32).status_code == 404
    assert start_recording(ask, receiver, talk, RecordingChannels="seven").status_code == 400


def test_current_recording_is_stopped_by_alias_and_deleted(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    sid = start_recording(ask, receiver, talk).json()["sid"]
    running.clock.advance(10)
    assert ask("DELETE", f"Recordings/{sid}").status_code == 400

    stopped = ask("POST", f"Calls/{talk}/Recordings/Twilio.CURRENT", Status="stopped")
    assert (stopped.status_code, stopped.json()["duration"]) == (200, "10")
    assert ask("POST", f"Calls/{talk}/Recordings/Twilio.CURRENT", Status="stopped").status_code == (
        404
    )
    assert len(receiver.at("/recorded")) == 1

    assert ask("DELETE", f"Recordings/{sid}").status_code == 204
    assert ask("DELETE", f"Recordings/{sid}").status_code == 404
    assert ask("GET", f"Calls/{talk}/Recordings").json()["recordings"] == []


def test_silent_recording_is_reported_as_absent_if_subscribed(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    start_recording(ask, receiver, talk, RecordingStatusCallbackEvent=["completed", "absent"])
    ask("POST", f"Calls/{talk}/Recordings/Twilio.CURRENT", Status="stopped")

    [callback] = receiver.at("/recorded")
    assert callback.form["RecordingStatus"] == "absent"
    assert "RecordingDuration" not in callback.form


def test_pound_sign_is_a_digit_only_with_empty_finish_on_key(
    running: Simulators, receiver: Receiver
) -> None:
    running.twilio.control("POST", ["callees"], {"number": DANA, "digits": ["#"]})
    gather = '<Gather numDigits="1" action="/key"{}><Say>Press a key.</Say></Gather>'
    url = f"{running.urls['twilio']}{PLACE}/Calls.json"
    form = {"To": DANA, "From": MAIN_NUMBER, "Url": f"{receiver.url}/ring"}
    for attribute in ("", ' finishOnKey=""'):
        receiver.answers["/ring"] = f"<Response>{gather.format(attribute)}</Response>"
        httpx2.post(url, data=form, auth=AUTH)
        running.clock.advance(60)

    [pressed] = receiver.at("/key")
    assert pressed.form["Digits"] == "#"
