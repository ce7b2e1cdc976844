"""The simulated systems a lender moves away from, against what their documents say."""

import httpx2
import pytest

from rooftree_simulators.crms import hubspot, monday, pipedrive, salesforce, zoho


@pytest.fixture
def asked(running):
    """`asked("zoho", "GET", "/crm/v8/Leads", …)` is an answer with that system's credentials."""
    headers = {
        "hubspot": {"Authorization": f"Bearer {hubspot.TOKEN}"},
        "pipedrive": {"x-api-token": pipedrive.TOKEN},
        "monday": {"Authorization": monday.TOKEN, "API-Version": "2026-07"},
    }
    with httpx2.Client() as client:

        def ask(name, method, path, **more):
            more["headers"] = {**headers.get(name, {}), **more.get("headers", {})}
            return client.request(method, running.urls[name] + path, **more)

        yield ask


@pytest.fixture
def zoho_token(asked):
    form = {"grant_type": "refresh_token", "refresh_token": zoho.REFRESH_TOKEN}
    form |= {"client_id": zoho.CLIENT_ID, "client_secret": zoho.CLIENT_SECRET}
    told = asked("zoho", "POST", "/oauth/v2/token", data=form).json()
    return {"Authorization": f"Zoho-oauthtoken {told['access_token']}"}


@pytest.fixture
def salesforce_token(asked):
    form = {"grant_type": "client_credentials"}
    form |= {"client_id": salesforce.CLIENT_ID, "client_secret": salesforce.CLIENT_SECRET}
    told = asked("salesforce", "POST", "/services/oauth2/token", data=form).json()
    return {"Authorization": f"Bearer {told['access_token']}"}


def test_hubspot_gives_only_the_properties_and_associations_that_were_asked_for(running, asked):
    key = running.hubspot.add_contact(firstname="Ivo", hs_lead_status="NEW")
    running.hubspot.add_engagement("notes", key, hs_note_body="Hello")
    contact = asked("hubspot", "GET", "/crm/v3/objects/contacts").json()["results"][0]
    note = asked("hubspot", "GET", "/crm/v3/objects/notes?properties=hs_note_body").json()
    linked = asked("hubspot", "GET", "/crm/v3/objects/notes?associations=contacts").json()

    assert "hs_lead_status" not in contact["properties"]
    assert note["results"][0]["properties"]["hs_note_body"] == "Hello"
    assert "associations" not in note["results"][0]
    about = linked["results"][0]["associations"]["contacts"]["results"]
    assert about == [{"id": key, "type": "note_to_contact"}]


def test_hubspot_lists_a_hundred_at_most_and_goes_on_after_the_last(running, asked):
    for nth in range(3):
        running.hubspot.add_contact(firstname=f"P{nth}")
    first = asked("hubspot", "GET", "/crm/v3/objects/contacts?limit=2").json()
    after = first["paging"]["next"]["after"]
    second = asked("hubspot", "GET", f"/crm/v3/objects/contacts?limit=2&after={after}").json()

    assert [len(first["results"]), len(second["results"])] == [2, 1]
    assert "paging" not in second
    refused = asked("hubspot", "GET", "/crm/v3/objects/contacts?limit=101")
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
def test_without_its_credentials_each_gives_nothing(asked, name, path, status):
    wrong = {"Authorization": "Bearer wrong", "x-api-token": "wrong"}

    assert asked(name, "GET", path, headers=wrong).status_code == status


def test_salesforce_goes_on_by_a_locator_and_refuses_fields_it_does_not_have(
    running, asked, salesforce_token
):
    for nth in range(201):
        running.salesforce.add_record("Lead", LastName=f"N{nth}")
    headers = {**salesforce_token, "Sforce-Query-Options": "batchSize=200"}
    query = "/services/data/v62.0/query?q=SELECT+Id,LastName+FROM+Lead"
    first = asked("salesforce", "GET", query, headers=headers).json()
    second = asked("salesforce", "GET", first["nextRecordsUrl"], headers=headers).json()
    wrong = asked("salesforce", "GET", query.replace("LastName", "Shoe"), headers=headers)

    assert (first["totalSize"], first["done"], len(first["records"])) == (201, False, 200)
    assert (second["done"], len(second["records"])) == (True, 1)
    assert "nextRecordsUrl" not in second
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_zoho_wants_its_fields_named_and_shows_nothing_with_a_204(running, asked, zoho_token):
    leads = "/crm/v8/Leads"
    unnamed = asked("zoho", "GET", leads, headers=zoho_token)
    empty = asked("zoho", "GET", f"{leads}?fields=Last_Name", headers=zoho_token)
    for nth in range(3):
        running.zoho.add_record("Leads", Last_Name=f"N{nth}")
    first = asked("zoho", "GET", f"{leads}?fields=Last_Name&per_page=2", headers=zoho_token).json()
    token = first["info"]["next_page_token"]
    rest = asked(
        "zoho",
        "GET",
        f"{leads}?fields=Last_Name&per_page=2&page_token={token}",
        headers=zoho_token,
    ).json()

    assert unnamed.json()["code"] == "REQUIRED_PARAM_MISSING"
    assert (empty.status_code, empty.content) == (204, b"")
    assert first["info"]["more_records"] is True
    assert (len(rest["data"]), rest["info"]["more_records"]) == (1, False)


def test_zohos_token_ends_after_an_hour(running, asked, zoho_token):
    running.clock.advance(3601)

    told = asked("zoho", "GET", "/crm/v8/users?type=AllUsers", headers=zoho_token)

    assert (told.status_code, told.json()["code"]) == (401, "INVALID_TOKEN")


def test_pipedrive_goes_on_by_start_in_its_first_version_and_by_cursor_in_its_second(
    running, asked
):
    for nth in range(3):
        running.pipedrive.add_record("leads", title=f"N{nth}")
        running.pipedrive.add_record("deals", title=f"N{nth}")
    leads = asked("pipedrive", "GET", "/v1/leads?limit=2").json()
    deals = asked("pipedrive", "GET", "/api/v2/deals?limit=2").json()
    cursor = deals["additional_data"]["next_cursor"]
    rest = asked("pipedrive", "GET", "/api/v2/deals", params={"limit": 2, "cursor": cursor}).json()

    assert leads["additional_data"]["pagination"]["next_start"] == 2
    assert (len(rest["data"]), rest["additional_data"]["next_cursor"]) == (1, None)
    wrong = asked("pipedrive", "GET", "/api/v2/deals?start=2")
    assert wrong.json()["success"] is False


def test_mondays_errors_come_with_a_200_and_its_cursor_lives_an_hour(running, asked):
    board = running.monday.add_board("Leads")
    for nth in range(3):
        running.monday.add_item(board, f"N{nth}")
    first = "query ($board: [ID!]) { boards (ids: $board) { items_page (limit: 2) { cursor } } }"
    told = asked(
        "monday", "POST", "/v2", json={"query": first, "variables": {"board": [board]}}
    ).json()
    cursor = told["data"]["boards"][0]["items_page"]["cursor"]
    more = "query ($cursor: String!) { next_items_page (limit: 2, cursor: $cursor) { cursor } }"
    asking = {"query": more, "variables": {"cursor": cursor}}
    page = asked("monday", "POST", "/v2", json=asking).json()["data"]["next_items_page"]
    running.clock.advance(3601)
    late = asked("monday", "POST", "/v2", json=asking)
    wrong = asked("monday", "POST", "/v2", json={"query": "query { shoes { id } }"})

    assert (len(page["items"]), page["cursor"]) == (1, None)
    assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (
        200,
        "CursorException",
    )
    assert "shoes" in wrong.json()["errors"][0]["message"]
