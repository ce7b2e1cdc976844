"""Pairs that may be one human: asked of staff, once, while both are leads like all others."""

import pytest

from rooftree.capture.identity import duplicate_candidates, duplicate_review
from rooftree.capture.identity.address_keys import address_key
from rooftree.capture.identity.duplicate_review import CannotAnswer
from rooftree.capture.identity.person_matching import (
    Identity,
    could_be_same_name,
    name_key,
    swapped_digit_numbers,
)
from rooftree.flow import person_merges, tick_schedule
from rooftree.leads.models import Email, Lead, Person, Phone, PossibleDuplicate
from rooftree.ledger.models import Event
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

LATER = make.NOON + make.HOUR


def person(first: str, last: str, phone: str | None = None, **changes) -> Person:
    key = name_key(first, last)
    return make.person(
        **{"first_name": first, "last_name": last, "name_key": key, "phone": phone, **changes}
    )


def found(*, at=LATER) -> list[tuple[str, str, str, str]]:
    duplicate_review.compare_new_people(at=at)
    rows = PossibleDuplicate.objects.select_related("older", "newer").order_by("found_at", "pk")
    return [(a.older.first_name, a.newer.first_name, a.speaks_for, a.against) for a in rows]


def test_a_swap_of_two_neighboring_digits_is_one_of_few_numbers():
    near = swapped_digit_numbers("+18135550142")

    assert "+18135550124" in near
    assert "+18135505142" in near
    assert "+18135550142" not in near
    assert len(near) <= 9
    assert swapped_digit_numbers("+442079460123") == set()


@pytest.mark.parametrize(
    ("street", "zip_code", "key"),
    [
        ("12 Main St", "33602", "33602 12 main"),
        ("12 N. Main Street, Apt 4", "33602", "33602 12 main"),
        ("12 MAIN ST #4", "33602", "33602 12 main"),
        ("PO Box 77", "33602", "33602 po box 77"),
        ("", "33602", ""),
        ("12 Main St", "", ""),
    ],
)
def test_an_address_has_one_key_however_it_is_written(street, zip_code, key):
    assert address_key(street, zip_code) == key


@pytest.mark.parametrize(
    ("one", "other", "are_near"),
    [
        (("Mario", "Ortiz", ""), ("Maria", "Ortiz", ""), False),
        (("Paul", "Reed", ""), ("Paula", "Reed", ""), False),
        (("John", "Reed", "SR"), ("John", "Reed", "JR"), False),
        (("John", "Reed", "JR"), ("John", "Reed", ""), True),
        (("Robert", "Reed", ""), ("Bob", "Reed", ""), True),
        (("Jon", "Reed", ""), ("Jonathan", "Reed", ""), True),
    ],
)
def test_a_brother_and_a_sister_and_a_father_and_a_son_are_two(one, other, are_near):
    names = [Identity(first_name=a, last_name=b, suffix=c) for a, b, c in (one, other)]

    assert could_be_same_name(*names) is are_near


@pytest.mark.django_db
class TestFinding:
    def test_two_digits_swapped_and_a_near_name(self):
        person("Ben", "Ortiz", "+18135550142", email=None)
        person("Benjamin", "Ortiz", "+18135550124", email=None)

        assert found() == [
            ("Ben", "Benjamin", "phone with two digits swapped, similar name", "no phone in common")
        ]

    def test_two_digits_swapped_and_another_name_is_nobody_to_ask_about(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Guadalupe", "Reyes", "+18135550124")

        assert found() == []

    def test_a_nickname_at_the_same_street_address(self):
        person("Robert", "Hale", "+18135550142", home_key="33602 12 main", email=None)
        bob = person("Bob", "Hale", "+14155550187", email=None)
        make.lead(person=bob, property_key="33602 12 main", property_zip="33602")

        assert found() == [
            ("Robert", "Bob", "similar name, same street address", "no phone in common")
        ]

    def test_neighbors_in_one_house_are_not_asked_about(self):
        person("Robert", "Hale", home_key="33602 12 main")
        person("Mei", "Chen", home_key="33602 12 main")

        assert found() == []

    def test_mario_and_maria_of_one_phone_are_asked_about_and_not_matched(self):
        person("Mario", "Ortiz", "+18135550142", email=None)
        person("Maria", "Ortiz", "+18135550142", email=None)

        assert found() == [
            ("Mario", "Maria", "same phone, almost the same name",
             "Mario and Maria are different names"),
        ]  # fmt: skip

    def test_a_household_on_one_phone_is_not_asked_about(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Guadalupe", "Ortiz", "+18135550142")

        assert found() == []

    @pytest.mark.parametrize(("days", "asked"), [(181, True), (180, False)])
    def test_a_number_under_a_new_name_after_a_long_silence_may_be_recycled(self, days, asked):
        before = make.NOON - days * make.DAY
        ben = person("Ben", "Ortiz", "+18135550142", at=before)
        make.lead(person=ben, at=before)
        person("Mei", "Chen", "+18135550142")

        found()

        numbers = [
            possible_duplicate.number for possible_duplicate in PossibleDuplicate.objects.all()
        ]
        assert numbers == (["+18135550142"] if asked else [])

    def test_what_they_wrote_lately_ends_the_silence(self):
        before = make.NOON - 400 * make.DAY
        ben = person("Ben", "Ortiz", "+18135550142", at=before)
        lead = make.lead(person=ben, at=before)
        lead.attempts.create(
            person=ben, medium="text", direction="in", at=make.NOON - make.DAY, cause="message:1"
        )
        person("Mei", "Chen", "+18135550142")

        assert found() == []

    def test_a_test_is_not_taken_for_a_person(self):
        make.lead(person=person("Ben", "Ortiz", "+18135550142"), is_test=True)
        make.lead(person=person("Benjamin", "Ortiz", "+18135550142"))

        assert found() == []

    def test_who_gives_a_new_number_is_compared_again(self):
        journey.ready()
        form = journey.website()
        journey.deliver(form, journey.form_post(email="ben@home.example"))
        person("Benjamin", "Ortiz", "+18135550177", email=None)
        assert found() == []

        journey.deliver(
            form,
            journey.form_post(phone="(813) 555-0177", email="ben@home.example"),
            at=journey.later(3),
        )

        assert [one[:3] for one in found()] == [("Ben", "Benjamin", "same email, similar name")]

    def test_the_clock_compares_and_a_second_look_finds_nothing_new(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Benjamin", "Ortiz", "+18135550142")

        tick = next(one for one in tick_schedule.TICKS if one.name == "who may be the same human")
        tick.run(LATER)
        tick.run(LATER)

        assert PossibleDuplicate.objects.count() == 1
        assert not Person.objects.filter(compared_at=None).exists()


@pytest.fixture
def pair(db):
    """A Ben and a Benjamin of one number, each with a lead, waiting for an answer."""
    for name in ("Ben", "Benjamin"):
        make.lead(person=person(name, "Ortiz", "+18135550142", email=None))
    duplicate_review.compare_new_people(at=LATER)
    return PossibleDuplicate.objects.get()


@pytest.fixture
def recycled(db):
    """Ben's number under Mei's name, after a long silence of Ben's."""
    before = make.NOON - 400 * make.DAY
    make.lead(person=person("Ben", "Ortiz", "+18135550142", at=before), at=before)
    make.lead(person=person("Mei", "Chen", "+18135550142"))
    duplicate_review.compare_new_people(at=LATER)
    return PossibleDuplicate.objects.get()


def open_pairs() -> list[PossibleDuplicate]:
    return list(duplicate_review.unanswered_pairs(Lead.objects.all()))


def test_two_people_are_remembered_and_never_asked_about_again(pair):
    person_merges.keep_people_apart(
        duplicate_pair_id=pair.pk, moved=False, by=make.user("operations"), at=LATER
    )

    Person.objects.update(compared_at=None)
    duplicate_review.compare_new_people(at=LATER + make.DAY)

    assert open_pairs() == []
    assert duplicate_candidates.find_duplicates(pair.older) == []
    told = Event.objects.filter(kind="capture.pair.two").values_list("person_id", flat=True)
    assert set(told) == {pair.older_id, pair.newer_id}


def test_a_merge_answers_the_pair_and_a_split_makes_it_two_people(pair):
    by = make.user("operations")

    made = person_merges.merge_people(
        survivor_id=pair.older_id, duplicate_id=pair.newer_id, reason="said", by=by, at=LATER
    )
    pair.refresh_from_db()
    assert (pair.answer, pair.by, open_pairs()) == ("same", by, [])

    person_merges.split_people(merge_id=made.pk, reason="slip", by=by, at=LATER + make.HOUR)
    pair.refresh_from_db()
    assert (pair.answer, open_pairs()) == ("two", [])


def test_an_answer_can_be_taken_back(recycled):
    by = make.user("operations")
    person_merges.keep_people_apart(duplicate_pair_id=recycled.pk, moved=True, by=by, at=LATER)

    duplicate_review.reopen_pair(recycled.pk, by=by.pk, at=LATER + make.HOUR)

    assert open_pairs() == [recycled]
    assert not Phone.objects.exclude(unlinked_at=None).exists()


def test_a_recycled_number_goes_to_its_new_owner_and_nothing_more_to_the_old(recycled):
    lead = Lead.objects.get(person=recycled.older)
    waiting = Message.objects.create(
        lead=lead, person=recycled.older, medium="text", purpose="marketing", cause="step:1",
        to_address="+18135550142", body="Hello", state="held", created_at=LATER, due_at=LATER,
    )  # fmt: skip

    person_merges.keep_people_apart(
        duplicate_pair_id=recycled.pk, moved=True, by=make.user("operations"), at=LATER
    )

    waiting.refresh_from_db()
    assert waiting.state == "cancelled"
    held = {
        phone.person_id: phone.unlinked_at for phone in Phone.objects.filter(e164="+18135550142")
    }
    assert held == {recycled.older_id: LATER, recycled.newer_id: None}


def test_a_number_nobody_doubts_is_not_moved(pair):
    with pytest.raises(CannotAnswer, match="They share no phone number"):
        person_merges.keep_people_apart(
            duplicate_pair_id=pair.pk, moved=True, by=make.user("operations"), at=LATER
        )

    assert open_pairs() == [pair]


def test_a_pair_that_waits_keeps_nobody_from_being_answered(db):
    """The second of two who may be one is worked, offered and written to as anybody is."""
    journey.ready()
    make.officer()
    form = journey.website()
    journey.deliver(form, journey.form_post(first_name="Mario", email="mario@home.example"))
    maria = journey.deliver(
        form,
        journey.form_post(first_name="Maria", email="maria@home.example"),
        at=journey.later(2),
    )

    duplicate_review.compare_new_people(at=LATER)

    assert len(open_pairs()) == 1
    assert Message.objects.filter(lead=maria, medium="email", state="sent").exists()
    assert Email.objects.get(key="maria@home.example").person_id == maria.person_id
