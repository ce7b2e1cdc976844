"""The second applicant is a person of their own, whom the borrower's permissions do not reach."""

import pytest

from rooftree.capture.identity import duplicate_candidates, duplicate_review
from rooftree.capture.identity.merge_people import CannotMerge
from rooftree.compliance.models import Consent
from rooftree.flow import person_merges
from rooftree.leads.models import Lead, Person, Phone, PossibleDuplicate
from rooftree.ledger.models import Event
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def together():
    """Ben, who applies with Lupe; she is named and no more."""
    journey.ready()
    make.officer()
    return journey.deliver(
        journey.website(), journey.form_post(co_first_name="Lupe", co_last_name="Ortiz")
    )


def test_they_are_kept_on_the_lead_and_nothing_is_permitted_for_them(together):
    lupe = together.co_borrower

    assert (lupe.first_name, lupe.last_name, lupe.name_key) == ("Lupe", "Ortiz", "lupe ortiz")
    assert together.person.first_name == "Ben"
    assert not Consent.objects.filter(person=lupe).exists()
    assert not Message.objects.filter(person=lupe).exists()
    assert Event.objects.filter(kind="capture.co_borrower.stated", person_id=lupe.pk).count() == 1


def test_asked_again_they_are_the_same_two(together):
    again = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(co_first_name="Lupe", co_last_name="Ortiz"),
        at=journey.later(2),
    )

    assert (again, again.co_borrower) == (together, together.co_borrower)
    assert Person.objects.count() == 2


def test_another_second_applicant_follows_the_first(together):
    again = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(co_first_name="Zev", co_last_name="Adler"),
        at=journey.later(2),
    )

    assert again.co_borrower.first_name == "Zev"
    assert Person.objects.filter(first_name="Lupe").exists()


def test_who_asks_for_themselves_later_is_known_and_is_not_the_borrower(together):
    lupe = together.co_borrower
    Phone.objects.create(person=lupe, e164="+18135550142", given_at=make.NOON)  # the household's

    own = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(first_name="Lupe", email="lupe@home.example", loan_purpose="refinance"),
        at=journey.later(3),
    )

    assert own.person == lupe
    assert own != together


def test_they_are_two_people_and_nobody_is_asked(together):
    lupe = together.co_borrower
    Phone.objects.create(person=lupe, e164="+18135550142", given_at=make.NOON)
    Person.objects.filter(pk=lupe.pk).update(first_name="Ben")

    duplicate_review.compare_new_people(at=journey.later(5))

    assert duplicate_candidates.find_duplicates(together.person) == []
    assert not PossibleDuplicate.objects.exists()
    with pytest.raises(CannotMerge, match="apply together"):
        person_merges.merge_people(
            survivor_id=together.person_id,
            duplicate_id=lupe.pk,
            reason="said",
            by=None,
            at=make.NOON,
        )


def test_a_merge_takes_their_place_on_the_lead_along_and_a_split_gives_it_back(together):
    lupe, other = together.co_borrower, make.person(first_name="Guadalupe", last_name="Ortiz")

    made = person_merges.merge_people(
        survivor_id=other.pk, duplicate_id=lupe.pk, reason="said", by=None, at=make.NOON
    )
    together.refresh_from_db()
    assert together.co_borrower == other

    person_merges.split_people(merge_id=made.pk, reason="slip", by=None, at=make.NOON)
    together.refresh_from_db()
    assert together.co_borrower == lupe


def test_the_second_applicant_of_a_test_is_no_person(together):
    Lead.objects.update(is_test=True)
    lupe = together.co_borrower
    Phone.objects.create(person=lupe, e164="+18135550177", given_at=make.NOON)

    own = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(
            first_name="Lupe", email="lupe@home.example", phone="(813) 555-0177",
            loan_purpose="refinance",
        ),
        at=journey.later(3),
    )  # fmt: skip

    assert own.person != lupe
