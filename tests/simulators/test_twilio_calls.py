"""The simulated Twilio Voice: ringing an officer, whispering, and connecting the call."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rooftree_simulators.start_simulators import Simulators
from rooftree_simulators.twilio.twilio_account import ACCOUNT_SID, AUTH_TOKEN, MAIN_NUMBER
from tests.simulators.receiver import Receiver
from tests.simulators.test_twilio_messages import assert_signed

DANA, BEN = "+14155550111", "+13055550123"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls"
ALL = ["initiated", "ringing", "answered", "completed"]

ASK = """<Response>
  <Gather numDigits="1" timeout="6" action="/taken"><Say>New lead. Press 1.</Say></Gather>
  <Say>Goodbye.</Say>
</Response>"""
CONNECT = f"""<Response><Say>Connecting.</Say>
  <Dial timeout="20" callerId="{MAIN_NUMBER}" action="/after">
    <Number url="/whisper">{BEN}</Number>
  </Dial></Response>"""


@pytest.fixture
def call(running: Simulators, receiver: Receiver) -> Callable[..., Any]:
    def place(**changes: Any) -> Any:
        form = {
            "To": DANA,
            "From": MAIN_NUMBER,
            "Url": f"{receiver.url}/ring?offer=7",
            "StatusCallback": f"{receiver.url}/status",
            "StatusCallbackEvent": ALL,
            "Timeout": "20",
            **changes,
        }
        url = f"{running.urls['twilio']}{CALLS}.json"
        return httpx2.post(url, data=form, auth=(ACCOUNT_SID, AUTH_TOKEN))

    receiver.answers["/ring"] = ASK
    return place


def read_state(running: Simulators, sid: str) -> Any:
    return running.twilio.account.calls[sid].as_state_json(ACCOUNT_SID)


def statuses(receiver: Receiver) -> list[str]:
    return [request.form["CallStatus"] for request in receiver.at("/status")]


def test_accepted_call_is_queued(call: Callable[..., Any]) -> None:
    answer = call()
    content = answer.json()
    assert answer.status_code == 201
    assert (content["status"], content["direction"], content["to"]) == (
        "queued",
        "outbound-api",
        DANA,
    )
    assert content["sid"].startswith("CA") and content["duration"] is None


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"To": ""}, 400, 21201),
        ({"From": ""}, 400, 21213),
        ({"To": "4155550111"}, 400, 21211),
        ({"From": "+14155550199"}, 400, 21210),
        ({"Url": "/ring"}, 400, 21205),
        ({"StatusCallbackEvent": ["answered", "bored"]}, 400, 20001),
        ({"Timeout": "601"}, 400, 20001),
        ({"Speed": "1"}, 400, 20001),
    ],
)
def test_invalid_call_is_refused_with_error_code(
    running: Simulators, call: Callable[..., Any], changes: dict[str, Any], status: int, code: int
) -> None:
    answer = call(**changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not running.twilio.account.calls


def test_pressing_1_connects_officer_and_borrower(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    receiver.answers["/taken"] = CONNECT
    receiver.answers["/whisper"] = "<Response><Say>Your loan officer.</Say></Response>"
    receiver.answers["/after"] = "<Response><Hangup/></Response>"
    control("POST", "twilio/callees", number=DANA, digits=["1"], answer_after_s=3)
    control("POST", "twilio/callees", number=BEN, answer_after_s=4, talk_s=90)
    sid = call().json()["sid"]
    running.clock.advance(300)
    assert statuses(receiver) == ["initiated", "ringing", "in-progress", "completed"]
    [pressed] = receiver.at("/taken")
    assert (pressed.form["Digits"], pressed.form["CallSid"]) == ("1", sid)
    [whisper] = receiver.at("/whisper")
    assert (whisper.form["ParentCallSid"], whisper.form["To"]) == (sid, BEN)
    assert whisper.form["From"] == MAIN_NUMBER
    [after] = receiver.at("/after")
    assert after.form["DialCallStatus"] == "completed"
    assert after.form["DialBridged"] == "true"
    assert int(after.form["DialCallDuration"]) >= 90
    for request in receiver.requests:
        assert_signed(request, receiver.url)
    state = read_state(running, sid)
    assert [row["text"] for row in state["heard"]] == [
        "New lead. Press 1.",
        "Connecting.",
    ]
    assert state["pressed"] == ["1"]
    assert state["bridged_to"] == after.form["DialCallSid"]
    assert running.twilio.account.warnings == []


def test_last_status_callback_has_duration_and_sequence(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    call()
    running.clock.advance(60)
    forms = [request.form for request in receiver.at("/status")]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in forms} == {"call-progress-events"}
    assert int(forms[-1]["CallDuration"]) > 5
    assert forms[-1]["Duration"] == "1"
    assert "CallDuration" not in forms[0]


def test_pressing_nothing_ends_call_without_action(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    sid = call().json()["sid"]
    running.clock.advance(60)
    assert receiver.at("/taken") == []
    state = read_state(running, sid)
    assert [row["text"] for row in state["heard"]][-1] == "Goodbye."
    assert (state["status"], state["pressed"]) == ("completed", [])


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"voice": "no-answer"}, ["initiated", "ringing", "no-answer"]),
        ({"answer_after_s": 21}, ["initiated", "ringing", "no-answer"]),
        ({"voice": "busy"}, ["initiated", "busy"]),
        ({"voice": "failed"}, ["initiated", "failed"]),
    ],
)
def test_unanswered_call_ends_with_callee_status(
    running: Simulators,
    receiver: Receiver,
    call: Callable[..., Any],
    control: Callable[..., Any],
    plan: dict[str, Any],
    expected: list[str],
) -> None:
    control("POST", "twilio/callees", number=DANA, **plan)
    call()
    running.clock.advance(19)
    before = statuses(receiver)
    running.clock.advance(60)
    assert statuses(receiver) == expected
    assert receiver.at("/ring") == []
    if "ringing" in expected:
        assert before == ["initiated", "ringing"]


def test_only_completed_is_reported_without_events(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    call(StatusCallbackEvent=[])
    running.clock.advance(60)
    assert statuses(receiver) == ["completed"]


def test_machine_detection_reports_machine(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    control("POST", "twilio/callees", number=DANA, answered_by="machine_start")
    call(MachineDetection="Enable")
    running.clock.advance(60)
    assert receiver.at("/ring")[0].form["AnsweredBy"] == "machine_start"
    assert receiver.at("/status")[-1].form["AnsweredBy"] == "machine_start"


def test_unanswered_borrower_is_reported_to_dial_action(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    receiver.answers.update(
        {"/taken": CONNECT, "/after": "<Response><Say>No luck.</Say></Response>"}
    )
    control("POST", "twilio/callees", number=DANA, digits=["1"])
    control("POST", "twilio/callees", number=BEN, voice="no-answer")
    sid = call().json()["sid"]
    running.clock.advance(120)
    [after] = receiver.at("/after")
    assert (after.form["DialCallStatus"], after.form["DialBridged"]) == ("no-answer", "false")
    assert read_state(running, sid)["heard"][-1]["text"] == "No luck."
    assert read_state(running, sid)["bridged_to"] == ""


def test_whisper_that_hangs_up_prevents_connection(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    receiver.answers.update(
        {
            "/taken": CONNECT,
            "/whisper": '<Response><Gather numDigits="1" action="/yes"><Say>Press 1.</Say></Gather>'
            "<Hangup/></Response>",
            "/after": "<Response/>",
        }
    )
    control("POST", "twilio/callees", number=DANA, digits=["1"])
    sid = call().json()["sid"]
    running.clock.advance(120)
    assert receiver.at("/yes") == []
    assert receiver.at("/after")[0].form["DialBridged"] == "false"
    assert read_state(running, sid)["bridged_to"] == ""


def test_first_number_to_answer_is_connected(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    sam = "+17135550122"
    receiver.answers["/ring"] = (
        f'<Response><Dial action="/after"><Number>{BEN}</Number><Number>{sam}</Number></Dial>'
        "</Response>"
    )
    receiver.answers["/after"] = "<Response/>"
    control("POST", "twilio/callees", number=BEN, answer_after_s=9)
    control("POST", "twilio/callees", number=sam, answer_after_s=3)
    call()
    running.clock.advance(200)
    ended = {row.to: row.status for row in running.twilio.account.calls.values() if row.parent}
    assert ended == {BEN: "canceled", sam: "completed"}


def test_redirect_is_followed_and_pause_takes_time(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    receiver.answers["/ring"] = '<Response><Pause length="5"/><Redirect>/next</Redirect></Response>'
    receiver.answers["/next"] = "<Response><Play>https://x.example/a.mp3</Play></Response>"
    sid = call().json()["sid"]
    running.clock.advance(4)
    assert receiver.at("/next") == []
    running.clock.advance(10)
    assert [row["verb"] for row in read_state(running, sid)["heard"]] == ["Pause", "Play"]


def test_callee_can_hang_up_during_call(
    running: Simulators, receiver: Receiver, call: Callable[..., Any], control: Callable[..., Any]
) -> None:
    control("POST", "twilio/callees", number=DANA, hang_up_after_s=1, digits=["1"])
    sid = call().json()["sid"]
    running.clock.advance(60)
    assert receiver.at("/taken") == []
    assert statuses(receiver)[-1] == "completed"
    assert read_state(running, sid)["duration"] == "1"


def test_call_can_be_ended_only_once(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    sid = call().json()["sid"]
    running.clock.advance(1)
    url = f"{running.urls['twilio']}{CALLS}/{sid}.json"
    auth = (ACCOUNT_SID, AUTH_TOKEN)
    ended = httpx2.post(url, data={"Status": "canceled"}, auth=auth)
    assert (ended.status_code, ended.json()["status"]) == (200, "canceled")
    repeated = httpx2.post(url, data={"Status": "completed"}, auth=auth)
    assert (repeated.status_code, repeated.json()["code"]) == (400, 21220)
    running.clock.advance(60)
    assert statuses(receiver) == ["initiated", "ringing", "canceled"]
    assert receiver.at("/ring") == []


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ("", 500, 11200),
        ("not xml", 200, 12100),
        ("<Response><Shout>hey</Shout></Response>", 200, 12200),
        ('<Response><Pause length="long"/></Response>', 200, 12200),
        ("<Response><Dial><Number>555</Number></Dial></Response>", 200, 13224),
        (f'<Response><Dial callerId="+14155550177">{BEN}</Dial></Response>', 200, 13214),
    ],
)
def test_unusable_twiml_is_recorded_and_ends_call(
    running: Simulators,
    receiver: Receiver,
    call: Callable[..., Any],
    document: str,
    status: int,
    code: int,
) -> None:
    receiver.answers["/ring"] = document
    receiver.statuses = [200, 200, 200, status]
    sid = call().json()["sid"]
    running.clock.advance(120)
    assert code in [row["code"] for row in running.twilio.account.warnings]
    assert read_state(running, sid)["status"] == "completed"


def test_inbound_call_runs_voice_document(
    running: Simulators, receiver: Receiver, control: Callable[..., Any]
) -> None:
    receiver.answers["/voice"] = f"<Response><Dial>{DANA}</Dial></Response>"
    line = {"number": MAIN_NUMBER, "voice_url": f"{receiver.url}/voice"}
    control("POST", "twilio/seed", numbers=[line])
    sid = control("POST", "twilio/call", **{"from": BEN, "to": MAIN_NUMBER})["sid"]
    running.clock.advance(120)
    [fetched] = receiver.at("/voice")
    assert_signed(fetched, receiver.url)
    assert (fetched.form["Direction"], fetched.form["CallStatus"]) == ("inbound", "ringing")
    [child] = [row for row in running.twilio.account.calls.values() if row.parent == sid]
    assert (child.to, child.from_number, child.status) == (DANA, BEN, "completed")


def test_calls_are_filtered_by_number_and_status(
    running: Simulators, receiver: Receiver, call: Callable[..., Any]
) -> None:
    call()
    running.clock.advance(60)
    call(To=BEN)
    url = f"{running.urls['twilio']}{CALLS}.json"
    auth = (ACCOUNT_SID, AUTH_TOKEN)
    over = httpx2.get(url, params={"Status": "completed"}, auth=auth).json()["calls"]
    assert [row["to"] for row in over] == [DANA]
    to_ben = httpx2.get(url, params={"To": BEN}, auth=auth).json()["calls"]
    assert [row["status"] for row in to_ben] == ["queued"]
