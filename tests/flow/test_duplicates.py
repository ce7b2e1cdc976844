"""Two vendors sell the same click in the same millisecond; we get one lead."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from rooftree.flow import intake
from rooftree.leads.models import Delivery, Lead, Person, Touch
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def company(committed):
    journey.ready()
    make.officer("Dana Whitfield", licensed=("FL",))


def test_eight_arrivals_at_once_are_one_person_and_one_lead():
    sources = [journey.zillow(), journey.website()]
    for nth in range(8):
        body = journey.form_post() if nth % 2 else journey.zillow_contact()
        journey.arrive(sources[nth % 2], body)

    at_once(lambda: intake.work_next(at=make.NOON), times=8)
    journey.run()

    assert Person.objects.count() == 1
    assert Lead.objects.count() == 1
    assert Touch.objects.count() == 8
    assert Touch.objects.filter(is_first=True).count() == 1
    assert Offer.objects.count() == 1
    assert Entry.objects.filter(kind="cost").count() == 4  # each Zillow arrival was paid for
    assert len(journey.texts(Lead.objects.get())) == 1


def test_the_same_delivery_from_eight_connections_is_kept_once_and_answered_alike():
    source, contact = journey.zillow(), journey.zillow_contact()

    answers = at_once(lambda: journey.arrive(source, contact).answer.to_bytes(), times=8)
    journey.run()

    assert len(set(answers)) == 1
    assert Lead.objects.count() == 1
    assert Delivery.objects.filter(state="worked").count() == 1
    assert Delivery.objects.filter(state="duplicate").count() == 7


def test_eight_workers_send_a_message_once():
    lead = journey.deliver(journey.website(), journey.form_post(), at=make.NIGHT)
    held = Message.objects.get(lead=lead, medium="text")
    from rooftree.outreach import send

    handled = at_once(lambda: send.deliver([held.pk], at=held.due_at), times=8)

    assert sum(map(len, handled)) == 1
    held.refresh_from_db()
    assert (held.state, held.attempts) == ("sent", 1)


def at_once(act, *, times: int) -> list:
    """Do the same in `times` threads, each with its own connection."""

    def once(_: int):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(once, range(times)))
