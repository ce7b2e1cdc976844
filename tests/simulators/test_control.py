import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import httpx2
import pytest

from rooftree_simulators.start_simulators import Ports, Simulators

CREATE = "/encompass/v3/loans?loanFolder=Prospects&view=id"


def count_loans(running: Simulators) -> int:
    return len(running.encompass.instance.loans)


def test_status_fault_keeps_request_from_vendor(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", match={"op": "create"}, count=1, action="status:503")
    assert encompass.post(CREATE).status_code == 503
    assert count_loans(running) == 0
    assert encompass.post(CREATE).status_code == 201
    assert count_loans(running) == 1


def test_drop_after_commit_stores_loan_without_answer(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", match={"op": "create"}, nth=1, action="drop_after_commit")
    with pytest.raises(httpx2.TransportError):
        encompass.post(CREATE)
    assert count_loans(running) == 1


def test_drop_before_stores_nothing(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", match={"op": "create"}, nth=1, action="drop_before")
    with pytest.raises(httpx2.TransportError):
        encompass.post(CREATE)
    assert count_loans(running) == 0


def test_status_after_commit_stores_loan(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", match={"method": "POST"}, action="status_after_commit:500")
    assert encompass.post(CREATE).status_code == 500
    assert count_loans(running) == 1


@pytest.mark.parametrize("action", ["truncate:5", "timeout_after_commit:1"])
def test_cut_off_answer_is_transport_error(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any], action: str
) -> None:
    control("POST", "enc/faults", match={"path_regex": "v3/loans$"}, action=action)
    with pytest.raises(httpx2.TransportError):
        encompass.post(CREATE)
    assert count_loans(running) == 1


def test_maintenance_answers_html_and_malformed_json_is_unreadable(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", count=1, action="html_maintenance")
    page = encompass.get("/encompass/v3/loanFolders")
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html")
    control("POST", "enc/faults", count=1, action="malformed_json")
    with pytest.raises(json.JSONDecodeError):
        encompass.get("/encompass/v3/loanFolders").json()


def test_slow_body_arrives_complete(encompass: httpx2.Client, control: Callable[..., Any]) -> None:
    control("POST", "enc/faults", action="slow_body:5")
    answer = encompass.get("/encompass/v3/loanFolders")
    assert [row["name"] for row in answer.json()][0] == "Prospects"
    assert answer.elapsed.total_seconds() > 0.03


def test_expired_token_is_refused_until_renewal(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", count=1, action="expire_token")
    assert encompass.get("/encompass/v3/loanFolders").status_code == 401
    assert encompass.get("/encompass/v3/loanFolders").status_code == 401


def test_deleted_faults_no_longer_strike(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/faults", action="status:500")
    assert encompass.get("/encompass/v3/loanFolders").status_code == 500
    control("DELETE", "enc/faults")
    assert encompass.get("/encompass/v3/loanFolders").status_code == 200


def test_request_log_masks_secrets(encompass: httpx2.Client, control: Callable[..., Any]) -> None:
    encompass.get("/encompass/v3/loanFolders")
    rows = control("GET", "enc/requests")["requests"]
    assert [row["op"] for row in rows] == ["token", "loanFolders"]
    assert rows[0]["headers"]["Authorization"] == "Basic ***"
    assert "svc-secret" not in rows[0]["body"]
    assert "username=svc_rooftree" in rows[0]["body"]
    assert rows[1]["headers"]["Authorization"] == "Bearer ***"
    assert rows[1]["status"] == 200
    since = control("GET", f"enc/requests?since={rows[0]['number']}")["requests"]
    assert [row["op"] for row in since] == ["loanFolders"]


def test_reset_clears_loans_faults_and_requests(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    encompass.post(CREATE)
    control("POST", "enc/faults", action="status:500")
    control("POST", "reset")
    assert count_loans(running) == 0
    assert control("GET", "enc/requests") == {"requests": [], "total": 0}
    assert encompass.get("/encompass/v3/loanFolders").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/_sim/nobody/faults", {}, 404),
        ("POST", "/_sim/enc/nothing", {}, 404),
        ("GET", "/elsewhere", None, 404),
        ("POST", "/_sim/enc/faults", {"action": "explode"}, 400),
        ("POST", "/_sim/enc/faults", {"action": "status:500", "nht": 1}, 400),
        ("POST", "/_sim/enc/switches", {"dup_ratio": 1}, 400),
        ("POST", "/_sim/clock", {"advance": "soon"}, 400),
        ("POST", "/_sim/twilio/inbound", {"from": "+15125550111"}, 400),
    ],
)
def test_invalid_control_call_returns_error(
    running: Simulators, method: str, path: str, body: Any, status: int
) -> None:
    answer = httpx2.request(method, running.urls["ctl"] + path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_process_prints_ports_and_stops_on_signal() -> None:
    names = [field.name for field in fields(Ports)]
    words = [word for name in names for word in (f"--{name}", "0")]
    process = subprocess.Popen(
        [sys.executable, "-m", "rooftree_simulators", *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert set(ready["ports"]) == set(names)
    assert httpx2.get(ready["urls"]["ctl"] + "/_sim/state").status_code == 200
    process.terminate()
    assert process.wait(10) == 0
