"""Nobody is late with a first call that the gate forbids."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.gate import next_calling_time
from rooftree.flow import call_deadlines, lead_edits
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org.models import Company
from rooftree.routing import answer_offer, assign_leads, rule_sets, work_queue
from rooftree.routing.routing_rules import Rule
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN = "+18135550142"


@pytest.fixture
def dana():
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"))


def arrive(dana, *, at=make.NOON, **changes) -> Lead:
    """A lead that was routed and that Dana has taken; its call is due in two minutes."""
    rule_sets.publish_rules([Rule(name="Everyone")], by=None, at=at - make.DAY)
    person = make.person(phone=BEN, at=at, **changes.pop("home", {}))
    lead = make.lead(at=at, source=journey.create_website(), person=person, **changes)
    make.touch(lead, at=at)
    offer = assign_leads.assign_to_best_officer(lead_id=lead.pk, at=at)
    if isinstance(offer, assign_leads.Assignment):
        answer_offer.take_offer(offer_id=offer.offer_id, officer_id=dana.pk, at=at)
    elif lead.property_state:
        make.ownership(lead, dana, at=at)
    return Lead.objects.get(pk=lead.pk)


def due_at(lead):
    return Lead.objects.get(pk=lead.pk).response_due_at


def sweep(minutes=1.5):
    return call_deadlines.move_unlawful_deadlines(at=journey.later(minutes))


def test_deadline_of_an_allowed_call_stays(dana):
    lead = arrive(dana)
    before = due_at(lead)

    assert (sweep(), sweep(5)) == (0, 0)
    assert due_at(lead) == before == journey.later(2)


def test_forbidden_call_has_no_deadline(dana):
    lead = arrive(dana)
    store_revocation.store_revocation(
        person_id=None, address=BEN, kind="do_not_contact", media=["call"], origin="page:test",
        idempotency_key="test:1", at=make.NOON,
    )  # fmt: skip

    assert sweep() == 1

    assert due_at(lead) is None
    assert Event.objects.get(kind="routing.deadline.moved").data["because"] == "internal_dnc"
    rows = work_queue.list_rows(dana.user, at=journey.later(10))
    assert [(row.lead_id, row.group) for row in rows] == [(lead.pk, work_queue.Group.NEXT)]


def test_deadline_waits_for_every_place_where_the_borrower_may_be(dana):
    lead = arrive(dana, home={"state": "HI", "zip": "96813"})  # 7 AM there

    assert sweep() == 1

    assert due_at(lead) == make.NOON + make.HOUR + 5 * make.MINUTE


def test_state_entered_starts_the_deadline(dana):
    lead = arrive(dana, property_state="")
    Company.objects.update(emergencies_checked_at=make.NOON)
    Lead.objects.filter(pk=lead.pk).update(property_state="FL")
    if lead.officer_id is None:
        make.ownership(lead, dana)
    Lead.objects.filter(pk=lead.pk).update(response_due_at=None)

    lead_edits._follow_new_place(Lead.objects.get(pk=lead.pk), by=dana.user, at=journey.later(30))

    assert due_at(lead) == journey.later(35)


def test_calls_close_in_the_queue_when_they_close_at_the_gate():
    closing = make.NOON + 8 * make.HOUR  # 8 PM in Florida
    place = (BEN, "FL", "33602", ())

    assert next_calling_time.next_opening(*place, at=closing - 6 * make.MINUTE) < closing
    assert next_calling_time.next_opening(*place, at=closing - 4 * make.MINUTE) > closing


def test_late_clock_stands_still_while_calls_are_closed(dana):
    lead = arrive(dana)

    (by_day,) = work_queue.list_rows(dana.user, at=journey.later(30))
    (by_night,) = work_queue.list_rows(dana.user, at=make.NIGHT)

    assert (by_day.lead_id, by_day.is_missed_at_night) == (lead.pk, False)
    assert by_night.is_missed_at_night
    assert "OK to call" in by_night.reason
