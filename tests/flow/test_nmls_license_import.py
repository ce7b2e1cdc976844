"""Import of an NMLS file: differences are shown, then imported completely or not at all."""

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


def license_file(*rows: str) -> bytes:
    return (HEAD + "\n".join(rows)).encode()


def license_on_file(officer) -> License:
    return License.objects.get(officer=officer, state="FL")


def same_row(officer, **changes) -> str:
    license = license_on_file(officer)
    cells = {
        "id": "222222", "state": "FL", "number": license.number, "status": license.status,
        "from": license.from_date.isoformat(), "until": "",
    }  # fmt: skip
    return ",".join({**cells, **changes}.values())


def test_license_already_on_file_is_no_change(dana):
    comparison = nmls_license_import.compare_file(license_file(same_row(dana)), at=make.NOON)
    assert (
        comparison.changes,
        comparison.unchanged_count,
        comparison.problems,
        comparison.missing_licenses,
    ) == (
        [],
        1,
        [],
        [],
    )


def test_new_state_renewal_and_worse_status_are_imported(dana, ana):
    body = license_file(
        same_row(dana, status="Approved-Inactive"),
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

    assert license_on_file(dana).status == "Approved - Inactive"
    texas = License.objects.get(state="TX")
    assert (texas.from_date, texas.until_date) == (date(2026, 1, 15), date(2027, 1, 1))
    assert nmls_license_import.compare_file(body, at=make.NOON).changes == []


def test_same_license_file_twice_changes_nothing_more(dana, ana):
    body = license_file("222222,Georgia,GA-1,Approved,2026-01-15,2026")
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert License.objects.filter(state="GA").count() == 1


def test_temporary_authority_lasts_120_days(dana, ana):
    body = license_file("222222,GA,TA-1,Temporary Authority to Operate,11/01/2026,")
    nmls_license_import.import_file(body, by=ana, at=make.NOON)

    license = License.objects.get(state="GA")
    assert (license.status, license.until_date) == ("Temporary Authority", date(2027, 3, 1))
    for until in (date(2027, 3, 2), None):
        with pytest.raises(IntegrityError), transaction.atomic():
            License.objects.filter(pk=license.pk).update(until_date=until)


@pytest.mark.parametrize(
    ("status", "is_given"), [("Temporary Authority", True), ("Pending", False)]
)
def test_temporary_authority_allows_leads_and_pending_does_not(dana, status, is_given):
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


def test_one_approval_is_enough_and_other_row_is_reported(dana, ana):
    comparison = nmls_license_import.import_file(
        license_file(
            same_row(dana),
            f"222222,Florida - Office of Financial Regulation,F-2,Pending,{make.NOON:%m/%d/%Y},",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert (comparison.changes, comparison.unchanged_count) == ([], 1)
    assert comparison.problems == [
        "Row 3: Pending in FL is not used, because row 2 counts: Approved."
    ]
    assert license_on_file(dana).status == "Approved"


def test_unknown_ids_and_unreadable_rows_are_reported_and_skipped(dana, ana):
    comparison = nmls_license_import.compare_file(
        license_file(
            "999999,TX,T-1,Approved,01/01/2026,2026",
            "22222x,TX,T-1,Approved,01/01/2026,2026",
            "222222,Atlantis,T-1,Approved,01/01/2026,2026",
            "222222,TX,T-1,Approved,13/45/2026,2026",
            "222222,TX,,Approved,01/01/2026,2026",
        ),
        at=make.NOON,
    )
    assert comparison.unknown_nmls_ids == ["999999"]
    assert [problem.split(":")[0] for problem in comparison.problems] == [
        "Row 3",
        "Row 4",
        "Row 5",
        "Row 6",
    ]
    assert comparison.changes == []


@pytest.mark.parametrize(
    ("license_type", "is_to_lend"),
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
def test_only_lending_or_broker_license_authorizes_company(ana, license_type, is_to_lend):
    company_id = Company.objects.get().nmls_id
    head = HEAD.replace("Number,", "Number,License Type,")
    row = f"{company_id},Georgia,G-1,{license_type},Approved,01/01/2026,"
    comparison = nmls_license_import.import_file((head + row).encode(), by=ana, at=make.NOON)

    assert CompanyLicense.objects.filter(state="GA").exists() is is_to_lend
    left_out = (
        []
        if is_to_lend
        else [f"Row 2: “{license_type}” is not a license to lend or broker mortgages."]
    )
    assert comparison.problems == left_out


def test_license_missing_from_file_is_listed_and_kept(dana, ana):
    body = license_file("222222,GA,GA-1,Approved,01/01/2026,2026")
    assert [
        license.state
        for license in nmls_license_import.compare_file(body, at=make.NOON).missing_licenses
    ] == ["FL"]
    nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert license_on_file(dana).status == "Approved"


def test_company_licenses_are_imported_and_lost_one_is_reported(dana, ana):
    company_id = Company.objects.get().nmls_id
    nevada = CompanyLicense.objects.create(state="NV", number="N-1", from_date=date(2020, 1, 1))
    comparison = nmls_license_import.import_file(
        license_file(
            f"{company_id},West Virginia,WV-1,Approved,01/01/2026,2026",
            f"{company_id},NV,N-1,Surrendered,01/01/2020,",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    assert CompanyLicense.objects.get(state="WV").until_date == date(2027, 1, 1)
    assert "End it on its page" in comparison.problems[0]
    nevada.refresh_from_db()
    assert nevada.until_date is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "This file is empty"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"Name,State\nDana,FL", "The file has no column"),
    ],
)
def test_other_file_type_is_refused_with_missing_columns(dana, body, words):
    with pytest.raises(NotALicenseFile, match=words):
        nmls_license_import.compare_file(body, at=make.NOON)


def test_license_file_is_imported_completely_or_not_at_all(dana, ana):
    License.objects.create(
        officer=dana, state="GA", number="GA-2",
        from_date=date(2026, 6, 1), until_date=date(2026, 7, 1),
    )  # fmt: skip
    License.objects.create(
        officer=dana, state="GA", number="GA-0",
        from_date=date(2025, 6, 1), until_date=date(2026, 1, 1),
    )  # fmt: skip
    body = license_file(
        "222222,AL,AL-1,Approved,01/01/2026,2026",
        "222222,GA,GA-2,Approved,01/01/2025,2024",
    )
    with pytest.raises(NotALicenseFile, match="Nothing was imported"):
        nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert not License.objects.filter(state="AL").exists()


CRMLA = "California - DFPI - California Residential Mortgage Lending Act License"
CFL = "California - DFPI - California Financing Law License"


def company_file(*rows: str, head: str = f"{HEAD.strip()},License Type") -> bytes:
    """Build a file of the company's own licenses, each row with NMLS's name of the license."""
    company = Company.objects.get().nmls_id
    return "\n".join([head, *(f"{company},{row}" for row in rows)]).encode()


def create_california_license(**changes) -> CompanyLicense:
    values = {"number": "4130001", "from_date": date(2015, 3, 1)} | changes
    return CompanyLicense.objects.create(state="CA", **values)


@pytest.mark.parametrize(
    "head",
    [
        f"{HEAD.strip()},License Type",
        f"{HEAD.strip()},License Name",
        f"{HEAD.strip()},License Description",
        "NMLS ID,Regulator,Lic/Reg #,Status,Original Issue Date,Renewed Through,Lic/Reg Name",
    ],
)
def test_company_license_kind_is_read_from_its_name(dana, ana, head):
    body = company_file(
        f"California - DFPI,4130001,Approved,03/01/2015,2026,{CRMLA}",
        "New York,B-1,Approved,03/01/2015,2026,Mortgage Banker License",
        "West Virginia,W-1,Approved,03/01/2015,2026,Mortgage Lender License",
        head=head,
    )
    comparison = nmls_license_import.import_file(body, by=ana, at=make.NOON)

    assert [change.description for change in comparison.changes] == [
        "new, Approved, license DFPI, Residential Mortgage Lending Act",
        "new, Approved, license Licensed mortgage banker",
        "new, Approved",
    ]
    assert comparison.problems == []
    kinds = dict(CompanyLicense.objects.values_list("state", "license"))
    assert (kinds["CA"], kinds["NY"], kinds["WV"]) == ("crmla", "banker", "")
    again = nmls_license_import.compare_file(body, at=make.NOON)
    assert (again.changes, again.unchanged_count, again.problems) == ([], 3, [])


def test_new_or_changed_license_kind_is_shown_and_stored(dana, ana):
    license = create_california_license()
    body = company_file(f"CA,4130001,Approved,03/01/2015,,{CRMLA}")
    comparison = nmls_license_import.import_file(body, by=ana, at=make.NOON)
    assert [change.description for change in comparison.changes] == [
        "license none → DFPI, Residential Mortgage Lending Act"
    ]
    license.refresh_from_db()
    assert license.license == "crmla"

    body = company_file(f"CA,4130001,Approved,03/01/2015,,{CFL}")
    assert [
        change.description
        for change in nmls_license_import.compare_file(body, at=make.NOON).changes
    ] == ["license DFPI, Residential Mortgage Lending Act → DFPI, California Financing Law"]


@pytest.mark.parametrize("kind", ["crmla", "cfl", ""])
def test_chosen_california_license_counts_when_both_are_listed(dana, ana, kind):
    number = {"cfl": "60DBO-1", "crmla": "4130001", "": "4130001"}[kind]
    license = create_california_license(number=number, license=kind, from_date=date(2015, 3, 1))
    comparison = nmls_license_import.import_file(
        company_file(
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
            f"CA,60DBO-1,Approved,03/01/2015,,{CFL}",
            "CA,10005-99,Approved,01/01/2024,,California - DFPI - Industrial Bureau License",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    license.refresh_from_db()
    assert (license.number, license.license) == (number, kind or "crmla")
    assert CompanyLicense.objects.filter(state="CA").count() == 1
    first, second = (2, 3) if kind == "cfl" else (3, 2)
    names = {2: CRMLA, 3: CFL}
    assert comparison.problems[-1] == (
        f"Row {first}: Approved of “{names[first]}” in CA is not used, because row {second} "
        f"counts: Approved of “{names[second]}”."
    )


def test_later_known_license_counts_when_none_is_on_file(dana, ana):
    nmls_license_import.import_file(
        company_file(
            f"CA,60DBO-1,Approved,01/01/2019,,{CFL}",
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
            "CA,10005-99,Approved,01/01/2024,,California - DFPI - Industrial Bureau License",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    license = CompanyLicense.objects.get(state="CA")
    assert (license.number, license.license) == ("60DBO-1", "cfl")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the file doesn’t name the license"),
        ("Industrial Bureau License", "“Industrial Bureau License” is not one Rooftree knows"),
    ],
)
def test_missing_license_kind_is_reported_where_state_requires_it(dana, name, words):
    problem = (
        f"Row 2: California requires different wording for each of its licenses, and {words}. "
        "Choose the license under Licenses."
    )
    body = company_file(
        f"CA,4130001,Approved,03/01/2015,,{name}", "WV,W-1,Approved,03/01/2015,,Whatever"
    )
    comparison = nmls_license_import.compare_file(body, at=make.NOON)
    assert [change.description for change in comparison.changes] == [
        "new, Approved",
        "new, Approved",
    ]
    assert comparison.problems == [problem]

    license = create_california_license()
    assert nmls_license_import.compare_file(body, at=make.NOON).problems == [problem]

    CompanyLicense.objects.filter(pk=license.pk).update(license="dre")
    assert nmls_license_import.compare_file(body, at=make.NOON).problems == []


def test_manually_chosen_kind_stays_when_file_names_none(dana, ana):
    license = create_california_license(license="crmla")
    company = Company.objects.get().nmls_id
    nmls_license_import.import_file(
        license_file(f"{company},CA,4130002,Approved,03/01/2015,2026"), by=ana, at=make.NOON
    )
    license.refresh_from_db()
    assert (license.number, license.license) == ("4130002", "crmla")


def test_unknown_license_number_is_not_stored_for_chosen_kind(dana, ana):
    license = create_california_license(license="crmla")
    comparison = nmls_license_import.import_file(
        company_file("CA,10005-99,Approved,01/01/2024,,Industrial Bureau License"),
        by=ana,
        at=make.NOON,
    )
    license.refresh_from_db()
    assert (license.number, license.license) == ("4130001", "crmla")
    assert comparison.changes == []
    assert comparison.problems == [
        "Row 2: “Industrial Bureau License” is not one of the California licenses Rooftree knows, "
        "and its number differs from the one on file. If it is the license on file, correct it "
        "under Licenses."
    ]


def test_known_license_kind_is_preferred_over_number_on_file(dana, ana):
    license = create_california_license(number="10005-99")
    nmls_license_import.import_file(
        company_file(
            "CA,10005-99,Approved,03/01/2015,,Industrial Bureau License",
            f"CA,4130001,Approved,03/01/2015,,{CRMLA}",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    license.refresh_from_db()
    assert (license.number, license.license) == ("4130001", "crmla")


def test_chosen_license_is_matched_by_number_when_name_is_unknown(dana, ana):
    license = create_california_license(number="01234567", license="dre")
    comparison = nmls_license_import.import_file(
        company_file(
            f"CA,4130001,Approved,03/01/2020,,{CRMLA}",
            "CA,01234567,Approved,03/01/2015,,Something Newly Named",
        ),
        by=ana, at=make.NOON,
    )  # fmt: skip
    license.refresh_from_db()
    assert (license.number, license.license) == ("01234567", "dre")
    assert (comparison.changes, comparison.unchanged_count) == ([], 1)


def test_number_on_file_counts_before_later_one_where_kind_is_irrelevant(dana, ana):
    license = CompanyLicense.objects.create(state="WV", number="W-1", from_date=date(2015, 3, 1))
    comparison = nmls_license_import.compare_file(
        company_file(
            "WV,W-1,Approved,03/01/2015,,Mortgage Lender License",
            "WV,W-2,Approved,03/01/2020,,Mortgage Broker License",
        ),
        at=make.NOON,
    )
    assert (comparison.changes, comparison.unchanged_count) == ([], 1)
    assert comparison.problems == [
        "Row 3: Approved of “Mortgage Broker License” in WV is not used, because row 2 counts: "
        "Approved of “Mortgage Lender License”."
    ]
    license.refresh_from_db()
    assert license.license == ""


def test_license_kind_does_not_matter_for_officer(dana, ana):
    body = company_file().decode().strip() + (
        f"\n222222,CA,C-1,Approved,01/01/2015,,{CRMLA}"
        "\n222222,CA,C-2,Approved,01/01/2016,,Mortgage Loan Originator License"
    )
    comparison = nmls_license_import.import_file(body.encode(), by=ana, at=make.NOON)

    assert [change.description for change in comparison.changes] == ["new, Approved"]
    assert License.objects.get(state="CA").number == "C-2"
    assert nmls_license_import.compare_file(body.encode(), at=make.NOON).unchanged_count == 1
