"""Possible duplicates: the list, and decisions by permitted roles."""

import pytest
from django.urls import reverse

from rooftree.capture.identity import duplicate_review
from rooftree.leads.models import Lead, Person, PersonMerge, Phone, PossibleDuplicate
from tests import make

LIST = "/matches/"


@pytest.fixture
def pair(cast):
    """Ben and Benjamin with the same number, both assigned to Dana."""
    make.ownership(cast.ben, cast.dana)
    make.lead(
        person=make.person(
            first_name="Benjamin", last_name="Ortiz", phone="+18135550142", email="b@home.example"
        ),
        officer=cast.dana,
    )
    duplicate_review.compare_new_people(at=make.NOON)
    return PossibleDuplicate.objects.get()


def decision(pair: PossibleDuplicate) -> str:
    return reverse("match_decision", args=[pair.pk])


def test_possible_duplicates_are_shown_with_evidence_for_and_against(cast, pair, signed_in, htmx):
    assert "Ben Ortiz and Benjamin Ortiz" in signed_in(cast.ruth).get(LIST).text
    page = signed_in(cast.ruth).get(LIST, {"open": pair.pk}).text

    assert "same phone, similar name" in page
    assert "no email in common" in page
    assert page.count("(813) 555-0142") == 2
    assert "<html" not in signed_in(cast.ruth).get(LIST, headers=htmx).text


def test_same_person_merges_into_the_older_record_and_can_be_undone(cast, pair, signed_in):
    browser = signed_in(cast.ruth)

    answer = browser.post(decision(pair), {"answer": "same", "reason": "spoken"})
    assert answer.status_code == 303
    merge = PersonMerge.objects.get()
    assert (merge.survivor, merge.merged, merge.by) == (pair.older, pair.newer, cast.ruth)
    assert merge.evidence == "same phone, similar name"
    page = browser.get(LIST).text
    assert "No possible duplicates" in page
    assert "Undo merge" in page

    browser.post(decision(pair), {"answer": "apart", "reason": "slip"})
    assert Lead.objects.filter(person=pair.newer).count() == 1
    assert "two people" in browser.get(LIST).text


def test_different_people_leave_the_list_and_can_be_reviewed_again(cast, pair, signed_in):
    browser = signed_in(cast.ruth)

    browser.post(decision(pair), {"answer": "two"})
    assert "No possible duplicates" in browser.get(LIST).text

    browser.post(decision(pair), {"answer": "again"})
    assert "Same phone, similar name" in browser.get(LIST).text


def test_number_with_a_possible_new_owner_is_moved_with_one_press(cast, signed_in):
    before = make.NOON - 400 * make.DAY
    mei = make.person(first_name="Mei", last_name="Wu", phone="+18135550142", email=None)
    make.lead(person=mei, officer=cast.dana)
    Lead.objects.filter(pk=cast.ben.pk).update(last_inquiry_at=before)
    make.ownership(cast.ben, cast.dana)
    Phone.objects.filter(person=cast.ben.person).update(given_at=before)
    duplicate_review.compare_new_people(at=make.NOON)
    pair = PossibleDuplicate.objects.get()
    browser = signed_in(cast.ruth)
    assert "Keep apart, number belongs to" in browser.get(LIST, {"open": pair.pk}).text

    browser.post(decision(pair), {"answer": "moved"})

    holders = {
        phone.person_id for phone in Phone.objects.filter(e164=pair.number, unlinked_at=None)
    }
    assert holders == {pair.newer_id}


def test_merge_requires_a_reason(cast, pair, signed_in, htmx):
    answer = signed_in(cast.ruth).post(decision(pair), {"answer": "same"}, headers=htmx)

    assert answer.status_code == 409
    assert "Say why they are one person" in answer.text
    assert not PersonMerge.objects.exists()


@pytest.mark.parametrize("role", ["officer", "assistant", "marketing", "compliance", "executive"])
def test_other_roles_cannot_see_or_decide_duplicates(role, pair, signed_in):
    browser = signed_in(make.user(role))

    assert browser.get(LIST).status_code == 403
    assert browser.post(decision(pair), {"answer": "two"}).status_code == 403
    pair.refresh_from_db()
    assert pair.answer == ""


def test_manager_cannot_decide_a_pair_with_another_branchs_lead(cast, pair, signed_in):
    make.lead(person=pair.newer, property_state="TX", officer=cast.sam)
    browser = signed_in(cast.ruth)

    assert "Benjamin" not in browser.get(LIST).text
    assert browser.post(decision(pair), {"answer": "two"}).status_code == 404
    assert "Benjamin" in signed_in(make.user("operations")).get(LIST).text


def test_co_borrower_is_on_the_lead_card_and_not_a_possible_duplicate(cast, pair, signed_in, htmx):
    lupe = make.person(first_name="Lupe", last_name="Ortiz", phone="+18135550142", email=None)
    Lead.objects.filter(pk=cast.ben.pk).update(co_borrower=lupe)

    card = signed_in(cast.dana.user).get(reverse("person", args=[cast.ben.pk]), headers=htmx).text

    assert "Co-borrower: Lupe Ortiz" in card
    assert "consent doesn’t cover the co-borrower" in card
    assert Person.objects.filter(pk=lupe.pk, compared_at=None).exists()


def add_pair(
    first: str, second: str, *, officer, evidence: str, at, state: str = "FL"
) -> PossibleDuplicate:
    people = [make.person(first_name=name, last_name="Reyes", at=at) for name in (first, second)]
    for person in people:
        make.lead(person=person, officer=officer, property_state=state)
    return PossibleDuplicate.objects.create(
        older=people[0], newer=people[1], speaks_for=evidence, found_at=at
    )


def test_next_pair_opens_when_one_is_decided(cast, pair, signed_in):
    later = add_pair(
        "Ada", "Adam", officer=cast.dana, evidence="same name, same ZIP 33602",
        at=make.NOON + make.HOUR,
    )  # fmt: skip
    browser = signed_in(cast.ruth)

    answer = browser.post(decision(pair), {"answer": "two", "from": f"open={pair.pk}"})
    page = browser.get(answer["Location"]).text

    assert f'id="pair-{later.pk}"' in page
    browser.post(decision(later), {"answer": "two"})
    assert "No possible duplicates" in browser.get(answer["Location"]).text


def test_duplicates_are_filtered_by_name_match_and_officer(cast, pair, signed_in):
    other = add_pair(
        "Ada",
        "Adam",
        officer=cast.sam,
        evidence="same name, same ZIP 33602",
        at=make.NOON,
        state="TX",
    )
    browser = signed_in(make.user("operations"))

    for query, found in (
        ({"q": "ada rey"}, other), ({"match": "zip"}, other), ({"officer": cast.sam.pk}, other),
        ({"match": "phone"}, pair), ({"officer": cast.dana.pk}, pair),
    ):  # fmt: skip
        page = browser.get(LIST, query).text
        missing = pair if found is other else other
        assert f"open={found.pk}" in page, query
        assert f"open={missing.pk}" not in page, query
    assert "No pairs match these filters" in browser.get(LIST, {"q": "Zed"}).text


def test_open_pair_of_another_branch_stays_closed(cast, pair, signed_in):
    other = add_pair(
        "Ada", "Adam", officer=cast.sam, evidence="same email", at=make.NOON, state="TX"
    )

    page = signed_in(cast.ruth).get(LIST, {"open": other.pk}).text

    assert "Ada" not in page
    assert "Merge records" not in page
