"""A file of NMLS beside what is on file: what differs is shown, then taken in, all or nothing."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from rooftree.flow import nmls_license_import
from rooftree.flow.nmls_license_import import NotALicenseFile
from rooftree.org.models import Company, CompanyLicense, License
from tests import make

pytestmark = pytest.mark.django_db
HEAD = "NMLS ID,Regulator,License Number,License Status,Original Issue Date,Renewed Through\n"


@pytest.fixture
def dana(db):
    make.company(states=("FL",))
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
    found = nmls_license_import.compare_file(file(the_same(dana)), at=make.NOON)
    assert (found.changes, found.unchanged_count, found.problems, found.missing_licenses) == (
        [],
        1,
        [],
        [],
    )


def test_a_new_state_a_renewal_and_a_worse_status_are_taken_in(dana, ana):
    body = file(
        the_same(dana, status="Approved-Inactive"),
        "222222,Texas - SML,TX-9,Approved,01/15/2026,2026",
    )
    assert [
        change.description
        for change in nmls_license_import.compare_file(body, at=make.NOON).changes
    ] == [
        "status Approved → Approved - Inactive",
        "new, Approved",
    ]
    nmls_license_import.import_file(body, by=ana, at=make.NOON)

    assert on_file(dana).status == "Approved - Inactive"
    texas = License.objects.get(state="TX")
    assert (texas.from_date, texas.until_date) == (date(2026, 1, 15), date(2027, 1, 1))
    assert nmls_license_import.compare_file(body, at=make.NOON).changes == []


def test_the_same_file_twice_changes_nothing_more(dana, ana):
    body = file("222222,Georgia,GA-1,Approved,2026-01-15,2026")
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert License.objects.filter(state="GA").count() == 1


def test_temporary_authority_lasts_a_hundred_and_twenty_days(dana, ana):
    body = file("222222,GA,TA-1,Temporary Authority to Operate,11/01/2026,")
    nmls_license_import.import_file(body, by=ana, at=make.NOON)

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
    found = nmls_license_import.import_file(
        file(
            the_same(dana),
            f"222222,Florida - Office of Financial Regulation,F-2,Pending,{make.NOON:%m/%d/%Y},",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert (found.changes, found.unchanged_count) == ([], 1)
    assert found.problems == [
        "Row 3: it says Pending in FL, where row 2 counts, which says Approved."
    ]
    assert on_file(dana).status == "Approved"


def test_strangers_and_rows_that_say_nothing_are_told_and_left_out(dana, ana):
    found = nmls_license_import.compare_file(
        file(
            "999999,TX,T-1,Approved,01/01/2026,2026",
            "22222x,TX,T-1,Approved,01/01/2026,2026",
            "222222,Atlantis,T-1,Approved,01/01/2026,2026",
            "222222,TX,T-1,Approved,13/45/2026,2026",
            "222222,TX,,Approved,01/01/2026,2026",
        ),
        at=make.NOON,
    )
    assert found.unknown_nmls_ids == ["999999"]
    assert [one.split(":")[0] for one in found.problems] == ["Row 3", "Row 4", "Row 5", "Row 6"]
    assert found.changes == []


@pytest.mark.parametrize(
    ("called", "is_to_lend"),
    [
        ("Consumer Collection Agency License", False),
        ("Money Transmitter License", False),
        ("Debt Management License", False),
        ("Mortgage Loan Servicer License", False),
        ("Escrow Agent License", False),
        ("Retail Sales Finance License", False),
        ("Mortgage Lender Servicer License", True),
        ("Mortgage Broker/Processor License", True),
        ("Consumer Loan Company License", True),
        ("Supervised Lender License", True),
        ("Licensed Mortgage Banker", True),
    ],
)
def test_only_a_license_to_lend_or_broker_lets_the_company_lend(ana, called, is_to_lend):
    ours = Company.objects.get().nmls_id
    head = HEAD.replace("Number,", "Number,License Type,")
    row = f"{ours},Georgia,G-1,{called},Approved,01/01/2026,"
    found = nmls_license_import.import_file((head + row).encode(), by=ana, at=make.NOON)

    assert CompanyLicense.objects.filter(state="GA").exists() is is_to_lend
    left_out = (
        [] if is_to_lend else [f"Row 2: “{called}” is no license to lend or broker mortgages."]
    )
    assert found.problems == left_out


def test_a_license_that_the_file_leaves_out_is_told_and_stays(dana, ana):
    body = file("222222,GA,GA-1,Approved,01/01/2026,2026")
    assert [
        one.state for one in nmls_license_import.compare_file(body, at=make.NOON).missing_licenses
    ] == ["FL"]
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert on_file(dana).status == "Approved"


def test_the_companys_own_licenses_come_along_and_its_lost_one_is_for_a_person(dana, ana):
    ours = Company.objects.get().nmls_id
    held = CompanyLicense.objects.create(state="NV", number="N-1", from_date=date(2020, 1, 1))
    found = nmls_license_import.import_file(
        file(
            f"{ours},West Virginia,WV-1,Approved,01/01/2026,2026",
            f"{ours},NV,N-1,Surrendered,01/01/2020,",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert CompanyLicense.objects.get(state="WV").until_date == date(2027, 1, 1)
    assert "End it on its page" in found.problems[0]
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
        nmls_license_import.compare_file(body, at=make.NOON)


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
        nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert not License.objects.filter(state="AL").exists()


CRMLA = "California - DFPI - California Residential Mortgage Lending Act License"
CFL = "California - DFPI - California Financing Law License"


def ours(*rows: str, head: str = f"{HEAD.strip()},License Type") -> bytes:
    """A file of the company's own licenses, each row with NMLS's name of it."""
    company = Company.objects.get().nmls_id
    return "\n".join([head, *(f"{company},{row}" for row in rows)]).encode()


def california(**kept) -> CompanyLicense:
    about = {"number": "4130001", "from_date": date(2015, 3, 1)} | kept
    return CompanyLicense.objects.create(state="CA", **about)


@pytest.mark.parametrize(
    "head",
    [
        f"{HEAD.strip()},License Type",
        f"{HEAD.strip()},License Name",
        f"{HEAD.strip()},License Description",
        "NMLS ID,Regulator,Lic/Reg #,Status,Original Issue Date,Renewed Through,Lic/Reg Name",
    ],
)
def test_which_of_a_states_licenses_the_company_holds_is_read_from_its_name(dana, ana, head):
    body = ours(
        f"California - DFPI,4130001,Approved,03/01/2015,2026,{CRMLA}",
        "New York,B-1,Approved,03/01/2015,2026,Mortgage Banker License",
        "West Virginia,W-1,Approved,03/01/2015,2026,Mortgage Lender License",
        head=head,
    )
    found = nmls_license_import.import_file(body, by=ana, at=make.NOON)

    assert [change.description for change in found.changes] == [
        "new, Approved, license DFPI, Residential Mortgage Lending Act",
        "new, Approved, license Licensed mortgage banker",
        "new, Approved",
    ]
    assert found.problems == []
    kinds = dict(CompanyLicense.objects.values_list("state", "license"))
    assert (kinds["CA"], kinds["NY"], kinds["WV"]) == ("crmla", "banker", "")
    again = nmls_license_import.compare_file(body, at=make.NOON)
    assert (again.changes, again.unchanged_count, again.problems) == ([], 3, [])


def test_a_kind_that_was_not_on_file_or_is_another_is_shown_and_kept(dana, ana):
    held = california()
    body = ours(f"CA,4130001,Approved,03/01/2015,,{CRMLA}")
    found = nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert [change.description for change in found.changes] == [
        "license none → DFPI, Residential Mortgage Lending Act"
    ]
    held.refresh_from_db()
    assert held.license == "crmla"

    body = ours(f"CA,4130001,Approved,03/01/2015,,{CFL}")
    assert [
        change.description
        for change in nmls_license_import.compare_file(body, at=make.NOON).changes
    ] == ["license DFPI, Residential Mortgage Lending Act → DFPI, California Financing Law"]


@pytest.mark.parametrize("kind", ["crmla", "cfl", ""])
def test_of_both_of_californias_licenses_the_one_that_was_chosen_counts(dana, ana, kind):
    number = {"cfl": "60DBO-1", "crmla": "4130001", "": "4130001"}[kind]
    held = california(number=number, license=kind, from_date=date(2015, 3, 1))
    found = nmls_license_import.import_file(
        ours(
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
            f"CA,60DBO-1,Approved,03/01/2015,,{CFL}",
            "CA,10005-99,Approved,01/01/2024,,California - DFPI - Industrial Bureau License",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    held.refresh_from_db()
    assert (held.number, held.license) == (number, kind or "crmla")
    assert CompanyLicense.objects.filter(state="CA").count() == 1
    first, second = (2, 3) if kind == "cfl" else (3, 2)
    names = {2: CRMLA, 3: CFL}
    assert found.problems[-1] == (
        f"Row {first}: it says Approved of “{names[first]}” in CA, where row {second} counts, "
        f"which says Approved of “{names[second]}”."
    )


def test_of_both_where_none_is_on_file_the_later_one_that_we_know_counts(dana, ana):
    nmls_license_import.import_file(
        ours(
            f"CA,60DBO-1,Approved,01/01/2019,,{CFL}",
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
            "CA,10005-99,Approved,01/01/2024,,California - DFPI - Industrial Bureau License",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    held = CompanyLicense.objects.get(state="CA")
    assert (held.number, held.license) == ("60DBO-1", "cfl")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the file names none"),
        ("Industrial Bureau License", "“Industrial Bureau License” is none that we know"),
    ],
)
def test_a_state_that_needs_the_kind_is_told_where_neither_file_nor_hand_says_it(dana, name, words):
    told = (
        f"Row 2: California wants another wording under each of its licenses, and {words}. "
        "Choose under Licenses which it is."
    )
    body = ours(f"CA,4130001,Approved,03/01/2015,,{name}", "WV,W-1,Approved,03/01/2015,,Whatever")
    new = nmls_license_import.compare_file(body, at=make.NOON)
    assert [change.description for change in new.changes] == ["new, Approved", "new, Approved"]
    assert new.problems == [told]

    held = california()
    assert nmls_license_import.compare_file(body, at=make.NOON).problems == [told]

    CompanyLicense.objects.filter(pk=held.pk).update(license="dre")
    assert nmls_license_import.compare_file(body, at=make.NOON).problems == []


def test_what_was_chosen_by_hand_stays_where_the_file_names_no_kind(dana, ana):
    held = california(license="crmla")
    company = Company.objects.get().nmls_id
    nmls_license_import.import_file(
        file(f"{company},CA,4130002,Approved,03/01/2015,2026"), by=ana, at=make.NOON
    )
    held.refresh_from_db()
    assert (held.number, held.license) == ("4130002", "crmla")


def test_the_number_of_a_license_that_we_do_not_know_is_not_said_as_the_chosen_ones(dana, ana):
    held = california(license="crmla")
    found = nmls_license_import.import_file(
        ours("CA,10005-99,Approved,01/01/2024,,Industrial Bureau License"), by=ana, at=make.NOON
    )
    held.refresh_from_db()
    assert (held.number, held.license) == ("4130001", "crmla")
    assert found.changes == []
    assert found.problems == [
        "Row 2: “Industrial Bureau License” is none of California’s licenses that we know, and its "
        "number is not the one on file. If it is that license, correct it under Licenses."
    ]


def test_a_license_that_we_know_goes_before_another_although_that_ones_number_is_on_file(dana, ana):
    held = california(number="10005-99")
    nmls_license_import.import_file(
        ours(
            "CA,10005-99,Approved,03/01/2015,,Industrial Bureau License",
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    held.refresh_from_db()
    assert (held.number, held.license) == ("4130001", "crmla")


def test_the_chosen_license_counts_by_its_number_where_its_name_is_not_known(dana, ana):
    held = california(number="01234567", license="dre")
    found = nmls_license_import.import_file(
        ours(
            f"CA,4130001,Approved,03/01/2020,,{CRMLA}",
            "CA,01234567,Approved,03/01/2015,,Something Newly Named",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    held.refresh_from_db()
    assert (held.number, held.license) == ("01234567", "dre")
    assert (found.changes, found.unchanged_count) == ([], 1)


def test_where_the_kind_does_not_matter_the_number_on_file_counts_before_a_later_one(dana, ana):
    held = CompanyLicense.objects.create(state="WV", number="W-1", from_date=date(2015, 3, 1))
    found = nmls_license_import.compare_file(
        ours(
            "WV,W-1,Approved,03/01/2015,,Mortgage Lender License",
            "WV,W-2,Approved,03/01/2020,,Mortgage Broker License",
        ),
        at=make.NOON,
    )
    assert (found.changes, found.unchanged_count) == ([], 1)
    assert found.problems == [
        "Row 3: it says Approved of “Mortgage Broker License” in WV, where row 2 counts, which "
        "says Approved of “Mortgage Lender License”."
    ]
    held.refresh_from_db()
    assert held.license == ""


def test_of_an_officer_the_kind_does_not_matter(dana, ana):
    body = ours().decode().strip() + (
        f"\n222222,CA,C-1,Approved,01/01/2015,,{CRMLA}"
        "\n222222,CA,C-2,Approved,01/01/2016,,Mortgage Loan Originator License"
    )
    found = nmls_license_import.import_file(body.encode(), by=ana, at=make.NOON)

    assert [change.description for change in found.changes] == ["new, Approved"]
    assert License.objects.get(state="CA").number == "C-2"
    assert nmls_license_import.compare_file(body.encode(), at=make.NOON).unchanged_count == 1
