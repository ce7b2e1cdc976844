from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.identity.person_matching import (
    Candidate,
    Identity,
    best_match,
    could_be_same_name,
)

BEN = Identity(
    first_name="Ben",
    last_name="Ortiz",
    phones=frozenset({"+18135550142"}),
    emails=frozenset({"ben@home.example"}),
)


def on_file(**changes) -> Candidate:
    known = {name: getattr(BEN, name) for name in ("first_name", "last_name", "phones", "emails")}
    return Candidate(person_id=uuid4(), identity=Identity(**{**known, **changes}))


@pytest.mark.parametrize(
    ("first", "last", "is_near"),
    [
        ("Ben", "Ortiz", True),
        ("BEN", "ORTIZ", True),
        ("Benjamin", "Ortiz", True),  # the short form
        ("B", "Ortiz", True),  # an initial
        ("Ben", "Ortíz", True),  # an accent
        ("Ben", "Ortiz-Vega", True),  # a double last name
        ("Ben", "Ortez", True),  # a typo
        ("", "Ortiz", True),  # missing
        ("Maria", "Ortiz", False),  # a spouse
        ("Ben", "Nguyen", False),  # another family
        ("Len", "Ortiz", False),  # too short for a typo
    ],
)
def test_names_are_similar_when_one_person_could_have_written_both(first, last, is_near):
    assert could_be_same_name(BEN, Identity(first_name=first, last_name=last)) is is_near


def test_nicknames_are_the_same_name():
    robert = Identity(first_name="Robert", last_name="Hale")
    assert could_be_same_name(robert, Identity(first_name="Bobby", last_name="Hale"))


def test_shared_phone_with_different_name_is_another_person():
    assert best_match(BEN, [on_file(first_name="Maria", emails=frozenset())]) is None


def test_shared_phone_with_similar_name_is_same_person_with_evidence():
    known = on_file(first_name="Benjamin", emails=frozenset())

    found = best_match(BEN, [known])

    assert found is not None
    assert (found.person_id, found.evidence) == (known.person_id, "same phone, similar name")


def test_shared_phone_outranks_shared_email():
    by_phone, by_mail = on_file(emails=frozenset()), on_file(phones=frozenset())

    found = best_match(BEN, [by_mail, by_phone])

    assert found is not None
    assert found.person_id == by_phone.person_id


names = st.text(st.characters(codec="utf-8"), max_size=12)


@given(names, names, names, names)
def test_name_similarity_is_symmetric(a, b, c, d):
    one, other = Identity(first_name=a, last_name=b), Identity(first_name=c, last_name=d)
    assert could_be_same_name(one, other) == could_be_same_name(other, one)


@given(st.lists(st.sampled_from(["phone", "mail", "both", "none"]), max_size=6), st.randoms())
def test_match_does_not_depend_on_candidate_order(kinds, rng):
    shapes = {
        "phone": {"emails": frozenset()},
        "mail": {"phones": frozenset()},
        "both": {},
        "none": {"phones": frozenset(), "emails": frozenset()},
    }
    candidates = [on_file(**shapes[kind]) for kind in kinds]
    shuffled = list(candidates)
    rng.shuffle(shuffled)

    assert best_match(BEN, candidates) == best_match(BEN, shuffled)
    if set(kinds) <= {"none"}:
        assert best_match(BEN, candidates) is None
