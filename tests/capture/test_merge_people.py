"""Merging and splitting people: nothing is lost, nothing is doubled."""

import pytest

from rooftree.capture.identity.merge_people import CannotMerge
from rooftree.capture.identity.split_people import CannotSplit
from rooftree.compliance.models import Consent, Revocation
from rooftree.flow import borrower_replies
from rooftree.leads.models import (
    DeliveryKey,
    Lead,
    Person,
    Phone,
    Source,
    Touch,
)
from rooftree.ledger.models import Event
from rooftree.money.models import Entry
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.models import Message
from rooftree.reporting import deep_checks, invariants
from rooftree.retention.removal_check import check_removals
from tests import make
from tests.capture.made_one import LATER, merge, rows, split, stop
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben_and_benny():
    """Return Ben and a second record of him with another number and a dissimilar name."""
    journey.set_up_company()
    zillow = journey.create_zillow()
    ben = journey.deliver(zillow, journey.zillow_contact())
    benny = journey.deliver(
        zillow,
        journey.zillow_contact(
            sender={
                "firstName": "Zev",
                "lastName": "Ortiz",
                "phoneNumber": "8135550166",
                "emailAddress": "zev@work.example",
            }
        ),
        at=journey.later(1),
    )
    assert ben.person != benny.person
    return ben.person, benny.person


def test_merged_person_has_leads_phones_and_emails_of_both(ben_and_benny):
    ben, zev = ben_and_benny

    merge(ben, zev)

    assert Lead.objects.filter(person=ben).count() == 2
    assert {phone.e164 for phone in ben.phones.all()} == {"+18135550142", "+18135550166"}
    assert ben.emails.count() == 2
    assert [phone.e164 for phone in ben.phones.filter(is_primary=True)] == ["+18135550142"]
    assert set(Message.objects.values_list("person", flat=True)) == {ben.pk}
    zev.refresh_from_db()
    assert zev.merged_into == ben


def test_merge_preserves_credits_and_costs_to_the_cent(ben_and_benny):
    ben, zev = ben_and_benny
    before = (list(Entry.objects.order_by("pk").values()), list(Touch.objects.order_by("pk")))

    made = merge(ben, zev)
    assert (list(Entry.objects.order_by("pk").values()), list(Touch.objects.order_by("pk"))) == (
        before
    )
    assert [finding.sentence for finding in whole(LATER) if not finding.holds] == []

    split(made)
    assert list(Entry.objects.order_by("pk").values()) == before[0]
    assert [finding.sentence for finding in whole(LATER) if not finding.holds] == []


def whole(at) -> list[invariants.Finding]:
    """Run every check of `rooftree check --deep`."""
    checks = (*invariants.INVARIANTS, check_removals, *deep_checks.DEEP_CHECKS)
    return [check(at) for check in checks]


def test_merge_and_split_write_events_for_both_people_without_names(ben_and_benny):
    ben, zev = ben_and_benny
    ruth = make.user("manager")

    made = merge(ben, zev, by=ruth, reason="papers")
    split(made, by=ruth, reason="slip")

    events = Event.objects.filter(kind__startswith="capture.person.").order_by("id")
    assert {
        (event.kind, event.person_id, event.data["reason"], event.actor) for event in events
    } == {
        ("capture.person.merged", ben.pk, "papers", f"user:{ruth.pk}"),
        ("capture.person.merged", zev.pk, "papers", f"user:{ruth.pk}"),
        ("capture.person.split", ben.pk, "slip", f"user:{ruth.pk}"),
        ("capture.person.split", zev.pk, "slip", f"user:{ruth.pk}"),
    }
    assert "Ortiz" not in str([event.data for event in events])


def test_repeated_merge_happens_once(ben_and_benny):
    ben, zev = ben_and_benny

    first, again = merge(ben, zev), merge(ben, zev)
    assert first == again
    split(first)
    after = rows()
    split(first)

    assert rows() == after
    assert Event.objects.filter(kind="capture.person.split").count() == 2


def test_opt_out_of_either_applies_to_merged_person(ben_and_benny):
    ben, zev = ben_and_benny
    stop("+18135550166", zev)

    merge(ben, zev)

    leads = Lead.objects.filter(person=ben).select_related("person")
    assert {is_stopped(lead, "+18135550142") for lead in leads} == {True}


def test_opt_out_during_merge_applies_to_both_after_split(ben_and_benny):
    ben, zev = ben_and_benny
    made = merge(ben, zev)
    borrower_replies.receive_text(
        sender="+18135550142", body="STOP", carrier_id="SM1", carrier="console", at=LATER
    )

    split(made)

    assert Revocation.objects.filter(person=ben, ended_at=None).count() == 1
    doubled = Revocation.objects.get(person=zev, ended_at=None)
    assert (doubled.address, doubled.kind, doubled.at) == ("+18135550142", "stop", LATER)
    assert is_stopped(Lead.objects.get(person=zev), "+18135550166")
    assert is_stopped(Lead.objects.get(person=ben), "+18135550142")


def test_opt_out_before_merge_returns_to_its_person_after_split(ben_and_benny):
    ben, zev = ben_and_benny
    stop("+18135550166", zev)

    split(merge(ben, zev))

    assert is_stopped(Lead.objects.get(person=zev), "+18135550166")
    assert not is_stopped(Lead.objects.get(person=ben), "+18135550142")


def is_stopped(lead: Lead, number: str) -> bool:
    at = LATER + 2 * make.HOUR
    return any(
        revocation.kind == "stop"
        for revocation in LeadRecords(lead, keys=[number], at=at).revocations(number)
    )


def test_wrong_number_applies_to_merged_person_and_is_restored_by_split():
    person, other = make.person(phone="+18135550142"), make.person(phone="+18135550142")
    Phone.objects.filter(person=other).update(unlinked_at=make.NOON)

    made = merge(person, other)
    assert Phone.objects.get(person=person).unlinked_at == make.NOON

    split(made)
    assert Phone.objects.get(person=person).unlinked_at is None
    assert Phone.objects.get(person=other).unlinked_at == make.NOON


def test_inquiry_during_merge_follows_its_lead_after_split(ben_and_benny):
    """Its consent and number go with it, to whichever person they were stored meanwhile."""
    ben, zev = ben_and_benny
    lead_of_zev = Lead.objects.get(person=zev)
    vendor_id = Touch.objects.get(lead=lead_of_zev).vendor_lead_id
    made = merge(ben, zev)
    DeliveryKey.objects.all().delete()
    again = journey.deliver(
        Source.objects.get(),
        journey.zillow_contact(
            id=vendor_id, sender={"firstName": "Zev", "phoneNumber": "8135550177"}
        ),
        at=LATER,
    )
    assert (again, again.person) == (lead_of_zev, ben)

    split(made)

    assert set(Touch.objects.filter(lead=lead_of_zev).values_list("person", flat=True)) == {zev.pk}
    assert Consent.objects.get(address="+18135550177").person == zev
    assert Phone.objects.get(e164="+18135550177").person == zev
    assert set(Message.objects.filter(lead=lead_of_zev).values_list("person", flat=True)) == {
        zev.pk
    }


def test_new_inquiry_under_old_name_finds_merged_person(ben_and_benny):
    ben, zev = ben_and_benny
    merge(ben, zev)

    lead = journey.deliver(
        journey.create_website(),
        journey.form_post(
            first_name="Zev", last_name="Ortiz", phone="(813) 555-0166", email="new@home.example"
        ),
        at=LATER,
    )

    assert lead.person == ben
    assert Person.objects.count() == 2


def test_queued_message_to_split_off_number_is_canceled(ben_and_benny):
    ben, zev = ben_and_benny
    made = merge(ben, zev)
    lead = Lead.objects.get(pk__in=made.moved["lead"])
    astray = Message.objects.create(
        lead=lead,
        person=ben,
        medium="text",
        purpose="marketing",
        idempotency_key="step:1",
        to_address="+18135550142",
        body="Hello",
        state="held",
        created_at=LATER,
        due_at=LATER + make.DAY,
    )

    split(made)

    astray.refresh_from_db()
    assert (astray.person, astray.state, astray.due_at) == (zev, "cancelled", None)


def test_later_merge_must_be_undone_first():
    first_person, second_person, third_person = make.person(), make.person(), make.person()
    first = merge(first_person, second_person)
    second = merge(first_person, third_person)

    with pytest.raises(CannotSplit, match="was merged later"):
        split(first)
    split(second)
    split(first)

    assert not Person.objects.exclude(merged_into=None).exists()


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("itself", "two different people"),
        ("a part", "already merged into another person"),
        ("a test", "be merged with a real person"),
        ("no reason", "Say why"),
    ],
)
def test_unmergeable_people_are_rejected_with_reason(which, said):
    one, other, third = make.person(), make.person(), make.person()
    make.lead(person=one)
    make.lead(person=other, is_test=which == "a test")
    if which == "a part":
        merge(third, other)
    before = rows()

    with pytest.raises(CannotMerge, match=said):
        merge(
            one,
            one if which == "itself" else other,
            reason="" if which == "no reason" else "said",
        )

    assert rows() == before


def test_split_needs_a_reason(ben_and_benny):
    made = merge(*ben_and_benny)

    with pytest.raises(CannotSplit, match="Say why"):
        split(made, reason="")

    made.refresh_from_db()
    assert made.split_at is None
