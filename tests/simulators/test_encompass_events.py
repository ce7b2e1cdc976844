"""Webhooks and staff moves in the simulated Encompass."""

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
from tests.simulators.test_encompass_calls import open_loan, read_fields

KEY = "a-signing-key-of-forty-characters-length"
HOOKS = "/webhook/v1/subscriptions"
REPORTED_MILESTONES = {
    "Processing",
    "Submittal",
    "Cond. Approval",
    "Resubmittal",
    "Approval",
    "Doc Preparation",
    "Docs Signing",
    "Funding",
}


def subscribe(
    client: httpx2.Client, receiver: Receiver, *events: str, backoff: str = "linear", **options: Any
) -> str:
    answer = client.post(
        HOOKS,
        json={
            "resource": "Loan",
            "events": list(events),
            "endpoint": f"{receiver.url}/los/encompass",
            "signingkey": KEY,
            "deliveryPolicy": {"backoff": backoff},
            **options,
        },
    )
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"].removeprefix(f"{HOOKS}/"))


def test_webhook_signature_matches_documented_vector() -> None:
    vector = json.loads((EXCHANGES / "encompass_webhook_vector.json").read_text())
    body = vector["raw_body"].encode()
    assert compute_signature(vector["signingkey"], body) == vector["headers"]["Elli-Signature"]
    assert (
        compute_signature(vector["signingkey"], body + b" ") != vector["headers"]["Elli-Signature"]
    )


def test_subscription_never_shows_signing_key(encompass: httpx2.Client, receiver: Receiver) -> None:
    subscription_id = subscribe(encompass, receiver, "milestone")
    shown = encompass.get(f"{HOOKS}/{subscription_id}").json()
    assert shown["events"] == ["milestone"]
    assert KEY not in json.dumps(shown)
    assert encompass.delete(f"{HOOKS}/{subscription_id}").status_code == 204
    assert encompass.get(f"{HOOKS}/{subscription_id}").status_code == 404


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
def test_invalid_subscription_is_refused(
    encompass: httpx2.Client, receiver: Receiver, changes: dict[str, Any], status: int
) -> None:
    subscribe(encompass, receiver, "milestone")
    body = {
        "resource": "Loan",
        "events": ["milestone"],
        "endpoint": f"{receiver.url}/los/encompass",
        "signingkey": KEY,
        **changes,
    }
    assert encompass.post(HOOKS, json=body).status_code == status


def test_at_most_25_subscriptions_are_allowed(encompass: httpx2.Client) -> None:
    body = {"resource": "Loan", "events": ["update"], "signingkey": KEY}
    statuses = [
        encompass.post(HOOKS, json={**body, "endpoint": f"https://x.example/{n}"}).status_code
        for n in range(26)
    ]
    assert statuses == [201] * 25 + [400]


def test_unknown_filter_attributes_are_dropped_silently(
    encompass: httpx2.Client, receiver: Receiver
) -> None:
    pointers = ["/hmda/actionTaken", "/nothing/here", "property"]
    subscription_id = subscribe(encompass, receiver, "change", filters={"attributes": pointers})
    shown = encompass.get(f"{HOOKS}/{subscription_id}").json()
    assert shown["filters"]["attributes"] == ["/hmda/actionTaken"]


def test_finished_milestone_arrives_signed_in_documented_envelope(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscription_id = subscribe(encompass, receiver, "milestone")
    guid = open_loan(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Cond. Approval", date="2026-11-20")
    running.clock.advance(0)
    [request] = receiver.requests
    digest = hmac.digest(KEY.encode(), request.body, "sha256")
    assert request.headers["Elli-Signature"] == base64.b64encode(digest).decode()
    assert request.headers["Elli-Environment"] == "prod"
    assert request.headers["Elli-SubscriptionId"] == subscription_id
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    event = json.loads(request.body)
    vector = json.loads((EXCHANGES / "encompass_webhook_vector.json").read_text())
    documented = json.loads(vector["raw_body"])
    assert event.keys() == documented.keys()
    assert event["meta"].keys() == documented["meta"].keys()
    assert event["meta"]["resourceRef"] == f"/encompass/v3/loans/{guid}"
    assert [step["title"] for step in event["meta"]["payload"]["finishMilestones"]] == [
        "Cond. Approval"
    ]
    assert request.body == json.dumps(event, separators=(",", ":")).encode()
    assert read_fields(encompass, guid, "2301") == {"2301": "11/20/2026"}


def test_desktop_moves_raise_no_events_unless_switched_on(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribe(encompass, receiver, "milestone", "update")
    guid = open_loan(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Clear to Close", by="desktop")
    running.clock.advance(0)
    assert receiver.requests == []
    assert read_fields(encompass, guid, "2305") == {"2305": "11/23/2026"}
    control("POST", "enc/switches", desktop_silent=False)
    control("POST", f"enc/loans/{guid}/status", status="Docs Signing", by="desktop")
    running.clock.advance(0)
    assert len(receiver.requests) == 2


def test_own_writes_raise_events_unless_switched_off(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribe(encompass, receiver, "create", "update")
    guid = open_loan(encompass)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "zillow"})
    running.clock.advance(0)
    assert [json.loads(request.body)["eventType"] for request in receiver.requests] == [
        "create",
        "update",
    ]
    control("POST", "enc/switches", self_events=False)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "other"})
    running.clock.advance(0)
    assert len(receiver.requests) == 2


def test_change_filter_passes_only_its_attributes(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    attribute_filter = {"attributes": ["/applications/*/borrower/emailAddressText"]}
    subscribe(encompass, receiver, "change", filters=attribute_filter)
    guid = open_loan(encompass)
    encompass.patch(f"/encompass/v3/loans/{guid}", json={"leadSource": "zillow"})
    running.clock.advance(0)
    assert receiver.requests == []
    row = [{"fieldId": "1240", "value": "new@example.com"}]
    encompass.post(f"/encompass/v3/loans/{guid}/fieldWriter", json=row)
    running.clock.advance(0)
    assert len(receiver.requests) == 1


def test_linear_backoff_retries_three_times_every_20_seconds(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    subscribe(encompass, receiver, "create")
    receiver.statuses = [503] * 9
    open_loan(encompass)
    counts = []
    for wait in (0, 19, 1, 20, 20, 3600):
        running.clock.advance(wait)
        counts.append(len(receiver.requests))
    assert counts == [1, 1, 2, 3, 4, 4]
    assert len({request.body for request in receiver.requests}) == 1
    history = running.encompass.instance.webhooks.history
    assert history[-1]["event"] == "DeliveryFailedExhaustedRetries"


def test_exponential_backoff_makes_15_attempts_in_8_hours(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver
) -> None:
    subscribe(encompass, receiver, "create", backoff="exponential")
    receiver.statuses = [500] * 30
    open_loan(encompass)
    counts = []
    for wait in (0, 30, 60, 120, 8 * 3600 - 211, 1, 24 * 3600):
        running.clock.advance(wait)
        counts.append(len(receiver.requests))
    assert counts == [1, 2, 3, 4, 14, 15, 15]


@pytest.mark.parametrize("status", [200, 204, 401, 404, 499])
def test_status_200_to_499_counts_as_delivered(
    running: Simulators, encompass: httpx2.Client, receiver: Receiver, status: int
) -> None:
    subscribe(encompass, receiver, "create")
    receiver.statuses = [status]
    open_loan(encompass)
    running.clock.advance(600)
    assert len(receiver.requests) == 1
    kinds = [row["event"] for row in encompass.get("/webhook/v1/events").json()]
    assert kinds == [
        "EventReceived",
        "SubscriptionMatch",
        "DeliveryAttempted",
        "NotificationDelivered",
    ]


def test_webhook_faults_duplicate_lose_and_delay_events(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
) -> None:
    subscribe(encompass, receiver, "create")
    control("POST", "enc/switches", dup_rate=1.0)
    open_loan(encompass)
    running.clock.advance(0)
    assert len(receiver.requests) == 2
    assert len({json.loads(request.body)["eventId"] for request in receiver.requests}) == 1
    control("POST", "enc/switches", dup_rate=0.0, loss_rate=1.0)
    open_loan(encompass)
    running.clock.advance(600)
    assert len(receiver.requests) == 2
    control("POST", "enc/switches", loss_rate=0.0, reorder=True)
    for _ in range(5):
        open_loan(encompass)
    running.clock.advance(90)
    ids = [json.loads(request.body)["meta"]["resourceId"] for request in receiver.requests[2:]]
    assert len(ids) == 5
    assert ids != list(running.encompass.instance.loans)[-5:]


def test_happy_scenario_ends_funded_with_amount_dates_and_revenue(
    running: Simulators,
    encompass: httpx2.Client,
    receiver: Receiver,
    control: Callable[..., Any],
    sample_loan: dict[str, Any],
) -> None:
    subscribe(encompass, receiver, "milestone", "move")
    guid = open_loan(encompass, sample_loan)
    control("POST", "enc/scenario", loan_id=guid, path="happy", days=35)
    control("POST", "clock", advance="P45D")
    read = read_fields(
        renew_token(encompass), guid, "2", "1393", "CX.ROOFTREEREVENUE", "1997", "2305"
    )
    assert read["2"] == "400000.00"
    assert read["1393"] == "Loan Originated"
    assert read["CX.ROOFTREEREVENUE"] == "11000.00"
    assert read["2305"] and read["1997"]
    titles = [
        json.loads(request.body)["meta"]["payload"]["finishMilestones"][0]["title"]
        for request in receiver.requests
        if json.loads(request.body)["eventType"] == "milestone"
    ]
    assert titles == [name for _, name in SCENARIOS["happy"] if name in REPORTED_MILESTONES]


def renew_token(client: httpx2.Client) -> httpx2.Client:
    """Sign in again, because the old token has expired."""
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
def test_scenario_ends_with_expected_fields(
    running: Simulators,
    encompass: httpx2.Client,
    control: Callable[..., Any],
    path: str,
    expected: dict[str, str],
) -> None:
    guid = open_loan(encompass)
    control("POST", "enc/scenario", loan_id=guid, path=path, days=10)
    control("POST", "clock", advance="P15D")
    assert read_fields(renew_token(encompass), guid, *expected) == expected


def test_moved_file_has_invented_social_security_number(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    guid = open_loan(encompass)
    control("POST", f"enc/loans/{guid}/status", status="Processing")
    borrower = encompass.get(f"/encompass/v3/loans/{guid}").json()["applications"][0]["borrower"]
    assert borrower["taxIdentificationIdentifier"].startswith("900-")
    assert len(borrower["taxIdentificationIdentifier"]) == 11
    assert borrower["birthDate"]
    assert control("GET", "enc/state")["violations"] == []
