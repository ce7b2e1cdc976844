"""The simulated Recordings resource: of a call that is under way, with signed callbacks."""

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
    """A call that has been under way for five seconds of a minute."""
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


def begin(
    ask: Callable[..., httpx2.Response], receiver: Receiver, call: str, **more: Any
) -> httpx2.Response:
    told = {"RecordingStatusCallback": f"{receiver.url}/recorded", **more}
    return ask("POST", f"Calls/{call}/Recordings", **told)


def test_it_is_told_signed_when_the_call_is_over(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    made = begin(ask, receiver, talk, RecordingChannels="dual")
    assert (made.status_code, made.json()["status"], made.json()["channels"]) == (
        201, "in-progress", 2,
    )  # fmt: skip
    assert receiver.at("/recorded") == []
    running.clock.advance(100)

    [told] = receiver.at("/recorded")
    assert_signed(told, receiver.url)
    assert told.form["RecordingSid"] == made.json()["sid"]
    assert (told.form["CallSid"], told.form["RecordingStatus"]) == (talk, "completed")
    assert int(told.form["RecordingDuration"]) > 50
    [listed] = ask("GET", f"Calls/{talk}/Recordings").json()["recordings"]
    assert (listed["status"], listed["duration"]) == ("completed", told.form["RecordingDuration"])


def test_a_call_that_is_not_under_way_is_not_recorded(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    running.clock.advance(100)
    refused = begin(ask, receiver, talk)
    assert (refused.status_code, refused.json()["code"]) == (400, 21220)
    assert begin(ask, receiver, "CA" + "0" * 32).status_code == 404
    assert begin(ask, receiver, talk, RecordingChannels="seven").status_code == 400


def test_the_one_that_runs_is_stopped_by_its_alias_and_then_deleted(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    sid = begin(ask, receiver, talk).json()["sid"]
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


def test_one_without_a_sound_is_told_as_absent_where_that_was_asked(
    running: Simulators, receiver: Receiver, talk: str, ask: Callable[..., httpx2.Response]
) -> None:
    begin(ask, receiver, talk, RecordingStatusCallbackEvent=["completed", "absent"])
    ask("POST", f"Calls/{talk}/Recordings/Twilio.CURRENT", Status="stopped")

    [told] = receiver.at("/recorded")
    assert told.form["RecordingStatus"] == "absent"
    assert "RecordingDuration" not in told.form


def test_the_number_sign_is_a_key_only_where_nothing_ends_the_keys(
    running: Simulators, receiver: Receiver
) -> None:
    running.twilio.control("POST", ["callees"], {"number": DANA, "digits": ["#"]})
    gather = '<Gather numDigits="1" action="/key"{}><Say>Press a key.</Say></Gather>'
    url = f"{running.urls['twilio']}{PLACE}/Calls.json"
    form = {"To": DANA, "From": MAIN_NUMBER, "Url": f"{receiver.url}/ring"}
    for more in ("", ' finishOnKey=""'):
        receiver.answers["/ring"] = f"<Response>{gather.format(more)}</Response>"
        httpx2.post(url, data=form, auth=AUTH)
        running.clock.advance(60)

    [pressed] = receiver.at("/key")
    assert pressed.form["Digits"] == "#"
