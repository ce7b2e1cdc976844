"""Possible duplicates shown to staff with evidence; households are recognized and not merged."""

import pytest

from rooftree.capture.identity import merge_people, split_people
from rooftree.capture.identity.duplicate_candidates import find_duplicates
from rooftree.capture.identity.person_matching import name_key
from rooftree.leads.models import Phone
from tests import make

pytestmark = pytest.mark.django_db


def person(first: str, last: str, phone: str = "", **changes):
    return make.person(
        first_name=first, last_name=last, name_key=name_key(first, last), phone=phone, **changes
    )


def evidence_of(human) -> list[tuple[str, str, bool]]:
    return [
        (duplicate.person.first_name, duplicate.evidence, duplicate.is_household)
        for duplicate in find_duplicates(human)
    ]


def test_shared_phone_with_different_name_is_household():
    ben = person("Ben", "Ortiz", "+18135550142")
    person("Guadalupe", "Ortiz", "+18135550142")

    assert evidence_of(ben) == [("Guadalupe", "same phone", True)]


def test_shared_phone_with_similar_name_is_duplicate_candidate():
    ben = person("Ben", "Ortiz", "+18135550142")
    person("Benjamin", "Ortiz", "+18135550142")

    assert evidence_of(ben) == [("Benjamin", "same phone, similar name", False)]


def test_same_name_needs_shared_place_to_be_candidate():
    ben = person("Ben", "Ortiz")
    near, far = person("BEN", "Ortíz"), person("Ben", "Ortiz")
    make.lead(person=ben, property_zip="33602")
    make.lead(person=near, property_zip="33602")
    make.lead(person=far, property_zip="94110")

    assert evidence_of(ben) == [("BEN", "same name, same ZIP 33602", False)]


def test_split_people_are_not_proposed_again():
    ben, other = person("Ben", "Ortiz", "+18135550142"), person("Ben", "Ortiz", "+18135550142")
    made = merge_people.merge_people(
        survivor_id=ben.pk, duplicate_id=other.pk, reason="said", by=None, at=make.NOON
    )
    assert evidence_of(ben) == []

    split_people.split_people(merge_id=made.pk, reason="spoken", by=None, at=make.NOON)

    assert evidence_of(ben) == []
    assert evidence_of(other) == []


def test_wrong_number_makes_no_household():
    ben = person("Ben", "Ortiz", "+18135550142")
    other = person("Guadalupe", "Reyes", "+18135550142")
    Phone.objects.filter(person=other).update(unlinked_at=make.NOON)

    assert evidence_of(ben) == []


def test_unrelated_people_are_no_candidates():
    assert evidence_of(person("Ben", "Ortiz")) == []
    assert evidence_of(make.person(first_name="", last_name="", phone=None, email=None)) == []
