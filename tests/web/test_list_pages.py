"""Lists of staff pages: pages and a search by name where a company can have many rows."""

from django.urls import reverse

from rooftree.org.models import CompanyLicense
from rooftree.web.compliance import source_terms_views
from rooftree.web.setup import license_views, people_views
from tests import make


def test_users_are_paged_and_found_by_name(cast, signed_in, monkeypatch):
    monkeypatch.setattr(people_views, "PAGE_SIZE", 2)
    browser, address = signed_in(make.user("administrator")), reverse("setup_people")

    first = browser.get(address).text
    assert "1 to 2 of" in first
    assert "Search by name or email" in first

    found = browser.get(address, {"q": "dana"}).text
    assert "Dana Whitfield" in found
    assert "Sam " not in found
    assert "No users match" in browser.get(address, {"q": "zzz"}).text


def test_company_licenses_are_paged_apart_from_the_officers(cast, signed_in, monkeypatch):
    monkeypatch.setattr(license_views, "COMPANY_PAGE_SIZE", 1)
    for state in ("AK", "WY"):
        CompanyLicense.objects.get_or_create(
            state=state, defaults={"number": f"L-{state}", "from_date": make.NOON.date()}
        )
    browser, address = signed_in(make.user("administrator")), reverse("setup_licenses")

    page = browser.get(address)

    assert len(page.context["company"]) == 1
    assert "?company_page=2" in page.text
    after = browser.get(address, {"company_page": 2})
    assert after.context["company"] != page.context["company"]
    assert len(after.context["rows"]) == len(page.context["rows"])


def test_officer_licenses_are_found_by_officer(cast, signed_in):
    page = signed_in(make.user("administrator")).get(reverse("setup_licenses"), {"q": "whitf"})

    assert page.context["rows"]
    assert {row["license"].officer for row in page.context["rows"]} == {cast.dana}


def test_source_terms_are_paged_and_found_by_source(cast, signed_in, monkeypatch):
    monkeypatch.setattr(source_terms_views, "PAGE_SIZE", 1)
    make.source(name="Alpha leads")
    make.source(name="Beta leads")
    browser, address = signed_in(cast.omar), reverse("all_source_terms")

    assert "1 to 1 of" in browser.get(address).text
    found = browser.get(address, {"q": "beta"}).text
    assert "Beta leads" in found
    assert "Alpha leads" not in found
