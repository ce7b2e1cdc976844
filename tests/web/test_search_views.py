"""Search by loan number and address, and the way to it on a phone."""

import pytest

from rooftree.leads.models import Lead, Loan
from tests import make


@pytest.fixture
def owned(cast):
    lead = make.lead(
        officer=cast.dana,
        person=make.person(first_name="Marisol", last_name="Vega"),
        property_street="412 Live Oak Dr",
        property_zip="33601",
    )
    Loan.objects.create(
        lead=lead, los="encompass", instance="BE1", los_loan_id="x-1", loan_number="2026110045",
        created_at=make.NOON,
    )  # fmt: skip
    return lead


@pytest.mark.parametrize("query", ["2026110045", "20261100", "412 live", "live oak", "33601"])
def test_search_finds_loan_numbers_and_addresses(cast, owned, signed_in, query):
    page = signed_in(cast.dana.user).get("/find/", {"q": query}).text

    assert "Marisol Vega" in page


def test_result_says_which_loan_or_address_matched(cast, owned, signed_in):
    browser = signed_in(cast.dana.user)

    assert "Loan 2026110045" in browser.get("/find/", {"q": "20261"}).text
    assert "412 Live Oak Dr" in browser.get("/find/", {"q": "live oak"}).text


def test_search_never_finds_another_officers_loan(cast, owned, signed_in):
    browser = signed_in(cast.sam.user)

    for query in ("2026110045", "live oak", "33601"):
        assert "Marisol" not in browser.get("/find/", {"q": query}).text, query


def test_borrowers_home_address_is_found(cast, signed_in):
    person = make.person(first_name="Ada", street="9 Elm Court")
    make.lead(officer=cast.dana, person=person)

    assert "Ada" in signed_in(cast.dana.user).get("/find/", {"q": "elm court"}).text
    assert Lead.objects.filter(person=person).exists()


def test_find_is_in_the_header_of_every_page(cast, signed_in):
    browser = signed_in(cast.dana.user)

    for path in ("/queue/", "/tasks/", "/pipeline/"):
        header = browser.get(path).text.partition('<header class="topbar">')[2]
        assert 'data-dialog="palette"' in header.partition("</header>")[0]
