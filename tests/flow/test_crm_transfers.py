"""Transfers from another system's API: read, map, import, reconcile and undo."""

import pytest

from rooftree.capture.imports import import_staging, imported_activities
from rooftree.capture.imports.models import CrmImport, ImportedActivity
from rooftree.capture.models import Spreadsheet
from rooftree.compliance.models import Consent, Revocation
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import ContactAttempt, Lead, Task
from rooftree.outreach.models import Message
from rooftree.reporting.timeline import lead_history
from rooftree.routing.models import Offer
from rooftree_simulators.crms import hubspot
from tests import make
from tests.flow import journey, moving
from tests.flow.senders import add_fault, create_source
from tests.flow.test_crash import run_until_crash

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def book(world):
    """Return HubSpot with three people; Dana is an officer here and Sam is not."""
    vendor = world.simulators.hubspot
    dana = vendor.add_owner("Dana Okafor", "dana@lindenfield.example")
    sam = vendor.add_owner("Sam Gone", "sam@elsewhere.example")
    ivo = vendor.add_contact(
        firstname="Ivo",
        lastname="Petrov",
        email="ivo@home.example",
        phone="(813) 555-0114",
        state="Florida",
        hs_lead_status="IN_PROGRESS",
        hubspot_owner_id=dana,
        hs_email_optout="true",
    )
    mara = vendor.add_contact(
        firstname="Mara",
        lastname="Lind",
        email="mara@home.example",
        mobilephone="8135550115",
        state="FL",
        hs_lead_status="UNQUALIFIED",
        hubspot_owner_id=sam,
    )
    vendor.add_contact(firstname="Nobody", lastname="Reachable")
    vendor.add_engagement(
        "notes", ivo, hs_note_body="<p>Call after the fair</p>", hubspot_owner_id=dana
    )
    vendor.add_engagement(
        "tasks",
        ivo,
        hs_task_subject="Send the estimate",
        hs_task_status="NOT_STARTED",
        hs_timestamp="2026-11-30T15:00:00Z",
        hubspot_owner_id=dana,
    )
    vendor.add_engagement("tasks", ivo, hs_task_subject="First call", hs_task_status="COMPLETED")
    vendor.add_engagement(
        "emails",
        mara,
        hs_email_subject="Your rate",
        hs_email_text="Dear Mara",
        hs_email_direction="EMAIL",
        hs_timestamp="2026-10-01T15:00:00Z",
    )
    vendor.add_engagement("calls", hs_call_title="To nobody", hs_call_direction="OUTBOUND")
    return vendor


@pytest.fixture
def dana():
    user = make.user("officer", name="Dana Okafor", email="dana@lindenfield.example")
    return make.officer(user=user)


@pytest.fixture
def connected(world):
    return create_source("crm_hubspot", access_token=hubspot.TOKEN)


def test_transfer_counts_and_maps_records_before_import(book, dana, connected):
    sheet = moving.read_transfer(connected)

    assert sheet.state == "columns"
    findings, transfer = sheet.findings, sheet.transfer
    assert findings["counts"] == {"new": 2, "refused": 1}
    assert findings["people"]["with_phone"] == 2
    assert findings["people"]["do_not_email"] == 1
    assert findings["people"]["consent_unknown"] == 2
    assert findings["stages"] == {"IN_PROGRESS": 1, "UNQUALIFIED": 1}
    assert transfer.officers == {"770": str(dana.pk), "771": ""}
    assert transfer.stages["UNQUALIFIED"] == "retired"
    assert transfer.declared == {"records": 3}
    assert transfer.listed == {"records": 3, "note": 1, "task": 2, "email": 1, "call": 1}
    assert not Lead.objects.exists()


def test_people_are_imported_with_officer_stage_history_and_tasks(book, dana, connected):
    sheet = moving.import_transfer(connected)

    assert sheet.state == "done"
    assert sheet.counts == {"new": 2, "refused": 1}
    ivo = Lead.objects.get(person__first_name="Ivo")
    mara = Lead.objects.get(person__first_name="Mara")
    assert (ivo.officer_id, mara.officer_id) == (dana.pk, None)
    assert (ivo.state, mara.state) == ("new", "retired")
    task = Task.objects.get()
    assert (task.lead, task.title, task.user_id) == (ivo, "Send the estimate", dana.user_id)
    assert task.due_at.isoformat() == "2026-11-30T15:00:00+00:00"
    past = [
        (entry.title, entry.detail)
        for entry in lead_history.build_timeline(ivo)
        if entry.key.startswith("past:")
    ]
    assert ("Note", f"imported from {connected.name} by Dana Okafor") in past
    assert len(past) == 3
    words = [
        entry.quote.text
        for entry in lead_history.build_timeline(ivo)
        if entry.title == "Note" and entry.quote
    ]
    assert "Call after the fair" in words


def test_imported_messages_and_calls_do_not_count_as_ours(book, dana, connected):
    moving.import_transfer(connected)

    mara = Lead.objects.get(person__first_name="Mara")
    assert [
        entry.title for entry in lead_history.build_timeline(mara) if entry.key.startswith("past:")
    ] == ["Email to borrower"]
    assert not Message.objects.exists()
    assert not ContactAttempt.objects.exists()
    assert not Offer.objects.exists()
    for lead in Lead.objects.all():
        assert lead.first_message_at is lead.first_attempt_at is lead.first_conversation_at is None
        assert lead.response_due_at is None


def test_imported_opt_out_suppresses_and_consent_without_wording_is_unknown(book, dana, connected):
    moving.import_transfer(connected)

    live = Revocation.objects.filter(ended_at=None)
    assert live.filter(address="ivo@home.example", media__contains=["email"]).exists()
    assert {consent.status for consent in Consent.objects.all()} == {"not_provided"}


def test_transfer_counts_add_up_by_kind(book, dana, connected):
    sheet = moving.import_transfer(connected)

    assert sum(sheet.counts.values()) == sheet.row_count == sheet.transfer.declared["records"]
    counts = {count.kind: count for count in imported_activities.count_by_kind(sheet)}
    assert counts["task"].joined == 2
    assert (counts["call"].nobody, counts["call"].joined) == (1, 0)
    assert [count for count in counts.values() if not count.is_balanced] == []


def test_many_pages_are_each_read_once(book, dana, connected):
    for nth in range(250):
        book.add_contact(firstname=f"P{nth}", lastname="Many", email=f"p{nth}@home.example")

    sheet = moving.read_transfer(connected)

    assert sheet.row_count == 253
    assert sheet.findings["counts"] == {"new": 252, "refused": 1}


def test_rate_limited_system_is_left_alone_as_long_as_it_asks(book, dana, connected):
    book.faults.add_fault(
        {**hubspot.rate_limit_fault(60), "count": 1, "match": {"op": "list contacts"}}
    )
    sheet = moving.start_transfer(connected)
    journey.run()
    request_count = len(book.record.requests_since())
    journey.run(journey.later(0.5))
    transfer = CrmImport.objects.get(pk=sheet.pk)

    assert len(book.record.requests_since()) == request_count
    assert "asked us to wait 60 seconds" in transfer.problem
    journey.run(journey.later(1.1))
    assert Spreadsheet.objects.get(pk=sheet.pk).state == "columns"


def test_wrong_token_is_reported_with_what_to_change(book, dana, world):
    wrong = create_source("crm_hubspot", access_token="not-the-token")
    sheet = moving.read_transfer(wrong)

    assert sheet.state == "reading"
    assert "denied access" in sheet.transfer.problem
    assert "Private apps" in sheet.transfer.problem


def test_dropped_transfer_makes_no_more_requests(book, dana, connected):
    sheet = moving.start_transfer(connected)
    import_staging.change_state(
        sheet.pk, came_from=("reading",), to="dropped", by=moving.clerk(), at=make.NOON
    )

    for minutes in (0, 3, 6):
        journey.run(journey.later(minutes))

    assert not book.record.requests_since()
    assert CrmImport.objects.get(pk=sheet.pk).attempts == 0


def test_truncated_response_is_requested_again_and_stored_once(book, dana, connected):
    add_fault(book, "truncate:40", count=3, match={"op": "list contacts"})
    sheet = moving.start_transfer(connected)
    journey.run()
    assert Spreadsheet.objects.get(pk=sheet.pk).row_count == 0
    journey.run(journey.later(1))

    assert Spreadsheet.objects.get(pk=sheet.pk).row_count == 3


def test_undoing_transfer_closes_leads_and_cancels_tasks(book, dana, connected):
    sheet = moving.import_transfer(connected)
    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=moving.clerk(), at=make.NOON)
    journey.run()

    assert {lead.state for lead in Lead.objects.all()} == {"retired"}
    assert Task.objects.get().cancel_reason == "import undone"


def test_second_transfer_imports_only_new_records(book, dana, connected):
    moving.import_transfer(connected)
    book.add_engagement("notes", "151", hs_note_body="Said yes")

    again = moving.import_transfer(connected)

    assert again.counts == {"repeated": 2, "refused": 1}
    assert {
        count.kind: (count.joined, count.before)
        for count in imported_activities.count_by_kind(again)
    }["note"] == (1, 1)
    assert ImportedActivity.objects.get(text="Said yes").lead == Lead.objects.get(
        person__first_name="Ivo"
    )
    assert Task.objects.count() == 1


def test_unreachable_person_is_imported_once_number_exists(book, dana, connected):
    moving.import_transfer(connected)
    book.objects["contacts"][2]["properties"]["phone"] = "8135550177"

    again = moving.import_transfer(connected)

    assert again.counts == {"repeated": 2, "new": 1}


def test_skipped_activities_are_imported_with_person_later(book, dana, connected):
    nobody = book.objects["contacts"][2]
    book.add_engagement("notes", nobody["id"], hs_note_body="Moves in May")
    book.add_engagement(
        "tasks", nobody["id"], hs_task_subject="Find a number", hs_task_status="NOT_STARTED"
    )
    first = moving.import_transfer(connected)
    assert ImportedActivity.objects.get(text="Moves in May").problem == "not_taken"
    nobody["properties"]["phone"] = "8135550177"

    again = moving.import_transfer(connected)

    lead = Lead.objects.get(person__last_name="Reachable")
    activity = ImportedActivity.objects.get(text="Moves in May")
    assert (activity.lead, activity.problem) == (lead, "")
    assert Task.objects.get(lead=lead).title == "Find a number"
    for sheet in (first, again):
        assert [
            count for count in imported_activities.count_by_kind(sheet) if not count.is_balanced
        ] == []


def test_system_is_not_read_again_while_transfer_is_open(book, dana, connected):
    waiting_sheet = moving.read_transfer(connected)

    with pytest.raises(import_staging.InvalidImport, match="Finish or discard it first"):
        moving.start_transfer(connected)

    import_staging.change_state(
        waiting_sheet.pk, came_from=("columns",), to="dropped", by=moving.clerk(), at=make.NOON
    )
    counts = {
        count.kind: count.joined
        for count in imported_activities.count_by_kind(moving.import_transfer(connected))
    }
    assert counts == {"note": 1, "task": 2, "email": 1, "call": 0}


@pytest.mark.parametrize(
    "crash_point",
    [
        "rooftree.capture.imports.import_staging:append_rows",
        "rooftree.capture.imports.imported_activities:store_activities",
        "rooftree.flow.crm_transfers:publish_update",
    ],
)
def test_transfer_killed_between_pages_continues_without_duplicates(
    book, dana, connected, crash_point
):
    for nth in range(150):
        book.add_contact(firstname=f"P{nth}", lastname="Many", email=f"p{nth}@home.example")
    sheet = moving.start_transfer(connected)

    for minutes in (0, 3, 6):
        run_until_crash("rooftree.flow.crm_transfers.read_due_pages", crash_point, minutes=minutes)
    journey.run(journey.later(9))

    finished_sheet = Spreadsheet.objects.get(pk=sheet.pk)
    assert (finished_sheet.state, finished_sheet.row_count) == ("columns", 153)
    assert finished_sheet.findings["counts"] == {"new": 152, "refused": 1}
    assert ImportedActivity.objects.count() == 5


def test_transfer_killed_while_linking_history_creates_no_duplicate_tasks(book, dana, connected):
    sheet = moving.check_transfer(moving.read_transfer(connected))
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=moving.clerk(), at=make.NOON)

    run_until_crash(
        "tests.flow.moving.import_all", "rooftree.leads.lead_tasks:import_tasks", after=True
    )
    journey.run()

    assert Spreadsheet.objects.get(pk=sheet.pk).state == "done"
    assert Task.objects.count() == 1
    assert ImportedActivity.objects.filter(lead=None, problem="").count() == 0


def test_unlicensed_officer_does_not_get_imported_lead(book, connected):
    user = make.user("officer", name="Dana Okafor", email="dana@lindenfield.example")
    make.officer(user=user, licensed=("TX",))
    book.add_custom_property("property_state")
    book.objects["contacts"][0]["properties"]["property_state"] = "FL"

    moving.import_transfer(connected)

    ivo = Lead.objects.get(person__first_name="Ivo")
    assert ivo.officer is None
    assert any("Unassigned: its officer in" in remark.text for remark in ivo.remarks.all())


def test_owner_is_matched_by_nmls_id_in_name(book, dana, connected):
    book.owners[0] |= {"email": "old@elsewhere.example", "lastName": f"O. NMLS #{dana.nmls_id}"}

    sheet = moving.read_transfer(connected)

    assert sheet.transfer.officers["770"] == str(dana.pk)


def test_unmapped_owner_is_kept_as_note(book, dana, connected):
    moving.import_transfer(connected)

    mara = Lead.objects.get(person__first_name="Mara")
    assert "Previous owner: Sam Gone" in mara.remarks.get().text


def test_ssn_is_redacted_in_imported_notes(book, dana, connected):
    book.add_engagement("notes", "151", hs_note_body="His SSN is 523-45-6789")

    moving.import_transfer(connected)

    assert not ImportedActivity.objects.filter(text__contains="523-45").exists()
    assert ImportedActivity.objects.filter(text__contains="[redacted ssn]").exists()


def test_history_of_known_person_is_imported_by_choice(book, dana, connected):
    mara_lead = make.lead(person=make.person(first_name="Mara", last_name="Lind"))
    mara_lead.person.phones.update(e164="+18135550115")

    sheet = moving.import_transfer(connected, known="add")

    assert sheet.counts == {"new": 1, "known": 1, "refused": 1}
    assert ImportedActivity.objects.get(kind="email").lead.person_id == mara_lead.person_id


def test_history_of_excluded_person_is_counted_as_not_taken(book, dana, connected):
    mara_lead = make.lead(person=make.person(first_name="Mara", last_name="Lind"))
    mara_lead.person.phones.update(e164="+18135550115")

    sheet = moving.import_transfer(connected)

    assert sheet.counts == {"new": 1, "left_out": 1, "refused": 1}
    email_counts = {count.kind: count for count in imported_activities.count_by_kind(sheet)}[
        "email"
    ]
    assert (email_counts.joined, email_counts.not_taken, email_counts.is_balanced) == (0, 1, True)
