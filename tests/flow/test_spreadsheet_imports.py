"""A spreadsheet's whole way: uploaded, described, looked at, imported, and taken back."""

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
    journey.ready()
    return make.source("csv_import")


def uploaded(book, body=None, **options):
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


def imported(book, body=None, **options):
    sheet = uploaded(book, body, **options)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()
    return Spreadsheet.objects.get(pk=sheet.pk)


def clerk():
    return make.user("operations")


def test_the_dry_run_counts_and_changes_nothing(book):
    sheet = uploaded(book)

    assert sheet.state == "checked"
    assert sheet.findings["counts"] == {"new": 2, "refused": 1}
    assert sheet.findings["refused"] == [{"line": 4, "reason": "no_contact"}]
    assert (Delivery.objects.count(), Lead.objects.count()) == (0, 0)


def test_rows_become_leads_that_know_their_file_and_line(book):
    sheet = imported(book)

    assert (sheet.state, sheet.counts) == ("done", {"new": 2, "refused": 1})
    nina = Lead.objects.get(person__first_name="Nina")
    touch = nina.touches.get()
    assert touch.vendor_lead_id == f"imp{sheet.number}:1"
    assert touch.delivery.path == f"/imports/imp{sheet.number}/2"
    assert b"old.csv" in bytes(touch.delivery.body)
    assert (nina.source, nina.purpose, nina.property_state) == (book, "refinance", "FL")


def test_a_row_without_contact_is_kept_closed_and_can_be_replayed(book):
    sheet = imported(book)

    row = ImportedRow.objects.get(spreadsheet=sheet, became="refused")
    assert (row.line, row.why) == (4, "no_contact")
    assert (row.delivery.state, row.delivery.outcome) == ("closed", "quarantined")


def test_the_file_is_let_go_of_when_it_is_done(book):
    assert not imported(book).parts.exists()


def test_nobody_is_rung_or_written_to_by_an_import(book):
    make.officer()

    imported(book)
    journey.run(at=make.NOON + make.DAY)

    assert Message.objects.count() == 0
    assert Offer.objects.count() == 0
    assert set(Consent.objects.values_list("status", flat=True)) == {"not_provided"}


def test_leads_go_to_officers_and_are_greeted_only_by_choice(book):
    make.officer()

    imported(book, then="greet")

    assert Offer.objects.count() == 2
    assert {message.medium for message in Message.objects.filter(state="sent")} == {"email"}
    assert not Message.objects.filter(medium="text", state__in=["sent", "delivered"]).exists()


def test_the_same_file_again_is_the_same_import(book):
    sheet = imported(book)

    again, is_new = import_staging.store_upload(
        source_id=book.pk, name="copy.csv", body=file_of(*ROWS), by=clerk(), at=make.NOON
    )

    assert (again.pk, is_new) == (sheet.pk, False)


def test_a_mended_file_adds_only_the_mended_row(book):
    imported(book)

    mended = imported(book, file_of(*ROWS[:2], "Nobody,Reachable,4145550119,,FL,Refi"))

    assert mended.counts == {"repeated": 2, "new": 1}
    assert (Lead.objects.count(), Touch.objects.count()) == (3, 3)


def test_somebody_on_file_is_left_as_they_are_unless_said_otherwise(book):
    known = make.person(phone="+14145550117", first_name="Nina", last_name="Kowalczyk")
    make.lead(person=known, purpose="purchase")

    sheet = imported(book)

    assert sheet.findings["counts"]["known"] == 1
    assert sheet.counts == {"left_out": 1, "new": 1, "refused": 1}
    assert Person.objects.filter(first_name="Nina").count() == 1
    assert known.touches.count() == 0


def test_somebody_on_file_gets_another_arrival_by_choice(book):
    known = make.person(phone="+14145550117", first_name="Nina", last_name="Kowalczyk")

    sheet = imported(book, known="add")

    assert sheet.counts["known"] == 1
    assert known.touches.count() == 1


def test_an_import_that_dies_goes_on_where_it_stood(book, monkeypatch):
    monkeypatch.setattr(spreadsheet_imports, "ROWS_PER_TRANSACTION", 1)
    sheet = uploaded(book)
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    assert spreadsheet_imports.import_batch(sheet_id=sheet.pk, at=make.NOON)

    journey.run()

    after = Spreadsheet.objects.get(pk=sheet.pk)
    assert (after.state, after.seen_rows) == ("done", 3)
    assert after.counts == {"new": 2, "refused": 1}
    assert ImportedRow.objects.filter(spreadsheet=sheet).count() == 3


def test_an_undoing_that_dies_goes_on_where_it_stood(book, monkeypatch):
    monkeypatch.setattr(undo_import, "BATCH_SIZE", 1)
    sheet = imported(book)
    spreadsheet_imports.start_undo(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    assert undo_import.close_next_batch(sheet_id=sheet.pk, at=make.NOON)

    journey.run()

    sheet.refresh_from_db()
    assert (sheet.state, sheet.counts["closed"]) == ("done", 2)
    assert Event.objects.filter(kind="capture.lead.withdrawn").count() == 2


def test_rows_of_one_person_in_one_batch_are_one_lead(book):
    sheet = imported(
        book,
        file_of(ROWS[0], "Nina,Kowalczyk,4145550117,,FL,Purchase", ROWS[1]),
        known="add",
    )

    assert sheet.counts == {"new": 2, "known": 1}
    assert Person.objects.count() == 2


def test_a_row_that_our_program_fails_on_holds_up_no_other(book, monkeypatch):
    whole = store_inquiries.store_inquiries

    def fails_for_omar(arrivals, *, at):
        if any(arrival.inquiry.borrower.first_name == "Omar" for arrival in arrivals):
            raise ValueError("poisoned")
        return whole(arrivals, at=at)

    monkeypatch.setattr(store_inquiries, "store_inquiries", fails_for_omar)
    sheet = imported(book)

    assert sheet.counts == {"new": 1, "refused": 2}
    omar = ImportedRow.objects.get(spreadsheet=sheet, why="our_fault").delivery
    assert (omar.state, omar.problem) == ("quarantined", "ValueError while importing it.")


def test_a_long_file_is_kept_in_parts_and_read_from_any_row(book):
    many = [
        f"Ada{n},Book{n},813555{n:04d},,FL,Refi" for n in range(import_staging.ROWS_PER_PART + 30)
    ]
    sheet, _ = import_staging.store_upload(
        source_id=book.pk, name="long.csv", body=file_of(*many), by=clerk(), at=make.NOON
    )

    assert sheet.parts.count() == 2
    assert [row.line for row in import_staging.read_rows(sheet)] == list(range(2, len(many) + 2))
    across = import_staging.read_rows(sheet, begin=import_staging.ROWS_PER_PART - 5, most=10)
    assert [row.cells["First name"] for row in across] == [
        f"Ada{n}" for n in range(import_staging.ROWS_PER_PART - 5, import_staging.ROWS_PER_PART + 5)
    ]


def test_a_refusal_of_contact_comes_along(book):
    imported(book, file_of("Ana,Diaz,4145550120,,FL,yes", header="First,Last,Mobile,Email,State,DNC"
                           .replace("First,Last", "First name,Last name")))  # fmt: skip

    assert Revocation.objects.filter(address="+14145550120").exists()


def test_a_yes_counts_only_where_the_file_has_its_words(book):
    header = "First name,Last name,Mobile,Ok,Words,On"
    said = "By ticking this box I agree that Lindenfield Mortgage may call and text me."
    body = file_of(
        f'Ana,Diaz,4145550120,yes,"{said}",2026-01-05T10:00:00Z',
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


def test_two_files_that_number_their_rows_alike_stay_apart(book):
    header = "ID,First name,Last name,Mobile"
    imported(book, file_of("1,Ana,Diaz,4145550120", header=header))
    imported(book, file_of("1,Bo,Lind,4145550121", header=header))

    assert Person.objects.count() == 2


def test_undoing_closes_what_nobody_worked_on_and_keeps_the_rest(book):
    sheet = imported(book)
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
    ("body", "said"),
    [
        (b"", "nothing in this file"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"A,B,C", "no row follows"),
        (b"a\0b,c\n1,2", "not text"),
        (b"a\n" + b"x\n" * 200_002, "At most 200,000"),
        (b"a\n" + b"x" * 30_000, "far too long"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(book, body, said):
    with pytest.raises(import_staging.InvalidImport, match=said):
        import_staging.store_upload(
            source_id=book.pk, name="x.csv", body=body, by=clerk(), at=make.NOON
        )
    assert Spreadsheet.objects.count() == 0


def test_numbers_that_may_not_be_kept_are_gone_before_anything_is_stored(book):
    header = "First name,Last name,Mobile,SSN"
    sheet = uploaded(book, file_of("Ana,Diaz,4145550120,123456789", header=header))

    (row,) = import_staging.read_rows(sheet)
    assert row.cells["SSN"] == "*********"
    assert "ssn_discarded" in sheet.remarks


def test_greeting_the_many_people_of_an_import_waits_for_a_second_person(book):
    make.release_limits(free_size=2)

    sheet = imported(book, then="greet")

    release = Release.objects.get()
    assert (release.kind, release.state) == ("greetings", "draft")
    assert sheet.file_name in release.title
    assert Message.objects.count() == 0
    journey.run(journey.later(2))
    release.refresh_from_db()
    assert (release.state, release.size) == ("done", 2)  # one of three rows reached nobody
    assert Message.objects.filter(release=release).exists()


def listed(registry: str, *lines: str, dated=None) -> None:
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
    listed("US", "813,5550101")
    listed("FL", "8135550102")
    listed("LITIGATOR", "8135550103")
    for number, kind in (("+18135550104", "do_not_contact"), ("+18135550105", "stop")):
        store_revocation.store_revocation(
            person_id=None, address=number, kind=kind, media=["call", "text"], origin="test",
            idempotency_key=f"test:{number}", at=make.NOON,
        )  # fmt: skip


def test_the_dry_run_says_how_many_numbers_are_listed_and_the_result_says_the_same(book, lists):
    sheet = imported(book, file_of(*PHONES))

    assert sheet.findings["lists"] == ON_LISTS
    assert sheet.findings["lists_after"] == ON_LISTS


def test_a_vendor_is_asked_at_the_dry_run_and_the_result_counts_its_answers(book):
    NumberService.objects.create(
        id="dncscrub", key="nobody-answers", covers=["US"], changed_at=make.NOON
    )
    sheet = uploaded(book, file_of(*PHONES))
    assert sheet.findings["lists"] == {"numbers": 7, "unknown": 7}
    asked = NumberQuestion.objects.filter(kind="lists", answered_at=None)
    assert asked.count() == 7

    asked.update(answered_at=make.NOON, due_at=None, said={}, covers=["US"], service="dncscrub")
    NumberQuestion.objects.filter(number="+18135550101").update(listed=["US"])
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=clerk(), at=make.NOON)
    journey.run()

    sheet.refresh_from_db()
    assert sheet.findings["lists_after"] == {"numbers": 7, "national": 1, "clear": 6}
    assert NumberQuestion.objects.count() == 7  # nobody is asked twice the same day


def test_a_copy_that_is_too_old_covers_nothing(book, lists):
    DncArea.objects.filter(registry="US").update(dated=make.NOON.date() - 32 * make.DAY)

    sheet = uploaded(book, file_of(*PHONES))

    assert sheet.findings["lists"]["unknown"] == 7
    assert "clear" not in sheet.findings["lists"]


def test_an_imported_inquiry_counts_from_the_day_they_asked(book):
    """47 CFR 64.1200(f)(5): three months from the inquiry, not from when we read of it."""
    header = f"{HEADER},Submitted at"
    old = "Nina,Kowalczyk,8135550117,nina@example.com,FL,Refi,2026-01-05"
    book_terms = make.terms(book, reviewed_by=make.user("compliance"), reviewed_at=make.NOON)
    assert book_terms.names_us
    imported(book, file_of(old, header=header))
    imported(book, file_of("Omar,Haddad,8135550118,omar@example.com,FL,Purchase"))

    def said(name: str):
        lead = Lead.objects.select_related("person", "source").get(person__first_name=name)
        outgoing = OutgoingContact(
            medium=Medium.CALL, purpose=Purpose.MARKETING, is_automated=False,
            to=lead.person.phones.get().e164, text="",
        )  # fmt: skip
        return gather_facts(outgoing, lead=lead, company=make.company(), at=make.NOON + make.HOUR)

    nina, omar = said("Nina"), said("Omar")
    assert [(relationship.on, relationship.with_us) for relationship in nina.relationships] == [
        (date(2026, 1, 5), True)
    ]
    assert nina.last_confirmed_on == date(2026, 1, 5)
    assert (omar.relationships, omar.last_confirmed_on) == ((), None)
