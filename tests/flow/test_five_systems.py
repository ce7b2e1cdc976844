"""Transfers from each of the five supported systems over its own API."""

import json

import pytest

from rooftree.capture.imports import imported_activities
from rooftree.capture.imports.models import ImportedActivity
from rooftree.capture.models import Spreadsheet
from rooftree.compliance.models import Revocation
from rooftree.leads.models import ContactAttempt, Lead, Task
from rooftree.outreach.models import Message
from rooftree_simulators.crms import hubspot, monday, pipedrive, salesforce, zoho
from tests import make
from tests.flow import journey, moving
from tests.flow.senders import add_fault, create_source

pytestmark = pytest.mark.usefixtures("committed")
DANA = "dana@lindenfield.example"


@pytest.fixture
def dana():
    return make.officer(user=make.user("officer", name="Dana Okafor", email=DANA))


def fill_salesforce(vendor):
    dana = vendor.add_record("User", Name="Dana Okafor", Email=DANA, NMLS_ID__c="")
    ivo = vendor.add_record(
        "Lead", FirstName="Ivo", LastName="Petrov", MobilePhone="8135550114", State="FL",
        Status="Working - Contacted", OwnerId=dana, HasOptedOutOfEmail=True,
        Email="ivo@home.example", Loan_Amount__c=285000.0,
    )  # fmt: skip
    vendor.add_record("Lead", FirstName="No", LastName="Way", Status="Open", OwnerId=dana)
    vendor.add_record("Note", ParentId=ivo, Title="Fair", Body="Call after the fair", OwnerId=dana)
    vendor.add_record(
        "Task", WhoId=ivo, OwnerId=dana, Subject="Send the estimate", IsClosed=False,
        ActivityDate="2026-11-30", Status="Not Started",
    )  # fmt: skip
    vendor.add_record(
        "Task", WhoId=ivo, OwnerId=dana, Subject="Call", IsClosed=True, TaskSubtype="Call",
        CallType="Outbound", CompletedDateTime="2026-10-01T15:00:00.000+0000",
    )  # fmt: skip
    return create_source(
        "crm_salesforce", domain="https://lindenfield.my.salesforce.com",
        client_id=salesforce.CLIENT_ID, client_secret=salesforce.CLIENT_SECRET,
    )  # fmt: skip


def fill_hubspot(vendor):
    dana = vendor.add_owner("Dana Okafor", DANA)
    ivo = vendor.add_contact(
        firstname="Ivo", lastname="Petrov", phone="8135550114", state="FL",
        email="ivo@home.example", hs_email_optout="true", hubspot_owner_id=dana,
        hs_lead_status="Working", loan_amount="285000",
    )  # fmt: skip
    vendor.add_custom_property("loan_amount")
    vendor.add_contact(firstname="No", lastname="Way", hubspot_owner_id=dana)
    vendor.add_engagement("notes", ivo, hs_note_body="<p>Call after the fair</p>")
    vendor.add_engagement(
        "tasks", ivo, hs_task_subject="Send the estimate", hubspot_owner_id=dana,
        hs_task_status="NOT_STARTED", hs_timestamp="2026-11-30T22:00:00Z",
    )  # fmt: skip
    vendor.add_engagement(
        "calls", ivo, hs_call_title="Call", hs_call_direction="OUTBOUND",
        hs_timestamp="2026-10-01T15:00:00Z",
    )  # fmt: skip
    return create_source("crm_hubspot", access_token=hubspot.TOKEN)


def fill_zoho(vendor):
    dana = vendor.add_user("Dana Okafor", DANA)
    ivo = vendor.add_record(
        "Leads", First_Name="Ivo", Last_Name="Petrov", Mobile="8135550114", State="FL",
        Email="ivo@home.example", Email_Opt_Out=True, Owner=dana, Lead_Status="Contacted",
        Loan_Amount=285000,
    )  # fmt: skip
    vendor.add_record("Leads", Last_Name="Way", Owner=dana)
    parent = {"id": ivo, "name": "Ivo Petrov"}
    vendor.add_record("Notes", Note_Content="Call after the fair", Parent_Id=parent, Owner=dana)
    vendor.add_record(
        "Tasks", Subject="Send the estimate", Status="Not Started", Due_Date="2026-11-30",
        What_Id=parent, Owner=dana,
    )  # fmt: skip
    vendor.add_record(
        "Calls", Subject="Call", Call_Type="Outbound", What_Id=parent, Owner=dana,
        Call_Start_Time="2026-10-01T11:00:00-04:00",
    )  # fmt: skip
    return create_source(
        "crm_zoho", data_center="com", client_id=zoho.CLIENT_ID,
        client_secret=zoho.CLIENT_SECRET, refresh_token=zoho.REFRESH_TOKEN,
    )  # fmt: skip


def fill_pipedrive(vendor):
    dana = vendor.add_record("users", name="Dana Okafor", email=DANA)
    amount = vendor.add_custom_field("Loan purpose")
    ivo = vendor.add_record(
        "persons", name="Ivo Petrov", first_name="Ivo", last_name="Petrov",
        phones=[{"value": "8135550114", "primary": True, "label": "mobile"}],
        emails=[{"value": "ivo@home.example", "primary": True, "label": "home"}],
    )  # fmt: skip
    nobody = vendor.add_record("persons", name="No Way", phones=[], emails=[])
    stage = vendor.add_record("stages", name="Application")
    vendor.add_record(
        "deals", title="Refi", owner_id=dana, person_id=ivo, stage_id=stage, status="open",
        value=285000, currency="USD", custom_fields={amount: "Refinance"},
    )  # fmt: skip
    vendor.add_record("leads", title="Lead", owner_id=dana, person_id=nobody, value=None)
    vendor.add_record("notes", content="<b>Call</b> after the fair", person_id=ivo, user_id=dana)
    vendor.add_record(
        "activities", subject="Send the estimate", type="task", done=False, owner_id=dana,
        due_date="2026-11-30", due_time="22:00:00", person_id=ivo, deal_id=None, lead_id=None,
    )  # fmt: skip
    vendor.add_record(
        "activities", subject="Call", type="call", done=True, owner_id=dana, person_id=ivo,
        marked_as_done_time="2026-10-01T15:00:00Z",
    )  # fmt: skip
    return create_source("crm_pipedrive", api_token=pipedrive.TOKEN)


def fill_monday(vendor):
    dana = vendor.add_user("Dana Okafor", DANA)
    board = vendor.add_board("Leads")
    owner = {"personsAndTeams": [{"id": int(dana), "kind": "person"}]}
    ivo = vendor.add_item(
        board, "Ivo Petrov", Phone=("phone", "8135550114", {"phone": "8135550114"}),
        Email=("email", "ivo@home.example", {"email": "ivo@home.example"}),
        Status=("status", "Working on it", {"index": 0}), Owner=("people", "Dana Okafor", owner),
        Loan_amount=("numbers", "285000", "285000"), State="FL",
    )  # fmt: skip
    vendor.add_item(board, "No Way", Owner=("people", "Dana Okafor", owner))
    vendor.add_update(ivo, "Call after the fair", dana, "Will do")
    return create_source("crm_monday", access_token=monday.TOKEN, boards=board)


SYSTEMS = {
    "salesforce": fill_salesforce,
    "hubspot": fill_hubspot,
    "zoho": fill_zoho,
    "pipedrive": fill_pipedrive,
    "monday": fill_monday,
}
for_each_system = pytest.mark.parametrize("name", SYSTEMS)
WITH_TASKS = [name for name in SYSTEMS if name != "monday"]  # its boards have none
WITH_EXPIRING_TOKENS = ["salesforce", "zoho"]


@pytest.fixture
def connect(world, dana):
    def connected(name):
        vendor = getattr(world.simulators, name)
        return vendor, SYSTEMS[name](vendor)

    return connected


@for_each_system
def test_people_are_imported_with_fields_of_adapter(connect, dana, name):
    _, book = connect(name)

    sheet = moving.import_transfer(book)

    assert (sheet.state, sheet.counts) == ("done", {"new": 1, "refused": 1})
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.person.last_name) == ("Ivo", "Petrov")
    assert lead.person.phones.get().e164 == "+18135550114"
    assert lead.person.emails.get().address == "ivo@home.example"
    assert lead.amount_cents == 285_000_00
    assert lead.officer_id == dana.pk


@for_each_system
def test_imported_activities_are_in_history_and_not_counted_as_ours(connect, name):
    _, book = connect(name)

    sheet = moving.import_transfer(book)

    lead = Lead.objects.get()
    assert ImportedActivity.objects.filter(
        lead=lead, kind="note", text__contains="after the fair"
    ).exists()
    if name in WITH_TASKS:
        call = ImportedActivity.objects.get(lead=lead, kind="call")
        assert call.at.isoformat() == "2026-10-01T15:00:00+00:00"
    assert [row for row in imported_activities.count_by_kind(sheet) if not row.is_balanced] == []
    assert not Message.objects.exists()
    assert not ContactAttempt.objects.exists()
    assert lead.first_attempt_at is None


@pytest.mark.parametrize("name", WITH_TASKS)
def test_open_task_is_imported_for_officer_with_due_time(connect, dana, name):
    _, book = connect(name)

    moving.import_transfer(book)

    task = Task.objects.get()
    assert (task.title, task.user_id) == ("Send the estimate", dana.user_id)
    assert task.due_at.isoformat() == "2026-11-30T22:00:00+00:00"


def test_pipedrive_task_without_time_is_due_at_five_company_time(connect):
    vendor, book = connect("pipedrive")
    vendor.rows["activities"][0]["due_time"] = None

    moving.import_transfer(book)

    assert Task.objects.get().due_at.isoformat() == "2026-11-30T22:00:00+00:00"


@pytest.mark.parametrize("name", ["salesforce", "hubspot", "zoho"])
def test_opt_out_in_other_system_is_imported(connect, name):
    _, book = connect(name)

    moving.import_transfer(book)

    live = Revocation.objects.filter(ended_at=None, address="ivo@home.example")
    assert live.filter(media__contains=["email"]).exists()


@for_each_system
def test_wrong_secret_is_explained_in_terms_of_the_system(connect, name):
    _, book = connect(name)
    book.credentials = json.dumps({**json.loads(book.credentials), **dict.fromkeys(
        ("access_token", "api_token", "client_secret"), "wrong"
    )})  # fmt: skip
    book.save()

    sheet = moving.read_transfer(book)

    assert sheet.state == "reading"
    assert "denied access." in sheet.transfer.problem
    assert "under Credentials." in sheet.transfer.problem


@for_each_system
def test_rate_limit_and_server_errors_are_waited_for(connect, name):
    vendor, book = connect(name)
    sheet = moving.start_transfer(book)
    vendor.faults.add_fault({"action": "status:429", "headers": {"Retry-After": "90"}, "count": 1})
    journey.run()
    assert "wait 90 seconds" in Spreadsheet.objects.get(pk=sheet.pk).transfer.problem
    add_fault(vendor, "status:503", count=3)
    journey.run(journey.later(1.6))
    assert "failed (503)" in Spreadsheet.objects.get(pk=sheet.pk).transfer.problem

    journey.run(journey.later(20))

    assert Spreadsheet.objects.get(pk=sheet.pk).row_count == 2


@pytest.mark.parametrize("name", WITH_EXPIRING_TOKENS)
def test_expired_token_is_renewed_mid_transfer(connect, name):
    vendor, book = connect(name)
    vendor.faults.add_fault({"action": "expire_token", "nth": 3})

    sheet = moving.read_transfer(book)

    assert (sheet.state, sheet.row_count) == ("columns", 2)
    assert vendor.signed_in == 2


MANY = {
    "salesforce": (lambda vendor, nth: vendor.add_record("Lead", LastName=f"N{nth}"), 1100),
    "zoho": (lambda vendor, nth: vendor.add_record("Leads", Last_Name=f"N{nth}"), 450),
    "pipedrive": (
        lambda vendor, nth: vendor.add_record(
            "deals", title=f"N{nth}", value=1, currency="USD", person_id=None
        ),
        250,
    ),
    "monday": (lambda vendor, nth: vendor.add_item("4455", f"N{nth}"), 120),
}


@pytest.mark.parametrize("name", MANY)
def test_every_page_is_read_once(connect, name):
    vendor, book = connect(name)
    one_more, count = MANY[name]
    for nth in range(count):
        one_more(vendor, nth)

    sheet = moving.read_transfer(book)

    assert (sheet.state, sheet.row_count) == ("columns", count + 2)
    declared = sheet.transfer.declared.get("records", count + 2)
    assert declared == count + 2


def test_monday_team_is_not_taken_for_officer(connect, dana):
    vendor, book = connect("monday")
    for item in vendor.items["4455"]:
        owner = next(column for column in item["column_values"] if column["type"] == "people")
        people = json.loads(owner["value"])["personsAndTeams"]
        teams = [{"id": 51166, "kind": "team"}, *people]
        owner["value"] = json.dumps({"personsAndTeams": teams})

    moving.import_transfer(book)

    assert Lead.objects.get().officer_id == dana.pk


def test_monday_budget_error_in_good_response_is_waited_for(connect):
    vendor, book = connect("monday")
    vendor.faults.add_fault({**monday.budget_fault(16), "count": 1, "match": {"op": "boards"}})
    sheet = moving.start_transfer(book)
    journey.run()
    assert "wait 16 seconds" in Spreadsheet.objects.get(pk=sheet.pk).transfer.problem

    journey.run(journey.later(0.3))

    assert Spreadsheet.objects.get(pk=sheet.pk).state == "columns"


def test_lost_monday_cursor_restarts_without_duplicates(connect):
    vendor, book = connect("monday")
    for nth in range(60):
        vendor.add_item(
            "4455", f"Ann{nth} Lee", Phone=("phone", "", {"phone": f"81355502{nth:02}"})
        )
    sheet = moving.start_transfer(book)
    add_fault(vendor, "status:503", count=3, match={"op": "next_items_page"})
    journey.run()
    vendor.cursors.clear()
    for minutes in (1, 2, 4, 8):
        journey.run(journey.later(minutes))
    sheet_after = Spreadsheet.objects.get(pk=sheet.pk)

    assert sheet_after.state == "columns"
    assert sheet_after.findings["counts"] == {"new": 61, "again": 49, "refused": 2}


def test_salesforce_daily_limit_is_not_reported_as_wrong_secret(connect):
    vendor, book = connect("salesforce")
    limit = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}])
    add_fault(vendor, "status:403", body=limit, count=1, match={"op": "query Lead"})

    sheet = moving.read_transfer(book)

    assert sheet.transfer.problem == "Salesforce's daily request limit is reached."


def test_foreign_salesforce_domain_is_never_contacted(connect, settings):
    _, book = connect("salesforce")
    settings.UPSTREAMS = {}
    book.credentials = json.dumps(
        {**json.loads(book.credentials), "domain": "https://evil.example"}
    )
    book.save()

    sheet = moving.read_transfer(book)

    assert "My Domain must end in" in sheet.transfer.problem
