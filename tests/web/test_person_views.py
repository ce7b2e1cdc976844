"""Whose a lead is: seen by everyone who sees the lead, decided by those who may."""

import pytest
from django.urls import reverse

from rooftree.capture.identity.person_matching import name_key
from rooftree.leads.models import Lead, Person, PersonMerge, Phone
from tests import make


@pytest.fixture
def benjamin(cast):
    """Ben again, with the same number, written otherwise; his lead is in Ben's branch."""
    Person.objects.filter(pk=cast.ben.person_id).update(name_key=name_key("Ben", "Ortiz"))
    human = make.person(
        first_name="Benjamin", last_name="Ortiz", phone="+18135550142", email="benj@home.example"
    )
    return make.lead(person=human, officer=cast.dana)


@pytest.fixture
def ben(cast):
    make.ownership(cast.ben, cast.dana)
    return cast.ben


def page_of(lead):
    return reverse("person", args=[lead.pk])


def test_the_lead_page_fetches_the_card_that_says_who_may_be_the_same(
    cast, ben, benjamin, signed_in, htmx
):
    browser = signed_in(cast.dana.user)
    assert f'hx-get="{page_of(ben)}"' in browser.get(reverse("lead", args=[ben.pk])).text

    card = browser.get(page_of(ben), headers=htmx).text

    assert "Possible duplicate:" in card
    assert "Benjamin Ortiz" in card
    assert "Same phone, similar name" in card
    assert "Review" not in card  # an officer sees it and does not decide


def test_a_household_is_seen_and_another_officers_borrower_has_no_name(cast, ben, signed_in, htmx):
    wife = make.person(first_name="Guadalupe", last_name="Reyes", phone="+18135550142")
    make.lead(person=wife, property_state="TX", officer=cast.sam)

    card = signed_in(cast.dana.user).get(page_of(ben), headers=htmx).text

    assert "Same phone" in card
    assert "another borrower" in card
    assert "Guadalupe" not in card


def test_the_manager_merges_and_takes_apart_again(cast, ben, benjamin, signed_in):
    browser = signed_in(cast.ruth)
    page = browser.get(page_of(ben)).text
    assert page.count("Merge records</button>") == 1

    answer = browser.post(
        reverse("person_merges", args=[ben.pk]), {"other": benjamin.pk, "reason": "spoken"}
    )
    assert answer.status_code == 303
    assert Lead.objects.get(pk=benjamin.pk).person == ben.person
    made = PersonMerge.objects.get()
    assert (made.by, made.evidence) == (cast.ruth, "same phone, similar name")
    page = browser.get(page_of(ben)).text
    assert "Merged records" in page
    assert "Merged Benjamin Ortiz into Ben Ortiz" in page

    browser.post(reverse("person_splits", args=[ben.pk]), {"merge": made.pk, "reason": "slip"})
    assert Lead.objects.get(pk=benjamin.pk).person == benjamin.person
    assert "Merged records" not in browser.get(page_of(ben)).text


def test_leads_of_another_branch_are_not_merged_by_this_ones_manager(
    cast, ben, benjamin, signed_in
):
    make.lead(person=benjamin.person, property_state="TX", officer=cast.sam)

    answer = signed_in(cast.ruth).post(
        reverse("person_merges", args=[ben.pk]),
        {"other": benjamin.pk, "reason": "said"},
        follow=True,
    )

    assert "another branch" in answer.text
    assert not PersonMerge.objects.exists()


def test_without_a_reason_nothing_is_merged(cast, ben, benjamin, signed_in, htmx):
    answer = signed_in(cast.ruth).post(
        reverse("person_merges", args=[ben.pk]), {"other": benjamin.pk}, headers=htmx
    )

    assert answer.status_code == 409
    assert "Say why they are one person" in answer.text
    assert not PersonMerge.objects.exists()


def test_the_other_record_can_be_found_by_hand(cast, ben, signed_in):
    make.lead(person=make.person(first_name="Zev", last_name="Adler"), officer=cast.dana)

    found = signed_in(cast.ruth).get(page_of(ben), {"q": "Adler"}).text
    nobody = signed_in(cast.ruth).get(page_of(ben), {"q": "Nobody"}).text

    assert "Zev Adler" in found
    assert "No other leads match" in nobody


def test_the_number_in_use_is_marked_and_a_wrong_one_is_seen(cast, ben, signed_in):
    Phone.objects.create(
        person=ben.person, e164="+18135550177", given_at=make.NOON, unlinked_at=make.NOON
    )

    page = signed_in(cast.ruth).get(page_of(ben)).text

    assert page.count("In use</span>") == 2  # a number and an address
    assert "not theirs" in page


def test_the_page_asks_the_same_number_of_times_for_any_number_of_namesakes(
    cast, ben, signed_in, django_assert_max_num_queries
):
    for _ in range(5):
        human = make.person(first_name="Ben", last_name="Ortiz", phone="+18135550142")
        make.lead(person=human, officer=cast.dana)
    browser = signed_in(cast.ruth)

    with django_assert_max_num_queries(32):
        page = browser.get(page_of(ben)).text

    assert page.count("Merge records</button>") == 5
