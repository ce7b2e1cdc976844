"""Two vendors sell the same click in the same millisecond; we get one lead."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, transaction

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, DeliveryKey, Lead, Person, Touch
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

    at_once(lambda: lead_arrival.process_next_batch(at=make.NOON), times=8)
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


def test_of_eight_at_once_one_takes_the_place_of_a_delivery_nobody_could_use():
    source = journey.zillow()
    nobody = journey.zillow_contact(sender={"phoneNumber": "", "emailAddress": ""})
    journey.arrive(source, nobody)
    usable = {**journey.zillow_contact(), "id": nobody["id"]}

    with ThreadPoolExecutor(8) as pool:
        with transaction.atomic():
            DeliveryKey.objects.select_for_update().get()  # here all of them come to wait
            coming = [pool.submit(arrives, source, usable) for _ in range(8)]
            while waiting() < len(coming) and not any(one.done() for one in coming):
                time.sleep(0.02)
        answers = {one.result(timeout=20) for one in coming}
    journey.run(journey.later(1))

    assert len(answers) == 1
    assert DeliveryKey.objects.get().delivery.state == "worked"
    assert Delivery.objects.filter(state="duplicate").count() == 8
    assert Lead.objects.count() == 1


def arrives(source, body) -> bytes:
    try:
        return journey.arrive(source, body, at=journey.later(1)).answer.to_bytes()
    finally:
        connection.close()


def waiting() -> int:
    """How many connections wait for what another one holds.

    Read from the locks: what the server says of its sessions stays the same in a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("select count(distinct pid) from pg_locks where not granted")
        return cursor.fetchone()[0]


def test_eight_workers_send_a_message_once():
    lead = journey.deliver(journey.website(), journey.form_post(), at=make.NIGHT)
    held = Message.objects.get(lead=lead, medium="text")
    from rooftree.outreach.messages import send

    handled = at_once(lambda: send.deliver_messages([held.pk], at=held.due_at), times=8)

    assert sum(map(len, handled)) == 1
    held.refresh_from_db()
    assert (held.state, held.attempts) == ("sent", 1)


def test_the_leads_of_a_batch_are_held_in_one_order_whatever_order_they_come_in():
    site = journey.website()
    posts = {
        journey.deliver(site, post, at=journey.later(nth)).pk: post
        for nth, post in enumerate([of_another(0), of_another(1)])
    }
    first, second = sorted(posts)
    journey.arrive(site, again(posts[second]), at=journey.later(3))
    journey.arrive(site, again(posts[first]), at=journey.later(4))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Lead.objects.select_for_update(no_key=True).get(pk=first)
            act = partial(lead_arrival.process_next_batch, at=journey.later(5))
            working = pool.submit(at_once, act, times=1)
            until_somebody_waits()
            free = Lead.objects.select_for_update(no_key=True, skip_locked=True)
            assert free.filter(pk=second).exists()  # they wait for the first, and hold nothing
        assert working.result() == [2]
    assert Touch.objects.filter(lead=second).count() == 2


def of_another(nth: int) -> dict:
    return journey.form_post(
        first_name=("Ana", "Cleo")[nth],
        phone=f"(813) 555-02{nth:02d}",
        email=f"borrower{nth}@home.example",
    )


def again(post: dict) -> dict:
    return post | {"submission_id": f"s-{make.number()}"}


def until_somebody_waits() -> None:
    """Return when another connection waits for a lock."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        if waiting():
            return
        time.sleep(0.02)
    raise TimeoutError("Nobody waits for a lock.")


def at_once(act, *, times: int) -> list:
    """Do the same in `times` threads, each with its own connection."""

    def once(_: int):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(once, range(times)))
