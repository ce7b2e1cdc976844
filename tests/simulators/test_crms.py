"""The simulated CRMs that a lender migrates from, against their documents."""

import httpx2
import pytest

from rooftree_simulators.crms import hubspot, monday, pipedrive, salesforce, zoho


@pytest.fixture
def ask(running):
    """Return a function that sends a request with a CRM's credentials."""
    headers = {
        "hubspot": {"Authorization": f"Bearer {hubspot.TOKEN}"},
        "pipedrive": {"x-api-token": pipedrive.TOKEN},
        "monday": {"Authorization": monday.TOKEN, "API-Version": "2026-07"},
    }
    with httpx2.Client() as client:

        def send(name, method, path, **options):
            options["headers"] = {**headers.get(name, {}), **options.get("headers", {})}
            return client.request(method, running.urls[name] + path, **options)

        yield send


@pytest.fixture
def zoho_token(ask):
    form = {"grant_type": "refresh_token", "refresh_token": zoho.REFRESH_TOKEN}
    form |= {"client_id": zoho.CLIENT_ID, "client_secret": zoho.CLIENT_SECRET}
    grant = ask("zoho", "POST", "/oauth/v2/token", data=form).json()
    return {"Authorization": f"Zoho-oauthtoken {grant['access_token']}"}


@pytest.fixture
def salesforce_token(ask):
    form = {"grant_type": "client_credentials"}
    form |= {"client_id": salesforce.CLIENT_ID, "client_secret": salesforce.CLIENT_SECRET}
    grant = ask("salesforce", "POST", "/services/oauth2/token", data=form).json()
    return {"Authorization": f"Bearer {grant['access_token']}"}


def test_hubspot_returns_only_requested_properties_and_associations(running, ask):
    key = running.hubspot.add_contact(firstname="Ivo", hs_lead_status="NEW")
    running.hubspot.add_engagement("notes", key, hs_note_body="Hello")
    contact = ask("hubspot", "GET", "/crm/v3/objects/contacts").json()["results"][0]
    note = ask("hubspot", "GET", "/crm/v3/objects/notes?properties=hs_note_body").json()
    linked = ask("hubspot", "GET", "/crm/v3/objects/notes?associations=contacts").json()

    assert "hs_lead_status" not in contact["properties"]
    assert note["results"][0]["properties"]["hs_note_body"] == "Hello"
    assert "associations" not in note["results"][0]
    about = linked["results"][0]["associations"]["contacts"]["results"]
    assert about == [{"id": key, "type": "note_to_contact"}]


def test_hubspot_pages_hold_at_most_100_and_continue_after_last_id(running, ask):
    for nth in range(3):
        running.hubspot.add_contact(firstname=f"P{nth}")
    first = ask("hubspot", "GET", "/crm/v3/objects/contacts?limit=2").json()
    after = first["paging"]["next"]["after"]
    second = ask("hubspot", "GET", f"/crm/v3/objects/contacts?limit=2&after={after}").json()

    assert [len(first["results"]), len(second["results"])] == [2, 1]
    assert "paging" not in second
    refused = ask("hubspot", "GET", "/crm/v3/objects/contacts?limit=101")
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("hubspot", "/crm/v3/owners", 401),
        ("salesforce", "/services/data/v62.0/query?q=SELECT+Id+FROM+Lead", 401),
        ("zoho", "/crm/v8/users?type=AllUsers", 401),
        ("pipedrive", "/v1/users", 401),
        ("monday", "/v2", 401),
    ],
)
def test_crm_refuses_wrong_credentials(ask, name, path, status):
    wrong = {"Authorization": "Bearer wrong", "x-api-token": "wrong"}

    assert ask(name, "GET", path, headers=wrong).status_code == status


def test_salesforce_pages_by_locator_and_refuses_unknown_fields(running, ask, salesforce_token):
    for nth in range(201):
        running.salesforce.add_record("Lead", LastName=f"N{nth}")
    headers = {**salesforce_token, "Sforce-Query-Options": "batchSize=200"}
    query = "/services/data/v62.0/query?q=SELECT+Id,LastName+FROM+Lead"
    first = ask("salesforce", "GET", query, headers=headers).json()
    second = ask("salesforce", "GET", first["nextRecordsUrl"], headers=headers).json()
    wrong = ask("salesforce", "GET", query.replace("LastName", "Shoe"), headers=headers)

    assert (first["totalSize"], first["done"], len(first["records"])) == (201, False, 200)
    assert (second["done"], len(second["records"])) == (True, 1)
    assert "nextRecordsUrl" not in second
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_zoho_requires_field_names_and_answers_204_when_empty(running, ask, zoho_token):
    leads = "/crm/v8/Leads"
    unnamed = ask("zoho", "GET", leads, headers=zoho_token)
    empty = ask("zoho", "GET", f"{leads}?fields=Last_Name", headers=zoho_token)
    for nth in range(3):
        running.zoho.add_record("Leads", Last_Name=f"N{nth}")
    first = ask("zoho", "GET", f"{leads}?fields=Last_Name&per_page=2", headers=zoho_token).json()
    token = first["info"]["next_page_token"]
    rest = ask(
        "zoho",
        "GET",
        f"{leads}?fields=Last_Name&per_page=2&page_token={token}",
        headers=zoho_token,
    ).json()

    assert unnamed.json()["code"] == "REQUIRED_PARAM_MISSING"
    assert (empty.status_code, empty.content) == (204, b"")
    assert first["info"]["more_records"] is True
    assert (len(rest["data"]), rest["info"]["more_records"]) == (1, False)


def test_zoho_token_expires_after_one_hour(running, ask, zoho_token):
    running.clock.advance(3601)

    answer = ask("zoho", "GET", "/crm/v8/users?type=AllUsers", headers=zoho_token)

    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")


def test_pipedrive_pages_by_start_in_v1_and_by_cursor_in_v2(running, ask):
    for nth in range(3):
        running.pipedrive.add_record("leads", title=f"N{nth}")
        running.pipedrive.add_record("deals", title=f"N{nth}")
    leads = ask("pipedrive", "GET", "/v1/leads?limit=2").json()
    deals = ask("pipedrive", "GET", "/api/v2/deals?limit=2").json()
    cursor = deals["additional_data"]["next_cursor"]
    rest = ask("pipedrive", "GET", "/api/v2/deals", params={"limit": 2, "cursor": cursor}).json()

    assert leads["additional_data"]["pagination"]["next_start"] == 2
    assert (len(rest["data"]), rest["additional_data"]["next_cursor"]) == (1, None)
    wrong = ask("pipedrive", "GET", "/api/v2/deals?start=2")
    assert wrong.json()["success"] is False


def test_monday_errors_have_status_200_and_cursor_expires_after_one_hour(running, ask):
    board = running.monday.add_board("Leads")
    for nth in range(3):
        running.monday.add_item(board, f"N{nth}")
    first = "query ($board: [ID!]) { boards (ids: $board) { items_page (limit: 2) { cursor } } }"
    answer = ask(
        "monday", "POST", "/v2", json={"query": first, "variables": {"board": [board]}}
    ).json()
    cursor = answer["data"]["boards"][0]["items_page"]["cursor"]
    next_page = (
        "query ($cursor: String!) { next_items_page (limit: 2, cursor: $cursor) "
        "{ cursor items { id } } }"
    )
    body = {"query": next_page, "variables": {"cursor": cursor}}
    page = ask("monday", "POST", "/v2", json=body).json()["data"]["next_items_page"]
    running.clock.advance(3601)
    late = ask("monday", "POST", "/v2", json=body)
    wrong = ask("monday", "POST", "/v2", json={"query": "query { shoes { id } }"})

    assert (len(page["items"]), page["cursor"]) == (1, None)
    assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (
        200,
        "CursorException",
    )
    assert "shoes" in wrong.json()["errors"][0]["message"]


def test_pipedrive_creates_changes_searches_and_refuses_by_name(running, ask):
    token = {"api_token": pipedrive.TOKEN}  # as older clients send it
    no_header = {"headers": {"x-api-token": ""}, "params": token}
    made = ask("pipedrive", "POST", "/v1/leads", json={"title": "Ana Lugo"}, **no_header).json()
    key = made["data"]["id"]
    changed = ask("pipedrive", "PATCH", f"/v1/leads/{key}", json={"note": "called"}).json()
    found = ask("pipedrive", "GET", "/v1/leads/search?term=lugo").json()["data"]["items"]
    person = ask("pipedrive", "POST", "/api/v2/persons", json={"name": "Bo"}).json()["data"]

    assert changed["data"] == {**made["data"], "note": "called"}
    assert [row["item"]["id"] for row in found] == [key]
    assert ask("pipedrive", "GET", f"/api/v2/persons/{person['id']}").json()["data"] == person
    assert ask("pipedrive", "DELETE", f"/v1/leads/{key}").json()["data"] == {"id": key}
    for method, path, status, words in (
        ("GET", f"/v1/leads/{key}", 404, "Lead not found"),
        ("POST", "/v1/leads", 400, "title is required"),
        ("POST", "/api/v2/stages", 405, "Method not allowed"),
        ("GET", "/v1/leads/search?term=x", 400, "at least 2 characters"),
        ("GET", "/v1/persons", 404, "Unknown method /v1/persons"),
    ):
        refused = ask("pipedrive", method, path)
        assert (refused.status_code, refused.json()["success"]) == (status, False), path
        assert words in refused.json()["error"]


def test_zoho_creates_changes_searches_and_refuses_by_name(ask, zoho_token):
    def send(method, path, *rows):
        options = {"json": {"data": list(rows)}} if rows else {}
        return ask("zoho", method, f"/crm/v8/Leads{path}", headers=zoho_token, **options)

    made = send("POST", "", {"Last_Name": "Lugo", "Email": "ana@example.com", "State": "NC"})
    key = made.json()["data"][0]["details"]["id"]
    assert (made.status_code, made.json()["data"][0]["code"]) == (201, "SUCCESS")
    assert send("PUT", f"/{key}", {"State": "SC"}).json()["data"][0]["message"] == "record updated"
    assert send("GET", f"/{key}").json()["data"][0]["State"] == "SC"
    for query, count in (
        ("email=ANA@example.com", 1),
        ("criteria=((Last_Name:starts_with:lu)and(State:in:SC,GA))", 1),
        ("criteria=(State:not_equal:SC)", 0),
        ("word=lugo", 1),
    ):
        found = send("GET", f"/search?{query}")
        assert (found.status_code == 200) == bool(count), query
        assert not count or len(found.json()["data"]) == count
    assert send("DELETE", f"/{key}").json()["data"][0]["code"] == "SUCCESS"
    lacks = send("POST", "", {"First_Name": "Bo"})
    assert lacks.json()["data"][0]["details"]["api_name"] == "Last_Name"
    for method, path, code in (
        ("GET", f"/{key}", "INVALID_DATA"),
        ("GET", "/search?criteria=(State:sounds:SC)", "INVALID_QUERY"),
        ("POST", "/upsert", "INVALID_URL_PATTERN"),
    ):
        refused = send(method, path)
        assert (refused.status_code >= 400, refused.json()["code"]) == (True, code), path
