"""Preview of an NMLS license file, in Chromium."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.org.models import Company, CompanyLicense
from tests import make
from tests.web.browser.conftest import check_page, open_as

CRMLA = "California - DFPI - California Residential Mortgage Lending Act License"
CFL = "California - DFPI - California Financing Law License"


def file(*rows: str) -> dict[str, object]:
    """Build the file upload: rows of the company's own licenses."""
    head = "NMLS ID,Regulator,License Number,License Status,Original Issue Date,License Type"
    company_nmls_id = Company.objects.get().nmls_id
    body = "\n".join([head, *(f"{company_nmls_id},{row}" for row in rows)])
    return {"name": "nmls.csv", "mimeType": "text/csv", "buffer": body.encode()}


def test_license_file_is_previewed_before_it_is_imported(chromium, front, people):
    make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")
    CompanyLicense.objects.filter(state="CA").update(license="")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_licenses_file"))
    check_page(page, "nmls-none")

    page.get_by_label("CSV or Excel").set_input_files(
        file(
            f"California - DFPI,CO-CA-1,Approved,01/01/2020,{CRMLA}",
            f"California - DFPI,60DBO-46872,Approved,05/01/2018,{CFL}",
            "New York,B500123,Approved,01/01/2020,Mortgage Loan Exempt Registration",
        )
    )
    page.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_text("license none → DFPI, Residential Mortgage Lending")).to_be_visible()
    expect(page.get_by_text("New York requires different wording")).to_be_visible()
    check_page(page, "nmls-found")
