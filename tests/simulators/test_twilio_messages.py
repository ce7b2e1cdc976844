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
from tests.simulators.receiver import Got, Receiver

BEN = "+13055550123"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"


@pytest.fixture
def twilio(running: Simulators) -> Iterator[httpx2.Client]:
    auth = (ACCOUNT_SID, AUTH_TOKEN)
    with httpx2.Client(base_url=running.urls["twilio"], auth=auth) as client:
        yield client


def text(client: httpx2.Client, **changes: str) -> httpx2.Response:
    form = {"To": BEN, "From": MAIN_NUMBER, "Body": "Hello Ben", **changes}
    return client.post(f"{MESSAGES}.json", data={name: v for name, v in form.items() if v})


def signed_by_hand(url: str, fields: dict[str, str]) -> str:
    """HMAC-SHA1 from its definition (RFC 2104), without the hmac module."""
    data = url.encode()
    for name in sorted(fields):
        data += name.encode() + fields[name].encode()
    key = AUTH_TOKEN.encode().ljust(64, b"\0")
    inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in key) + data).digest()
    outer = hashlib.sha1(bytes(byte ^ 0x5C for byte in key) + inner).digest()
    return base64.b64encode(outer).decode()


def assert_signed(got: Got, base: str) -> None:
    assert got.headers["X-Twilio-Signature"] == signed_by_hand(base + got.path, got.form)


# Signatures

VECTORS = json.loads((EXCHANGES / "twilio_signatures.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[row["case"] for row in VECTORS])
def test_captured_requests_are_signed_the_same(vector: dict[str, Any]) -> None:
    fields = parse_qsl(vector["body"], keep_blank_values=True)
    made = compute_signature(vector["auth_token"], vector["url"], fields)
    assert (made == vector["signature"]) is vector["right"]


def test_a_repeated_field_counts_once_for_each_value() -> None:
    once = compute_signature("k", "https://x.example/", [("a", "2"), ("a", "1")])
    assert once == compute_signature(
        "k", "https://x.example/", [("a", "1"), ("a", "2"), ("a", "1")]
    )
    assert once == compute_signature("k", "https://x.example/a1a2", [])
    assert once != compute_signature("k", "https://x.example/", [("a", "1")])


# Sending


def test_an_accepted_message_is_answered_201_and_queued(twilio: httpx2.Client) -> None:
    answer = text(twilio)
    made = answer.json()
    assert answer.status_code == 201
    assert (made["status"], made["direction"], made["to"]) == ("queued", "outbound-api", BEN)
    assert made["sid"].startswith("SM") and len(made["sid"]) == 34
    assert made["date_created"] == "Mon, 23 Nov 2026 17:00:00 +0000"
    assert made["date_sent"] is None and made["error_code"] is None
    assert (made["num_segments"], made["num_media"]) == ("1", "0")
    assert made["uri"] == f"{MESSAGES}/{made['sid']}.json"


def test_a_message_through_a_service_is_accepted_without_a_sender(
    running: Simulators, twilio: httpx2.Client
) -> None:
    made = text(twilio, From="", MessagingServiceSid=SERVICE_SID).json()
    assert (made["status"], made["from"]) == ("accepted", None)
    running.clock.advance(5)
    kept = twilio.get(f"{MESSAGES}/{made['sid']}.json").json()
    assert (kept["status"], kept["from"]) == ("delivered", MAIN_NUMBER)


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
def test_a_message_that_cannot_go_is_refused_with_its_code(
    running: Simulators, twilio: httpx2.Client, changes: dict[str, str], status: int, code: int
) -> None:
    answer = text(twilio, **changes)
    assert answer.status_code == status
    told = answer.json()
    assert told.keys() == {"code", "message", "more_info", "status"}
    assert (told["code"], told["status"]) == (code, status)
    assert told["more_info"].endswith(f"/errors/{code}")
    assert not running.twilio.account.messages


@pytest.mark.parametrize("auth", [("AC00", AUTH_TOKEN), (ACCOUNT_SID, "wrong"), None])
def test_a_wrong_credential_is_20003(running: Simulators, auth: tuple[str, str] | None) -> None:
    url = f"{running.urls['twilio']}{MESSAGES}.json"
    answer = httpx2.post(url, data={"To": BEN}, auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_too_many_in_one_second_are_refused_20429(
    twilio: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "twilio/switches", max_per_second=3)
    answers = [text(twilio) for _ in range(20)]
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
def test_status_callbacks_tell_the_life_of_a_message_signed(
    running: Simulators,
    twilio: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
    plan: dict[str, Any],
    statuses: list[str],
    code: str | None,
) -> None:
    control("POST", "twilio/callees", number=BEN, **plan)
    made = text(twilio, StatusCallback=f"{receiver.url}/status?lead=7&x=a%20b").json()
    running.clock.advance(60)
    assert [got.form["MessageStatus"] for got in receiver.got] == statuses
    last = receiver.got[-1].form
    assert (last["MessageSid"], last["To"], last["From"]) == (made["sid"], BEN, MAIN_NUMBER)
    assert last.get("ErrorCode") == code
    for got in receiver.got:
        assert_signed(got, receiver.url)
    kept = twilio.get(f"{MESSAGES}/{made['sid']}.json").json()
    assert kept["status"] == statuses[-1]
    assert str(kept["error_code"] or "") == (code or "")


def test_bad_habits_send_callbacks_twice_late_or_never(
    running: Simulators,
    twilio: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    control("POST", "twilio/switches", dup_rate=1.0)
    text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    assert len(receiver.got) == 6
    control("POST", "twilio/switches", dup_rate=0.0, loss_rate=1.0)
    text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    assert len(receiver.got) == 6
    control("POST", "twilio/switches", loss_rate=0.0, reorder=True)
    for _ in range(8):
        text(twilio, StatusCallback=f"{receiver.url}/s")
    running.clock.advance(60)
    by_sid: dict[str, list[str]] = {}
    for got in receiver.got[6:]:
        by_sid.setdefault(got.form["MessageSid"], []).append(got.form["MessageStatus"])
    assert all(sorted(told) == ["delivered", "queued", "sent"] for told in by_sid.values())
    assert any(told != ["queued", "sent", "delivered"] for told in by_sid.values())


def test_a_list_finds_a_message_whose_answer_was_lost(
    running: Simulators, twilio: httpx2.Client, control: Callable[..., Any]
) -> None:
    control(
        "POST", "twilio/faults", match={"op": "create Messages"}, nth=1, action="drop_after_commit"
    )
    with pytest.raises(httpx2.TransportError):
        text(twilio, Body="only once")
    text(twilio, To="+13055550177")
    found = twilio.get(f"{MESSAGES}.json", params={"To": BEN, "DateSent": "2026-11-23"}).json()
    assert [row["body"] for row in found["messages"]] == ["only once"]
    running.clock.advance(86_400)
    for name, expected in (("DateSent>", 0), ("DateSent<", 1)):
        told = twilio.get(f"{MESSAGES}.json", params={"To": BEN, name: "2026-11-24"}).json()
        assert len(told["messages"]) == expected


def test_a_list_is_paged_newest_first(running: Simulators, twilio: httpx2.Client) -> None:
    for number in range(3):
        text(twilio, Body=str(number))
        running.clock.advance(1)
    first = twilio.get(f"{MESSAGES}.json?PageSize=2").json()
    assert [row["body"] for row in first["messages"]] == ["2", "1"]
    rest = twilio.get(first["next_page_uri"]).json()
    assert [row["body"] for row in rest["messages"]] == ["0"]
    assert rest["next_page_uri"] is None


def test_an_unknown_message_is_404(twilio: httpx2.Client) -> None:
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


def test_a_text_to_us_is_posted_signed_and_our_answer_goes_back(
    running: Simulators, receiver: Receiver, inbound: Callable[[str], Any]
) -> None:
    receiver.answers["/sms"] = (
        "<Response><Message><Body>Thanks &amp; soon</Body></Message></Response>"
    )
    told = inbound("Sí, ¿mañana? 👍")
    [got] = receiver.got
    assert_signed(got, receiver.url)
    assert got.form["Body"] == "Sí, ¿mañana? 👍"
    assert (got.form["From"], got.form["To"]) == (BEN, MAIN_NUMBER)
    assert "OptOutType" not in got.form
    assert [row["body"] for row in told["replies"]] == ["Thanks & soon"]
    running.clock.advance(10)
    sent = running.twilio.account.messages[told["replies"][0]["sid"]]
    assert (sent.to, sent.direction, sent.status) == (BEN, "outbound-reply", "delivered")


def test_stop_is_obeyed_by_the_carrier_and_start_undoes_it(
    twilio: httpx2.Client, receiver: Receiver, inbound: Callable[[str], Any], running: Simulators
) -> None:
    receiver.answers["/sms"] = "<Response><Message>You are out.</Message></Response>"
    told = inbound(" stop ")
    assert receiver.got[0].form["OptOutType"] == "STOP"
    assert told["replies"] == []
    assert [row["code"] for row in running.twilio.account.warnings] == [21610]
    assert text(twilio).json()["code"] == 21610
    assert text(twilio, From="", MessagingServiceSid=SERVICE_SID).json()["code"] == 21610
    assert text(twilio, To="+13055550177").status_code == 201
    inbound("STOP")
    confirmations = [
        row.body
        for row in running.twilio.account.messages.values()
        if row.direction == "outbound-reply"
    ]
    assert len(confirmations) == 1
    inbound("Start")
    assert text(twilio).status_code == 201


def test_without_carrier_handling_a_stop_is_only_told_to_us(
    twilio: httpx2.Client,
    receiver: Receiver,
    inbound: Callable[[str], Any],
    control: Callable[..., Any],
) -> None:
    control("POST", "twilio/switches", opt_out_handling=False)
    receiver.answers["/sms"] = "<Response><Message>You are out.</Message></Response>"
    told = inbound("STOP")
    assert "OptOutType" not in receiver.got[0].form
    assert [row["body"] for row in told["replies"]] == ["You are out."]
    assert text(twilio).status_code == 201


def test_a_sentence_with_stop_in_it_is_no_keyword(
    twilio: httpx2.Client, inbound: Callable[[str], Any]
) -> None:
    inbound("please stop texting me")
    assert text(twilio).status_code == 201


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (500, "", 11200),
        (200, "<Response><Message>broken", 12100),
        (200, "<Answer/>", 12100),
        (200, "<Response><Sms>x</Sms></Response>", 12200),
    ],
)
def test_an_answer_of_ours_that_cannot_be_used_shows_in_the_debugger(
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
def test_segments_follow_the_alphabet(body: str, parts: int) -> None:
    assert count_segments(body) == parts


@pytest.mark.parametrize("number", ["+13055550123", "+442079460958"])
def test_a_number_in_e164_is_a_number(number: str) -> None:
    assert is_valid_number(number)


@pytest.mark.parametrize("number", ["3055550123", "+1305555012", "+11055550123", "+13051550123"])
def test_a_number_that_cannot_exist_is_not(number: str) -> None:
    assert not is_valid_number(number)
