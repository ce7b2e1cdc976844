"""Review of possible duplicates, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from rooftree.capture.identity import duplicate_review
from rooftree.leads.models import Lead, Person, Phone, PossibleDuplicate
from rooftree.routing import lead_ownership
from tests import make
from tests.web.browser.conftest import DESK, check_page, open_as


@pytest.fixture
def waiting(people, noon):
    """Benjamin with Ben's number, Mei Wu with a long unused number, and Ben's co-borrower."""
    before = noon - 400 * make.DAY
    old = make.person(first_name="Ada", last_name="Reyes", phone="+18135550150", at=before)
    make.lead(person=old, at=before, property_city="Tampa", property_zip="33602")
    Phone.objects.filter(person=old).update(kind="mobile")
    for first, last, phone in (
        ("Benjamin", "Ortiz", "+18135550142"),
        ("Mei", "Wu", "+18135550150"),
    ):
        human = make.person(first_name=first, last_name=last, phone=phone, at=noon)
        lead = make.lead(person=human, source=people.zillow, at=noon, property_zip="33602")
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=noon)
    for lead in Lead.objects.filter(person=old):
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=noon)
    lupe = make.person(first_name="Guadalupe", last_name="Ortiz", phone="+18135550142", email=None)
    Lead.objects.filter(pk=people.ben.pk).update(co_borrower=lupe)
    duplicate_review.compare_new_people(at=noon)
    return people


def test_duplicate_list_and_person_page_fit_and_are_accessible(chromium, front, waiting):
    page = open_as(chromium, front, "Branch manager")
    page.goto("/matches/")
    check_page(page, "matches")
    page.get_by_role("link", name="Mei Wu").click()
    expect(page.locator("#pairs")).to_contain_text("may have a new owner")
    check_page(page, "matches open")
    page.goto(f"/leads/{waiting.ben.pk}/person/")
    check_page(page, "person")
    PossibleDuplicate.objects.all().delete()
    page.goto("/matches/")
    expect(page.locator("#pairs")).to_contain_text("No possible duplicates")
    check_page(page, "matches none")


def test_two_people_are_separated_and_two_records_merged(chromium, front, waiting):
    page = open_as(chromium, front, "Branch manager", DESK)
    page.goto("/matches/")
    page.get_by_role("link", name="Mei Wu").click()
    page.locator("article", has_text="Mei Wu").get_by_role(
        "button", name="Keep apart, number belongs to Mei"
    ).click()

    article = page.locator("article", has_text="Benjamin")  # opens by itself
    article.get_by_role("combobox").select_option("spoken")
    article.get_by_role("button", name="Merge records").click()
    expect(page.locator("#pairs")).to_contain_text("No possible duplicates")
    expect(page.locator("#pairs")).to_contain_text("Undo merge")

    assert Person.objects.get(first_name="Benjamin").merged_into == waiting.ben.person
    check_page(page, "matches decided 1440 light")
