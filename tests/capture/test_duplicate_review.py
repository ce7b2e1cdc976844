"""Review of possible duplicates: staff decide once, and both stay ordinary leads meanwhile."""

import pytest

from rooftree.capture.identity import duplicate_candidates, duplicate_review
from rooftree.capture.identity.duplicate_review import CannotAnswer
from rooftree.capture.identity.person_matching import (
    Identity,
    address_key,
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


def stored_pairs(*, at=LATER) -> list[tuple[str, str, str, str]]:
    duplicate_review.compare_new_people(at=at)
    rows = PossibleDuplicate.objects.select_related("older", "newer").order_by("found_at", "pk")
    return [(a.older.first_name, a.newer.first_name, a.speaks_for, a.against) for a in rows]


def test_swapped_neighboring_digits_give_few_numbers():
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
def test_address_has_one_key_in_every_spelling(street, zip_code, key):
    assert address_key(street, zip_code) == key


@pytest.mark.parametrize(
    ("first_name", "other", "are_near"),
    [
        (("Mario", "Ortiz", ""), ("Maria", "Ortiz", ""), False),
        (("Paul", "Reed", ""), ("Paula", "Reed", ""), False),
        (("John", "Reed", "SR"), ("John", "Reed", "JR"), False),
        (("John", "Reed", "JR"), ("John", "Reed", ""), True),
        (("Robert", "Reed", ""), ("Bob", "Reed", ""), True),
        (("Jon", "Reed", ""), ("Jonathan", "Reed", ""), True),
    ],
)
def test_siblings_and_father_and_son_are_different_people(first_name, other, are_near):
    names = [Identity(first_name=a, last_name=b, suffix=c) for a, b, c in (first_name, other)]

    assert could_be_same_name(*names) is are_near


@pytest.mark.django_db
class TestFinding:
    def test_swapped_digits_with_similar_name_are_proposed(self):
        person("Ben", "Ortiz", "+18135550142", email=None)
        person("Benjamin", "Ortiz", "+18135550124", email=None)

        assert stored_pairs() == [
            ("Ben", "Benjamin", "phone with two digits swapped, similar name", "no phone in common")
        ]

    def test_swapped_digits_with_different_name_are_not_proposed(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Guadalupe", "Reyes", "+18135550124")

        assert stored_pairs() == []

    def test_nickname_at_same_street_address_is_proposed(self):
        person("Robert", "Hale", "+18135550142", home_key="33602 12 main", email=None)
        bob = person("Bob", "Hale", "+14155550187", email=None)
        make.lead(person=bob, property_key="33602 12 main", property_zip="33602")

        assert stored_pairs() == [
            ("Robert", "Bob", "similar name, same street address", "no phone in common")
        ]

    def test_neighbors_in_same_building_are_not_proposed(self):
        person("Robert", "Hale", home_key="33602 12 main")
        person("Mei", "Chen", home_key="33602 12 main")

        assert stored_pairs() == []

    def test_mario_and_maria_with_shared_phone_are_proposed_but_not_matched(self):
        person("Mario", "Ortiz", "+18135550142", email=None)
        person("Maria", "Ortiz", "+18135550142", email=None)

        assert stored_pairs() == [
            ("Mario", "Maria", "same phone, almost the same name",
             "Mario and Maria are different names"),
        ]  # fmt: skip

    def test_household_with_shared_phone_is_not_proposed(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Guadalupe", "Ortiz", "+18135550142")

        assert stored_pairs() == []

    @pytest.mark.parametrize(("days", "is_proposed"), [(181, True), (180, False)])
    def test_number_under_new_name_after_long_silence_can_be_recycled(self, days, is_proposed):
        before = make.NOON - days * make.DAY
        ben = person("Ben", "Ortiz", "+18135550142", at=before)
        make.lead(person=ben, at=before)
        person("Mei", "Chen", "+18135550142")

        stored_pairs()

        numbers = [
            possible_duplicate.number for possible_duplicate in PossibleDuplicate.objects.all()
        ]
        assert numbers == (["+18135550142"] if is_proposed else [])

    def test_recent_message_from_borrower_ends_silence(self):
        before = make.NOON - 400 * make.DAY
        ben = person("Ben", "Ortiz", "+18135550142", at=before)
        lead = make.lead(person=ben, at=before)
        lead.attempts.create(
            person=ben,
            medium="text",
            direction="in",
            at=make.NOON - make.DAY,
            idempotency_key="message:1",
        )
        person("Mei", "Chen", "+18135550142")

        assert stored_pairs() == []

    def test_test_person_is_not_compared_with_real_people(self):
        make.lead(person=person("Ben", "Ortiz", "+18135550142"), is_test=True)
        make.lead(person=person("Benjamin", "Ortiz", "+18135550142"))

        assert stored_pairs() == []

    def test_person_with_new_number_is_compared_again(self):
        journey.set_up_company()
        form = journey.create_website()
        journey.deliver(form, journey.form_post(email="ben@home.example"))
        person("Benjamin", "Ortiz", "+18135550177", email=None)
        assert stored_pairs() == []

        journey.deliver(
            form,
            journey.form_post(phone="(813) 555-0177", email="ben@home.example"),
            at=journey.later(3),
        )

        assert [stored_pair[:3] for stored_pair in stored_pairs()] == [
            ("Ben", "Benjamin", "same email, similar name")
        ]

    def test_scheduler_compares_people_once(self):
        person("Ben", "Ortiz", "+18135550142")
        person("Benjamin", "Ortiz", "+18135550142")

        tick = next(entry for entry in tick_schedule.TICKS if entry.name == "possible duplicates")
        tick.run(LATER)
        tick.run(LATER)

        assert PossibleDuplicate.objects.count() == 1
        assert not Person.objects.filter(compared_at=None).exists()


@pytest.fixture
def pair(db):
    """Return the open pair of Ben and Benjamin, who share a number and have a lead each."""
    for name in ("Ben", "Benjamin"):
        make.lead(person=person(name, "Ortiz", "+18135550142", email=None))
    duplicate_review.compare_new_people(at=LATER)
    return PossibleDuplicate.objects.get()


@pytest.fixture
def recycled(db):
    """Return the open pair in which Mei gives Ben's number after Ben's long silence."""
    before = make.NOON - 400 * make.DAY
    make.lead(person=person("Ben", "Ortiz", "+18135550142", at=before), at=before)
    make.lead(person=person("Mei", "Chen", "+18135550142"))
    duplicate_review.compare_new_people(at=LATER)
    return PossibleDuplicate.objects.get()


def open_pairs() -> list[PossibleDuplicate]:
    return list(duplicate_review.unanswered_pairs(Lead.objects.all()))


def test_pair_answered_as_two_people_is_never_proposed_again(pair):
    person_merges.keep_people_apart(
        duplicate_pair_id=pair.pk, number_moved=False, by=make.user("operations"), at=LATER
    )

    Person.objects.update(compared_at=None)
    duplicate_review.compare_new_people(at=LATER + make.DAY)

    assert open_pairs() == []
    assert duplicate_candidates.find_duplicates(pair.older) == []
    person_ids = Event.objects.filter(kind="capture.pair.two").values_list("person_id", flat=True)
    assert set(person_ids) == {pair.older_id, pair.newer_id}


def test_merge_answers_pair_and_split_answers_two_people(pair):
    by = make.user("operations")

    made = person_merges.merge_people(
        survivor_id=pair.older_id, duplicate_id=pair.newer_id, reason="said", by=by, at=LATER
    )
    pair.refresh_from_db()
    assert (pair.answer, pair.by, open_pairs()) == ("same", by, [])

    person_merges.split_people(merge_id=made.pk, reason="slip", by=by, at=LATER + make.HOUR)
    pair.refresh_from_db()
    assert (pair.answer, open_pairs()) == ("two", [])


def test_duplicate_answer_can_be_undone(recycled):
    by = make.user("operations")
    person_merges.keep_people_apart(
        duplicate_pair_id=recycled.pk, number_moved=True, by=by, at=LATER
    )

    duplicate_review.reopen_pair(recycled.pk, by=by.pk, at=LATER + make.HOUR)

    assert open_pairs() == [recycled]
    assert not Phone.objects.exclude(unlinked_at=None).exists()


def test_recycled_number_moves_to_new_owner_and_stops_messages_to_old_owner(recycled):
    lead = Lead.objects.get(person=recycled.older)
    waiting = Message.objects.create(
        lead=lead, person=recycled.older, medium="text", purpose="marketing",
        idempotency_key="step:1",
        to_address="+18135550142", body="Hello", state="held", created_at=LATER, due_at=LATER,
    )  # fmt: skip

    person_merges.keep_people_apart(
        duplicate_pair_id=recycled.pk, number_moved=True, by=make.user("operations"), at=LATER
    )

    waiting.refresh_from_db()
    assert waiting.state == "cancelled"
    number_owners = {
        phone.person_id: phone.unlinked_at for phone in Phone.objects.filter(e164="+18135550142")
    }
    assert number_owners == {recycled.older_id: LATER, recycled.newer_id: None}


def test_undoubted_number_is_not_moved(pair):
    with pytest.raises(CannotAnswer, match="They share no phone number"):
        person_merges.keep_people_apart(
            duplicate_pair_id=pair.pk, number_moved=True, by=make.user("operations"), at=LATER
        )

    assert open_pairs() == [pair]


def test_open_pair_delays_no_first_response(db):
    """A possible duplicate is processed, offered and messaged like any lead."""
    journey.set_up_company()
    make.officer()
    form = journey.create_website()
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
