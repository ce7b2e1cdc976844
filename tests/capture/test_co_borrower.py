"""Co-borrowers: people of their own, whom the borrower's consent does not cover."""

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
    """Return the lead of Ben, who applies with Lupe; only her name is stated."""
    journey.set_up_company()
    make.officer()
    return journey.deliver(
        journey.create_website(), journey.form_post(co_first_name="Lupe", co_last_name="Ortiz")
    )


def test_co_borrower_is_stored_on_lead_without_any_consent(together):
    lupe = together.co_borrower

    assert (lupe.first_name, lupe.last_name, lupe.name_key) == ("Lupe", "Ortiz", "lupe ortiz")
    assert together.person.first_name == "Ben"
    assert not Consent.objects.filter(person=lupe).exists()
    assert not Message.objects.filter(person=lupe).exists()
    assert Event.objects.filter(kind="capture.co_borrower.stated", person_id=lupe.pk).count() == 1


def test_repeated_inquiry_keeps_same_borrower_and_co_borrower(together):
    again = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(co_first_name="Lupe", co_last_name="Ortiz"),
        at=journey.later(2),
    )

    assert (again, again.co_borrower) == (together, together.co_borrower)
    assert Person.objects.count() == 2


def test_different_co_borrower_replaces_earlier_one(together):
    again = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(co_first_name="Zev", co_last_name="Adler"),
        at=journey.later(2),
    )

    assert again.co_borrower.first_name == "Zev"
    assert Person.objects.filter(first_name="Lupe").exists()


def test_co_borrower_who_inquires_later_is_recognized_as_own_person(together):
    lupe = together.co_borrower
    household_number = "+18135550142"
    Phone.objects.create(person=lupe, e164=household_number, given_at=make.NOON)

    own = journey.deliver(
        Lead.objects.get().source,
        journey.form_post(first_name="Lupe", email="lupe@home.example", loan_purpose="refinance"),
        at=journey.later(3),
    )

    assert own.person == lupe
    assert own != together


def test_co_borrower_and_borrower_are_never_duplicate_candidates(together):
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


def test_merge_moves_co_borrower_place_and_split_restores_it(together):
    lupe, other = together.co_borrower, make.person(first_name="Guadalupe", last_name="Ortiz")

    made = person_merges.merge_people(
        survivor_id=other.pk, duplicate_id=lupe.pk, reason="said", by=None, at=make.NOON
    )
    together.refresh_from_db()
    assert together.co_borrower == other

    person_merges.split_people(merge_id=made.pk, reason="slip", by=None, at=make.NOON)
    together.refresh_from_db()
    assert together.co_borrower == lupe


def test_co_borrower_of_test_lead_matches_no_real_person(together):
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
