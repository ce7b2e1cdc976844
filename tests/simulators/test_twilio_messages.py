"""The simulated Twilio Messaging, over HTTP on loopback."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from rooftree_simulators.start_simulators import Simulators
from rooftree_simulators.twilio.message_api import count_segments
from rooftree_simulators.twilio.twilio_account import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    MAIN_NUMBER,
    SERVICE_SID,
    is_valid_number,
)
from rooftree_simulators.twilio.webhook_signature import compute_signature
from tests.simulators.conftest import EXCHANGES
from tests.simulators.receiver import ReceivedRequest, Receiver

BEN = "+13055550123"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"


@pytest.fixture
def twilio(running: Simulators) -> Iterator[httpx2.Client]:
    auth = (ACCOUNT_SID, AUTH_TOKEN)
    with httpx2.Client(base_url=running.urls["twilio"], auth=auth) as client:
        yield client


def send_text(client: httpx2.Client, **changes: str) -> httpx2.Response:
    form = {"To": BEN, "From": MAIN_NUMBER, "Body": "Hello Ben", **changes}
    return client.post(f"{MESSAGES}.json", data={name: v for name, v in form.items() if v})


def compute_signature_by_hand(url: str, fields: dict[str, str]) -> str:
    """Compute HMAC-SHA1 from its definition (RFC 2104), without the hmac module."""
    data = url.encode()
    for name in sorted(fields):
        data += name.encode() + fields[name].encode()
    key = AUTH_TOKEN.encode().ljust(64, b"\0")
    inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in key) + data).digest()
    outer = hashlib.sha1(bytes(byte ^ 0x5C for byte in key) + inner).digest()
    return base64.b64encode(outer).decode()


def assert_signed(request: ReceivedRequest, base: str) -> None:
    assert request.headers["X-Twilio-Signature"] == compute_signature_by_hand(
        base + request.path, request.form
    )


# Signatures

VECTORS = json.loads((EXCHANGES / "twilio_signatures.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[row["case"] for row in VECTORS])
def test_signature_matches_captured_requests(vector: dict[str, Any]) -> None:
    fields = parse_qsl(vector["body"], keep_blank_values=True)
    signature = compute_signature(vector["auth_token"], vector["url"], fields)
    assert (signature == vector["signature"]) is vector["right"]


def test_signature_counts_repeated_field_once_per_value() -> None:
    once = compute_signature("k", "https://x.example/", [("a", "2"), ("a", "1")])
    assert once == compute_signature(
        "k", "https://x.example/", [("a", "1"), ("a", "2"), ("a", "1")]
    )
    assert once == compute_signature("k", "https://x.example/a1a2", [])
    assert once != compute_signature("k", "https://x.example/", [("a", "1")])


# Sending


def test_accepted_message_is_answered_201_and_queued(twilio: httpx2.Client) -> None:
    answer = send_text(twilio)
    message = answer.json()
    assert answer.status_code == 201
    assert (message["status"], message["direction"], message["to"]) == (
        "queued",
        "outbound-api",
        BEN,
    )
    assert message["sid"].startswith("SM") and len(message["sid"]) == 34
    assert message["date_created"] == "Mon, 23 Nov 2026 17:00:00 +0000"
    assert message["date_sent"] is None and message["error_code"] is None
    assert (message["num_segments"], message["num_media"]) == ("1", "0")
    assert message["uri"] == f"{MESSAGES}/{message['sid']}.json"


def test_messaging_service_message_is_accepted_without_sender(
    running: Simulators, twilio: httpx2.Client
) -> None:
    message = send_text(twilio, From="", MessagingServiceSid=SERVICE_SID).json()
    assert (message["status"], message["from"]) == ("accepted", None)
    running.clock.advance(5)
    delivered = twilio.get(f"{MESSAGES}/{message['sid']}.json").json()
    assert (delivered["status"], delivered["from"]) == ("delivered", MAIN_NUMBER)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"To": ""}, 400, 21604),
        ({"From": ""}, 400, 21603),
        ({"Body": ""}, 400, 21602),
        ({"To": "3055550123"}, 400, 21211),
        ({"To": "+10005550123"}, 400, 21211),
        ({"To": "+15005550001"}, 400, 21211),
        ({"To": "+15005550004"}, 400, 21610),
        ({"To": "+15005550009"}, 400, 21614),
        ({"From": "+13055550199"}, 400, 21606),
        ({"To": MAIN_NUMBER}, 400, 21266),
        ({"Body": "x" * 1601}, 400, 21617),
        ({"StatusCallback": "not a url"}, 400, 21609),
        ({"From": "", "MessagingServiceSid": "MG00"}, 404, 21701),
        ({"Txt": "unknown"}, 400, 20001),
    ],
)
def test_invalid_message_is_refused_with_error_code(
    running: Simulators, twilio: httpx2.Client, changes: dict[str, str], status: int, code: int
) -> None:
    answer = send_text(twilio, **changes)
    assert answer.status_code == status
    error = answer.json()
    assert error.keys() == {"code", "message", "more_info", "status"}
    assert (error["code"], error["status"]) == (code, status)
    assert error["more_info"].endswith(f"/errors/{code}")
    assert not running.twilio.account.messages


@pytest.mark.parametrize("auth", [("AC00", AUTH_TOKEN), (ACCOUNT_SID, "wrong"), None])
def test_wrong_credentials_are_refused_with_20003(
    running: Simulators, auth: tuple[str, str] | None
) -> None:
    url = f"{running.urls['twilio']}{MESSAGES}.json"
    answer = httpx2.post(url, data={"To": BEN}, auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_too_many_requests_per_second_are_refused_with_20429(
    twilio: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "twilio/switches", max_per_second=3)
    answers = [send_text(twilio) for _ in range(20)]
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 429]
    assert refused and set(refused) == {20429}


@pytest.mark.parametrize(
    ("plan", "statuses", "code"),
    [
        ({}, ["queued", "sent", "delivered"], None),
        ({"sms": "undelivered"}, ["queued", "sent", "undelivered"], "30003"),
        ({"sms": "undelivered", "error_code": 30006}, ["queued", "sent", "undelivered"], "30006"),
        ({"sms": "failed"}, ["queued", "failed"], "30008"),
        ({"sms": "stuck"}, ["queued", "sent"], None),
    ],
)
def test_signed_status_callbacks_report_message_status(
    running: Simulators,
    twilio: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
    plan: dict[str, Any],
    statuses: list[str],
    code: str | None,
) -> None:
    control("POST", "twilio/callees", number=BEN, **plan)
    message = send_text(twilio, StatusCallback=f"{receiver.url}/status?lead=7&x=a%20b").json()
    running.clock.advance(60)
    assert [request.form["MessageStatus"] for request in receiver.requests] == statuses
    last = receiver.requests[-1].form
    assert (last["MessageSid"], last["To"], last["From"]) == (message["sid"], BEN, MAIN_NUMBER)
    assert last.get("ErrorCode") == code
    for request in receiver.requests:
        assert_signed(request, receiver.url)
    delivered = twilio.get(f"{MESSAGES}/{message['sid']}.json").json()
    assert delivered["status"] == statuses[-1]
    assert str(delivered["error_code"] or "") == (code or "")


def test_callback_faults_duplicate_delay_and_lose_callbacks(
    running: Simulators,
    twilio: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    control("POST", "twilio/switches", dup_rate=1.0)
    send_text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    assert len(receiver.requests) == 6
    control("POST", "twilio/switches", dup_rate=0.0, loss_rate=1.0)
    send_text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    assert len(receiver.requests) == 6
    control("POST", "twilio/switches", loss_rate=0.0, reorder=True)
    for _ in range(8):
        send_text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    by_sid: dict[str, list[str]] = {}
    for request in receiver.requests[6:]:
        by_sid.setdefault(request.form["MessageSid"], []).append(request.form["MessageStatus"])
    assert all(sorted(order) == ["delivered", "queued", "sent"] for order in by_sid.values())
    assert any(order != ["queued", "sent", "delivered"] for order in by_sid.values())


def test_message_list_finds_message_with_lost_answer(
    running: Simulators, twilio: httpx2.Client, control: Callable[..., Any]
) -> None:
    control(
        "POST", "twilio/faults", match={"op": "create Messages"}, nth=1, action="drop_after_commit"
    )
    with pytest.raises(httpx2.TransportError):
        send_text(twilio, Body="only once")
    send_text(twilio, To="+13055550177")
    listed = twilio.get(f"{MESSAGES}.json", params={"To": BEN, "DateSent": "2026-11-23"}).json()
    assert [row["body"] for row in listed["messages"]] == ["only once"]
    running.clock.advance(86_400)
    for name, expected in (("DateSent>", 0), ("DateSent<", 1)):
        filtered = twilio.get(f"{MESSAGES}.json", params={"To": BEN, name: "2026-11-24"}).json()
        assert len(filtered["messages"]) == expected


def test_message_list_is_paged_newest_first(running: Simulators, twilio: httpx2.Client) -> None:
    for number in range(3):
        send_text(twilio, Body=str(number))
        running.clock.advance(1)
    first = twilio.get(f"{MESSAGES}.json?PageSize=2").json()
    assert [row["body"] for row in first["messages"]] == ["2", "1"]
    rest = twilio.get(first["next_page_uri"]).json()
    assert [row["body"] for row in rest["messages"]] == ["0"]
    assert rest["next_page_uri"] is None


def test_unknown_message_is_404(twilio: httpx2.Client) -> None:
    answer = twilio.get(f"{MESSAGES}/SM00.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


# Inbound


@pytest.fixture
def inbound(receiver: Receiver, control: Callable[..., Any]) -> Callable[[str], Any]:
    line = {"number": MAIN_NUMBER, "sms_url": f"{receiver.url}/sms?line=main"}
    control("POST", "twilio/seed", numbers=[line])

    def say(body: str) -> Any:
        return control("POST", "twilio/inbound", **{"from": BEN, "to": MAIN_NUMBER, "body": body})

    return say


def test_inbound_text_is_posted_signed_and_twiml_reply_is_sent(
    running: Simulators, receiver: Receiver, inbound: Callable[[str], Any]
) -> None:
    receiver.answers["/sms"] = (
        "<Response><Message><Body>Thanks &amp; soon</Body></Message></Response>"
    )
    result = inbound("Sí, ¿mañana? 👍")
    [request] = receiver.requests
    assert_signed(request, receiver.url)
    assert request.form["Body"] == "Sí, ¿mañana? 👍"
    assert (request.form["From"], request.form["To"]) == (BEN, MAIN_NUMBER)
    assert "OptOutType" not in request.form
    assert [row["body"] for row in result["replies"]] == ["Thanks & soon"]
    running.clock.advance(10)
    sent = running.twilio.account.messages[result["replies"][0]["sid"]]
    assert (sent.to, sent.direction, sent.status) == (BEN, "outbound-reply", "delivered")


def test_carrier_blocks_texts_after_stop_until_start(
    twilio: httpx2.Client, receiver: Receiver, inbound: Callable[[str], Any], running: Simulators
) -> None:
    receiver.answers["/sms"] = "<Response><Message>You are out.</Message></Response>"
    result = inbound(" stop ")
    assert receiver.requests[0].form["OptOutType"] == "STOP"
    assert result["replies"] == []
    assert [row["code"] for row in running.twilio.account.warnings] == [21610]
    assert send_text(twilio).json()["code"] == 21610
    assert send_text(twilio, From="", MessagingServiceSid=SERVICE_SID).json()["code"] == 21610
    assert send_text(twilio, To="+13055550177").status_code == 201
    inbound("STOP")
    confirmations = [
        row.body
        for row in running.twilio.account.messages.values()
        if row.direction == "outbound-reply"
    ]
    assert len(confirmations) == 1
    inbound("Start")
    assert send_text(twilio).status_code == 201


def test_stop_is_only_forwarded_without_carrier_handling(
    twilio: httpx2.Client,
    receiver: Receiver,
    inbound: Callable[[str], Any],
    control: Callable[..., Any],
) -> None:
    control("POST", "twilio/switches", opt_out_handling=False)
    receiver.answers["/sms"] = "<Response><Message>You are out.</Message></Response>"
    result = inbound("STOP")
    assert "OptOutType" not in receiver.requests[0].form
    assert [row["body"] for row in result["replies"]] == ["You are out."]
    assert send_text(twilio).status_code == 201


def test_sentence_containing_stop_is_no_keyword(
    twilio: httpx2.Client, inbound: Callable[[str], Any]
) -> None:
    inbound("please stop texting me")
    assert send_text(twilio).status_code == 201


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (500, "", 11200),
        (200, "<Response><Message>broken", 12100),
        (200, "<Answer/>", 12100),
        (200, "<Response><Sms>x</Sms></Response>", 12200),
    ],
)
def test_unusable_message_answer_is_recorded_in_debugger(
    running: Simulators,
    receiver: Receiver,
    inbound: Callable[[str], Any],
    status: int,
    document: str,
    code: int,
) -> None:
    receiver.statuses, receiver.answers["/sms"] = [status], document
    assert inbound("hello")["replies"] == []
    assert [row["code"] for row in running.twilio.account.warnings] == [code]


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("ñ" * 160, 1),  # in the plain alphabet
        ("á" * 70, 1),  # not in it
        ("á" * 71, 2),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments_depend_on_alphabet(body: str, parts: int) -> None:
    assert count_segments(body) == parts


@pytest.mark.parametrize("number", ["+13055550123", "+442079460958"])
def test_e164_number_is_valid(number: str) -> None:
    assert is_valid_number(number)


@pytest.mark.parametrize("number", ["3055550123", "+1305555012", "+11055550123", "+13051550123"])
def test_impossible_number_is_invalid(number: str) -> None:
    assert not is_valid_number(number)
