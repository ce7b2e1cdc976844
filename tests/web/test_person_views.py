"""Person pages: seen by everyone who sees the lead, merged by permitted roles."""

import pytest
from django.urls import reverse

from rooftree.capture.identity.person_matching import name_key
from rooftree.leads.models import Lead, Person, PersonMerge, Phone
from tests import make


@pytest.fixture
def benjamin(cast):
    """A second record of Ben with the same number and another spelling, in Ben's branch."""
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


def test_lead_page_loads_the_possible_duplicates_card(cast, ben, benjamin, signed_in, htmx):
    browser = signed_in(cast.dana.user)
    assert f'hx-get="{page_of(ben)}"' in browser.get(reverse("lead", args=[ben.pk])).text

    card = browser.get(page_of(ben), headers=htmx).text

    assert "Possible duplicate:" in card
    assert "Benjamin Ortiz" in card
    assert "Same phone, similar name" in card
    assert "Review" not in card  # an officer can see it and not decide


def test_household_is_shown_without_the_names_of_another_officers_borrowers(
    cast, ben, signed_in, htmx
):
    wife = make.person(first_name="Guadalupe", last_name="Reyes", phone="+18135550142")
    make.lead(person=wife, property_state="TX", officer=cast.sam)

    card = signed_in(cast.dana.user).get(page_of(ben), headers=htmx).text

    assert "Same phone" in card
    assert "another borrower" in card
    assert "Guadalupe" not in card


def test_manager_merges_and_splits_again(cast, ben, benjamin, signed_in):
    browser = signed_in(cast.ruth)
    page = browser.get(page_of(ben)).text
    assert page.count("Merge records</button>") == 1

    answer = browser.post(
        reverse("person_merges", args=[ben.pk]), {"other": benjamin.pk, "reason": "spoken"}
    )
    assert answer.status_code == 303
    assert Lead.objects.get(pk=benjamin.pk).person == ben.person
    merge = PersonMerge.objects.get()
    assert (merge.by, merge.evidence) == (cast.ruth, "same phone, similar name")
    page = browser.get(page_of(ben)).text
    assert "Merged records" in page
    assert "Merged Benjamin Ortiz into Ben Ortiz" in page

    browser.post(reverse("person_splits", args=[ben.pk]), {"merge": merge.pk, "reason": "slip"})
    assert Lead.objects.get(pk=benjamin.pk).person == benjamin.person
    assert "Merged records" not in browser.get(page_of(ben)).text


def test_manager_cannot_merge_leads_of_another_branch(cast, ben, benjamin, signed_in):
    make.lead(person=benjamin.person, property_state="TX", officer=cast.sam)

    answer = signed_in(cast.ruth).post(
        reverse("person_merges", args=[ben.pk]),
        {"other": benjamin.pk, "reason": "said"},
        follow=True,
    )

    assert "another branch" in answer.text
    assert not PersonMerge.objects.exists()


def test_merge_requires_a_reason(cast, ben, benjamin, signed_in, htmx):
    answer = signed_in(cast.ruth).post(
        reverse("person_merges", args=[ben.pk]), {"other": benjamin.pk}, headers=htmx
    )

    assert answer.status_code == 409
    assert "Say why they are one person" in answer.text
    assert not PersonMerge.objects.exists()


def test_other_record_can_be_searched_by_hand(cast, ben, signed_in):
    make.lead(person=make.person(first_name="Zev", last_name="Adler"), officer=cast.dana)

    results = signed_in(cast.ruth).get(page_of(ben), {"q": "Adler"}).text
    no_results = signed_in(cast.ruth).get(page_of(ben), {"q": "Nobody"}).text

    assert "Zev Adler" in results
    assert "No other leads match" in no_results


def test_current_number_and_wrong_number_are_marked(cast, ben, signed_in):
    Phone.objects.create(
        person=ben.person, e164="+18135550177", given_at=make.NOON, unlinked_at=make.NOON
    )

    page = signed_in(cast.ruth).get(page_of(ben)).text

    assert page.count("In use</span>") == 2  # a number and an address
    assert "not theirs" in page


def test_query_count_does_not_grow_with_namesakes(
    cast, ben, signed_in, django_assert_max_num_queries
):
    for _ in range(5):
        human = make.person(first_name="Ben", last_name="Ortiz", phone="+18135550142")
        make.lead(person=human, officer=cast.dana)
    browser = signed_in(cast.ruth)

    with django_assert_max_num_queries(32):
        page = browser.get(page_of(ben)).text

    assert page.count("Merge records</button>") == 5
