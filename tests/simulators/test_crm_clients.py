"""The simulated CRMs through the client libraries that their vendors' users run."""

from urllib.parse import urlsplit

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.contacts import (
    ApiException,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from monday import MondayClient
from monday.exceptions import MondayQueryError
from pipedrive.client import Client as PipedriveClient
from pipedrive.exceptions import BadRequestError, NotFoundError, UnauthorizedError
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from rooftree_simulators.crms import hubspot, monday, pipedrive, salesforce


class SimulatorSession(requests.Session):
    """Send a library's requests to a simulator in place of the vendor's host."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method, url, *args, **kwargs):
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self.url}{parts.path}{query}", *args, **kwargs)


def connect_salesforce(running, secret=salesforce.CLIENT_SECRET):
    return Salesforce(
        consumer_key=salesforce.CLIENT_ID, consumer_secret=secret, domain="lindenfield.my",
        session=SimulatorSession(running.urls["salesforce"]),
    )  # fmt: skip


@pytest.fixture
def sf(running):
    crm = running.salesforce
    grace = crm.add_record("User", Name="Grace Kim", Email="grace@example.com", IsActive=True)
    rows = (
        ("Ana", "Lugo", "NC", "Web", 5),
        ("Bo", "O'Neil", "SC", "Partner", 9),
        ("Cy", "Lund", None, "Web", 1),
    )
    for first, last, state, source, size in rows:
        crm.add_record(
            "Lead", FirstName=first, LastName=last, State=state, LeadSource=source,
            OwnerId=grace if first == "Ana" else None, Household__c=size, DoNotCall=first == "Bo",
        )  # fmt: skip
    crm.add_record("Lead", LastName="Old", CreatedDate="2026-10-01T10:00:00.000+0000")
    return connect_salesforce(running)


SOQL = {  # the WHERE and what follows -> last names, in order
    "WHERE State = 'nc'": ["Lugo"],
    "WHERE State != 'NC' ORDER BY LastName": ["Lund", "O'Neil", "Old"],
    "WHERE LastName = 'O\\'Neil'": ["O'Neil"],
    "WHERE LastName LIKE 'lu%' ORDER BY LastName DESC": ["Lund", "Lugo"],
    "WHERE LeadSource IN ('Web', 'Other') AND State = null": ["Lund"],
    "WHERE LeadSource NOT IN ('Web') AND (Household__c > 5 OR State = 'NC')": ["O'Neil"],
    "WHERE NOT (LeadSource = 'Web') AND DoNotCall = true": ["O'Neil"],
    "WHERE Household__c >= 5 ORDER BY Household__c DESC NULLS LAST LIMIT 1": ["O'Neil"],
    "WHERE CreatedDate < 2026-11-01T00:00:00Z": ["Old"],
    "WHERE CreatedDate = TODAY ORDER BY FirstName LIMIT 2 OFFSET 1": ["O'Neil", "Lund"],
    "WHERE CreatedDate = LAST_N_DAYS:90 ORDER BY LastName LIMIT 1": ["Lugo"],
    "WHERE Owner.Name = 'Grace Kim'": ["Lugo"],
    "WHERE OwnerId != null": ["Lugo"],
}


def test_salesforce_client_asks_with_conditions_order_and_relations(sf):
    for rest, names in SOQL.items():
        found = sf.query_all(f"SELECT Id, LastName FROM Lead {rest}")["records"]
        assert [row["LastName"] for row in found] == names, rest

    owned = sf.query("select Id, Owner.Email from Lead where FirstName = 'Ana'")
    assert owned["records"][0]["Owner"]["Email"] == "grace@example.com"
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 4
    full = sf.query("SELECT FIELDS(ALL) FROM Lead WHERE State = 'SC' LIMIT 200")["records"][0]
    assert (full["Household__c"], full["LeadSource"]) == (9, "Partner")


def test_salesforce_client_is_refused_in_salesforces_form(running, sf):
    refused = {
        "SELECT Shoe FROM Lead": "INVALID_FIELD",
        "SELECT Id FROM Lead WHERE Shoe = 1": "INVALID_FIELD",
        "SELECT Id FROM Lead ORDER BY Owner.Shoe": "INVALID_FIELD",
        "SELECT Id FROM Boat": "INVALID_TYPE",
        "SELECT FIELDS(ALL) FROM Lead": "MALFORMED_QUERY",
        "SELECT Id FROM Lead GROUP BY Id": "MALFORMED_QUERY",
        "SELECT Id FROM Lead WHERE Id IN (SELECT WhoId FROM Task)": "MALFORMED_QUERY",
        "SELECT Id, (SELECT Id FROM Tasks) FROM Lead": "MALFORMED_QUERY",
        "SELECT Id FROM Lead WHERE State = NC": "MALFORMED_QUERY",
        "SELECT Id Lead": "MALFORMED_QUERY",
        "SELECT Id FROM Lead LIMIT many": "MALFORMED_QUERY",
        "SELECT Id FROM Lead; DROP": "MALFORMED_QUERY",
    }
    for text, code in refused.items():
        with pytest.raises(SalesforceMalformedRequest) as problem:
            sf.query(text)
        assert problem.value.content[0]["errorCode"] == code, text
    with pytest.raises(SalesforceResourceNotFound) as missing:
        sf.search("FIND {Lugo}")
    assert missing.value.content[0]["errorCode"] == "NOT_FOUND"
    with pytest.raises(SalesforceAuthenticationFailed):
        connect_salesforce(running, "wrong")


def test_salesforce_client_creates_reads_changes_and_deletes_a_lead(running, sf):
    made = sf.Lead.create({"FirstName": "Dee", "LastName": "Park", "State": "GA"})
    assert made["success"]
    assert sf.Lead.get(made["id"])["State"] == "GA"
    assert sf.Lead.update(made["id"], {"State": "FL"}) == 204
    assert (
        sf.query(f"SELECT State FROM Lead WHERE Id = '{made['id']}'")["records"][0]["State"] == "FL"
    )
    assert sf.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.get(made["id"])
    for content, code in (
        ({"FirstName": "x"}, "REQUIRED_FIELD_MISSING"),
        ({"Shoe": 1}, "INVALID_FIELD"),
    ):
        with pytest.raises(SalesforceMalformedRequest) as problem:
            sf.Lead.create(content)
        assert problem.value.content[0]["errorCode"] == code
    names = {field["name"] for field in sf.Lead.describe()["fields"]}
    assert {"LastName", "Household__c"} <= names
    assert "Lead" in {row["name"] for row in sf.describe()["sobjects"]}
    assert sf.limits()["DailyApiRequests"]["Max"] > 0
    for nth in range(2100):
        running.salesforce.add_record("Task", Subject=f"T{nth}")
    assert len(list(sf.query_all_iter("SELECT Subject FROM Task"))) == 2100


@pytest.fixture
def contacts(running):
    """Return HubSpot's client for contacts, with two of them: Ana (151) and Bo (152)."""
    crm = running.hubspot
    crm.add_contact(firstname="Ana", lastname="Lugo", email="ana@example.com", score__c="7")
    crm.add_contact(firstname="Bo", email="bo@example.com", state="NC")
    client = HubSpot(access_token=hubspot.TOKEN).crm.contacts

    def at_simulator(api):
        api.api_client.configuration.host = running.urls["hubspot"]
        return api

    client.at_simulator = at_simulator
    return client


def test_hubspot_client_creates_reads_changes_and_archives_a_contact(contacts):
    basic = contacts.at_simulator(contacts.basic_api)

    def create(**properties):
        content = SimplePublicObjectInputForCreate(properties=properties)
        return basic.create(simple_public_object_input_for_create=content)

    made = create(email="cy@example.com", firstname="Cy")
    assert basic.get_by_id(made.id, properties=["firstname"]).properties["firstname"] == "Cy"
    assert basic.get_by_id("ana@example.com", id_property="email").id == "151"
    change = SimplePublicObjectInput(properties={"phone": "+13055550123"})
    assert basic.update(made.id, simple_public_object_input=change).properties["phone"]
    basic.archive(made.id)
    for ask, status, category in (
        (lambda: basic.get_by_id(made.id), 404, "OBJECT_NOT_FOUND"),
        (lambda: create(email="ana@example.com"), 409, "CONFLICT"),
        (lambda: create(shoe="9"), 400, "VALIDATION_ERROR"),
        (lambda: basic.get_page(limit=101), 400, "VALIDATION_ERROR"),
    ):
        with pytest.raises(ApiException) as refused:
            ask()
        assert refused.value.status == status
        assert category in refused.value.body
    batch = contacts.at_simulator(contacts.batch_api)
    wanted = {"inputs": [{"id": "152"}], "properties": ["state"], "propertiesWithHistory": []}
    assert batch.read(wanted).results[0].properties["state"] == "NC"


def test_hubspot_client_searches_by_filters_sorts_and_pages(contacts):
    search = contacts.at_simulator(contacts.search_api)

    def find(*filters, **more):
        groups = [
            {"filters": [dict(zip(("propertyName", "operator", "value"), each, strict=False))]}
            for each in filters
        ]
        request = PublicObjectSearchRequest(filter_groups=groups, **more)
        return search.do_search(public_object_search_request=request)

    for condition, ids in (
        (("email", "EQ", "BO@example.com"), ["152"]),
        (("email", "NEQ", "bo@example.com"), ["151"]),
        (("email", "CONTAINS_TOKEN", "*example.com"), ["151", "152"]),
        (("state", "HAS_PROPERTY"), ["152"]),
        (("state", "NOT_HAS_PROPERTY"), ["151"]),
        (("score__c", "GT", "6"), ["151"]),
        (("createdate", "LT", "1"), []),
        (("createdate", "GTE", "2026-11-23T00:00:00Z"), ["151", "152"]),
    ):
        assert [row.id for row in find(condition).results] == ids, condition
    assert find(("state", "HAS_PROPERTY"), ("score__c", "HAS_PROPERTY")).total == 2  # either
    first = find(sorts=[{"propertyName": "email", "direction": "DESCENDING"}], limit=1)
    assert (first.results[0].id, first.paging.next.after) == ("152", "1")
    assert find(query="lugo").results[0].id == "151"
    with pytest.raises(ApiException) as refused:
        find(("email", "SOUNDS_LIKE", "bo"))
    assert refused.value.status == 400


@pytest.fixture
def boards(running):
    """Return monday's client, and the id of a board with three leads and a user."""
    running.monday.add_user("Grace Kim", "grace@example.com")
    board = running.monday.add_board("Leads")
    for nth, name in enumerate(("Ana Lugo", "Bo", "Cy")):
        running.monday.add_item(board, name, email=f"p{nth}@example.com", status="New")
    client = MondayClient(monday.TOKEN)
    for resource in vars(client).values():
        resource.client.endpoint = f"{running.urls['monday']}/v2"
    return client, board


def test_monday_client_reads_boards_items_and_users(boards):
    client, board = boards
    listed = client.boards.fetch_boards_by_id(board)["data"]["boards"][0]
    first = client.boards.fetch_items_by_board_id(board, limit=2)["data"]["boards"][0]["items_page"]
    rest = client.boards.fetch_next_items_by_cursor(first["cursor"], limit=2)["data"]
    found = client.items.fetch_items_by_column_value(board, "email", "p1@example.com", limit=5)
    item = client.items.fetch_items_by_id(first["items"][0]["id"])["data"]["items"][0]

    assert (listed["name"], listed["groups"][0]["title"]) == ("Leads", "New Leads")
    assert {column["id"] for column in listed["columns"]} == {"email", "status"}
    assert [row["name"] for row in first["items"]] == ["Ana Lugo", "Bo"]
    assert rest["next_items_page"]["cursor"] is None
    assert [row["name"] for row in rest["next_items_page"]["items"]] == ["Cy"]
    assert found["data"]["items_page_by_column_values"]["items"][0]["name"] == "Bo"
    assert set(item) == {"id", "name", "group", "column_values"}  # what was selected, no more
    assert client.users.fetch_users(limit=1)["data"]["users"][0]["email"] == "grace@example.com"


def test_monday_client_writes_and_is_refused_by_name(running, boards):
    client, board = boards
    run = client.custom.execute_custom_query
    made = client.items.create_item(board, "New Leads", 'Dee "D" Park', {"email": "d@example.com"})
    key = made["data"]["create_item"]["id"]
    client.items.change_item_value(board, key, "email", "e@example.com")
    client.updates.create_update(key, "Called, no answer")
    item = next(row for row in running.monday.items[board] if row["id"] == key)
    assert (item["name"], item["column_values"][0]["text"]) == ('Dee "D" Park', "e@example.com")
    assert item["updates"][0]["text_body"] == "Called, no answer"
    client.items.delete_item_by_id(key)
    assert len(running.monday.items[board]) == 3
    for ask, words in (
        (lambda: client.items.delete_item_by_id(key), "item ID doesn't exist"),
        (lambda: client.items.create_item("1", "x", "y"), "board ID doesn't exist"),
        (lambda: client.tags.fetch_tags("1"), "'tags' doesn't exist on type 'Query'"),
        (
            lambda: run("{ users { shoe } }"),
            "'shoe' doesn't exist on type 'User'",
        ),
        (lambda: run("{ users { id "), "Parse error"),
        (lambda: run("subscription { x }"), "Parse error"),
    ):
        with pytest.raises(MondayQueryError) as refused:
            ask()
        assert words in str(refused.value)


def test_pipedrive_client_reads_and_writes_leads_and_notes(running):
    client = PipedriveClient()
    client.BASE_URL = f"{running.urls['pipedrive']}/v1/"
    with pytest.raises(UnauthorizedError):
        client.leads.get_all_leads()
    client.set_api_token(pipedrive.TOKEN)
    for nth in range(3):
        running.pipedrive.add_record("leads", title=f"Lead {nth}")

    made = client.leads.create_lead({"title": "Ana Lugo", "person_id": 7})["data"]
    page = client.leads.get_all_leads(params={"start": 2, "limit": 2})
    assert [row["title"] for row in page["data"]] == ["Lead 2", "Ana Lugo"]
    assert client.leads.update_lead(made["id"], {"note": "called"})["data"]["note"] == "called"
    found = client.leads.search_leads(params={"term": "ana"})["data"]["items"]
    assert found[0]["item"]["id"] == made["id"]
    note = client.notes.create_note({"content": "Hello", "lead_id": made["id"]})["data"]
    assert client.notes.get_note(note["id"])["data"]["content"] == "Hello"
    assert client.users.get_all_users()["success"]
    client.leads.delete_lead(made["id"])
    with pytest.raises(NotFoundError, match="Lead not found"):
        client.leads.get_lead(made["id"])
    with pytest.raises(BadRequestError, match="title is required"):
        client.leads.create_lead({"person_id": 7})
    with pytest.raises(NotFoundError, match="Unknown method /v1/persons"):
        client.persons.get_all_persons()
