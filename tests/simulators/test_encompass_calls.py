"""The REST API of the simulated Encompass, against its public documents."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from rooftree_simulators.encompass.loan_files import MILESTONES
from rooftree_simulators.start_simulators import Simulators
from tests.simulators.conftest import sign_in

LOANS = "/encompass/v3/loans"


def open_loan(client: httpx2.Client, document: Any = None) -> str:
    answer = client.post(f"{LOANS}?loanFolder=Prospects&view=id", json=document or {})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def read_fields(client: httpx2.Client, guid: str, *names: str) -> dict[str, str]:
    answer = client.post(f"{LOANS}/{guid}/fieldReader", json=list(names))
    assert answer.status_code == 200, answer.text
    return {row["fieldId"]: row["value"] for row in answer.json()}


# Sign-in


def test_token_has_43_characters_and_no_stated_lifetime(running: Simulators) -> None:
    with httpx2.Client(base_url=running.urls["enc"]) as client:
        answer = sign_in(client)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type"}
    assert len(answer.json()["access_token"]) == 43


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"password": "wrong"}, 400, "invalid_grant"),
        ({"username": "svc_rooftree@encompass:BE00000009"}, 400, "invalid_grant"),
        ({"username": "svc_rooftree"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials"}, 400, "unauthorized_client"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_sign_in_is_refused(
    running: Simulators, changes: dict[str, str], status: int, error: str
) -> None:
    with httpx2.Client(base_url=running.urls["enc"]) as client:
        answer = sign_in(client, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_wrong_client_is_refused_with_401(running: Simulators) -> None:
    answer = httpx2.post(
        running.urls["enc"] + "/oauth2/v1/token",
        data={"grant_type": "password"},
        auth=("enc-client", "old-secret"),
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_token_expires_after_15_idle_minutes(running: Simulators, encompass: httpx2.Client) -> None:
    running.clock.advance(14 * 60)
    assert encompass.get("/encompass/v3/loanFolders").status_code == 200
    running.clock.advance(16 * 60)
    answer = encompass.get("/encompass/v3/loanFolders")
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "EBS-401")


def test_token_in_use_expires_after_two_hours(
    running: Simulators, encompass: httpx2.Client
) -> None:
    statuses = []
    for _ in range(13):
        running.clock.advance(600)
        statuses.append(encompass.get("/encompass/v3/loanFolders").status_code)
    assert statuses == [200] * 12 + [401]


def test_revoked_token_is_inactive(encompass: httpx2.Client) -> None:
    token = encompass.headers["Authorization"].removeprefix("Bearer ")
    request = {"auth": ("enc-client", "enc-secret"), "data": {"token": token}}
    assert encompass.post("/oauth2/v1/token/introspection", **request).json()["active"] is True
    assert encompass.post("/oauth2/v1/token/revocation", **request).status_code == 200
    assert encompass.post("/oauth2/v1/token/introspection", **request).json()["active"] is False


# Create


def test_sample_loan_is_created_and_read_back(
    encompass: httpx2.Client, sample_loan: dict[str, Any]
) -> None:
    answer = encompass.post(
        LOANS,
        params={
            "loanFolder": "Prospects",
            "view": "id",
            "templateType": "TemplateSet",
            "templatePath": "Public:\\Companywide\\Lead",
            "loId": "lofficer",
        },
        json=sample_loan,
    )
    assert answer.status_code == 201
    guid = answer.json()["id"]
    assert answer.headers["Location"] == f"{LOANS}/{guid}"
    loan = encompass.get(f"{LOANS}/{guid}").json()
    assert loan["loanNumber"] == "TEST-2611-00001"
    assert loan["property"] == sample_loan["property"]
    assert loan["customFields"][0]["stringValue"] == sample_loan["leadSourceID"]
    assert loan["applications"][0]["borrower"] == sample_loan["applications"][0]["borrower"]
    read = read_fields(
        encompass, guid, "4000", "1109", "1172", "19", "4495", "CX.ROOFTREELEADID", "16"
    )
    assert read == {
        "4000": "Maria",
        "1109": "400000.00",
        "1172": "Conventional",
        "19": "Purchase",
        "4495": sample_loan["leadSourceID"],
        "CX.ROOFTREELEADID": sample_loan["leadSourceID"],
        "16": "1",
    }


def test_create_without_view_answers_204_with_location(encompass: httpx2.Client) -> None:
    answer = encompass.post(f"{LOANS}?loanFolder=Prospects")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Location"].startswith(f"{LOANS}/")


def test_same_body_twice_creates_two_loans(
    running: Simulators, encompass: httpx2.Client, sample_loan: dict[str, Any]
) -> None:
    assert open_loan(encompass, sample_loan) != open_loan(encompass, sample_loan)
    assert len(running.encompass.instance.loans) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("loanFolder=Nowhere", 404),
        ("loanFolder=Prospects&templateType=Nothing", 400),
        ("loanFolder=Prospects&loId=nobody", 400),
        ("loanFolder=Prospects&loanOfficer=lofficer", 400),
    ],
)
def test_create_with_invalid_query_is_refused(
    running: Simulators, encompass: httpx2.Client, query: str, status: int
) -> None:
    assert encompass.post(f"{LOANS}?{query}").status_code == status
    assert not running.encompass.instance.loans


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"loanAmount": 400000}, "loanAmount"),
        ({"mortgageType": "Jumbo"}, "mortgageType"),
        ({"property": {"loanPurposeType": "Refinance"}}, "property.loanPurposeType"),
        ({"property": {"zip": "78701"}}, "property.zip"),
        ({"borrowerRequestedLoanAmount": "400000"}, "borrowerRequestedLoanAmount"),
        ({"applications": {"borrower": {}}}, "applications"),
        ({"customFields": [{"fieldName": "CX.OTHER", "stringValue": "x"}]}, "customFields"),
        ({"loanNumber": "1"}, "loanNumber"),
    ],
)
def test_create_with_invalid_body_is_refused_with_path(
    encompass: httpx2.Client, change: dict[str, Any], key: str
) -> None:
    answer = encompass.post(f"{LOANS}?loanFolder=Prospects", json=change)
    assert answer.status_code == 400
    assert [row["key"] for row in answer.json()["errors"]] == [key]


def test_social_security_number_in_request_is_recorded_as_violation(
    encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    assert control("GET", "enc/state")["violations"] == []
    borrower = {"taxIdentificationIdentifier": "900-12-3456"}
    open_loan(encompass, {"applications": [{"borrower": borrower}]})
    assert [row["violation"] for row in control("GET", "enc/state")["violations"]] == ["ssn_sent"]


# Change and read


def test_patch_keeps_other_fields(encompass: httpx2.Client, sample_loan: dict[str, Any]) -> None:
    guid = open_loan(encompass, sample_loan)
    answer = encompass.patch(f"{LOANS}/{guid}", json={"property": {"city": "Round Rock"}})
    assert (answer.status_code, answer.content) == (204, b"")
    loan_property = encompass.get(f"{LOANS}/{guid}").json()["property"]
    assert loan_property == {**sample_loan["property"], "city": "Round Rock"}


def test_patch_changes_collection_item_by_id(
    encompass: httpx2.Client, sample_loan: dict[str, Any]
) -> None:
    guid = open_loan(encompass, sample_loan)
    first = encompass.get(f"{LOANS}/{guid}").json()["applications"][0]["id"]
    change = {"applications": [{"propertyUsageType": "Investor"}]}
    assert encompass.patch(f"{LOANS}/{guid}", json=change).status_code == 400
    change["applications"][0]["id"] = first
    assert encompass.patch(f"{LOANS}/{guid}", json=change).status_code == 204
    assert len(encompass.get(f"{LOANS}/{guid}").json()["applications"]) == 1
    assert read_fields(encompass, guid, "1811", "4000") == {"1811": "Investor", "4000": "Maria"}


def test_locked_loan_cannot_be_written(
    encompass: httpx2.Client, control: Callable[..., Any], running: Simulators
) -> None:
    guid = open_loan(encompass)
    control("POST", f"enc/loans/{guid}/lock", user="processor1", type="exclusive", minutes=5)
    answer = encompass.patch(f"{LOANS}/{guid}", json={"leadSource": "zillow"})
    assert answer.status_code == 409
    assert answer.json()["details"] == "Loan is already locked by processor1"
    writer = encompass.post(f"{LOANS}/{guid}/fieldWriter", json=[{"fieldId": "2976", "value": "z"}])
    assert writer.status_code == 409
    assert read_fields(encompass, guid, "2976") == {"2976": ""}
    running.clock.advance(301)
    assert encompass.patch(f"{LOANS}/{guid}", json={"leadSource": "zillow"}).status_code == 204


def test_second_exclusive_lock_is_refused(encompass: httpx2.Client) -> None:
    guid = open_loan(encompass)
    lock = {"resource": {"entityId": guid, "entityType": "Loan"}, "lockType": "Exclusive"}
    first = encompass.post("/encompass/v3/resourceLocks", json=lock)
    assert first.status_code == 201
    assert first.json().keys() == {"id", "userId", "lockTime", "fullName", "userType"}
    assert encompass.post("/encompass/v3/resourceLocks", json=lock).status_code == 409
    unlocked = encompass.delete(f"/encompass/v3/resourceLocks/{first.json()['id']}")
    assert unlocked.status_code == 204
    assert encompass.post("/encompass/v3/resourceLocks", json=lock).status_code == 201


def test_unknown_field_fails_field_reader_by_default(
    encompass: httpx2.Client,
) -> None:
    path = f"{LOANS}/{open_loan(encompass)}/fieldReader"
    failed = encompass.post(path, json=["364", "99999"])
    assert failed.status_code == 400
    assert failed.json()["errors"][0]["key"] == "99999"
    excluded = encompass.post(f"{path}?invalidFieldBehavior=Exclude", json=["364", "99999"])
    assert [row["fieldId"] for row in excluded.json()] == ["364"]
    included = encompass.post(f"{path}?invalidFieldBehavior=Include", json=["364", "99999"])
    assert [row["fieldId"] for row in included.json()] == ["364", "99999"]
    assert encompass.post(path, json=["364"] * 501).status_code == 400


def test_fields_are_written_by_id_and_dates_read_as_month_day_year(
    encompass: httpx2.Client,
) -> None:
    guid = open_loan(encompass)
    rows = [{"fieldId": "763", "value": "2026-12-31"}, {"fieldId": "3", "value": "6.125"}]
    assert encompass.post(f"{LOANS}/{guid}/fieldWriter", json=rows).status_code == 204
    assert read_fields(encompass, guid, "763", "3") == {"763": "12/31/2026", "3": "6.125"}
    wrong = [{"fieldId": "364", "value": "mine"}]
    assert encompass.post(f"{LOANS}/{guid}/fieldWriter", json=wrong).status_code == 400


def test_new_loan_has_13_milestones_with_started_done(encompass: httpx2.Client) -> None:
    guid = open_loan(encompass)
    steps = encompass.get(f"{LOANS}/{guid}/milestones").json()
    assert [step["name"] for step in steps] == list(MILESTONES)
    assert [step["name"] for step in steps if step["doneIndicator"]] == ["Started"]
    names = ("Log.MS.CurrentMilestone", "Log.MS.LastCompleted", "Log.MS.Date.Started")
    assert read_fields(encompass, guid, *names) == {
        "Log.MS.CurrentMilestone": "Qualification",
        "Log.MS.LastCompleted": "Started",
        "Log.MS.Date.Started": "11/23/2026",
    }
    finish = f"{LOANS}/{guid}/milestones/{steps[1]['id']}?action=finish"
    assert encompass.patch(finish, json={}).status_code == 403


# Pipeline

SEARCH = "/encompass/v3/loanPipeline"


def by_lead(lead_id: str, *names: str) -> dict[str, Any]:
    term = {"canonicalName": "Fields.4495", "value": lead_id, "matchType": "exact"}
    return {"fields": list(names) or ["Loan.GUID"], "filter": {"operator": "and", "terms": [term]}}


def test_pipeline_shows_new_loan_after_lag(
    running: Simulators, encompass: httpx2.Client, sample_loan: dict[str, Any]
) -> None:
    guid = open_loan(encompass, sample_loan)
    search = by_lead(sample_loan["leadSourceID"], "Loan.GUID", "Fields.4002")
    assert encompass.post(SEARCH, json=search).json() == []
    running.clock.advance(44)
    assert encompass.post(SEARCH, json=search).json() == []
    running.clock.advance(1)
    answer = encompass.post(SEARCH, json=search)
    assert answer.headers["X-Total-Count"] == "1"
    assert answer.json() == [
        {"loanId": guid, "fields": {"Loan.GUID": guid, "Fields.4002": "Sample"}}
    ]


def test_pipeline_shows_old_values_until_lag_has_passed(
    running: Simulators, encompass: httpx2.Client, sample_loan: dict[str, Any]
) -> None:
    guid = open_loan(encompass, sample_loan)
    running.clock.advance(100)
    row = [{"fieldId": "4002", "value": "Married"}]
    encompass.post(f"{LOANS}/{guid}/fieldWriter", json=row)
    search = by_lead(sample_loan["leadSourceID"], "Fields.4002")
    names = [encompass.post(SEARCH, json=search).json()[0]["fields"]["Fields.4002"]]
    running.clock.advance(45)
    names.append(encompass.post(SEARCH, json=search).json()[0]["fields"]["Fields.4002"])
    assert names == ["Sample", "Married"]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", {"fields": ["Fields.4000"]}),
        ("", {"fields": ["Loan.GUID"], "filter": {"canonicalName": "Fields.4495"}}),
        ("", {"filter": {"operator": "xor", "terms": []}}),
        ("?limit=1001", {}),
        ("", {"columns": []}),
    ],
)
def test_invalid_pipeline_search_is_refused(
    encompass: httpx2.Client, query: str, body: dict[str, Any]
) -> None:
    assert encompass.post(SEARCH + query, json=body).status_code == 400


def test_pipeline_search_filters_by_modified_time_and_pages(
    running: Simulators, encompass: httpx2.Client
) -> None:
    for _ in range(3):
        open_loan(encompass)
        running.clock.advance(60)
    since = {
        "canonicalName": "Loan.LastModified",
        "matchType": "greaterThan",
        "value": "2026-11-23T17:00:30+00:00",
    }
    order = [{"canonicalName": "Loan.LoanNumber", "order": "desc"}]
    search = {"fields": ["Loan.LoanNumber"], "filter": since, "sortOrder": order}
    answer = encompass.post(f"{SEARCH}?start=1&limit=1", json=search)
    assert answer.headers["X-Total-Count"] == "2"
    assert [row["fields"]["Loan.LoanNumber"] for row in answer.json()] == ["TEST-2611-00002"]


def test_pipeline_cursor_expires_after_five_idle_minutes(
    running: Simulators, encompass: httpx2.Client
) -> None:
    answer = encompass.post(f"{SEARCH}?cursorType=randomAccess", json={})
    cursor = answer.headers["X-Cursor"]
    assert encompass.post(f"{SEARCH}?cursor={cursor}").status_code == 200
    running.clock.advance(301)
    assert encompass.post(f"{SEARCH}?cursor={cursor}").status_code == 400


# Load


def test_every_answer_has_concurrency_headers(
    running: Simulators, encompass: httpx2.Client
) -> None:
    answer = encompass.get("/encompass/v3/loanFolders")
    assert answer.headers["X-Concurrency-Limit-Limit"] == "30"
    assert int(answer.headers["X-Concurrency-Limit-Remaining"]) <= 30
    assert answer.headers["X-Correlation-ID"]
    refused = httpx2.get(running.urls["enc"] + "/encompass/v3/loanFolders")
    assert refused.status_code == 401
    assert refused.headers["X-Concurrency-Limit-Limit"] == "30"


def test_foreign_load_uses_up_concurrency_slots(
    running: Simulators, encompass: httpx2.Client, control: Callable[..., Any]
) -> None:
    control("POST", "enc/foreign_load", n=30)
    answer = encompass.post(f"{LOANS}?loanFolder=Prospects")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert answer.headers["X-Concurrency-Limit-Remaining"] == "0"
    assert not running.encompass.instance.loans
    control("POST", "enc/foreign_load", n=29)
    assert encompass.post(f"{LOANS}?loanFolder=Prospects").status_code == 204


def test_custom_and_standard_fields_are_listed(encompass: httpx2.Client) -> None:
    custom = encompass.get("/encompass/v3/settings/loan/customFields").json()
    assert "CX.ROOFTREELEADID" in [row["id"] for row in custom]
    standard = encompass.get("/encompass/v3/schemas/loan/standardFields?ids=4000,1393").json()
    assert [row["path"] for row in standard] == [
        "applications.borrower.firstName",
        "hmda.actionTaken",
    ]
