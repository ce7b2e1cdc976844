"""Spreadsheet imports: upload, mapping, dry run, import and undo."""

import io
from datetime import date

import pytest

from rooftree.capture.imports import import_staging, undo_import
from rooftree.capture.intake import store_inquiries
from rooftree.capture.models import ImportedRow, Spreadsheet
from rooftree.capture.parsing.field_map import MapLine, parse_map_lines
from rooftree.compliance.consent import store_revocation
from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.gate.facts import Medium, Purpose
from rooftree.compliance.models import Consent, DncArea, Revocation
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Delivery, Lead, Person, Touch
from rooftree.ledger.models import Event
from rooftree.outreach.facts.message_facts import OutgoingContact, gather_facts
from rooftree.outreach.models import Message
from rooftree.outreach.releases.models import Release
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import parse_period
from rooftree.routing.models import Offer
from tests import make
from tests.flow import journey

HEADER = "First name,Last name,Mobile,Email,Property state,Purpose"
ROWS = (
    "Nina,Kowalczyk,4145550117,nina@example.com,FL,Refi",
    "Omar,Haddad,4145550118,omar@example.com,TX,Purchase",
    "Nobody,Reachable,,,FL,Refi",
)


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows]).encode()


@pytest.fixture
def book(db):
    journey.set_up_company()
    return make.source("csv_import")


def upload(book, body=None, **options):
    sheet, _ = import_staging.store_upload(
        source_id=book.pk, name="old.csv", body=body or file_of(*ROWS), by=clerk(), at=make.NOON
    )
    described = import_staging.save_column_map(
        sheet_id=sheet.pk,
        lines=parse_map_lines(sheet.lines),
        options=options,
        by=clerk(),
        at=make.NOON,
    )
    spreadsheet_imports.enqueue_check(sheet_id=described.pk)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def run_import(book, body=None, **options):
    sheet = upload(book, body, **options)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def clerk():
    return make.user("operations")


def test_import_dry_run_counts_and_changes_nothing(book):
    sheet = upload(book)

    assert sheet.state == "checked"
    assert sheet.findings["counts"] == {"new": 2, "refused": 1}
    assert sheet.findings["refused"] == [{"line": 4, "reason": "no_contact"}]
    assert (Delivery.objects.count(), Lead.objects.count()) == (0, 0)


def test_imported_leads_know_their_file_and_line(book):
    sheet = run_import(book)

    assert (sheet.state, sheet.counts) == ("done", {"new": 2, "refused": 1})
    nina = Lead.objects.get(person__first_name="Nina")
    touch = nina.touches.get()
    assert touch.vendor_lead_id == f"imp{sheet.number}:1"
    assert touch.delivery.path == f"/imports/imp{sheet.number}/2"
    assert b"old.csv" in bytes(touch.delivery.body)
    assert (nina.source, nina.purpose, nina.property_state) == (book, "refinance", "FL")


def test_row_without_contact_is_closed_and_replayable(book):
    sheet = run_import(book)

    row = ImportedRow.objects.get(spreadsheet=sheet, outcome="refused")
    assert (row.line, row.problem) == (4, "no_contact")
    assert (row.delivery.state, row.delivery.outcome) == ("closed", "quarantined")


def test_uploaded_file_is_deleted_after_import(book):
    assert not run_import(book).parts.exists()


def test_import_contacts_no_one(book):
    make.officer()

    run_import(book)
    journey.run(at=make.NOON + make.DAY)

    assert Message.objects.count() == 0
    assert Offer.objects.count() == 0
    assert set(Consent.objects.values_list("status", flat=True)) == {"not_provided"}


def test_imported_leads_are_assigned_and_greeted_only_by_choice(book):
    make.officer()

    run_import(book, then="greet")

    assert Offer.objects.count() == 2
    assert {message.medium for message in Message.objects.filter(state="sent")} == {"email"}
    assert not Message.objects.filter(medium="text", state__in=["sent", "delivered"]).exists()


def test_past_clients_are_not_counted_as_new_leads(book):
    run_import(book, people="clients")
    other = make.source("csv_import")
    run_import(other, file_of("Zoe,Ray,8135550199,zoe@example.org,FL"))

    figures = cost_by_source.load_first_screen(
        period=parse_period(f"{make.NOON:%Y}-q4", make.NOON.date()),
        branch_paths=None,
        today=make.NOON.date(),
    )

    assert figures.total.leads == Lead.objects.filter(source=other).count() == 1
    assert [row.source_id for row in figures.rows] == [other.pk]


def test_source_holds_new_leads_or_past_clients_not_both(book):
    run_import(book)
    sheet = upload(book, file_of("Zoe,Ray,8135550199,zoe@example.org,FL"), people="clients")

    with pytest.raises(import_staging.InvalidImport, match="already holds new leads"):
        spreadsheet_imports.start_import(sheet_id=sheet.pk, by=sheet.uploaded_by, at=make.NOON)


def test_same_file_again_is_same_import(book):
    sheet = run_import(book)

    again, is_new = import_staging.store_upload(
        source_id=book.pk, name="copy.csv", body=file_of(*ROWS), by=clerk(), at=make.NOON
    )

    assert (again.pk, is_new) == (sheet.pk, False)


def test_corrected_file_adds_only_corrected_row(book):
    run_import(book)

    mended = run_import(book, file_of(*ROWS[:2], "Nobody,Reachable,4145550119,,FL,Refi"))

    assert mended.counts == {"repeated": 2, "new": 1}
    assert (Lead.objects.count(), Touch.objects.count()) == (3, 3)


def test_known_person_is_left_out_by_default(book):
    nina = make.person(phone="+14145550117", first_name="Nina", last_name="Kowalczyk")
    make.lead(person=nina, purpose="purchase")

    sheet = run_import(book)

    assert sheet.findings["counts"]["known"] == 1
    assert sheet.counts == {"left_out": 1, "new": 1, "refused": 1}
    assert Person.objects.filter(first_name="Nina").count() == 1
    assert nina.touches.count() == 0


def test_known_person_gets_another_touch_by_choice(book):
    nina = make.person(phone="+14145550117", first_name="Nina", last_name="Kowalczyk")

    sheet = run_import(book, known="add")

    assert sheet.counts["known"] == 1
    assert nina.touches.count() == 1


def test_interrupted_import_continues_where_it_stopped(book, monkeypatch):
    monkeypatch.setattr(spreadsheet_imports, "ROWS_PER_TRANSACTION", 1)
    sheet = upload(book)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    assert spreadsheet_imports.import_batch(sheet_id=sheet.pk, at=make.NOON)

    journey.run()

    after = Spreadsheet.objects.get(pk=sheet.pk)
    assert (after.state, after.seen_rows) == ("done", 3)
    assert after.counts == {"new": 2, "refused": 1}
    assert ImportedRow.objects.filter(spreadsheet=sheet).count() == 3


def test_interrupted_undo_continues_where_it_stopped(book, monkeypatch):
    monkeypatch.setattr(undo_import, "BATCH_SIZE", 1)
    sheet = run_import(book)
    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    assert undo_import.close_next_batch(sheet_id=sheet.pk, at=make.NOON)

    journey.run()

    sheet.refresh_from_db()
    assert (sheet.state, sheet.counts["closed"]) == ("done", 2)
    assert Event.objects.filter(kind="capture.lead.withdrawn").count() == 2


def test_rows_of_one_person_in_batch_become_one_lead(book):
    sheet = run_import(
        book,
        file_of(ROWS[0], "Nina,Kowalczyk,4145550117,,FL,Purchase", ROWS[1]),
        known="add",
    )

    assert sheet.counts == {"new": 2, "again": 1}
    assert Person.objects.count() == 2


def test_failing_row_does_not_block_other_rows(book, monkeypatch):
    store_all = store_inquiries.store_inquiries

    def fails_for_omar(arrivals, *, at):
        if any(arrival.inquiry.borrower.first_name == "Omar" for arrival in arrivals):
            raise ValueError("poisoned")
        return store_all(arrivals, at=at)

    monkeypatch.setattr(store_inquiries, "store_inquiries", fails_for_omar)
    sheet = run_import(book)

    assert sheet.counts == {"new": 1, "refused": 2}
    omar = ImportedRow.objects.get(spreadsheet=sheet, problem="our_fault").delivery
    assert (omar.state, omar.problem) == ("quarantined", "ValueError while importing the row.")


def test_long_file_is_stored_in_parts_and_read_from_any_row(book):
    many = [
        f"Ada{number},Book{number},813555{number:04d},,FL,Refi"
        for number in range(import_staging.ROWS_PER_PART + 30)
    ]
    sheet, _ = import_staging.store_upload(
        source_id=book.pk, name="long.csv", body=file_of(*many), by=clerk(), at=make.NOON
    )

    assert sheet.parts.count() == 2
    assert [row.line for row in import_staging.read_rows(sheet)] == list(range(2, len(many) + 2))
    across = import_staging.read_rows(sheet, begin=import_staging.ROWS_PER_PART - 5, limit=10)
    assert [row.cells["First name"] for row in across] == [
        f"Ada{number}"
        for number in range(import_staging.ROWS_PER_PART - 5, import_staging.ROWS_PER_PART + 5)
    ]


def test_do_not_contact_column_is_imported(book):
    header = "First name,Last name,Mobile,Email,State,DNC"
    run_import(book, file_of("Ana,Diaz,4145550120,,FL,yes", header=header))

    assert Revocation.objects.filter(address="+14145550120").exists()


def test_imported_consent_counts_only_with_its_wording(book):
    header = "First name,Last name,Mobile,Ok,Words,On"
    wording = "By ticking this box I agree that Lindenfield Mortgage may call and text me."
    body = file_of(
        f'Ana,Diaz,4145550120,yes,"{wording}",2026-01-05T10:00:00Z',
        "Bo,Lind,4145550121,yes,,2026-01-05T10:00:00Z",
        header=header,
    )
    sheet, _ = import_staging.store_upload(
        source_id=book.pk, name="old.csv", body=body, by=clerk(), at=make.NOON
    )
    lines = [
        *parse_map_lines(sheet.lines),
        MapLine(field="consent_checked", path="Ok"),
        MapLine(field="consent_text", path="Words"),
        MapLine(field="consent_at", path="On"),
    ]
    import_staging.save_column_map(
        sheet_id=sheet.pk, lines=lines, options={}, by=clerk(), at=make.NOON
    )
    spreadsheet_imports.enqueue_check(sheet_id=sheet.pk)
    journey.run()
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()

    statuses = dict(Consent.objects.values_list("address", "status"))
    assert statuses == {"+14145550120": "granted", "+14145550121": "not_provided"}


def test_files_with_same_row_ids_stay_apart(book):
    header = "ID,First name,Last name,Mobile"
    run_import(book, file_of("1,Ana,Diaz,4145550120", header=header))
    run_import(book, file_of("1,Bo,Lind,4145550121", header=header))

    assert Person.objects.count() == 2


def test_undo_closes_untouched_leads_and_keeps_the_rest(book):
    sheet = run_import(book)
    omar = Lead.objects.get(person__first_name="Omar")
    make.ownership(omar, make.officer())

    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=clerk(), at=make.NOON + make.DAY)
    journey.run(at=make.NOON + make.DAY)

    nina = Lead.objects.get(person__first_name="Nina")
    sheet.refresh_from_db()
    assert (sheet.state, sheet.counts["closed"]) == ("done", 1)
    assert (nina.state, nina.retired_reason) == ("retired", "import undone")
    omar.refresh_from_db()
    assert omar.state == "new"
    with pytest.raises(import_staging.InvalidImport):
        spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=clerk(), at=make.NOON + make.DAY)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "This file is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"A,B,C", "column names but no rows"),
        (b"a\0b,c\n1,2", "isn't a text file"),
        (b"a\n" + b"x\n" * 200_002, "at most 200,000"),
        (b"a\n" + b"x" * 30_000, "A cell is too long"),
    ],
)
def test_unreadable_upload_is_refused_with_reason(book, body, reason):
    with pytest.raises(import_staging.InvalidImport, match=reason):
        import_staging.store_upload(
            source_id=book.pk, name="x.csv", body=body, by=clerk(), at=make.NOON
        )
    assert Spreadsheet.objects.count() == 0


def test_ssn_is_masked_before_file_is_stored(book):
    header = "First name,Last name,Mobile,SSN"
    sheet = upload(book, file_of("Ana,Diaz,4145550120,123456789", header=header))

    (row,) = import_staging.read_rows(sheet)
    assert row.cells["SSN"] == "*********"
    assert "ssn_discarded" in sheet.remarks


def test_large_import_greeting_waits_for_second_person(book):
    make.release_limits(free_size=2)

    sheet = run_import(book, then="greet")

    release = Release.objects.get()
    assert (release.kind, release.state) == ("greetings", "draft")
    assert sheet.file_name in release.title
    assert Message.objects.count() == 0
    journey.run(journey.later(2))
    release.refresh_from_db()
    assert (release.state, release.size) == ("done", 2)  # one of three rows has no contact
    assert Message.objects.filter(release=release).exists()


def load_list(registry: str, *lines: str, dated=None) -> None:
    upload = ListUpload(
        registry=registry,
        name="list.txt",
        dated=dated or make.NOON.date(),
        file=io.BytesIO("\n".join(lines).encode()),
    )
    load_file(upload, by=None, at=make.NOON)


PHONES = (
    "Ann,On,8135550101,ann@example.com,FL,Refi",
    "Bob,State,8135550102,bob@example.com,FL,Refi",
    "Cal,Litigator,8135550103,cal@example.com,FL,Refi",
    "Dee,Ours,8135550104,dee@example.com,FL,Refi",
    "Eve,Stopped,8135550105,eve@example.com,FL,Refi",
    "Fay,Clear,8135550106,fay@example.com,FL,Refi",
    "Gus,Unknown,4145550107,gus@example.com,FL,Refi",
    "Fay,Again,8135550106,fay2@example.com,FL,Refi",
)
ON_LISTS = {
    "numbers": 7, "national": 1, "state": 1, "litigator": 1, "internal": 1, "opted_out": 1,
    "unknown": 1, "clear": 1,
}  # fmt: skip


@pytest.fixture
def lists(db):
    load_list("US", "813,5550101")
    load_list("FL", "8135550102")
    load_list("LITIGATOR", "8135550103")
    for number, kind in (("+18135550104", "do_not_contact"), ("+18135550105", "stop")):
        store_revocation.store_revocation(
            person_id=None, address=number, kind=kind, media=["call", "text"], origin="test",
            idempotency_key=f"test:{number}", at=make.NOON,
        )  # fmt: skip


def test_dry_run_and_result_count_same_listed_numbers(book, lists):
    sheet = run_import(book, file_of(*PHONES))

    assert sheet.findings["lists"] == ON_LISTS
    assert sheet.findings["lists_after"] == ON_LISTS


def test_dry_run_asks_vendor_and_result_counts_answers(book):
    NumberService.objects.create(
        id="dncscrub", key="nobody-answers", covers=["US"], changed_at=make.NOON
    )
    sheet = upload(book, file_of(*PHONES))
    assert sheet.findings["lists"] == {"numbers": 7, "unknown": 7}
    questions = NumberQuestion.objects.filter(kind="lists", answered_at=None)
    assert questions.count() == 7

    questions.update(
        answered_at=make.NOON, due_at=None, answer={}, covers=["US"], service="dncscrub"
    )
    NumberQuestion.objects.filter(number="+18135550101").update(listed=["US"])
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()

    sheet.refresh_from_db()
    assert sheet.findings["lists_after"] == {"numbers": 7, "national": 1, "clear": 6}
    assert NumberQuestion.objects.count() == 7  # no number is asked about twice on the same day


def test_outdated_dnc_list_covers_no_numbers(book, lists):
    DncArea.objects.filter(registry="US").update(dated=make.NOON.date() - 32 * make.DAY)

    sheet = upload(book, file_of(*PHONES))

    assert sheet.findings["lists"]["unknown"] == 7
    assert "clear" not in sheet.findings["lists"]


def test_imported_inquiry_counts_from_its_own_date(book):
    """47 CFR 64.1200(f)(5): three months from the inquiry, not from its import."""
    header = f"{HEADER},Submitted at"
    old = "Nina,Kowalczyk,8135550117,nina@example.com,FL,Refi,2026-01-05"
    book_terms = make.terms(book, reviewed_by=make.user("compliance"), reviewed_at=make.NOON)
    assert book_terms.names_us
    run_import(book, file_of(old, header=header))
    run_import(book, file_of("Omar,Haddad,8135550118,omar@example.com,FL,Purchase"))

    def facts_of(name: str):
        lead = Lead.objects.select_related("person", "source").get(person__first_name=name)
        outgoing = OutgoingContact(
            medium=Medium.CALL, purpose=Purpose.MARKETING, is_automated=False,
            to=lead.person.phones.get().e164, text="",
        )  # fmt: skip
        return gather_facts(outgoing, lead=lead, company=make.company(), at=make.NOON + make.HOUR)

    nina, omar = facts_of("Nina"), facts_of("Omar")
    assert [(relationship.on, relationship.with_us) for relationship in nina.relationships] == [
        (date(2026, 1, 5), True)
    ]
    assert nina.last_confirmed_on == date(2026, 1, 5)
    assert (omar.relationships, omar.last_confirmed_on) == ((), None)
