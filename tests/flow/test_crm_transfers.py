"""People of another system over its own interface: read, mapped, imported, added up, taken back."""

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
from tests.flow.senders import source, strike
from tests.flow.test_crash import killed

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def book(world):
    """HubSpot, connected, with three people; Dana is an officer here, Sam is nobody."""
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
    return source("crm_hubspot", access_token=hubspot.TOKEN)


def test_what_is_read_is_counted_and_guessed_before_anything_is_imported(book, dana, connected):
    sheet = moving.read(connected)

    assert sheet.state == "columns"
    found, moved = sheet.findings, sheet.transfer
    assert found["counts"] == {"new": 2, "refused": 1}
    assert found["people"]["with_phone"] == 2
    assert found["people"]["do_not_email"] == 1
    assert found["people"]["consent_unknown"] == 2
    assert found["stages"] == {"IN_PROGRESS": 1, "UNQUALIFIED": 1}
    assert moved.officers == {"770": str(dana.pk), "771": ""}
    assert moved.stages["UNQUALIFIED"] == "retired"
    assert moved.declared == {"records": 3}
    assert moved.listed == {"records": 3, "note": 1, "task": 2, "email": 1, "call": 1}
    assert not Lead.objects.exists()


def test_people_come_in_with_their_officer_stage_history_and_open_tasks(book, dana, connected):
    sheet = moving.moved(connected)

    assert sheet.state == "done"
    assert sheet.counts == {"new": 2, "refused": 1}
    ivo = Lead.objects.get(person__first_name="Ivo")
    mara = Lead.objects.get(person__first_name="Mara")
    assert (ivo.officer_id, mara.officer_id) == (dana.pk, None)
    assert (ivo.state, mara.state) == ("new", "retired")
    task = Task.objects.get()
    assert (task.lead, task.title, task.user_id) == (ivo, "Send the estimate", dana.user_id)
    assert task.due_at.isoformat() == "2026-11-30T15:00:00+00:00"
    told = [
        (one.title, one.detail)
        for one in lead_history.build_timeline(ivo)
        if one.key.startswith("past:")
    ]
    assert ("Note", f"imported from {connected.name} by Dana Okafor") in told
    assert len(told) == 3
    words = [
        one.quote.text
        for one in lead_history.build_timeline(ivo)
        if one.title == "Note" and one.quote
    ]
    assert "Call after the fair" in words


def test_nothing_that_was_sent_or_tried_over_there_counts_as_ours(book, dana, connected):
    moving.moved(connected)

    mara = Lead.objects.get(person__first_name="Mara")
    assert [
        one.title for one in lead_history.build_timeline(mara) if one.key.startswith("past:")
    ] == ["E-mail to them"]
    assert not Message.objects.exists()
    assert not ContactAttempt.objects.exists()
    assert not Offer.objects.exists()
    for lead in Lead.objects.all():
        assert lead.first_message_at is lead.first_attempt_at is lead.first_talk_at is None
        assert lead.promise_at is None


def test_a_refusal_is_a_suppression_here_and_a_consent_without_wording_is_unknown(
    book, dana, connected
):
    moving.moved(connected)

    live = Revocation.objects.filter(ended_at=None)
    assert live.filter(address="ivo@home.example", media__contains=["email"]).exists()
    assert {consent.status for consent in Consent.objects.all()} == {"not_provided"}


def test_what_they_have_and_what_we_took_adds_up_kind_by_kind(book, dana, connected):
    sheet = moving.moved(connected)

    assert sum(sheet.counts.values()) == sheet.row_count == sheet.transfer.declared["records"]
    told = {one.kind: one for one in imported_activities.count_by_kind(sheet)}
    assert told["task"].joined == 2
    assert (told["call"].nobody, told["call"].joined) == (1, 0)
    assert [one for one in told.values() if not one.is_balanced] == []


def test_many_pages_are_read_each_once(book, dana, connected):
    for nth in range(250):
        book.add_contact(firstname=f"P{nth}", lastname="Many", email=f"p{nth}@home.example")

    sheet = moving.read(connected)

    assert sheet.row_count == 253
    assert sheet.findings["counts"] == {"new": 252, "refused": 1}


def test_a_system_that_asks_for_patience_is_left_alone_for_as_long_as_it_says(
    book, dana, connected
):
    book.faults.add_fault(
        {**hubspot.rate_limit_fault(60), "count": 1, "match": {"op": "list contacts"}}
    )
    sheet = moving.begun(connected)
    journey.run()
    asked = len(book.record.requests_since())
    journey.run(journey.later(0.5))
    waits = CrmImport.objects.get(pk=sheet.pk)

    assert len(book.record.requests_since()) == asked
    assert "asks us to wait 60 seconds" in waits.problem
    journey.run(journey.later(1.1))
    assert Spreadsheet.objects.get(pk=sheet.pk).state == "columns"


def test_a_wrong_token_is_told_with_what_to_change_and_nothing_is_lost(book, dana, world):
    wrong = source("crm_hubspot", access_token="not-the-token")
    sheet = moving.read(wrong)

    assert sheet.state == "reading"
    assert "does not let us in" in sheet.transfer.problem
    assert "Private apps" in sheet.transfer.problem


def test_a_reading_that_was_put_away_asks_the_system_no_more(book, dana, connected):
    sheet = moving.begun(connected)
    import_staging.change_state(
        sheet.pk, came_from=("reading",), to="dropped", by=moving.clerk(), at=make.NOON
    )

    for minutes in (0, 3, 6):
        journey.run(journey.later(minutes))

    assert not book.record.requests_since()
    assert CrmImport.objects.get(pk=sheet.pk).attempts == 0


def test_an_answer_that_breaks_off_is_asked_for_again_and_kept_once(book, dana, connected):
    strike(book, "truncate:40", count=3, match={"op": "list contacts"})
    sheet = moving.begun(connected)
    journey.run()
    assert Spreadsheet.objects.get(pk=sheet.pk).row_count == 0
    journey.run(journey.later(1))

    assert Spreadsheet.objects.get(pk=sheet.pk).row_count == 3


def test_undoing_it_closes_its_leads_and_calls_off_their_tasks(book, dana, connected):
    sheet = moving.moved(connected)
    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=moving.clerk(), at=make.NOON)
    journey.run()

    assert {lead.state for lead in Lead.objects.all()} == {"retired"}
    assert Task.objects.get().cancelled_because == "import undone"


def test_read_a_second_time_only_what_is_new_comes_along(book, dana, connected):
    moving.moved(connected)
    book.add_engagement("notes", "151", hs_note_body="Said yes")

    again = moving.moved(connected)

    assert again.counts == {"repeated": 2, "refused": 1}
    assert {one.kind: (one.joined, one.before) for one in imported_activities.count_by_kind(again)}[
        "note"
    ] == (1, 1)
    assert ImportedActivity.objects.get(text="Said yes").lead == Lead.objects.get(
        person__first_name="Ivo"
    )
    assert Task.objects.count() == 1


def test_somebody_who_could_not_be_reached_comes_in_once_they_have_a_number(book, dana, connected):
    moving.moved(connected)
    book.objects["contacts"][2]["properties"]["phone"] = "8135550177"

    again = moving.moved(connected)

    assert again.counts == {"repeated": 2, "new": 1}


def test_what_was_told_of_somebody_comes_along_when_they_come_in_later(book, dana, connected):
    nobody = book.objects["contacts"][2]
    book.add_engagement("notes", nobody["id"], hs_note_body="Moves in May")
    book.add_engagement(
        "tasks", nobody["id"], hs_task_subject="Find a number", hs_task_status="NOT_STARTED"
    )
    first = moving.moved(connected)
    assert ImportedActivity.objects.get(text="Moves in May").why == "not_taken"
    nobody["properties"]["phone"] = "8135550177"

    again = moving.moved(connected)

    lead = Lead.objects.get(person__last_name="Reachable")
    told = ImportedActivity.objects.get(text="Moves in May")
    assert (told.lead, told.why) == (lead, "")
    assert Task.objects.get(lead=lead).title == "Find a number"
    for sheet in (first, again):
        assert [
            one for one in imported_activities.count_by_kind(sheet) if not one.is_balanced
        ] == []


def test_a_system_is_not_read_anew_while_a_reading_of_it_waits_for_somebody(book, dana, connected):
    waits = moving.read(connected)

    with pytest.raises(import_staging.InvalidImport, match="import it or put it away"):
        moving.begun(connected)

    import_staging.change_state(
        waits.pk, came_from=("columns",), to="dropped", by=moving.clerk(), at=make.NOON
    )
    told = {
        one.kind: one.joined for one in imported_activities.count_by_kind(moving.moved(connected))
    }
    assert told == {"note": 1, "task": 2, "email": 1, "call": 0}


@pytest.mark.parametrize(
    "mine",
    [
        "rooftree.capture.imports.import_staging:append_rows",
        "rooftree.capture.imports.imported_activities:store_activities",
        "rooftree.flow.crm_transfers:publish_update",
    ],
)
def test_killed_in_the_middle_of_its_pages_it_goes_on_and_has_each_once(
    book, dana, connected, mine
):
    for nth in range(150):
        book.add_contact(firstname=f"P{nth}", lastname="Many", email=f"p{nth}@home.example")
    sheet = moving.begun(connected)

    for minutes in (0, 3, 6):
        killed("rooftree.flow.crm_transfers.read_due_pages", mine, minutes=minutes)
    journey.run(journey.later(9))

    done = Spreadsheet.objects.get(pk=sheet.pk)
    assert (done.state, done.row_count) == ("columns", 153)
    assert done.findings["counts"] == {"new": 152, "refused": 1}
    assert ImportedActivity.objects.count() == 5


def test_killed_while_history_is_joined_no_task_is_doubled(book, dana, connected):
    sheet = moving.looked_at(moving.read(connected))
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=moving.clerk(), at=make.NOON)

    killed("tests.flow.moving.import_all", "rooftree.leads.lead_tasks:import_tasks", after=True)
    journey.run()

    assert Spreadsheet.objects.get(pk=sheet.pk).state == "done"
    assert Task.objects.count() == 1
    assert ImportedActivity.objects.filter(lead=None, why="").count() == 0


def test_an_officer_without_the_license_does_not_get_the_lead_and_it_says_so(book, connected):
    user = make.user("officer", name="Dana Okafor", email="dana@lindenfield.example")
    make.officer(user=user, licensed=("TX",))
    book.add_custom_property("property_state")
    book.objects["contacts"][0]["properties"]["property_state"] = "FL"

    moving.moved(connected)

    ivo = Lead.objects.get(person__first_name="Ivo")
    assert ivo.officer is None
    assert any("Nobody has this lead" in remark.text for remark in ivo.remarks.all())


def test_an_owner_is_known_by_the_nmls_id_in_their_name_too(book, dana, connected):
    book.owners[0] |= {"email": "old@elsewhere.example", "lastName": f"O. NMLS #{dana.nmls_id}"}

    sheet = moving.read(connected)

    assert sheet.transfer.officers["770"] == str(dana.pk)


def test_whoever_is_nobody_here_stays_with_the_lead_as_a_word(book, dana, connected):
    moving.moved(connected)

    mara = Lead.objects.get(person__first_name="Mara")
    assert "Their owner: Sam Gone" in mara.remarks.get().text


def test_numbers_that_may_not_be_kept_are_taken_out_of_notes(book, dana, connected):
    book.add_engagement("notes", "151", hs_note_body="His SSN is 523-45-6789")

    moving.moved(connected)

    assert not ImportedActivity.objects.filter(text__contains="523-45").exists()
    assert ImportedActivity.objects.filter(text__contains="[redacted ssn]").exists()


def test_history_of_somebody_on_file_comes_along_where_that_was_chosen(book, dana, connected):
    known = make.lead(person=make.person(first_name="Mara", last_name="Lind"))
    known.person.phones.update(e164="+18135550115")

    sheet = moving.moved(connected, known="add")

    assert sheet.counts == {"new": 1, "known": 1, "refused": 1}
    assert ImportedActivity.objects.get(kind="email").lead.person_id == known.person_id


def test_history_of_somebody_who_is_left_as_they_are_is_counted_as_not_taken(book, dana, connected):
    known = make.lead(person=make.person(first_name="Mara", last_name="Lind"))
    known.person.phones.update(e164="+18135550115")

    sheet = moving.moved(connected)

    assert sheet.counts == {"new": 1, "left_out": 1, "refused": 1}
    told = {one.kind: one for one in imported_activities.count_by_kind(sheet)}["email"]
    assert (told.joined, told.not_taken, told.is_balanced) == (0, 1, True)
