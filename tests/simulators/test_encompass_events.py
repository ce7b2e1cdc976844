"""Webhooks and the moves that staff make in the simulated Encompass."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rooftree_simulators.encompass.loan_moves import SCENARIOS
from rooftree_simulators.encompass.webhooks import compute_signature
from rooftree_simulators.start_simulators import Simulators
from tests.simulators.conftest import EXCHANGES, sign_in
from tests.simulators.receiver import Receiver
from tests.simulators.test_encompass_calls import fields, opened

KEY = "a-signing-key-of-forty-characters-length"
HOOKS = "/webhook/v1/subscriptions"
MILESTONES_TOLD = {
    "Processing",
    "Submittal",
    "Cond. Approval",
    "Resubmittal",
    "Approval",
    "Doc Preparation",
    "Docs Signing",
    "Funding",
}


def subscribed(
    client: httpx2.Client, receiver: Receiver, *events: str, backoff: str = "linear", **more: Any
) -> str:
    answer = client.post(
        HOOKS,
        json={
            "resource": "Loan",
            "events": list(events),
            "endpoint": f"{receiver.url}/los/encompass",
            "signingkey": KEY,
            "deliveryPolicy": {"backoff": backoff},
            **more,
        },
    )
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"].removeprefix(f"{HOOKS}/"))


def test_the_vector_of_the_documents_is_signed_the_same() -> None:
    vector = json.loads((EXCHANGES / "encompass_webhook_vector.json").read_text())
    body = vector["raw_body"].encode()
    assert compute_signature(vector["signingkey"], body) == vector["headers"]["Elli-Signature"]
    assert (
        compute_signature(vector["signingkey"], body + b" ") != vector["headers"]["Elli-Signature"]
    )


def test_a_subscription_never_shows_its_key(encompass: httpx2.Client, receiver: Receiver) -> None:
    made = subscribed(encompass, receiver, "milestone")
    shown = encompass.get(f"{HOOKS}/{made}").json()
    assert shown["events"] == ["milestone"]
    assert KEY not in json.dumps(shown)
    assert encompass.delete(f"{HOOKS}/{made}").status_code == 204
    assert encompass.get(f"{HOOKS}/{made}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"signingkey": "short"}, 400),
        ({"endpoint": "http://leads.example/in"}, 400),
        ({"events": ["funded"]}, 400),
        ({"filters": {"attributes": ["/leadSource"] * 51}}, 400),
        ({"deliveryPolicy": {"backoff": "never"}}, 400),
        ({"name": "ours"}, 400),
        ({}, 409),
    ],
)
def test_a_subscription_the_vendor_would_refuse_is_refused(
    encompass: httpx2.Client, receiver: Receiver, changes: dict[str, Any], status: int
) -> None:
    subscribed(encompass, receiver, "milestone")
    body = {
        "resource": "Loan",
        "events": ["milestone"],
        "endpoint": f"{receiver.url}/los/encompass",
        "signingkey": KEY,
        **changes,
    }
    assert encompass.post(HOOKS, json=body).status_code == status


def test_there_are_at_most_25_subscriptions(encompass: httpx2.Client) -> None:
    body = {"resource": "Loan", "events": ["update"], "signingkey": KEY}
    statuses = [
        encompass.post(HOOKS, json={**body, "endpoint": f"https://x.example/{n}"}).status_code
        for n in range(26)
    ]
    assert statuses == [201] * 25 + [400]


def test_pointers_that_lead_nowhere_are_dropped_without_a_word(
    encompass: httpx2.Client, receiver: Receiver
) -> None:
    pointers = ["/hmda/actionTaken", "/nothing/here", "property"]
    made = subscribed(encompass, receiver, "change", filters={"attributes": pointers})
    shown = encompass.get(f"{HOOKS}/{made}").json()
    assert shown["filters"]["attributes"] == ["/hmda/actionTaken"]


def test_a_finished_milestone_arrives_signed_in_the_documented_envelope(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    made = subscribed(encompass, receiver, "milestone")
    guid = opened(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Cond. Approval", date="2026-11-20")
    running.clock.advance(0)
    [got] = receiver.got
    digest = hmac.digest(KEY.encode(), got.body, "sha256")
    assert got.headers["Elli-Signature"] == base64.b64encode(digest).decode()
    assert got.headers["Elli-Environment"] == "prod"
    assert got.headers["Elli-SubscriptionId"] == made
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    event = json.loads(got.body)
    vector = json.loads((EXCHANGES / "encompass_webhook_vector.json").read_text())
    like = json.loads(vector["raw_body"])
    assert event.keys() == like.keys()
    assert event["meta"].keys() == like["meta"].keys()
    assert event["meta"]["resourceRef"] == f"/encompass/v3/loans/{guid}"
    assert [one["title"] for one in event["meta"]["payload"]["finishMilestones"]] == [
        "Cond. Approval"
    ]
    assert got.body == json.dumps(event, separators=(",", ":")).encode()
    assert fields(encompass, guid, "2301") == {"2301": "11/20/2026"}


def test_what_is_done_at_a_desk_raises_nothing_unless_switched_on(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribed(encompass, receiver, "milestone", "update")
    guid = opened(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Clear to Close", by="desktop")
    running.clock.advance(0)
    assert receiver.got == []
    assert fields(encompass, guid, "2305") == {"2305": "11/23/2026"}
    control("POST", "enc/switches", desktop_silent=False)
    control("POST", f"enc/loans/{guid}/status", status="Docs Signing", by="desktop")
    running.clock.advance(0)
    assert len(receiver.got) == 2


def test_our_own_writes_echo_back_unless_switched_off(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribed(encompass, receiver, "create", "update")
    guid = opened(encompass)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "zillow"})
    running.clock.advance(0)
    assert [json.loads(got.body)["eventType"] for got in receiver.got] == ["create", "update"]
    control("POST", "enc/switches", self_events=False)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "other"})
    running.clock.advance(0)
    assert len(receiver.got) == 2


def test_a_change_filter_lets_only_its_attributes_through(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    wanted = {"attributes": ["/applications/*/borrower/emailAddressText"]}
    subscribed(encompass, receiver, "change", filters=wanted)
    guid = opened(encompass)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "zillow"})
    running.clock.advance(0)
    assert receiver.got == []
    row = [{"fieldId": "1240", "value": "new@example.com"}]
    encompass.post(f"/encompass/v3/loans/{guid}/fieldWriter", json=row)
    running.clock.advance(0)
    assert len(receiver.got) == 1


def test_a_server_error_is_retried_thrice_twenty_seconds_apart_and_then_dropped(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    subscribed(encompass, receiver, "create")
    receiver.statuses = [503] * 9
    opened(encompass)
    counts = []
    for wait in (0, 19, 1, 20, 20, 3600):
        running.clock.advance(wait)
        counts.append(len(receiver.got))
    assert counts == [1, 1, 2, 3, 4, 4]
    assert len({got.body for got in receiver.got}) == 1
    history = running.encompass.office.webhooks.history
    assert history[-1]["event"] == "DeliveryFailedExhaustedRetries"


def test_the_exponential_ladder_makes_fifteen_tries_in_eight_hours(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    subscribed(encompass, receiver, "create", backoff="exponential")
    receiver.statuses = [500] * 30
    opened(encompass)
    counts = []
    for wait in (0, 30, 60, 120, 8 * 3600 - 211, 1, 24 * 3600):
        running.clock.advance(wait)
        counts.append(len(receiver.got))
    assert counts == [1, 2, 3, 4, 14, 15, 15]


@pytest.mark.parametrize("status", [200, 204, 401, 404, 499])
def test_anything_from_200_to_499_counts_as_delivered(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver, status: int
) -> None:
    subscribed(encompass, receiver, "create")
    receiver.statuses = [status]
    opened(encompass)
    running.clock.advance(600)
    assert len(receiver.got) == 1
    kinds = [row["event"] for row in encompass.get("/webhook/v1/events").json()]
    assert kinds == [
        "EventReceived",
        "SubscriptionMatch",
        "DeliveryAttempted",
        "NotificationDelivered",
    ]


def test_bad_habits_duplicate_lose_and_delay(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribed(encompass, receiver, "create")
    control("POST", "enc/switches", dup_rate=1.0)
    opened(encompass)
    running.clock.advance(0)
    assert len(receiver.got) == 2
    assert len({json.loads(got.body)["eventId"] for got in receiver.got}) == 1
    control("POST", "enc/switches", dup_rate=0.0, loss_rate=1.0)
    opened(encompass)
    running.clock.advance(600)
    assert len(receiver.got) == 2
    control("POST", "enc/switches", loss_rate=0.0, reorder=True)
    for _ in range(5):
        opened(encompass)
    running.clock.advance(90)
    ids = [json.loads(got.body)["meta"]["resourceId"] for got in receiver.got[2:]]
    assert len(ids) == 5
    assert ids != list(running.encompass.office.loans)[-5:]


def test_the_happy_path_ends_funded_with_amount_dates_and_revenue(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
    sample_loan: dict[str, Any],
) -> None:
    subscribed(encompass, receiver, "milestone", "move")
    guid = opened(encompass, sample_loan)
    control("POST", "enc/scenario", loan_id=guid, path="happy", days=35)
    control("POST", "clock", advance="P45D")
    read = fields(
        signed_in_again(encompass), guid, "2", "1393", "CX.ROOFTREEREVENUE", "1997", "2305"
    )
    assert read["2"] == "400000.00"
    assert read["1393"] == "Loan Originated"
    assert read["CX.ROOFTREEREVENUE"] == "11000.00"
    assert read["2305"] and read["1997"]
    titles = [
        json.loads(got.body)["meta"]["payload"]["finishMilestones"][0]["title"]
        for got in receiver.got
        if json.loads(got.body)["eventType"] == "milestone"
    ]
    assert titles == [name for _, name in SCENARIOS["happy"] if name in MILESTONES_TOLD]


def signed_in_again(client: httpx2.Client) -> httpx2.Client:
    """The old token died with the days; take a new one."""
    client.headers["Authorization"] = f"Bearer {sign_in(client).json()['access_token']}"
    return client


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("denied", {"1393": "Application denied", "2305": ""}),
        ("withdrawn", {"1393": "Application withdrawn", "1997": ""}),
        ("suspend_resume", {"2303": "", "1393": "Loan Originated"}),
        ("ctc_rollback", {"2303": "", "1393": "Loan Originated"}),
        ("preapproval_only", {"Log.MS.LastCompleted": "Qualification", "1393": ""}),
    ],
)
def test_every_scenario_ends_where_its_name_says(
    running: Simulators,
    encompass: httpx2.Client,
    control: Callable[..., Any],
    path: str,
    expected: dict[str, str],
) -> None:
    guid = opened(encompass)
    control("POST", "enc/scenario", loan_id=guid, path=path, days=10)
    control("POST", "clock", advance="P15D")
    assert fields(signed_in_again(encompass), guid, *expected) == expected


def test_a_moved_file_carries_a_fake_number_that_was_never_issued(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    guid = opened(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Processing")
    borrower = encompass.get(f"/encompass/v3/loans/{guid}").json()["applications"][0]["borrower"]
    assert borrower["taxIdentificationIdentifier"].startswith("900-")
    assert len(borrower["taxIdentificationIdentifier"]) == 11
    assert borrower["birthDate"]
    assert control("GET", "enc/state")["violations"] == []
