"""A file of NMLS beside what is on file: what differs is shown, then taken in, all or nothing."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from rooftree.flow import nmls_file
from rooftree.flow.nmls_file import NotALicenseFile
from rooftree.org.models import Company, CompanyLicense, License
from tests import make

pytestmark = pytest.mark.django_db
HEAD = "NMLS ID,Regulator,License Number,License Status,Original Issue Date,Renewed Through\n"


@pytest.fixture
def dana(db):
    make.company()
    officer = make.officer("Dana Whitfield", licensed=("FL",))
    officer.nmls_id = "222222"
    officer.save()
    return officer


@pytest.fixture
def ana(dana):
    return make.user("operations", name="Ana")


def file(*rows: str) -> bytes:
    return (HEAD + "\n".join(rows)).encode()


def on_file(officer) -> License:
    return License.objects.get(officer=officer, state="FL")


def the_same(officer, **changes) -> str:
    held = on_file(officer)
    said = {
        "id": "222222", "state": "FL", "number": held.number, "status": held.status,
        "from": held.from_date.isoformat(), "until": "",
    }  # fmt: skip
    return ",".join({**said, **changes}.values())


def test_what_is_on_file_already_is_no_change(dana):
    found = nmls_file.read(file(the_same(dana)))
    assert (found.changes, found.same, found.wrong, found.unsaid) == ([], 1, [], [])


def test_a_new_state_a_renewal_and_a_worse_status_are_taken_in(dana, ana):
    body = file(
        the_same(dana, status="Approved-Inactive"),
        "222222,Texas - SML,TX-9,Approved,01/15/2026,2026",
    )
    assert [one.what for one in nmls_file.read(body).changes] == [
        "status Approved → Approved - Inactive",
        "new, Approved",
    ]
    nmls_file.take_in(body, by=ana, at=make.NOON)

    assert on_file(dana).status == "Approved - Inactive"
    texas = License.objects.get(state="TX")
    assert (texas.from_date, texas.until_date) == (date(2026, 1, 15), date(2027, 1, 1))
    assert nmls_file.read(body).changes == []


def test_the_same_file_twice_changes_nothing_more(dana, ana):
    body = file("222222,Georgia,GA-1,Approved,2026-01-15,2026")
    nmls_file.take_in(body, by=ana, at=make.NOON)
    nmls_file.take_in(body, by=ana, at=make.NOON)
    assert License.objects.filter(state="GA").count() == 1


def test_temporary_authority_lasts_a_hundred_and_twenty_days(dana, ana):
    body = file("222222,GA,TA-1,Temporary Authority to Operate,11/01/2026,")
    nmls_file.take_in(body, by=ana, at=make.NOON)

    held = License.objects.get(state="GA")
    assert (held.status, held.until_date) == ("Temporary Authority", date(2027, 3, 1))
    for until in (date(2027, 3, 2), None):
        with pytest.raises(IntegrityError), transaction.atomic():
            License.objects.filter(pk=held.pk).update(until_date=until)


@pytest.mark.parametrize(
    ("status", "is_given"), [("Temporary Authority", True), ("Pending", False)]
)
def test_who_has_temporary_authority_is_given_leads_and_who_waits_is_not(dana, status, is_given):
    make.company_license("GA")
    License.objects.create(
        officer=dana, state="GA", number="TA-1", status=status,
        from_date=date(2026, 11, 1), until_date=date(2027, 3, 1),
    )  # fmt: skip
    if is_given:
        assert make.lead(property_state="GA", officer=dana).officer == dana
        return
    with pytest.raises(IntegrityError, match="not licensed in GA"), transaction.atomic():
        make.lead(property_state="GA", officer=dana)


def test_where_a_state_licenses_twice_one_approval_is_enough_and_the_other_row_is_told(dana, ana):
    found = nmls_file.take_in(
        file(
            the_same(dana),
            f"222222,Florida - Office of Financial Regulation,F-2,Pending,{make.NOON:%m/%d/%Y},",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert (found.changes, found.same) == ([], 1)
    assert found.wrong == ["Row 3: it says Pending in FL, where row 2 counts, which says Approved."]
    assert on_file(dana).status == "Approved"


def test_strangers_and_rows_that_say_nothing_are_told_and_left_out(dana, ana):
    found = nmls_file.read(
        file(
            "999999,TX,T-1,Approved,01/01/2026,2026",
            "22222x,TX,T-1,Approved,01/01/2026,2026",
            "222222,Atlantis,T-1,Approved,01/01/2026,2026",
            "222222,TX,T-1,Approved,13/45/2026,2026",
            "222222,TX,,Approved,01/01/2026,2026",
        )
    )
    assert found.strangers == ["999999"]
    assert [one.split(":")[0] for one in found.wrong] == ["Row 3", "Row 4", "Row 5", "Row 6"]
    assert found.changes == []


def test_a_license_that_the_file_leaves_out_is_told_and_stays(dana, ana):
    body = file("222222,GA,GA-1,Approved,01/01/2026,2026")
    assert [one.state for one in nmls_file.read(body).unsaid] == ["FL"]
    nmls_file.take_in(body, by=ana, at=make.NOON)
    assert on_file(dana).status == "Approved"


def test_the_companys_own_licenses_come_along_and_its_lost_one_is_for_a_person(dana, ana):
    ours = Company.objects.get().nmls_id
    held = CompanyLicense.objects.create(state="NV", number="N-1", from_date=date(2020, 1, 1))
    found = nmls_file.take_in(
        file(
            f"{ours},West Virginia,WV-1,Approved,01/01/2026,2026",
            f"{ours},NV,N-1,Surrendered,01/01/2020,",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert CompanyLicense.objects.get(state="WV").until_date == date(2027, 1, 1)
    assert "End it on its page" in found.wrong[0]
    held.refresh_from_db()
    assert held.until_date is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no spreadsheet"),
        (b"%PDF-1.7", "no spreadsheet"),
        (b"Name,State\nDana,FL", "No column is called"),
    ],
)
def test_another_kind_of_file_is_refused_with_what_it_lacks(dana, body, words):
    with pytest.raises(NotALicenseFile, match=words):
        nmls_file.read(body)


def test_a_file_is_taken_in_whole_or_not_at_all(dana, ana):
    License.objects.create(
        officer=dana, state="GA", number="GA-2",
        from_date=date(2026, 6, 1), until_date=date(2026, 7, 1),
    )  # fmt: skip
    License.objects.create(
        officer=dana, state="GA", number="GA-0",
        from_date=date(2025, 6, 1), until_date=date(2026, 1, 1),
    )  # fmt: skip
    body = file(
        "222222,AL,AL-1,Approved,01/01/2026,2026",
        "222222,GA,GA-2,Approved,01/01/2025,2024",
    )
    with pytest.raises(NotALicenseFile, match="Nothing was taken in"):
        nmls_file.take_in(body, by=ana, at=make.NOON)
    assert not License.objects.filter(state="AL").exists()
