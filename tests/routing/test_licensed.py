"""The database refuses and ends unlawful assignments, even by statements no code here makes."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from rooftree.core.uuid7 import uuid7
from rooftree.db import trigger_clock
from rooftree.ledger.models import Event
from rooftree.org.models import Company, CompanyLicense, License, LoanOfficer
from rooftree.routing.models import Offer, Ownership, RoutingDecision, RuleSet
from tests import make

pytestmark = pytest.mark.django_db
LATER = make.NOON + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def at_noon(db):
    trigger_clock.set_trigger_time(make.NOON)


def decision_on(lead):
    rules, _ = RuleSet.objects.get_or_create(
        number=1, defaults={"rules": [], "published_at": make.NOON}
    )
    return RoutingDecision.objects.create(
        lead=lead, rule_set=rules, inputs={}, outcome={}, sentence="-", at=make.NOON
    )


def insert_offer(lead, officer, at=make.NOON):
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            "insert into offer (id, lead_id, officer_id, decision_id, offered_at, due_at,"
            " end_reason) values (%s, %s, %s, %s, %s, %s, '')",
            [uuid7(), lead.pk, officer.pk, decision_on(lead).pk, at, at + timedelta(minutes=2)],
        )


def insert_ownership(lead, officer, at=make.NOON):
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            "insert into ownership (id, lead_id, officer_id, from_at, end_reason)"
            " values (%s, %s, %s, %s, '')",
            [uuid7(), lead.pk, officer.pk, at],
        )


def unlicensed(cast):
    License.objects.filter(officer=cast.dana, state="FL").delete()


def expired(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(until_date=date(2026, 11, 23))


def inactive(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(status="Approved - Inactive")


def begins_tomorrow(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(from_date=date(2026, 11, 24))


def company_unlicensed(cast):
    CompanyLicense.objects.filter(state="FL").delete()


def not_sponsored(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(sponsored_from_date=date(2026, 11, 24))


def terminated(cast):
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(terminated_at=make.NOON)


UNLAWFUL = [
    unlicensed,
    expired,
    inactive,
    begins_tomorrow,
    company_unlicensed,
    not_sponsored,
    terminated,
]


@pytest.mark.parametrize("make_unlawful", UNLAWFUL)
@pytest.mark.parametrize("insert", [insert_offer, insert_ownership])
def test_database_refuses_to_assign_ineligible_officer(cast, insert, make_unlawful):
    make_unlawful(cast)

    with pytest.raises(IntegrityError, match="Not allowed"):
        insert(cast.ben, cast.dana)

    assert (Offer.objects.count(), Ownership.objects.count()) == (0, 0)


@pytest.mark.parametrize("insert", [insert_offer, insert_ownership])
def test_database_accepts_eligible_officer(cast, insert):
    insert(cast.ben, cast.dana)

    assert Offer.objects.count() + Ownership.objects.count() == 1


def test_offer_cannot_be_moved_to_ineligible_officer(cast):
    insert_offer(cast.ben, cast.dana)

    with pytest.raises(IntegrityError, match="not licensed in FL"), transaction.atomic():
        Offer.objects.update(officer=cast.sam)


def test_lawful_offer_cannot_be_taken_after_license_ended(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(until_date=date(2026, 11, 24))
    insert_offer(cast.ben, cast.dana)

    with pytest.raises(IntegrityError, match="not licensed in FL"), transaction.atomic():
        Offer.objects.update(accepted_at=make.NOON + timedelta(days=1))


def test_ownership_cannot_be_moved_or_reopened(cast):
    insert_ownership(cast.ben, cast.dana)

    with pytest.raises(IntegrityError, match="not licensed"), transaction.atomic():
        Ownership.objects.update(officer=cast.sam)
    Ownership.objects.update(until_at=LATER)
    with pytest.raises(IntegrityError, match="does not begin again"), transaction.atomic():
        Ownership.objects.update(until_at=None)


def test_lead_officer_cannot_be_set_without_ownership(cast):
    with pytest.raises(IntegrityError, match="write the ownership"), transaction.atomic():
        type(cast.ben).objects.filter(pk=cast.ben.pk).update(officer=cast.dana)
    with pytest.raises(IntegrityError, match="write the ownership"), transaction.atomic():
        type(cast.ben).objects.create(
            person=cast.ben.person,
            source=cast.zillow,
            officer=cast.dana,
            created_at=make.NOON,
            last_inquiry_at=make.NOON,
        )


def test_lead_officer_cannot_be_cleared_while_owned(cast):
    insert_ownership(cast.ben, cast.dana)

    with pytest.raises(IntegrityError, match="write the ownership"), transaction.atomic():
        type(cast.ben).objects.filter(pk=cast.ben.pk).update(officer=None)


def test_lead_mirrors_its_owner(cast):
    insert_ownership(cast.ben, cast.dana)
    cast.ben.refresh_from_db()
    assert (cast.ben.officer, cast.ben.branch) == (cast.dana, cast.tampa)

    Ownership.objects.update(until_at=LATER)
    cast.ben.refresh_from_db()
    assert (cast.ben.officer, cast.ben.branch) == (None, cast.tampa)


def test_lead_without_state_can_go_to_any_employed_officer(cast):
    nowhere = make.lead(property_state="")
    unlicensed(cast)

    insert_ownership(nowhere, cast.dana)

    assert Ownership.objects.count() == 1


def test_bank_officer_needs_no_state_license(cast):
    Company.objects.update(kind="depository")
    unlicensed(cast)
    company_unlicensed(cast)

    insert_ownership(cast.ben, cast.dana)

    assert Ownership.objects.count() == 1


def test_past_ownership_is_checked_against_its_own_day(cast):
    License.objects.filter(officer=cast.dana, state="FL").update(until_date=date(2026, 1, 1))
    before, after = make.NOON - timedelta(days=400), make.NOON

    insert_ownership(make.lead(at=before), cast.dana, at=before)
    with pytest.raises(IntegrityError):
        insert_ownership(cast.ben, cast.dana, at=after)


@pytest.mark.parametrize(
    "make_unlawful", [unlicensed, expired, inactive, company_unlicensed, terminated]
)
def test_unlawful_offer_and_ownership_end_at_once_with_event(cast, make_unlawful):
    other = make.lead()
    elsewhere = make.lead(property_state="CA")
    insert_ownership(cast.ben, cast.dana)
    insert_offer(other, cast.dana)
    insert_ownership(elsewhere, cast.dana)

    make_unlawful(cast)

    assert Ownership.objects.get(lead=cast.ben).until_at
    assert Offer.objects.get(lead=other).expired_at
    cast.ben.refresh_from_db()
    assert cast.ben.officer is None
    ends = set(Event.objects.filter(data__rule="LIC-01").values_list("kind", "lead_id"))
    assert ends >= {
        ("routing.ownership.ended", cast.ben.pk),
        ("routing.offer.lapsed", other.pk),
    }
    still = Ownership.objects.get(lead=elsewhere).until_at is None
    assert still is (make_unlawful is not terminated)


def test_changed_property_state_ends_ownership(cast):
    insert_ownership(cast.ben, cast.dana)

    type(cast.ben).objects.filter(pk=cast.ben.pk).update(property_state="TX")

    ended = Ownership.objects.get()
    assert (ended.until_at is not None, ended.end_reason) == (True, "property_state_changed")


def test_changed_state_with_license_keeps_ownership(cast):
    insert_ownership(cast.ben, cast.dana)

    type(cast.ben).objects.filter(pk=cast.ben.pk).update(property_state="CA")

    assert Ownership.objects.get().until_at is None


def test_funded_lead_keeps_its_owner(cast):
    insert_ownership(cast.ben, cast.dana)
    type(cast.ben).objects.filter(pk=cast.ben.pk).update(state="funded")

    unlicensed(cast)

    assert Ownership.objects.get().until_at is None
    type(cast.ben).objects.filter(pk=cast.ben.pk).update(state="working")  # it opens again
    assert Ownership.objects.get().until_at is not None
