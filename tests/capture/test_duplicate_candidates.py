"""Who may be the same human, said to staff with its reason; households are seen and not merged."""

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


def said(human) -> list[tuple[str, str, bool]]:
    return [
        (duplicate.person.first_name, duplicate.evidence, duplicate.is_household)
        for duplicate in find_duplicates(human)
    ]


def test_one_phone_and_another_name_is_a_household():
    ben = person("Ben", "Ortiz", "+18135550142")
    person("Guadalupe", "Ortiz", "+18135550142")

    assert said(ben) == [("Guadalupe", "same phone", True)]


def test_one_phone_and_a_near_name_may_be_the_same_person():
    ben = person("Ben", "Ortiz", "+18135550142")
    person("Benjamin", "Ortiz", "+18135550142")

    assert said(ben) == [("Benjamin", "same phone, similar name", False)]


def test_one_name_needs_a_place_in_common():
    ben = person("Ben", "Ortiz")
    near, far = person("BEN", "Ortíz"), person("Ben", "Ortiz")
    make.lead(person=ben, property_zip="33602")
    make.lead(person=near, property_zip="33602")
    make.lead(person=far, property_zip="94110")

    assert said(ben) == [("BEN", "same name, same ZIP 33602", False)]


def test_who_was_taken_apart_is_not_proposed_again():
    ben, other = person("Ben", "Ortiz", "+18135550142"), person("Ben", "Ortiz", "+18135550142")
    made = merge_people.merge_people(
        survivor_id=ben.pk, duplicate_id=other.pk, reason="said", by=None, at=make.NOON
    )
    assert said(ben) == []

    split_people.split_people(merge_id=made.pk, reason="spoken", by=None, at=make.NOON)

    assert said(ben) == []
    assert said(other) == []


def test_a_number_that_was_wrong_makes_no_household():
    ben = person("Ben", "Ortiz", "+18135550142")
    other = person("Guadalupe", "Reyes", "+18135550142")
    Phone.objects.filter(person=other).update(unlinked_at=make.NOON)

    assert said(ben) == []


def test_nobody_alike_is_nobody():
    assert said(person("Ben", "Ortiz")) == []
    assert said(make.person(first_name="", last_name="", phone=None, email=None)) == []
